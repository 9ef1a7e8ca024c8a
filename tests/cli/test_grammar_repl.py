"""`jigwork grammar repl`: what a person sees while typing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.cli.grammar_repl import Typing
from jigwork.grammars import Grammar

Start = Callable[..., Any]

ORDER = Grammar.from_lark(
    'start: "order " COUNT " " THING [" gift wrapped"]\nCOUNT: /[1-9][0-9]?/\nTHING: "lamp" | "table" | "teapot"\n'
)


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A file with a grammar."""
    path = tmp_path / "order.lark"
    path.write_text(ORDER.definition)
    return path


def said(text: str) -> str:
    """Return what is shown below a text."""
    return "".join(words for _, words in Typing(ORDER).status(text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["not complete yet", 'next: "order "', 'goes on with "order "']),
        ("order 3 lamp", ["complete", 'next: " gift wrapped"']),
        ("order 3 lamp gift wrapped", ["complete", "next: nothing: the text is at its end"]),
        ("order 3 lomp", ['wrong from line 1, column 10: "omp"', 'did you mean "order 3 lamp"']),
    ],
)
def test_what_is_shown_below(text: str, lines: list[str]) -> None:
    """Whether the text is complete, what may follow, and where it went wrong."""
    shown = said(text).split("\n")
    assert [line for line in lines if line not in shown] == []


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("", ["order "]),
        ("ord", ["er "]),
        ("order 3 l", ["amp"]),
        ("order 3 lamp", [" gift wrapped"]),
        ("x", []),
    ],
)
def test_what_tab_adds(text: str, offers: list[str]) -> None:
    """What must follow, or the rest of what may; nothing where the text is wrong."""
    assert Typing(ORDER).complete(text)[: max(1, len(offers))] == offers


def test_what_is_added_is_legal() -> None:
    """Whatever Tab adds, somewhere, leaves a text that can be finished."""
    typing = Typing(ORDER)
    texts = ["order 12 teapot gift wrapped"[:length] for length in range(29)]
    for text in texts:
        for rest in typing.complete(text):
            ORDER.next(text + rest)


def test_typing_on_a_terminal(order: Path, terminal: Start) -> None:
    """At every key the line below changes; Tab completes, Return judges and shows the tree, Ctrl-D leaves."""
    screen = terminal("grammar", "repl", order)
    screen.expect("Tab completes")
    screen.expect("not complete yet")
    screen.type("order 3 lo")
    screen.expect("wrong from line 1, column 10")
    screen.type("\x7f\x7f")
    screen.expect("not complete yet")
    screen.type("la\t")
    screen.expect("complete")
    screen.type("\r")
    screen.expect("valid")
    screen.expect("start")
    screen.type("order 3 lomp\r")
    screen.expect("not valid")
    screen.expect("did you mean order 3 lamp")
    screen.expect("not complete yet")
    screen.type("ord\x03")
    screen.expect("not complete yet")
    screen.type("\x04")
    assert screen.end() == 0


def test_more_lines_than_one(tmp_path: Path, terminal: Start) -> None:
    """Alt-Return begins a new line of the text."""
    (tmp_path / "two.lark").write_text('start: "a\\nb"\n')
    screen = terminal("grammar", "repl", tmp_path / "two.lark")
    screen.expect("not complete yet")
    screen.type("a\x1b\rb")
    screen.expect("the text is at its end")
    screen.type("\r")
    screen.expect("valid")
    screen.expect("not complete yet")
    screen.type("\x04")
    assert screen.end() == 0


def test_lines_of_a_pipe(cli: Callable[..., Any], order: Path) -> None:
    """Without a terminal every line is judged, without colours."""
    done = cli("grammar", "repl", order, stdin="order 3 lamp\norder 3 lomp\n")
    assert done.code == 1 and done.out.startswith("valid\nline 1, column 10: not valid\n")
    assert cli("grammar", "repl", order, stdin="order 3 lamp\n").code == 0
    assert cli("grammar", "repl", "-", stdin="x").code == 2


def test_colours_only_where_they_are_wanted(order: Path, terminal: Start) -> None:
    """A terminal gets colours unless NO_COLOR is set; a wrong text keeps its caret either way."""
    coloured = terminal("grammar", "explain", order, "order 3 lomp")
    plain = terminal("grammar", "explain", order, "order 3 lomp", env={"NO_COLOR": "1"})
    assert coloured.end() == plain.end() == 1
    assert "\x1b[31m" in coloured.raw and "\x1b[31m" not in plain.raw and "         ^" in plain.text


def test_a_line_longer_than_the_terminal(order: Path, terminal: Start) -> None:
    """Of a long line the part around the caret is shown, so that the caret is under its character."""
    (order.parent / "long.lark").write_text('start: "' + "x" * 80 + '" "order" "' + "y" * 30 + '"\n')
    screen = terminal("grammar", "explain", order.parent / "long.lark", "x" * 80 + "orxer", columns=50)
    assert screen.end() == 1
    line, caret = screen.text.splitlines()[1:3]
    assert len(line) < 50 and line[caret.index("^") :] == "xer" and line.startswith("  xxx")
