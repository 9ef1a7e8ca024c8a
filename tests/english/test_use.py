"""`use TOOL with NAME VALUE, ...`: sentences that call plain tools."""

from __future__ import annotations

from typing import Any

import pytest

from jigwork.grammars import Grammar
from jigwork.grammars.english import English, NotUnderstood, read_tool_use
from jigwork.grammars.schema import Column, Schema, Table

SCHEMA = Schema((Table("notes", (Column("text"),)),))

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "send_mail",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string"},
                "body text": {"type": "string"},
                "copies": {"type": "integer"},
                "urgent": {"type": ["boolean", "null"]},
                "tags": {"type": "array", "items": {"type": "string"}},
                "level": {"enum": ["low", "High"]},
            },
            "required": ["to", "urgent"],
        },
    },
    {"type": "function", "name": "now", "parameters": {"type": "object", "properties": {}}},
    {"type": "custom", "name": "query"},
]

READ: list[tuple[str, str | None, dict[str, Any]]] = [
    ("use now", "now", {}),
    ("Use the tool NOW.", "now", {}),
    ("use send_mail with to Ann Lee", "send_mail", {"to": "Ann Lee", "urgent": None}),
    ("use send mail with to \"a, b\", urgent yes", "send_mail", {"to": "a, b", "urgent": True}),
    ("use send_mail with to 5, copies 2", "send_mail", {"to": "5", "copies": 2, "urgent": None}),
    ('use send_mail with body text "say ""hi""" , to = x', "send_mail", {"body text": 'say "hi"', "to": "x", "urgent": None}),
    ('use send_mail with to x, tags ["a", "b, c"] and urgent false', None, {}),
    ('use send_mail with to x, tags ["a", "b, c"], and urgent false', "send_mail", {"to": "x", "tags": ["a", "b, c"], "urgent": False}),
    ("use send_mail with level high, to x", "send_mail", {"level": "High", "to": "x", "urgent": None}),
]  # fmt: skip

REFUSED = [
    ("use sendmail with to x", "there is no tool", "send_mail"),
    ("use send_mail", "needs to", ""),
    ("use send_mail with copies two, to x", "takes integer", ""),
    ("use send_mail with copies 2.5, to x", "takes integer", ""),
    ("use send_mail with cc x, to y", "takes no 'cc'", ""),
    ("use send_mail with to x, to y", "given twice", ""),
    ("use send_mail with level medium, to x", "cannot be medium", ""),
    ('use send_mail with to "x', "never closed", ""),
    ("use send_mail with to", "takes string", ""),
    ("use now please do", "comes `with", ""),
    ("use query with sql x", "there is no tool", ""),
]


@pytest.mark.parametrize(("sentence", "tool", "arguments"), READ)
def test_read(sentence: str, tool: str | None, arguments: dict[str, Any]) -> None:
    """Values come out with the types of the tool's schema; what a nullable parameter is not given is null."""
    if tool is None:
        with pytest.raises(NotUnderstood):
            read_tool_use(sentence, TOOLS)
        return
    reading = read_tool_use(sentence, TOOLS)
    assert reading is not None
    assert (reading.kind, reading.tool, dict(reading.arguments)) == ("tool", tool, arguments)
    assert tool in reading.readback


@pytest.mark.parametrize(("sentence", "reason", "suggestion"), REFUSED)
def test_refused(sentence: str, reason: str, suggestion: str) -> None:
    """What does not fit the schema is refused before anything is called."""
    with pytest.raises(NotUnderstood) as caught:
        read_tool_use(sentence, TOOLS)
    assert reason in caught.value.reason
    assert suggestion in " ".join(caught.value.suggestions)


@pytest.mark.parametrize(
    ("prefix", "offered"),
    [
        ("use ", ["send_mail", "now"]),
        ("use se", ["send_mail"]),
        ("use send_mail ", ["with"]),
        ("use send_mail with ", ["to", "body text", "copies", "urgent", "tags", "level"]),
        ("use send_mail with to x, co", ["copies"]),
        ("use send_mail with to ", []),
        ("use now ", []),
        ("use nothing ", []),
    ],
)
def test_completions(prefix: str, offered: list[str]) -> None:
    """Tools, then `with`, then the names of what the tool takes."""
    assert English(Schema(()), tools=TOOLS).complete(prefix) == offered


def test_the_grammar_has_the_tools() -> None:
    """The Lark grammar of a language with tools takes sentences that use them."""
    grammar = Grammar.from_lark(English(SCHEMA, tools=TOOLS).grammar)
    assert grammar.accepts("use send_mail with to x, copies 2")
    assert grammar.accepts("count notes")
    assert not grammar.accepts("use sendmail with to x")


def test_other_sentences_are_no_use() -> None:
    """A sentence that does not begin with `use` is left to the questions."""
    assert read_tool_use("count users", TOOLS) is None
