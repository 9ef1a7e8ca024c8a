"""Numbers between bounds as expressions over their decimal text, as `json.dumps` writes them.

A whole number is written without a fraction. Where a bound is set, a number has an exponent only where Python and
JavaScript write one: below 1e-4 in size, and from 1e16 on.
"""

from __future__ import annotations

from decimal import Decimal

from .json_sets import NoWordsError, Numbers
from .regular import EMPTY, Chars, Concat, Regular, Times, Union, literal

__all__ = ["number_text"]

_D = Chars(((48, 57),))
_POSITIVE = Chars(((49, 57),))
_DIGITS = Times(_D, 0, None)
_ZEROS = Times(Chars(((48, 48),)), 0, None)
_SIGN = Times(literal("-"), 0, 1)
_INTEGER = Union((literal("0"), Concat((_POSITIVE, _DIGITS))))
_E = Chars(((69, 69), (101, 101)))
_FRACTION = Concat((literal("."), Times(_D, 1, None)))
_NONZERO_FRACTION = Concat((literal("."), _DIGITS, _POSITIVE, _DIGITS))
_MANTISSA = Concat((_POSITIVE, Times(_FRACTION, 0, 1)))
_NEGATIVE_EXPONENT = Concat((_E, literal("-"), _ZEROS, _POSITIVE, _DIGITS))
# Exponents of -5 and below, and of 16 and above: the ones that are written so.
_SMALL = Concat((_E, literal("-"), _ZEROS, Union((Concat((_POSITIVE, _D, _DIGITS)), Chars(((53, 57),))))))
_FROM_16 = Union((Concat((_POSITIVE, _D, _D, _DIGITS)), Concat((Chars(((50, 57),)), _D)),
                  Concat((literal("1"), Chars(((54, 57),))))))  # fmt: skip
_LARGE = Concat((_E, Times(literal("+"), 0, 1), _ZEROS, _FROM_16))
_TINY, _HUGE = Decimal("0.0001"), Decimal(10) ** 16
_LONGEST = 400  # digits of a bound
_MOST_ENDINGS = 1000


def number_text(given: Numbers) -> tuple[Regular, ...]:
    """Expressions that the text of a number matches, all of them at once. Raises NoWordsError."""
    for bound in (given.low, given.high):
        if bound is not None and (not bound.is_finite() or abs(bound.adjusted()) > _LONGEST):
            raise NoWordsError("a bound of hundreds of digits is too long for a grammar")
    if given.not_steps:
        raise NoWordsError("a number that is no multiple has no short words in a grammar")
    found: list[Regular] = []
    if given.steps and given.low is None and given.high is None:
        pass  # multiples are numbers
    elif given.whole:
        found.append(_whole(given))
    elif given.low is None and given.high is None:
        exponent = Times(Concat((_E, Times(Chars(((43, 43), (45, 45))), 0, 1), Times(_D, 1, None))), 0, 1)
        found.append(Concat((_SIGN, _INTEGER, Times(_FRACTION, 0, 1), exponent)))
    else:
        found.append(_between(given))
    if given.whole is False:
        found.append(Concat((_SIGN, Union((Concat((_INTEGER, _NONZERO_FRACTION)),
                                           Concat((_MANTISSA, _NEGATIVE_EXPONENT)))))))  # fmt: skip
    found.extend(_multiple(step, bool(given.whole)) for step in given.steps)
    return tuple(found)


def _whole(given: Numbers) -> Regular:
    low, high = given.low, given.high
    least = None if low is None else int(low.to_integral_value("ROUND_CEILING"))
    most = None if high is None else int(high.to_integral_value("ROUND_FLOOR"))
    if least is not None and least == low and given.low_open:
        least += 1
    if most is not None and most == high and given.high_open:
        most -= 1
    if least is None and most is None:
        return Concat((_SIGN, _INTEGER))
    options: list[Regular] = []
    if least is None or least < 0:
        top = None if least is None else -least
        bottom = 1 if most is None or most >= 0 else -most
        options.extend(Concat((literal("-"), node)) for node in _naturals(bottom, top))
    if least is None or least <= 0:
        options.extend([literal("-0")] if most is None or most >= 0 else [])
    if most is None or most >= 0:
        options.extend(_naturals(max(0, least or 0), most))
    return _either(options)


