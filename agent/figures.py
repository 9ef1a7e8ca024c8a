"""The figures in a text: numbers with the precision they are written to, percentages, dates, times.

Plain English is read (1,234.5; 12%; $1.2 million; January 5, 2024), and the continental way of writing numbers where
that is another reading. What names rather than counts (B2, COVID-19, 2nd, the numbers of a list, code) is no figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Date", "Figure", "Number", "dates_in", "figures_in", "plain_numbers"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_DATES = (
    re.compile(r"(?<![\w-])(?P<y>\d{4})-(?P<n>0[1-9]|1[0-2])(?:-(?P<d>[0-3]\d))?(?![\w-])"),
    re.compile(_MONTH.format("m") + r"\.?\s+(?P<d>[0-3]?\d)(?:st|nd|rd|th)?\b(?:,?\s+(?P<y>\d{4})\b)?(?![.,]?\d)"),
    re.compile(r"\b(?P<d>[0-3]?\d)(?:st|nd|rd|th)?\s+(?:of\s+)?" + _MONTH.format("m") + r"\b\.?(?:,?\s+(?P<y>\d{4})\b)?"),
    re.compile(r"\b" + _MONTH.format("m") + r"\.?,?\s+(?P<y>\d{4})\b"),
    re.compile(r"(?<![\w./-])(?P<d>[0-3]?\d)(?P<mark>[./])(?P<n>[01]?\d)(?P=mark)(?P<y>\d{4})(?![\w/]|[.]\d)"),
    re.compile(r"(?<![\w./-])(?P<n>[01]?\d)/(?P<d>[0-3]?\d)/(?P<y>\d{4})(?![\w/]|[.]\d)"),
)  # fmt: skip
_TIME = re.compile(r"(?<![\w:])(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?(?![\w:])")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_LIST = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.)])[-\u2212])?(?:[$€£¥]\s?)?(?<![\w.])(?<![A-Za-z]-)(?<!\d,)"
    r"(?P<digits>\d(?:[\d.,'\u00a0\u202f\u2009]*\d)?)(?:[eE](?P<exponent>[+-]?\d{1,3}))?"
    r"(?P<after>\s?%|\s(?:percent|per cent|percentage points?)\b|\s?(?:thousand|million|billion|trillion)\b|(?:k|K|M|bn|m|B)\b"
    r"|\s?(?:times\b|[x×](?!\w))|-fold\b|(?:st|nd|rd|th)\b|\s?(?:am|pm|a\.m\.|p\.m\.)(?!\w)|\.\.\.|…)?"
)
_SCALES = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "million": 1e6,
    "bn": 1e9,
    "b": 1e9,
    "billion": 1e9,
    "trillion": 1e12,
}
_IGNORED = frozenset({"st", "nd", "rd", "th", "am", "pm", "a.m.", "p.m.", "...", "…"})
_LOOSE = re.compile(
    r"(?:(?P<near>about|around|approximately|approx\.?|roughly|some|circa|ca\.|close to|[~≈])"
    r"|(?P<above>over|more than|at least|just over)"
    r"|(?P<below>nearly|almost|under|less than|fewer than|at most|up to|just under))\s*[$€£¥]?$",
    re.IGNORECASE,
)
_RANK = re.compile(
    r"\b(?:first|last|top|bottom|ISO|RFC|sections?|versions?|chapters?|pages?|paragraphs?|steps?|options?|query|appendix)\s*$",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\b24/7\b|(?<![\w.])\+\d{1,3}(?:[ -]?\(?\d{2,}\)?){2,}")
"""What looks like numbers and counts nothing: always open, and telephone numbers."""
_SPACED = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3})+(?![\d-])")
_UNITS: Sequence[str] = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Sequence[str] = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<unit>{'|'.join(_UNITS[1:10])}))?|(?P<small>{'|'.join(_UNITS[3:])}))\b"
    r"(?!\s+(?:hundred|thousand|million|billion|quer(?:y|ies)|ways?|things?|steps?|points?|reasons?|notes?|options?"
    r"|questions?|tables?|columns?|readings?)|-\w)",
    re.IGNORECASE,
)
"""Numbers in words, from three on: smaller ones are as often no count ("one of them")."""
_ENGLISH = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")
_CONTINENTAL = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?")


@dataclass(frozen=True, slots=True)
class Number:
    """One reading of a number: it stands for any value from `low` to `high`, which its digits round to."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Date:
    """A date as far as it is said: parts that are not are None."""

    year: int | None
    month: int
    day: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is written, and what it can mean: a date, a time of day, or readings of a number.

    `other_date` is what the date is with month and day the other way round, where it may be. `factor`: it says how
    many times.
    """

    text: str
    numbers: tuple[Number, ...] = ()
    date: Date | None = None
    time: str | None = None
    percent: bool = False
    factor: bool = False
    other_date: Date | None = None

    @property
    def year(self) -> int | None:
        """The year that this may be: four digits, nothing else."""
        return int(self.text) if re.fullmatch(r"[12]\d{3}", self.text) else None


def figures_in(text: str) -> list[Figure]:
    """Return the figures of an answer, in no particular order."""
    text = _NAMES.sub(" ", _without_list_numbers(_CODE.sub(" ", text)))
    text = _SPACED.sub(lambda match: match.group().replace(" ", "\u202f"), text)
    found: list[Figure] = []

    def dated(match: re.Match[str]) -> str:
        date = _date(match)
        if not 1 <= date.month <= 12:
            return match.group()
        found.append(Figure(match.group().strip(), date=date, other_date=_turned(match, date)))
        return " ; "

    def timed(match: re.Match[str]) -> str:
        found.append(Figure(match.group(), time=match.group(1)))
        return " ; "

    for pattern in _DATES:
        text = pattern.sub(dated, text)
    text = _TIME.sub(timed, text)
    return [*found, *_numbers(text), *_in_words(text)]


def dates_in(text: str) -> set[tuple[int, int, int | None]]:
    """Return the dates of a text in which they are written as year, month and day, or year and month."""
    dates = (_date(match) for match in re.finditer(r"(?P<y>\d{4})-(?P<n>\d{2})(?:-(?P<d>\d{2}))?", text))
    return {(date.year or 0, date.month, date.day) for date in dates}


def plain_numbers(text: str) -> Iterator[float]:
    """Yield every run of digits as a number, whatever stands around it: for texts that are evidence."""
    for match in re.finditer(r"(?:\d{1,3}(?:,\d{3})+|\d{1,300})(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?", text):
        yield float(match.group().replace(",", ""))


def _date(match: re.Match[str]) -> Date:
    parts = match.groupdict()
    month = int(parts["n"]) if parts.get("n") else _MONTHS.index(str(parts["m"])[:3].lower()) + 1
    year, day = parts.get("y"), parts.get("d")
    return Date(int(year) if year else None, month, int(day) if day else None)


def _turned(match: re.Match[str], date: Date) -> Date | None:
    """Return a date with slashes read month first."""
    if match.groupdict().get("mark") != "/" or date.day is None or date.day > 12:
        return None
    return Date(date.year, date.day, date.month)


def _in_words(text: str) -> Iterator[Figure]:
    for match in _WORDS.finditer(text):
        if _RANK.search(text[max(0, match.start() - 16) : match.start()]):
            continue
        if match["small"]:
            value = _UNITS.index(match["small"].lower())
        else:
            unit = _UNITS.index(match["unit"].lower()) if match["unit"] else 0
            value = 20 + 10 * _TENS.index(match["tens"].lower()) + unit
        yield Figure(match.group(), (Number(float(value), value, value),))


def _without_list_numbers(text: str) -> str:
    """Take away the numbers of a numbered list: those that count up from 1, a line each."""
    wanted = 1

    def numbered(match: re.Match[str]) -> str:
        nonlocal wanted
        if int(match.group(1)) == wanted and (wanted > 1 or _has_second(text, match.end())):
            wanted += 1
            return ""
        return match.group()

    return _LIST.sub(numbered, text)


def _has_second(text: str, start: int) -> bool:
    return any(int(match.group(1)) == 2 for match in _LIST.finditer(text, start))


def _numbers(text: str) -> Iterator[Figure]:
    for match in _NUMBER.finditer(text):
        after = (match["after"] or "").strip()
        before = text[max(0, match.start() - 16) : match.start()]
        if after in _IGNORED or _RANK.search(before):
            continue
        loose = _LOOSE.search(before)
        readings = tuple(_readings(match, _SCALES.get(after.lower(), 1.0), loose and loose.lastgroup))
        if readings:
            percent = after == "%" or after.startswith("per")
            factor = after in ("times", "x", "×", "-fold")
            yield Figure(match.group().strip(), readings, percent=percent, factor=factor)


def _readings(match: re.Match[str], scale: float, loose: str | None) -> Iterator[Number]:
    """Yield what the digits can mean; after "about" and the like the zeros at their end are not meant exactly."""
    digits = re.sub(r"['\u00a0\u202f\u2009]", "", match["digits"])
    factor = scale * 10.0 ** int(match["exponent"] or 0)
    for pattern, group, point in ((_ENGLISH, ",", "."), (_CONTINENTAL, ".", ",")):
        read = pattern.fullmatch(digits)
        if read is None or len(digits) > 300:
            continue
        plain = digits.replace(group, "").replace(point, ".")
        decimals = len(read.group(1) or "")
        zeros = len(plain) - len(plain.rstrip("0")) if loose and not decimals and plain.strip("0") else 0
        unit = 10.0 ** (zeros - decimals) * factor
        below, above = _AROUND[loose]
        size = float(plain) * factor
        low, high = size - below * unit, size + above * unit
        yield Number(-size, -high, -low) if match["sign"] else Number(size, low, high)


_AROUND = {None: (0.5, 0.5), "near": (0.5, 0.5), "above": (0.0, 1.0), "below": (1.0, 0.0)}
"""How many units of its last digit a number may be above and below what it stands for."""
