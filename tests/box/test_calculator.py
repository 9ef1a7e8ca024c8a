"""The calculator: exact where exactness exists, in words where there is no result, and never for long."""

from __future__ import annotations

import datetime
import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork import Agent, ToolError
from jigwork.testing import ScriptedModel
from jigwork.tools.box import calculator

RESULTS = [
    ("0.1 + 0.2", "0.3"),
    ("1/3 + 1/6", "0.5"),
    ("1/3", "1/3 (about 0.333333333333333333333333333333)"),
    ("-2^2", "-4"),
    ("2^3^2", "512"),
    ("2 ** -2", "0.25"),
    ("(1 + 2) * 3 - 4", "5"),
    ("10 - 3 - 2", "5"),
    ("7 // 2 + 7 mod 2", "4"),
    ("-7 // 2", "-4"),
    ("-7 mod 2", "1"),
    ("80 * 15%", "12"),
    ("1e3 + 1.5e-2", "1000.015"),
    ("2^200", str(2**200)),
    ("123456789123456789 * 987654321987654321", str(123456789123456789 * 987654321987654321)),
    ("sqrt(16/9)", "4/3 (about 1.33333333333333333333333333333)"),
    ("sqrt(2)", "about 1.41421356237309504880168872421"),
    ("sqrt(2)^2 - 2 + 2", "about 2"),
    ("2^0.5", "about 1.41421356237309504880168872421"),
    ("ln(exp(1))", "about 1"),
    ("log10(1000)", "about 3"),
    ("round(2.5)", "3"),
    ("round(-2.345, 2)", "-2.35"),
    ("round(1250, -2)", "1300"),
    ("floor(-1.5) + ceil(1.2) + abs(-3)", "3"),
    ("max(1, 2.5, 2) + min(3, 1)", "3.5"),
    ("1^999999999999", "1"),
    ("0^0 + 0^5", "1"),
    ("2024-01-31 + 1 month", "2024-02-29 (Thursday)"),
    ("2023-12-24 + 10 days", "2024-01-03 (Wednesday)"),
    ("1 year + 2024-02-29", "2025-02-28 (Friday)"),
    ("2024-03-01 - 2 weeks", "2024-02-16 (Friday)"),
    ("2024-12-10", "2024-12-10 (Tuesday)"),
    ("2024-03-01 - 2024-02-01", "29 days"),
    ("(2024-03-01 - 2024-02-01) / 1 day", "29"),
    ("3 * 2 weeks + 1 month", "1 month, 42 days"),
    ("weekday(2024-03-03) + year(2024-03-03)", "2031"),
    ("max(2024-01-01, 2023-01-01)", "2024-01-01 (Monday)"),
]


@pytest.mark.parametrize(("expression", "result"), RESULTS)
def test_results(expression: str, result: str) -> None:
    """Integers, decimals and fractions are exact; what had to be rounded says `about`."""
    assert calculator.decode({"expression": expression}).ok, calculator.decode(
        {"expression": expression}
    ).error
    assert calculator(expression) == result


def test_today_is_today() -> None:
    """It can be reckoned with."""
    assert calculator("today - today") == "0 days"
    assert calculator("today").startswith(str(datetime.date.today().year))


NO_RESULT = [
    ("1/0", "divided by 0"),
    ("1 mod 0", "divided by 0"),
    ("0^-1", "no negative power"),
    ("(-8)^0.5", "only whole powers"),
    ("sqrt(-1)", "no square root"),
    ("ln(0)", "above 0"),
    ("9^9^9", "too large"),
    ("9^99999", "too large"),
    ("2^(10^10)", "too large"),
    ("exp(99999)", "too large"),
    ("10^3000 * 10^3000", "too large"),
    ("0.1^50000", "too large"),
    ("2024-02-30", "no day 2024-02-30"),
    ("2024-01-01 + 1", "a date and a number cannot be added"),
    ("2024-01-01 + 2024-01-01", "a date and a date cannot be added"),
    ("2024-01-01 * 2", "cannot be multiplied"),
    ("5 - 2024-01-01", "cannot be taken from a number"),
    ("-2024-01-01", "cannot be multiplied"),
    ("1 day ^ 2", "numbers, not a length of time"),
    ("1 day / 2", "part of a day"),
    ("1.5 months", "whole months"),
    ("9999-12-31 + 1 day", "out of range"),
    ("2024-01-01 + 1e30 days", "out of range"),
    ("2024-01-01 - 99999 years", "out of range"),
    ("sqrt(1, 2)", "takes one value"),
    ("round(1, 0.5)", "whole number of digits"),
    ("year(5)", "for a date"),
    ("max(1, 2024-01-01)", "not a date"),
    ("(" * 300 + "1" + ")" * 300, "nested too deeply"),
    ("-" * 3000 + "1", "nested too deeply"),
]


@pytest.mark.parametrize(("expression", "said"), NO_RESULT, ids=lambda text: str(text)[:30])
def test_what_has_no_result_is_said_in_words(expression: str, said: str) -> None:
    """Within no time, whatever is asked."""
    began = time.monotonic()
    with pytest.raises(ToolError, match=said.replace("(", r"\(")):
        calculator(expression)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text", ["", "1 +", "2 2", "5-3", "__import__('os')", "a", "print(1)", "1; 2", "sqrt 2"]
)
def test_what_is_not_in_the_language_is_explained(text: str) -> None:
    """`5-3` too, because 2024-03-01 is a date and no difference."""
    decoded = calculator.decode({"expression": text})
    assert not decoded.ok and decoded.error and "not valid" in decoded.error


NUMBERS = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)


@given(NUMBERS, NUMBERS, st.sampled_from([" + ", " - ", " * "]))
def test_it_agrees_with_fractions(a: Fraction, b: Fraction, operator: str) -> None:
    """Sums, differences and products are those of exact fractions."""
    wanted = {" + ": a + b, " - ": a - b, " * ": a * b}[operator]
    written = [f"({f.numerator}/{f.denominator})" for f in (a, b)]
    got = calculator(operator.join(written))
    assert Fraction(got.partition(" (about")[0]) == wanted


def test_a_model_uses_it() -> None:
    """As a grammar tool; a mistake is an output like any other."""
    calls: list[Any] = [
        {"name": "calculator", "input": "0.1 + 0.2"},
        {"name": "calculator", "arguments": {"expression": "1/0"}},
    ]
    result = Agent(ScriptedModel([calls, "Done"]), tools=[calculator]).run_sync("go")
    outcomes = [c.outcome for c in result.calls if c.outcome]
    assert [o.output for o in outcomes] == ["0.3", "Nothing can be divided by 0."]
