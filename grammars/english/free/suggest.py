"""Free questions as questions of the controlled English: at most three, best first, with what each word was taken for.

Nothing is run here. `Suggestions.sure` is the one that may be taken without asking: every word that says something
is accounted for, and no other reading is near.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from jigwork.grammars.linking import COMMON
from jigwork.grammars.linking.similar import stem

from ..choices import Trouble
from ..engine import Expr
from ..hints import phrases_of
from ..joins import Joins, is_single
from ..logic import parts_of
from ..names import Lexicon
from ..query import Agg, Compare, Const, Query, Related
from .reader import FreeReader, Meaning, free_rules
from .spans import Names, Spans, Word, without_fillers, words_of

__all__ = ["Proposal", "Suggester", "Suggestions"]

_MOST = 3
_FURTHEST = 3
"""How far words may be stretched for a reading that is taken without asking."""
_GAP = 1
"""How much further any other reading must be."""
_LOOKED_AT = 6
_QUIET = COMMON - frozenset(
    "between each every least less more most no not over per total under without".split()
)
"""Words that may go unheard: they connect, and say nothing of their own."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question in controlled English that may be what was meant.

    `assumed` are words of the question with what they were taken for ("ignored": nothing). `columns` is how many of
    the first columns of its result were asked for, None for all of them: what rows are only sorted by comes after.
    """

    question: str
    readback: str
    sql: str
    assumed: tuple[tuple[str, str], ...] = ()
    columns: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """At most three proposals, best first. `sure` is the first of them where no doubt is left, else None, and then `reason` says why."""

    question: str
    proposals: tuple[Proposal, ...]
    sure: Proposal | None = None
    reason: str | None = None

    def only(self, reads: Callable[[str, str], bool]) -> Suggestions:
        """Return the proposals for which `reads(question, sql)` holds."""
        kept = tuple(each for each in self.proposals if reads(each.question, each.sql))
        sure = self.sure if self.sure in kept else None
        reason = self.reason if self.sure is sure else "in the whole database it can mean more than one thing"
        return Suggestions(self.question, kept, sure, reason)


class _Reading(Protocol):
    @property
    def sql(self) -> str: ...
    @property
    def readback(self) -> str: ...
    @property
    def question(self) -> str: ...


class _Language(Protocol):
    """What is asked of the controlled English."""

    @property
    def lexicon(self) -> Lexicon: ...
    @property
    def joins(self) -> Joins: ...
    def reading(self, query: Query) -> _Reading: ...
    def means(self, question: str) -> list[Query]: ...
    def near(self, question: str) -> tuple[str, ...]: ...


class Suggester:
    """Makes suggestions in one language; built on first use, for many questions."""

    def __init__(self, english: _Language) -> None:
        self._english = english
        self._names = Names(english.lexicon)
        self._reader = FreeReader(self._names, english.joins)
        self._last: Suggestions | None = None

    def suggest(self, question: str) -> Suggestions:
        """Return what a free question may mean; the last answer is kept, for it is asked for again by who shows it."""
        if self._last is None or self._last.question != question:
            self._last = self._suggest(question)
        return self._last

    def _suggest(self, question: str) -> Suggestions:
        meanings = self._reader.read(question)[:_LOOKED_AT]
        read: list[tuple[int, Proposal]] = []
        unsure: str | None = None
        for meaning in meanings:
            made = self._proposal(meaning)
            if made is not None and all(made.sql != other.sql for _, other in read):
                unsure = unsure if read else _repeats(meaning.query)
                read.append((meaning.cost, made))
        proposals = [proposal for _, proposal in read]
        for text in self._english.near(question) if len(proposals) < _MOST else ():
            near = self._near(question, text)
            if near is not None and all(near.sql != other.sql for other in proposals):
                proposals.append(near)
        reason = self._doubt(question, read) or unsure
        shown = tuple(proposals[:_MOST])
        return Suggestions(question, shown, shown[0] if reason is None else None, reason)

    def _proposal(self, meaning: Meaning) -> Proposal | None:
        """Say a meaning in the language; None where the language cannot say exactly that."""
        try:
            reading = self._english.reading(meaning.query)
            found = self._english.means(reading.question)
            again = self._english.reading(found[0]) if len(found) == 1 else None
        except Trouble:
            return None
        if again is None or again.sql != reading.sql:
            return None
        return Proposal(reading.question, reading.readback, reading.sql, meaning.taken, meaning.asked)

    def _near(self, question: str, text: str) -> Proposal | None:
        """A question of the same words: what it does not say of them is ignored."""
        found = self._english.means(text)
        try:
            reading = self._english.reading(found[0]) if len(found) == 1 else None
        except Trouble:
            reading = None
        if reading is None:
            return None
        said = {stem(word.said) for word in words_of(text)}
        said |= {
            stem(part) for word in words_of(text) if word.kind == "text" for part in word.text.lower().split()
        }
        ignored = [
            word.text
            for word in words_of(question)
            if word.kind in ("word", "number") and word.said not in _QUIET and stem(word.said) not in said
        ]
        return Proposal(text, reading.readback, reading.sql, tuple((word, "ignored") for word in ignored))

    # --- doubt ----------------------------------------------------------------------------------------------

    def _doubt(self, question: str, read: Sequence[tuple[int, Proposal]]) -> str | None:
        """Say why the first reading is not taken without asking; None where it may be."""
        if not read:
            unknown = self._unknown(question)
            if unknown:
                words = ", ".join(unknown[:6])
                return f"nothing here is called {words}"
            return "its words are known, but not in this order"
        (cost, first), others = read[0], read[1:]
        if others and others[0][0] - cost < _GAP:
            return f"it may also mean: {others[0][1].question}"
        if cost > _FURTHEST:
            named = [f"{said} for {meaning}" for said, meaning in first.assumed if meaning != "ignored"]
            return f"it takes {', '.join(named[:4])}, which is not certain"
        return None

    def _unknown(self, question: str) -> list[str]:
        """The words that are no name, no value and no word of a question."""
        words, _ = without_fillers(words_of(question))
        spans = Spans(self._names, words)
        known = self._rule_words
        covered: set[int] = set()
        for start in range(len(words)):
            for term in ("TAB", "COL", "VAL", "NUM", "VERB", "SUPER", "COMP", "ADJ"):
                for end, _ in spans(term, start)[0]:
                    covered.update(range(start, end))
        left = [word for i, word in enumerate(words) if i not in covered and word.said not in known]
        return list(dict.fromkeys(_shown(word) for word in left if word.kind in ("word", "text")))

    @cached_property
    def _rule_words(self) -> frozenset[str]:
        return frozenset(word for phrase in _all_phrases(free_rules().values()) for word in phrase)


def _repeats(query: Query) -> str | None:
    """Say so where rows may meet several others: SQL that joins them would give a row for each, and this gives one."""
    if not query.items or query.distinct or any(isinstance(item, Agg) for item in query.items):
        return None
    for cond in parts_of(query.where):
        if not isinstance(cond, Related) or (cond.op, cond.count) != (">=", 1) or is_single(cond.path):
            continue
        named = cond.where
        if isinstance(named, Compare) and named.op == "=" and _is_text(named.right):
            continue  # a name or a title: there is hardly more than one of it
        return (
            f"it is not said whether each is listed once, or once for each of its {cond.path[-1].target} rows"
        )
    return None


def _is_text(right: object) -> bool:
    return isinstance(right, Const) and isinstance(right.value, str) and not right.value.isdigit()


def _all_phrases(bodies: Iterable[Expr]) -> Iterable[tuple[str, ...]]:
    for body in bodies:
        yield from (phrase.words for phrase in phrases_of(body))


def _shown(word: Word) -> str:
    return f'"{word.text}"' if word.kind == "text" else word.text
