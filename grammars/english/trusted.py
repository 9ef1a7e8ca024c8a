"""Questions that a person has checked the query of: asked in the words that are kept with it, they call that query.

The question of a trusted query may name its slots, as in `orders of :country since :since`; in their places stand
values. Case, spaces and the last mark do not matter; nothing else is read into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jigwork.errors import SQLRefused
from jigwork.grammars.sql.trusted import Slot, TrustedQuery, call_text, expand_call

from .problems import NotUnderstood, Place

__all__ = ["TrustedQuestions", "match_trusted", "trusted_questions"]

_SLOT = re.compile(r":([a-z]\w*)")
_TEXT = r"""(?:"[^"]+"|'[^']+'|“[^”]+”|\S+)"""
"""Any text may be meant, so that one of several words needs quotes: what follows might be a condition."""
_QUOTES = {'"': '"', "'": "'", "“": "”"}


class TrustedQuestions:
    """The questions of trusted queries; with `only`, no other may be asked."""

    def __init__(self, queries: Sequence[TrustedQuery], dialect: str, *, only: bool = False) -> None:
        self._queries = tuple(queries)
        self._dialect = dialect
        self.only = only

    def read(self, question: str) -> tuple[TrustedQuery, str, str] | None:
        """Return what `match_trusted` does; a call (`CALL name(slot=value)`) may be written as well.

        Raises NotUnderstood, with what can be asked, where nothing else may be.
        """
        if not self._queries:
            return None
        if question.lstrip().startswith("CALL "):
            try:
                query, _ = expand_call(question, self._queries, self._dialect)
            except SQLRefused as error:
                raise NotUnderstood(str(error), Place(question, 0, len(question))) from error
            return query, question.strip(), query.question
        found = match_trusted(question, self._queries, self._dialect)
        if found is None and self.only:
            reason = self._refusal(question) or "this is none of the questions that can be asked here"
            raise NotUnderstood(reason, Place(question, 0, len(question)), proposals=tuple(self.shown()))
        return found

    def shown(self) -> Iterator[str]:
        """Yield how each query is asked for: in words where its question names every slot, else as a call."""
        yield from sorted(trusted_questions(self._queries), key=lambda question: ":" in question)
        yield from (query.signature() for query in self._queries if _pattern(query) is None)

    def _refusal(self, question: str) -> str | None:
        """Say which value does not do, where the words are those of a query."""
        for query in self._queries:
            if (call := _called(query, _plain(question), self._dialect)) is None:
                continue
            try:
                expand_call(call[0], self._queries, self._dialect)
            except SQLRefused as error:
                return str(error)
        return None

    def complete(self, prefix: str) -> list[str]:
        """Return what may replace the unfinished last word of a question: a word of its, or a value of its slot."""
        words = prefix.split()
        unfinished = words.pop() if words and not prefix[-1].isspace() else ""
        found: list[str] = []
        for query in self._queries:
            said = _plain(query.question).split()
            if _pattern(query) is None or len(words) >= len(said) or not all(map(_fits, words, said)):
                continue
            slot = next((slot for slot in query.slots if f":{slot.name}" == said[len(words)]), None)
            found += [said[len(words)]] if slot is None else slot.values
        near = [word for word in found if word.casefold().startswith(unfinished.casefold())]
        return list(dict.fromkeys(near))


def _fits(word: str, said: str) -> bool:
    return said.startswith(":") or word.casefold() == said.casefold()


def match_trusted(
    question: str, queries: Sequence[TrustedQuery], dialect: str
) -> tuple[TrustedQuery, str, str] | None:
    """Return the query that a question asks for, its call, and the question with its values; None where none is asked.

    Where the words of two fit, it is the one with fewer slots, then the first by name.
    """
    asked = _plain(question)
    for query in sorted(queries, key=lambda query: len(query.slots)):
        if (called := _called(query, asked, dialect)) is None:
            continue
        call, said = called
        try:
            expand_call(call, queries, dialect)
        except SQLRefused:  # a value that its slot does not take: these words ask for something else
            continue
        return query, call, said
    return None


def _called(query: TrustedQuery, asked: str, dialect: str) -> tuple[str, str] | None:
    """Return the call that a question in the words of the query makes, and the question with its values."""
    pattern = _pattern(query)
    found = re.fullmatch(pattern, asked, re.IGNORECASE) if pattern else None
    if found is None:
        return None
    values = {slot.name: _value(slot, found.group(slot.name)) for slot in query.slots}
    said = _SLOT.sub(lambda match: values.get(match[1], match[0]), query.question)
    return call_text(query, values, dialect), said


def trusted_questions(queries: Sequence[TrustedQuery]) -> Iterator[str]:
    """Yield the questions that can be asked in words: those that name every slot."""
    for query in queries:
        if _pattern(query) is not None:
            yield query.question


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip("?.! ")


def _pattern(query: TrustedQuery) -> str | None:
    """Return the pattern of a question, None where it does not name each slot just once."""
    question = _plain(query.question)
    named = _SLOT.findall(question)
    if not question or sorted(named) != sorted(slot.name for slot in query.slots):
        return None
    kinds = {slot.name: _TEXT if slot.kind == "text" else ".+?" for slot in query.slots}
    parts = _SLOT.split(question)
    return "".join(
        f"(?P<{part}>{kinds[part]})" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


def _value(slot: Slot, written: str) -> str:
    """Return what stands in a slot: without its quotes, and spelt as it is stored."""
    if len(written) > 1 and _QUOTES.get(written[0]) == written[-1]:
        written = written[1:-1]
    return next((value for value in slot.values if value.casefold() == written.casefold()), written)
