"""Follow-up questions to the offline engine, which reads each question alone: the question in full, to choose from.

`and by month?` after `count orders per status` is offered as `count orders per status and month`. Nothing is run here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from jigwork.grammars.english import English

__all__ = ["in_full"]

_OPENING = re.compile(
    r"(?:(?:and|but|now|then|only|just|also|what about|how about|the same|same|again|those|these|this|that|them|it)\b[ ,]*)+",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:by|per|for each|for|of|in|from|with|where|since|sorted by|top)\b\s*", re.IGNORECASE)
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_PEAK = re.compile(
    r"(?:and |but |now |then |only |just )*"
    r"(?:(?:which|what|who|show)(?: me)?(?: ones?)?(?: of (?:these|those|them))?(?: is| are| has| have)? )?(?:the )?"
    r"(?:(?P<top>top|largest|biggest|highest|greatest|most|best)|(?P<low>bottom|smallest|lowest|fewest|least))"
    r"(?: (?P<n>[1-9][0-9]{0,2}))?(?: of (?:these|those|them)| ones?)?",
    re.IGNORECASE,
)
_SORTED = re.compile(r" sorted by .*", re.IGNORECASE)
_MEASURE = re.compile(r"(?P<said>.+?) (?:per|by|for each) ", re.IGNORECASE)
_MOST = 3


def in_full(english: English, previous: str, question: str) -> tuple[str, ...]:
    """Return at most three questions that say with `previous` what a follow-up means by itself; each has one reading.

    Where the question in full has several readings, they are what is returned, if no other has one alone.
    """
    found: list[str] = []
    several: list[str] = []
    told = set(english.means(previous))
    values = _stored(english, previous, question)
    for candidate in _candidates(" ".join(previous.split()).rstrip("?.! "), question, values):
        meanings = english.means(candidate)
        if len(meanings) == 1 and meanings[0] not in told:
            told.add(meanings[0])
            found.append(candidate)
        elif 1 < len(meanings) <= _MOST and not several:
            several = [english.phrase(meaning) for meaning in meanings]
        if len(found) == _MOST:
            break
    return tuple(found or several)


def _stored(english: English, *texts: str) -> set[str]:
    """Return the stored values that stand in the texts."""
    columns = (column for table in english.schema.tables for column in table.columns)
    known = {value for column in columns for value in column.values or ()}
    return {value for value in known if any(value.casefold() in text.casefold() for text in texts)}


def _candidates(previous: str, question: str, values: Collection[str]) -> Iterator[str]:
    text = " ".join(question.split()).rstrip("?.! ")
    if peak := _PEAK.fullmatch(text):
        yield from _peaks(previous, peak)
        return
    opening = _OPENING.match(text)
    rest = text[opening.end() :] if opening else text
    link = _LINK.match(rest)
    bare = rest[link.end() :] if link else rest
    if not bare or (opening is None and link is None):
        return  # it does not go on with anything
    grouping = link is not None and link.group().strip().lower() in ("by", "per", "for each")
    joined = [f"{previous} and {bare}", f"{previous} per {bare}"]
    kept = (
        [f"{previous} where {bare}", f"{previous} and {bare}"]
        if " where " in previous
        else [f"{previous} where {bare}"]
    )
    plain = [f"{previous} {rest}", f"{previous} of {bare}", f"{previous} for {bare}", f"{previous} in {bare}"]
    changed = [] if grouping else list(_replaced(previous, bare, values))
    if changed:  # both values at once would mean neither
        yield from changed
        return
    yield from [*joined, *plain] if grouping else [*plain, *kept, *joined]


def _peaks(previous: str, peak: re.Match[str]) -> Iterator[str]:
    """Ask for the largest or smallest of the groups that the last result has."""
    previous = _SORTED.sub("", previous)
    measure = _MEASURE.match(previous)
    if measure is None:
        return
    ending = f"{'descending' if peak['top'] else 'ascending'} limit {peak['n'] or 1}"
    said = measure["said"]
    yield from (
        f"{previous} sorted by {by} {ending}"
        for by in (said.split()[0], said, f"number of {said.split()[-1]}")
    )


def _replaced(previous: str, new: str, values: Iterable[str]) -> Iterator[str]:
    """Put another value in the place of one that the question has: `what about France?`, `in 2023?`."""
    if new.casefold() in {value.casefold() for value in values}:
        patterns = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in values]
    elif _DATE.fullmatch(new):
        patterns = [rf"(?<![\w-]){_DATE.pattern}(?![\w-])"]
    else:
        return
    for pattern in patterns:
        changed, count = re.subn(pattern, lambda _: new, previous, flags=re.IGNORECASE)
        if count == 1:
            yield changed
