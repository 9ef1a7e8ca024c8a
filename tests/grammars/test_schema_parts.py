"""Patterns, numbers and formats of JSON schemas as expressions over text, and schemas in the words of OpenAI."""

from __future__ import annotations

import json
import random
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar

PATTERNS = [
    "^a", "a$", "^a$", "^a|b$", "(^a|b$)", "^(a|b)$", "a", "", "^$", "^(?!ab).*$", "^(?=.*[0-9])[a-z0-9]+$", "(a|^b)c",
    "^[A-Z]{2,3}-\\d+$", "\\w+", "x?$", "[^a]b", "^\\S+@\\S+$", "(?i)^ab", "^a.c$", "(^$|^a)", "^(|a)$", "a{2,}",
    "($|^)a", "(?!a)b", "b(?=c)", "^[a-c&&b]$", "[[:x:]]", "a{,2}b",
]  # fmt: skip
LETTERS = "abcxAB0Z9-@: []&"


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_patterns_mean_what_a_validator_means(pattern: str) -> None:
    """A pattern is searched for as `re.search` does, anchors and lookaheads included."""
    grammar = Grammar.from_json_schema({"type": "string", "pattern": pattern})
    expected = re.compile(pattern, re.ASCII)
    rng = random.Random(pattern)
    for _ in range(60):
        text = "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 4)))
        assert grammar.accepts(json.dumps(text)) is bool(expected.search(text)), text


BOUNDS = st.decimals(min_value=-150, max_value=150, places=2) | st.integers(-120, 120).map(Decimal)


@settings(max_examples=60, deadline=None)
@given(st.tuples(BOUNDS, BOUNDS), st.booleans(), st.booleans(), st.lists(BOUNDS, min_size=5, max_size=5))
def test_bounds_hold_to_the_last_digit(
    ends: tuple[Decimal, Decimal], open_ends: bool, whole: bool, values: list[Decimal]
) -> None:
    """Numbers within bounds are accepted and others refused, whatever their digits."""
    low, high = sorted(map(float, ends))
    words = ("exclusiveMinimum", "exclusiveMaximum") if open_ends else ("minimum", "maximum")
    schema = {"type": "integer" if whole else "number", words[0]: low, words[1]: high}
    try:
        grammar = Grammar.from_json_schema(schema)
    except GrammarError as error:
        assert "no value is valid" in str(error)
        return
    near = [low, high, low + 0.01, high - 0.01, low - 0.001, high + 0.001, *map(float, values), 1e-7, -1e-05]
    for value in near:
        text = repr(int(value) if value == int(value) else value)
        inside = low < value < high if open_ends else low <= value <= high
        assert grammar.accepts(text) is (inside and (not whole or value == int(value))), text