def _either(options: list[Regular]) -> Regular:
    """Any one of them, the later ones first: they are longer, and Python takes the first that fits."""
    some = [option for option in reversed(options) if option != EMPTY]
    if not some:
        return EMPTY
    made = some[0] if len(some) == 1 else Union(tuple(some))
    return made if len(some) == len(options) else Times(made, 0, 1)


def _naturals(low: int, high: int | None) -> list[Regular]:
    """The numbers from `low` to `high`, by their number of digits."""
    found: list[Regular] = []
    size = len(str(low))
    while high is None or low <= high:
        if high is None and low == 10 ** (size - 1):
            found.append(Concat((_POSITIVE, Times(_D, size - 1, None) if size > 1 else _DIGITS)))
            return found
        top = 10**size - 1 if high is None else min(high, 10**size - 1)
        if low <= top:
            found.append(_same_length(str(low), str(top)))
        low, size = 10**size, size + 1
    return found


def _same_length(low: str, high: str) -> Regular:
    if not low:
        return EMPTY
    if set(low) == {"0"} and set(high) == {"9"}:
        return Times(_D, len(low), len(low))
    first, last = int(low[0]), int(high[0])
    size = len(low) - 1
    if first == last:
        return Concat((literal(low[0]), _same_length(low[1:], high[1:])))
    options: list[Regular] = []
    if low[1:] != "0" * size:
        options.append(Concat((literal(low[0]), _same_length(low[1:], "9" * size))))
        first += 1
    upper = high[1:] != "9" * size
    last -= upper
    if first <= last:
        digits = Chars(((48 + first, 48 + last),))
        options.append(Concat((digits, Times(_D, size, size))) if size else digits)
    if upper:
        options.append(Concat((literal(high[0]), _same_length("0" * size, high[1:]))))
    return _either(options)


def _between(given: Numbers) -> Regular:
    """Numbers with or without a fraction."""
    options: list[Regular] = []
    low, high = given.low, given.high
    if high is None or high > 0 or (high == 0 and not given.high_open):
        above = (Decimal(0), False) if low is None or low < 0 else (low, given.low_open)
        options.append(_sizes(*above, high, given.high_open))
    if low is None or low < 0 or (low == 0 and not given.low_open):
        below = (Decimal(0), False) if high is None or high > 0 else (-high, given.high_open)
        options.append(Concat((literal("-"), _sizes(*below, None if low is None else -low, given.low_open))))
    return _either(options)


def _sizes(low: Decimal, low_open: bool, high: Decimal | None, high_open: bool) -> Regular:
    """Texts without a sign, of a value between two that are not negative."""
    one, two = _parts(low), None if high is None else _parts(high)
    options: list[Regular] = []
    if two is not None and one[0] == two[0]:
        tail = _tail(one[1], low_open, two[1], high_open)
        if tail is not None:
            options.append(Concat((literal(one[0]), tail)))
    else:
        tail = _tail(one[1], low_open, None, False)
        if tail is not None:
            options.append(Concat((literal(one[0]), tail)))
        top = None if two is None else int(two[0]) - 1
        between = _naturals(int(one[0]) + 1, top)
        if between:
            options.append(Concat((_either(between), Times(_FRACTION, 0, 1))))
        if two is not None and (last := _tail("", False, two[1], high_open)) is not None:
            options.append(Concat((literal(two[0]), last)))
    if low == 0 and (high is None or high >= _TINY):
        options.append(Concat((_MANTISSA, _SMALL)))
    if high is None and low <= _HUGE:
        options.append(Concat((_MANTISSA, _LARGE)))
    return _either(options)


def _parts(value: Decimal) -> tuple[str, str]:
    whole, _, fraction = f"{value:f}".partition(".")
    return whole, fraction.rstrip("0")


def _tail(low: str, low_open: bool, high: str | None, high_open: bool) -> Regular | None:
    """The fraction with its point, or nothing, of a value between two fractions; None where there is none."""
    options: list[Regular] = []
    digits = _fraction(low, low_open, high, high_open)
    if digits is not None:
        options.append(Concat((literal("."), digits)))
    if not low and not low_open and (high is None or high != "" or not high_open):
        options.append(EMPTY)
    return _either(options) if options else None


