"""`calculator`: exact arithmetic and dates, in a small language with a grammar, so that no code is ever run."""

from __future__ import annotations

import calendar
import datetime
import decimal
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from jigwork.errors import ToolError
from jigwork.grammars import Grammar

from ..decorator import tool

if TYPE_CHECKING:
    import lark

__all__ = ["GRAMMAR", "calculator"]

GRAMMAR = Grammar.from_lark(
    r"""// Arithmetic and dates. A minus between two terms has a space on each side: 2024-03-01 is a date.
start: sum
sum: product (sign product)*
sign: / *\+ */ -> plus | " - " -> minus
product: unary (operator unary)*
operator: / *\* */ -> times | / *\/ */ -> over | " // " -> whole | " mod " -> rest
unary: "-" unary -> negative | power
power: atom [/ *(\^|\*\*) */ unary]
atom: NUMBER -> number | NUMBER "%" -> percent | DATE -> date | NUMBER UNIT -> span | "today" -> today
    | NAME sum (/, */ sum)* ")" -> call | "(" sum ")" -> group
NAME: /(abs|ceil|day|exp|floor|ln|log10|max|min|month|round|sqrt|weekday|year)\(/
UNIT: / (day|week|month|year)s?/
DATE: /[0-9]{4}-[0-9]{2}-[0-9]{2}/
NUMBER: /[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,3})?/
""",
    name="calculator",
)

_MAX_BITS = 13_000  # below 4000 digits
_MAX_DEPTH = 200
_DIGITS = 40
_MONTHS = {"year": 12, "month": 1}
_DAYS = {"week": 7, "day": 1}


