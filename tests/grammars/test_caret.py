"""Carets: they stand under their character, however wide the ones before it are."""

from __future__ import annotations

import pytest

from jigwork.grammars import Grammar, check_text
from jigwork.grammars.caret import columns, narrowed, pointed, visible

PLACES: list[tuple[str, int, str, int]] = [
    # line, character, what is shown, column of the caret
    ("abc", 1, "abc", 1),
    ("abc", 3, "abc", 3),
    ("", 0, "", 0),
    ("\tx", 1, " x", 1),
    ("正正 x", 3, "正正 x", 5),
    ("한글x", 2, "한글x", 4),
    ("ｱｲx", 2, "ｱｲx", 2),
    ("e\u0301x", 2, "e\u0301x", 1),
    ("e\u0301x", 1, "e\u0301x", 0),  # the mark is seen on its letter
    ("👍🏽x", 2, "👍🏽x", 2),
    ("👨\u200d👩\u200d👧x", 5, "👨\u200d👩\u200d👧x", 2),
    ("❤️x", 2, "❤️x", 2),
    ("🇩🇪x", 2, "🇩🇪x", 2),
    ("\x1b[0mx", 4, "\ufffd[0mx", 4),
    ("\u202ex", 1, "\ufffdx", 1),
]


@pytest.mark.parametrize(("line", "at", "shown", "column"), PLACES)
def test_the_caret_counts_columns(line: str, at: int, shown: str, column: int) -> None:
    """Wide characters take two columns, marks none; what a terminal would obey is one sign."""
    assert pointed(line, at) == (shown, " " * column + "^")


@pytest.mark.parametrize("width", [20, 33, 100])
@pytest.mark.parametrize("sign", ["x", "正", "e\u0301", "👍🏽"])
def test_long_lines_are_cut_around_the_place(sign: str, width: int) -> None:
    """The part that is shown fits, holds the place, and the caret is within it."""
    line = sign * 300 + "!" + sign * 300
    shown, below = pointed(line, 300 * len(sign), width=width)
    assert columns(shown) <= width
    assert columns(shown[: shown.index("!")]) == len(below) - 1
    again, caret = narrowed(f"{shown}\n{below}", 15)
    assert columns(again) <= 15
    assert columns(again[: again.index("!")]) == len(caret) - 1


def test_both_kinds_of_messages_use_it() -> None:
    """Findings in grammars and explanations of texts point at the same column."""
    finding = check_text('start: "正é👍" nope\n')[0]
    line, below = finding.excerpt.split("\n")
    assert columns(line[: line.index("nope")]) == len(below) - 1
    explanation = Grammar.from_lark('start: "正👍" "x"\n').explain("正👍y")
    _, text, caret = explanation.render().split("\n")[:3]
    assert columns(text[: text.index("y")]) == caret.index("^")


def test_visible_text_has_one_sign_for_each() -> None:
    """Nothing moves: what cannot be shown is replaced, not dropped."""
    assert visible("a\x00b\tc") == "a\ufffdb c"
