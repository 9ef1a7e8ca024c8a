"""From a question as people ask it to one that the offline engine runs: as it stands, or a proposal that is taken.

Nothing is run here. A question is taken as it stands where the controlled English reads it. Otherwise there are at
most three proposals: a person chooses, or `--yes` takes the one that leaves no doubt, and none where there is doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import QuestionError
from jigwork.grammars.english import English, Reading

from .escape import one_line
from .prompt import at_terminal

if TYPE_CHECKING:
    from jigwork.grammars.english.free import Proposal, Suggestions
    from jigwork.grammars.schema import Schema
    from jigwork.tools.sql import SQLDatabase

    from .screen import Screen

__all__ = ["Settled", "Settler", "Undecided", "assumed_text", "choose", "offer_documents"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What is run: `question` in controlled English. `proposal` is where it comes from, None where it was asked so.

    `width` is how many columns of groups were asked for, where that is known.
    """

    question: str
    reading: Reading
    proposal: Proposal | None = None
    width: int | None = None

    @property
    def columns(self) -> int | None:
        """How many of the result's first columns were asked for; None for all. The others are what it is sorted by."""
        if self.proposal is not None:
            return self.proposal.columns
        query = self.reading.query
        if query is None or query.each:
            return None
        return len(query.items) or self.width

    def narrowed(self, sql: str, schema: Schema) -> tuple[str, int | None]:
        """Return what gives the columns that were asked for, and how many they are (None: all of them)."""
        from jigwork.grammars.sql.first_columns import first_columns

        narrow = sql if self.columns is None else first_columns(sql, self.columns, schema)
        return narrow, None if narrow == sql else self.columns

    def document(self) -> dict[str, Any]:
        """What a JSON document says of it."""
        return {
            "understood": self.reading.readback,
            "asked": self.question,
            "assumed": [] if self.proposal is None else _assumed(self.proposal),
        }


class Undecided(QuestionError):
    """A free question that `--yes` does not take: `reason` says why, `proposals` are what may have been meant."""

    def __init__(self, suggestions: Suggestions) -> None:
        self.reason = suggestions.reason or "it is not one of the language"
        self.proposals = tuple(proposal.question for proposal in suggestions.proposals)
        lines = [f"Not answered: {self.reason}."]
        for number, proposal in enumerate(self.proposals):
            lines.append(f"{'You can ask:' if number == 0 else '         or:'} {proposal}")
        super().__init__("\n".join(lines))


class Settler:
    """Settles questions to one database."""

    def __init__(
        self, database: SQLDatabase, english: English, aliases: Any = None, *, yes: bool = False
    ) -> None:
        self._database = database
        self._english = english
        self._aliases = aliases
        self._yes = yes

    @property
    def english(self) -> English:
        """The language, with the stored values that are few."""
        return self._english

    def settle(self, question: str) -> Settled:
        """Return what to run; raises QuestionError where that is not sure (`Undecided` with `yes`)."""
        english = self._english_for(question)
        try:
            reading = english.read(question)
        except QuestionError as error:
            if not self._yes or self._database.trusted_only:
                raise
            suggestions = english.suggest(question)
            if suggestions.sure is None:
                raise Undecided(suggestions) from error
            return self.take(suggestions.sure)
        same = english is self._english or reading.trusted is not None
        width = self._width(english, question, reading)
        return Settled(question if same else reading.question, reading, width=width)

    def _width(self, english: English, question: str, reading: Reading) -> int | None:
        """`Which country has the most customers?` asks for the country; its count comes along as it is sorted by that."""
        if not self._yes or reading.query is None or not reading.query.keys:
            return None
        proposals = english.suggest(question).proposals
        return next((each.columns for each in proposals if each.sql == reading.sql), None)

    def complete(self, text: str) -> list[str]:
        """Return what may replace the unfinished last word of a question."""
        return self._english.complete(text)

    def suggest(self, question: str) -> Suggestions:
        """Return the proposals for a question."""
        return self._english_for(question).suggest(question)

    def take(self, proposal: Proposal) -> Settled:
        """Return a proposal as what is run."""
        return Settled(proposal.question, self._english.read(proposal.question), proposal)

    def _english_for(self, question: str) -> English:
        """The language with the stored values that the question mentions, wherever they stand."""
        schema = self._database.schema_for(question)
        if schema is self._database.schema or self._database.trusted_only:
            return self._english
        return English(schema, aliases=self._aliases, trusted=self._database.trusted)


def choose(screen: Screen, settler: Settler, question: str, error: QuestionError) -> Settled | None:
    """Let the person at the terminal choose by its number what was meant; None where there is no person, or no choice."""
    if not at_terminal():
        return None
    readings: tuple[str, ...] = getattr(error, "readings", ())
    proposals = () if readings else settler.suggest(question).proposals
    if not readings and not proposals:
        return None
    screen.line(
        "This can mean more than one thing:" if readings else "Not controlled English. You may have meant:"
    )
    for number, text in enumerate(readings or [each.question for each in proposals], 1):
        screen.label(f"{number:>6}", one_line(text))
        if proposals and (said := assumed_text(proposals[number - 1])):
            screen.label("", one_line(said), "dim")
    typed = click.prompt("Which one? (Enter: none)", default="", show_default=False, err=True).strip()
    number = int(typed) if typed.isascii() and typed.isdigit() else 0
    if not 0 < number <= len(readings or proposals):
        return None
    return settler.settle(readings[number - 1]) if readings else settler.take(proposals[number - 1])


def assumed_text(proposal: Proposal) -> str:
    """Say on one line what a proposal takes the words for, and which it ignores."""
    taken = [f"{words} = {meaning}" for words, meaning in proposal.assumed if meaning != "ignored"]
    ignored = [words for words, meaning in proposal.assumed if meaning == "ignored"]
    return "; ".join([*taken, *([f"ignored: {', '.join(ignored)}"] if ignored else [])])


def offer_documents(suggestions: Suggestions) -> list[dict[str, Any]]:
    """Return the proposals as a JSON document has them."""
    return [
        {"question": each.question, "understood": each.readback, "assumed": _assumed(each)}
        for each in suggestions.proposals
    ]


def _assumed(proposal: Proposal) -> list[dict[str, str]]:
    return [{"words": words, "meaning": meaning} for words, meaning in proposal.assumed]