@dataclass(frozen=True, slots=True)
class Number:
    """A number; not `exact` where a root or a logarithm had to be rounded (to 40 digits)."""

    value: Fraction
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time. Months differ in length, so they are kept apart from days."""

    months: int = 0
    days: int = 0


Value: TypeAlias = Number | Span | datetime.date


@tool(name="calculator", grammar=GRAMMAR, read_only=True, timeout=10)
def calculator(expression: str) -> str:
    """Calculate exactly, with numbers and dates.

    Operators: + - * / // mod ^ (a minus between two terms has spaces around it), percent as in 200 * 5%.
    Functions: abs ceil exp floor ln log10 max min round(x, digits) sqrt; of a date: day month weekday year.
    Dates: 2024-01-31 + 1 month, 2024-03-01 - 2023-12-24, today + 90 days.
    """
    return _written(_value(GRAMMAR.parse(expression)))


def _value(node: lark.Tree[Any], depth: int = 0) -> Value:
    """Work out one node of the tree; raises ToolError, in words, where there is no value."""
    if depth > _MAX_DEPTH:
        raise ToolError("The expression is nested too deeply.")
    parts: list[Any] = node.children
    match str(node.data):
        case "number":
            return Number(_small(Fraction(str(parts[0]))))
        case "percent":
            return Number(_small(Fraction(str(parts[0])) / 100))
        case "date":
            return _date(str(parts[0]))
        case "today":
            return datetime.date.today()
        case "span":
            return _span(Fraction(str(parts[0])), str(parts[1]).strip().rstrip("s"))
        case "negative":
            return _scaled(_value(parts[0], depth + 1), Number(Fraction(-1)))
        case "call":
            given = [_value(part, depth + 1) for part in parts if hasattr(part, "data")]
            return _called(str(parts[0]).rstrip("("), given)
        case _:
            return _folded([part for part in parts if hasattr(part, "data")], depth + 1)


def _folded(parts: list[lark.Tree[Any]], depth: int) -> Value:
    """Work out `a`, `a ^ b`, or `a + b - c...` from left to right."""
    value = _value(parts[0], depth)
    rest = parts[1:]
    if len(rest) == 1:
        return _power(value, _value(rest[0], depth))
    for operator, part in zip(rest[::2], rest[1::2], strict=True):
        value = _OPERATORS[str(operator.data)](value, _value(part, depth))
    return value


def _added(a: Value, b: Value) -> Value:
    match a, b:
        case Number(), Number():
            return Number(_small(a.value + b.value), a.exact and b.exact)
        case Span(), Span():
            return Span(a.months + b.months, a.days + b.days)
        case datetime.date(), Span():
            return _moved(a, b)
        case Span(), datetime.date():
            return _moved(b, a)
        case _:
            raise ToolError(f"{_kind(a)} and {_kind(b)} cannot be added.")


def _subtracted(a: Value, b: Value) -> Value:
    if isinstance(a, datetime.date) and isinstance(b, datetime.date):
        return Span(days=(a - b).days)
    if isinstance(b, datetime.date):
        raise ToolError(f"A date cannot be taken from {_kind(a)}.")
    return _added(a, _scaled(b, Number(Fraction(-1))))


def _scaled(a: Value, b: Value) -> Value:
    match a, b:
        case Number(), Number():
            return Number(_small(a.value * b.value), a.exact and b.exact)
        case Number(), Span():
            return _scaled(b, a)
        case Span(), Number():
            months, days = a.months * b.value, a.days * b.value
            if months.denominator != 1 or days.denominator != 1:
                raise ToolError("That gives a part of a day or of a month.")
            return Span(int(months), int(days))
        case _:
            raise ToolError(f"{_kind(a)} and {_kind(b)} cannot be multiplied.")


def _divided(a: Value, b: Value) -> Value:
    if isinstance(a, Span) and isinstance(b, Span) and not a.months and not b.months:
        a, b = Number(Fraction(a.days)), Number(Fraction(b.days))
    divisor = _number(b, "Something can be divided by")
    if divisor.value == 0:
        raise ToolError("Nothing can be divided by 0.")
    return _scaled(a, Number(1 / divisor.value, divisor.exact))


def _whole(a: Value, b: Value) -> Value:
    quotient = _number(_divided(a, b), "// gives")
    return Number(Fraction(math.floor(quotient.value)), quotient.exact)


def _rest(a: Value, b: Value) -> Value:
    return _subtracted(a, _scaled(b, _whole(a, b)))


def _power(a: Value, b: Value) -> Value:
    base, exponent = _number(a, "^ is for"), _number(b, "^ is for")
    if base.value == 0 and exponent.value < 0:
        raise ToolError("0 has no negative power.")
    if exponent.value.denominator == 1:
        bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
        if bits * abs(exponent.value) > 2 * _MAX_BITS and abs(base.value) != 1 and base.value != 0:
            raise ToolError("The result is too large.")
        return Number(_small(base.value ** int(exponent.value % 2 if abs(base.value) == 1 else exponent.value)), base.exact and exponent.exact)  # fmt: skip
    if base.value < 0:
        raise ToolError("A negative number has only whole powers.")
    return _rounded(lambda d: _decimal(base.value, d) ** _decimal(exponent.value, d))


_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "plus": _added,
    "minus": _subtracted,
    "times": _scaled,
    "over": _divided,
    "whole": _whole,
    "rest": _rest,
}


def _called(name: str, given: list[Value]) -> Value:
    most = {"round": 2, "min": 99, "max": 99}.get(name, 1)
    if len(given) > most:
        raise ToolError(f"{name} takes {'one value' if most == 1 else f'at most {most} values'}.")
    first = given[0]
    if name in ("day", "month", "weekday", "year"):
        if not isinstance(first, datetime.date):
            raise ToolError(f"{name} is for a date, not for {_kind(first)}.")
        return Number(Fraction(first.isoweekday() if name == "weekday" else getattr(first, name)))
    if name in ("min", "max") and all(isinstance(one, datetime.date) for one in given):
        dates = [one for one in given if isinstance(one, datetime.date)]
        return min(dates) if name == "min" else max(dates)
    numbers = [_number(one, f"{name} is for") for one in given]
    if name in ("min", "max"):
        return (min if name == "min" else max)(numbers, key=lambda n: n.value)
    return _function(name, numbers[0], numbers[1].value if len(numbers) > 1 else Fraction(0))


def _function(name: str, number: Number, digits: Fraction) -> Number:
    value = number.value
    match name:
        case "abs":
            return Number(abs(value), number.exact)
        case "floor":
            return Number(Fraction(math.floor(value)), number.exact)
        case "ceil":
            return Number(Fraction(math.ceil(value)), number.exact)
        case "round":
            if digits.denominator != 1 or abs(digits) > 60:
                raise ToolError("round takes a whole number of digits, at most 60.")
            scale = Fraction(10) ** int(digits)
            size = Fraction(math.floor(abs(value) * scale + Fraction(1, 2))) / scale
            return Number(size if value >= 0 else -size, number.exact)
        case "sqrt":
            if value < 0:
                raise ToolError("A negative number has no square root.")
            root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
            if root * root == value:
                return Number(root, number.exact)
            return _rounded(lambda d: d.sqrt(_decimal(value, d)))
        case "exp":
            return _rounded(lambda d: d.exp(_decimal(value, d)))
        case _:
            if value <= 0:
                raise ToolError("Only a number above 0 has a logarithm.")
            return _rounded(lambda d: (d.ln if name == "ln" else d.log10)(_decimal(value, d)))


def _rounded(work: Callable[[decimal.Context], decimal.Decimal]) -> Number:
    """Work with 40 digits and some more to spare."""
    context = decimal.Context(prec=_DIGITS + 10, Emax=9999, Emin=-9999)
    try:
        with decimal.localcontext(context) as inner:
            found = work(inner)
    except decimal.DecimalException as error:
        raise ToolError("The result is too large or too small.") from error
    if found and abs(found.adjusted()) > 3000:
        raise ToolError("The result is too large or too small.")
    return Number(Fraction(found), exact=False)


def _decimal(value: Fraction, context: decimal.Context) -> decimal.Decimal:
    return context.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))


def _small(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise ToolError("The result is too large.")
    return value


def _number(value: Value, what: str) -> Number:
    if not isinstance(value, Number):
        raise ToolError(f"{what} numbers, not {_kind(value)}.")
    return value


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ToolError(f"There is no day {text}.") from error


def _span(count: Fraction, unit: str) -> Span:
    return Span(
        int(_entire(count, unit) * _MONTHS.get(unit, 0)), int(_entire(count, unit) * _DAYS.get(unit, 0))
    )


def _entire(count: Fraction, unit: str) -> Fraction:
    if count.denominator != 1:
        raise ToolError(f"Only whole {unit}s can be counted.")
    return count


def _moved(date: datetime.date, span: Span) -> datetime.date:
    """Months first, to the last day of a shorter month; then days."""
    month = date.year * 12 + date.month - 1 + span.months
    year, month = month // 12, month % 12 + 1
    try:
        day = min(date.day, calendar.monthrange(year, month)[1])
        return datetime.date(year, month, day) + datetime.timedelta(days=span.days)
    except (ValueError, OverflowError, calendar.IllegalMonthError) as error:
        raise ToolError("The date is out of range: years go from 1 to 9999.") from error


def _kind(value: Value) -> str:
    return (
        "a number"
        if isinstance(value, Number)
        else "a length of time"
        if isinstance(value, Span)
        else "a date"
    )


def _written(value: Value) -> str:
    if isinstance(value, datetime.date):
        return f"{value.isoformat()} ({calendar.day_name[value.weekday()]})"
    if isinstance(value, Span):
        months = f"{value.months} month{'' if abs(value.months) == 1 else 's'}" if value.months else ""
        days = f"{value.days} day{'' if abs(value.days) == 1 else 's'}"
        return f"{months}, {days}" if months and value.days else months or days
    if value.exact:
        exact = _exactly(value.value)
        about = "" if exact.lstrip("-").replace(".", "").isdigit() else f" (about {_about(value.value)})"
        return exact + about
    return f"about {_about(value.value)}"


def _exactly(value: Fraction) -> str:
    """Write a number as an integer or a decimal where it is one, else as a fraction."""
    below, twos, fives = value.denominator, 0, 0
    while below % 2 == 0:
        below, twos = below // 2, twos + 1
    while below % 5 == 0:
        below, fives = below // 5, fives + 1
    places = max(twos, fives)
    if below != 1 or places > 1000:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _about(value: Fraction) -> str:
    context = decimal.Context(prec=_DIGITS - 10, Emax=99999, Emin=-99999)
    return str(_decimal(value, context).normalize(context))