def _fraction(low: str, low_open: bool, high: str | None, high_open: bool) -> Regular | None:
    """One digit or more, the rest of a fraction between two."""
    if not low and not low_open and high is None:
        return Times(_D, 1, None)
    options: list[Regular] = []
    first = int(low[:1] or "0")
    last = 9 if high is None else int(high[:1] or "0")
    for digit in range(first, last + 1):
        below = digit == first and bool(low or low_open)
        above = high is not None and digit == last
        if not below and not above:
            continue
        rest_low, rest_open = (low[1:], low_open) if below else ("", False)
        rest_high = high[1:] if above and high is not None else None
        more = _fraction_or_end(rest_low, rest_open, rest_high, high_open if above else False)
        if more is not None:
            options.append(Concat((literal(str(digit)), more)))
    start = first + bool(low or low_open)
    end = last - (high is not None)
    if start <= end:
        options.append(Concat((Chars(((48 + start, 48 + end),)), _DIGITS)))
    return _either(options) if options else None


def _fraction_or_end(low: str, low_open: bool, high: str | None, high_open: bool) -> Regular | None:
    """What may follow digits that are the same as those of a bound: more digits, or the end."""
    ended = not low and not low_open and (high is None or high != "" or not high_open)
    if not low and low_open and high is None:
        return Concat((_ZEROS, _POSITIVE, _DIGITS))
    if high == "" and not low and not low_open:
        return _ZEROS if not high_open else None
    if high == "":
        return None
    digits = _fraction(low, low_open, high, high_open)
    options: list[Regular] = [*([digits] if digits is not None else []), *([EMPTY] if ended else [])]
    return _either(options) if options else None


def _multiple(step: Decimal, whole: bool) -> Regular:
    """Multiples of a step that divides a power of ten, or a tenth of one."""
    step = step.normalize()
    if not -12 <= step.adjusted() <= 12:
        raise NoWordsError(f"multiples of {step} have no short words in a grammar")
    places = max(0, -int(step.as_tuple().exponent))
    if places == 0 and step == 1:
        return _spelled(_INTEGER, whole)
    size = 0
    while size <= 12 and (10 ** Decimal(size)) % step:
        size += 1
    unit = step * 10**places
    count = int((10 ** Decimal(size)) / step) if size <= 12 else _MOST_ENDINGS + 1
    if places:
        return _decimals(int(unit), places)
    if count > _MOST_ENDINGS:
        raise NoWordsError(f"multiples of {step} have no short words in a grammar")
    endings = [str(int(step) * index).rjust(size, "0") for index in range(count)]
    short = [str(int(step) * index) for index in range(count)]
    long = Concat((_POSITIVE, _DIGITS, Union(tuple(literal(text) for text in endings))))
    return _spelled(Union((long, *(literal(text) for text in reversed(short)))), whole)


def _spelled(node: Regular, whole: bool) -> Regular:
    """A whole number, with a fraction of zeros where one may be written."""
    if whole:
        return Concat((_SIGN, node))
    return Concat((_SIGN, node, Times(Concat((literal("."), _ZEROS, literal("0"))), 0, 1)))


def _decimals(unit: int, places: int) -> Regular:
    """Multiples of a step with a fraction, such as 0.01 and 0.5."""
    size = 10**places
    if size % unit or (size // unit > _MOST_ENDINGS and unit != 1):
        raise NoWordsError("multiples of this fraction have no short words in a grammar")
    if unit == 1:
        digits: Regular = Times(_D, 0, places)
        fraction = Concat(
            (
                literal("."),
                Union((Concat((Times(_D, 1, places), _ZEROS)), Concat((digits, _ZEROS, literal("0"))))),
            )
        )
    else:
        texts = [str(value).rjust(places, "0").rstrip("0") or "0" for value in range(0, size, unit)]
        fraction = Concat((literal("."), Union(tuple(literal(text) for text in texts)), _ZEROS))
    return Concat((_SIGN, _INTEGER, Times(fraction, 0, 1)))
