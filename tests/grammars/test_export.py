"""Exports: the same language in other words, or a superset that says so, or a refusal with the place."""

from __future__ import annotations

import re

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar, library, library_names

REGULAR = ["apply_patch", "chess", "contact", "cron", "csv", "iso8601", "semver", "unified_diff"]


@pytest.mark.parametrize("name", REGULAR)
def test_a_regular_grammar_is_one_expression(name: str) -> None:
    """The expression of a regular grammar matches its samples in Python and in Rust, and no broken ones."""
    grammar = library(name)
    made = grammar.to_regex()
    rust, python = Grammar.from_regex(made.text), re.compile(made.text)
    for text in grammar.sample(25, seed=4, longest=200):
        assert rust.accepts(text)
        assert python.fullmatch(text)
        for broken in (text[:-1], text + "!", text[1:], text.replace("-", "=", 1)):
            if made.exact:
                assert rust.accepts(broken) is grammar.accepts(broken)
            else:
                assert rust.accepts(broken) or not grammar.accepts(broken)


def test_exact_is_proved_not_hoped_for() -> None:
    """Where the longest match makes a difference the export is called a superset, and it is one."""
    greedy = Grammar.from_lark('start: ("a" | "ab") "c" | "a" "bd"\n')
    made = greedy.to_regex()
    assert not made.exact
    assert "longest match" in made.differences[0]
    assert re.fullmatch(made.text, "abd")
    assert not greedy.accepts("abd")
    assert not Grammar.from_lark("start: A B\nA: /[a-z]{1,2}/\nB: /[a-z]/\n").to_gbnf().exact
    assert Grammar.from_lark('start: A "," A\nA: /[a-z]+/\n').to_gbnf().exact


@pytest.mark.slow
def test_gbnf_of_every_ready_grammar() -> None:
    """All ready grammars have a GBNF form with a root and no name that llama.cpp cannot read."""
    for name in library_names():
        text = library(name).to_gbnf().text
        assert text.startswith("root ::= ")
        for line in text.splitlines():
            assert re.match(r"[a-z][a-z0-9-]* ::= .+", line), line
    assert library("json").to_gbnf().exact
    assert library("json").to_ebnf() == library("json").to_gbnf()


GBNF: list[tuple[str, str]] = [
    ('start: "a" | "b" "c"\n', 'root ::= "a" | "b" "c"\n'),
    ('start: "x"~2..3 [y] y* y+\ny: /[0-9a-f]/\n',
     'root ::= ("x"){2,3} r-y? r-y* r-y+\nr-y ::= [0-9a-f]\n'),
    ('start: start "+" N | N\nN: /[0-9]+/\n', 'root ::= (t-n) ("+" t-n)*\nt-n ::= [0-9]+\n'),
    ('start: "k"i "\\n"\n', 'root ::= [Kk\\u212A] "\\u000A"\n'),
    ("start: A\nA: /[a-z]/ & ~/x/\n", "root ::= t-a\nt-a ::= [a-wy-z]\n"),
    ("start: /[^a]|./\n", "root ::= ([\\u0000-\\u0060b-\\uD7FF\\uE000-\\U0010FFFF] | [\\u0000-\\u0009\\u000B-\\uD7FF\\uE000-\\U0010FFFF])\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GBNF)
def test_gbnf_text(text: str, expected: str) -> None:
    """Counts, options, left recursion, letter case and classes are written in GBNF's words."""
    assert Grammar.from_lark(text).to_gbnf().text == expected


REFUSED: list[tuple[str, str, str]] = [
    ("to_gbnf", 'start: "a" "b"\n%ignore " "\n', "line 2"),
    ("to_gbnf", 'start: "a" %json {"type":"null"}\n', "column 12"),
    ("to_gbnf", "start: /\\w+/\n", "write the characters out"),
    ("to_gbnf", 'start: a\na: b "x" | "y"\nb: a "z"\n', "left end"),
    ("to_gbnf", "start: A\nA: /[a-z]+/ & ~/\\w/\n", "write the characters out"),
    ("to_regex", 'start: "(" start ")" | "x"\n', "recurses"),
    ("to_json_schema", "start: A B\nA: /[a-z]{1,2}/\nB: /[a-z]/\n", "accept more"),
]


@pytest.mark.parametrize(("method", "text", "part"), REFUSED)
def test_what_cannot_be_said_is_refused_with_the_place(method: str, text: str, part: str) -> None:
    """An export that would silently mean something else is refused with a reason."""
    with pytest.raises(GrammarError, match=re.escape(part)):
        getattr(Grammar.from_lark(text), method)()


def test_string_schemas() -> None:
    """Choices become an enum, other regular grammars an anchored pattern."""
    assert Grammar.from_choices(["a", 'b"c']).to_json_schema() == {"type": "string", "enum": ["a", 'b"c']}
    schema = Grammar.from_regex("[a-z]{2,3}/x").to_json_schema()
    assert schema["type"] == "string"
    pattern = re.compile(schema["pattern"])
    assert pattern.search("ab/x")
    assert not pattern.search("ab/x ") and not pattern.search("-ab/x")


def test_llguidance_text_names_itself() -> None:
    """Servers tell llguidance's language by its first line; a regex is wrapped into a grammar."""
    assert library("cron").to_llguidance().text.startswith("%llguidance {}\n")
    wrapped = Grammar.from_regex("a/b").to_llguidance()
    assert Grammar.from_lark(wrapped.text).accepts("a/b")
    assert str(wrapped) == wrapped.text
