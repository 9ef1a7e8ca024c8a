"""Rows as tables: aligned, NULL shown, cut to the width of a terminal and never beyond."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from jigwork.agent.cli.screen import Screen
from jigwork.agent.cli.tables import cell_text, show_rows


class TerminalText(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def shown(names: list[str], rows: list[list[Any]], **options: Any) -> list[str]:
    """Return the lines of a table in a pipe."""
    out = io.StringIO()
    show_rows(Screen(out), names, rows, **options)
    return out.getvalue().splitlines()


def test_table_in_a_pipe() -> None:
    """Numbers stand to the right, NULL is told from an empty text, text to the left."""
    rows: list[list[Any]] = [["Ada", 7, Decimal("1.50")], ["", None, 12], [None, 300, None]]
    assert shown(["name", "n", "money"], rows) == [
        "name     n  money",
        "----  ----  -----",
        "Ada      7   1.50",
        "      NULL     12",
        "NULL   300   NULL",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (5243.179999999999, "5243.18"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (b"\x00\x01", "<2 bytes>"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred", "red"),
        (True, "True"),
        (10**20, "100000000000000000000"),
    ],
)
def test_values_on_one_line(value: Any, text: str) -> None:
    """Every value becomes harmless text on one line."""
    assert cell_text(value) == text


def test_wide_letters_take_two_columns() -> None:
    """Letters that are two columns wide keep the columns aligned."""
    head, rule, first, second = shown(["a", "b"], [["夜の", "x"], ["abcd", "y"]])
    assert (head, rule) == ("a     b", "----  -")
    assert first.endswith("x") and second == "abcd  y"
    assert cell_len(first) == cell_len(second)


CELLS = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=100), st.binary(max_size=3)
)


@settings(max_examples=60)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            st.lists(st.text(min_size=1, max_size=30), min_size=n, max_size=n),
            st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=5),
        )
    ),
    st.integers(30, 120),
)
def test_a_table_fits_its_terminal(table: tuple[list[str], list[list[Any]]], width: int) -> None:
    """No line of a table is wider than the terminal, whatever the columns are."""
    out = TerminalText()
    screen = Screen(out)
    screen.columns = width
    show_rows(screen, *table, indent=4)
    assert all(cell_len(line) <= width for line in strip(out.getvalue()).split("\n"))


def strip(text: str) -> str:
    """Return the text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_columns_without_room_are_named() -> None:
    """Columns that find no room are left out and named."""
    out = TerminalText()
    screen = Screen(out)
    screen.columns = 40
    show_rows(screen, [f"column {i}" for i in range(9)], [[f"value {i}" * 3 for i in range(9)]])
    assert "not shown, no room: column 4" in strip(out.getvalue())


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set, a terminal gets no escapes at all."""
    monkeypatch.setenv("NO_COLOR", "1")
    out = TerminalText()
    show_rows(Screen(out), ["a"], [[None]])
    assert "\x1b" not in out.getvalue() and "NULL" in out.getvalue()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (992.410000000001, "992.41"),
        (43.660000000000004, "43.66"),
        (1 / 3, "0.333333333333333"),
        (123456789.12345, "123456789.12345"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (2.0, "2"),
    ],
)
def test_fractions_without_noise(value: float, shown: str) -> None:
    """What a sum of binary fractions leaves in the last digits is not shown; what was computed is."""
    assert cell_text(value) == shown