FORMATS: list[tuple[str, str, str]] = [
    ("date", "2024-02-29 0001-12-31", "2023-02-29 2024-2-1 2024-13-01 1900-02-29"),
    ("date-time", "2024-02-29T23:59:59Z 2024-01-01t00:00:00.5+02:00", "2024-01-01 2024-01-01T24:00:00Z"),
    ("time", "00:00:00Z 23:59:59.123-01:00", "00:00 24:00:00Z"),
    ("duration", "P1D PT1H30M P2W P1Y2M3D", "P PT P1H 1D"),
    ("email", "a@b.example a.b+c@x", "a@ @b a..b@c a@-b"),
    ("idn-email", "é@ü.example", "é ü@"),
    ("hostname", "a b-c.example", "-a a..b a_b"),
    ("ipv4", "0.0.0.0 255.1.2.3", "256.0.0.1 1.2.3 01.2.3.4"),
    ("ipv6", ":: ::1 1:2:3:4:5:6:7:8 fe80::1:2 ::ffff:1.2.3.4", "1::2::3 12345:: 1:2:3 ::1.2.3"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000 x"),
    ("uri", "https://a.example/b?c=d#e mailto:a@b urn:x:y", "//a/b a b%zz http://[1]"),
    ("uri-reference", "//a/b ../x?y #f http://a", "a\\b %zz <x>"),
    ("iri", "http://ü.example/é", "é"),
    ("json-pointer", "/a/b~1c /", "a /~2"),
    ("relative-json-pointer", "0 1/a 2#", "/a -1 01"),
    ("uri-template", "/a/{b} {+x,y:3}/z", "{a /{}"),
    ("unheard-of", "anything at-all", ""),
]


@pytest.mark.parametrize(("name", "good", "bad"), FORMATS, ids=[name for name, _, _ in FORMATS])
def test_formats(name: str, good: str, bad: str) -> None:
    """Formats of the standard are held; one that the standard does not know is a note."""
    grammar = Grammar.from_json_schema({"type": "string", "format": name})
    assert [text for text in good.split() if not grammar.accepts(json.dumps(text, ensure_ascii=False))] == []
    assert [text for text in bad.split() if grammar.accepts(json.dumps(text, ensure_ascii=False))] == []


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 3}}},
    {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "minItems": 1, "maxItems": 3},
    {
        "anyOf": [
            {"type": "null"},
            {"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
        ]
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_openai_is_sent_plain_rules(schema: dict[str, Any]) -> None:
    """A schema goes to OpenAI as the same language in words that it documents, and `check` finds nothing in it."""
    grammar = Grammar.from_json_schema(schema)
    sent = Grammar.from_lark(grammar.to_openai()["definition"])
    assert "%" not in sent.definition and " & " not in sent.definition
    assert [str(found) for found in sent.check() if found.severity == "error"] == []
    for text in grammar.sample(10, seed=2, longest=200):
        for other in (text, text[:-1], text.replace("a", "é"), text.replace(",", "")):
            assert sent.accepts(other) is grammar.accepts(other), other


def test_an_embedded_schema_is_lowered_or_refused_with_its_place() -> None:
    """`%json` becomes rules for OpenAI; where it allows spaces, or has no rules, that is said with line and column."""
    compact = 'start: "x" %json {"type":"integer","x-guidance":{"whitespace_flexible":false}}\n'
    sent = Grammar.from_lark(Grammar.from_lark(compact).to_openai("chat")["grammar"]["definition"])
    assert sent.accepts("x12") and not sent.accepts("x1.5") and "%json" not in sent.definition
    with pytest.raises(GrammarError, match=r"column 12: .*spaces") as caught:
        Grammar.from_lark('start: "x" %json {"type":"array"}\n').to_openai()
    assert (caught.value.line, caught.value.column) == (1, 12)


class Stop(BaseModel):
    """A place on a way."""

    name: str
    minutes: int | None = None


class Way(BaseModel):
    """A way with its stops."""

    stops: list[Stop]


CONDITION = {
    "type": "object",
    "properties": {"stops": {"type": "array", "items": {"$ref": "#/$defs/stop"}, "contains": {"required": ["minutes"]}}},
    "required": ["stops"],
    "$defs": {"stop": {"type": "object", "properties": {"name": {"type": "string"}, "minutes": {"type": "integer"}},
                       "required": ["name"]}},
}  # fmt: skip


def test_texts_of_lowered_schemas_have_trees_and_become_models() -> None:
    """A lowered schema, alone or as a rule, gives a tree of JSON, and its texts become pydantic models."""
    grammar = Grammar.from_json_schema(CONDITION)
    text = '{"stops":[{"name":"a"},{"name":"b","minutes":3}]}'
    assert grammar.accepts(text) and not grammar.accepts('{"stops":[{"name":"a"}]}')
    tree = grammar.parse(text)
    assert [str(t.data) for t in tree.iter_subtrees_topdown()][:4] == ["start", "object", "pair", "array"]
    assert grammar.parse(text, Way) == Way(stops=[Stop(name="a"), Stop(name="b", minutes=3)])
    outer = Grammar.from_lark('start: "go " way " " N\nN: /[0-9]+/\n', rules={"way": grammar})
    assert outer.parse(f"go {text} 7").pretty().count("pair") == 4


def test_a_huge_schema_is_lowered_or_refused_in_time() -> None:
    """Many properties compile; alternatives that multiply are refused with a limit, not computed for ever."""
    wide = {"type": "object", "properties": {f"p{n}": {"type": "integer"} for n in range(800)}}
    assert Grammar.from_json_schema(wide).accepts('{"p3":1,"p700":2}')
    pairs = [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(30)]
    with pytest.raises(GrammarError, match=r"hundreds of cases|takes longer"):
        Grammar.from_json_schema({"type": "object", "allOf": pairs})
