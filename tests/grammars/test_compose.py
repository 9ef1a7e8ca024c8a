"""Grammars built of grammars."""

from __future__ import annotations

import random
import re

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar

DAY = Grammar.from_regex("[0-9]{4}-[0-9]{2}-[0-9]{2}", name="day")
COLOR = Grammar.from_choices(["red", "green"], name="color")
SUM = Grammar.from_lark('%import common.INT\nstart: INT ("+" INT)*\n', name="sum")
POINT = Grammar.from_json_schema(
    {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
)

CASES: list[tuple[str, Grammar, list[str], list[str]]] = [
    ("choice", Grammar.choice(DAY, COLOR, SUM), ["2024-05-01", "red", "1+22"], ["redgreen", "1+", ""]),
    ("choice of one kind", Grammar.choice(COLOR, COLOR), ["red"], ["blue"]),
    ("sequence", Grammar.sequence(COLOR, Grammar.from_choices([": "]), SUM), ["red: 1+2"], ["red:1", "1+2"]),
    ("sequence with a schema", Grammar.sequence(COLOR, POINT), ['green{"x":1}'], ['green{"x":"1"}', "green"]),
    ("nested", Grammar.choice(Grammar.choice(DAY, COLOR), SUM), ["green", "2024-05-01", "7"], ["7+"]),
    (
        "embedded",
        Grammar.from_lark('start: "on " day " at " point\n', rules={"day": DAY, "point": POINT}),
        ['on 2024-05-01 at {"x":1}'],
        ["on 2024-05-01 at 1"],
    ),
]


@pytest.mark.parametrize(
    ("grammar", "accepted", "refused"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_composed_grammars_accept_what_their_parts_say(
    grammar: Grammar, accepted: list[str], refused: list[str]
) -> None:
    """A choice accepts what any part does, a sequence and an embedding what all parts do in turn."""
    assert [text for text in accepted if not grammar.accepts(text)] == []
    assert [text for text in refused if grammar.accepts(text)] == []


def test_composed_grammars_have_trees() -> None:
    """The names of the parts are prefixed in the tree, so that they cannot be mistaken."""
    tree = Grammar.choice(SUM, COLOR).parse("1+2")
    assert [child.data for child in tree.find_pred(lambda t: "sum" in str(t.data))] == ["sum1_start"]


def test_what_cannot_be_composed_is_refused() -> None:
    """No parts, different ignored texts, and names that are taken are refused with a reason."""
    spaced = Grammar.from_lark('start: "a" "b"\n%ignore " "\n')
    assert Grammar.choice(spaced, spaced).accepts("a b")
    with pytest.raises(GrammarError, match="ignore"):
        Grammar.choice(spaced, SUM)
    with pytest.raises(GrammarError, match="at least one"):
        Grammar.sequence()
    with pytest.raises(GrammarError, match="rename one"):
        Grammar.from_lark("start: day\nday: /x/\n", rules={"day": DAY})
    with pytest.raises(GrammarError, match="lower case"):
        Grammar.from_lark("start: DAY\n", rules={"DAY": DAY})


PARTS = ["a", "b+", "[ab]{1,2}", "c?a", "(ab|c)*", "[^a]", "a{2}b", "(a|b)c"]


@pytest.mark.parametrize("seed", range(6))
def test_choice_sequence_and_embedding_are_the_languages_they_say(seed: int) -> None:
    """Where the longest match makes no difference, one grammar of two is the union, or one after the other, exactly."""
    rng = random.Random(seed)
    exact = 0
    for _ in range(12):
        one, other = rng.choice(PARTS), rng.choice(PARTS)
        a, b = Grammar.from_regex(one), Grammar.from_regex(other)
        inner = Grammar.from_lark('start: "<" x ">"\n', rules={"x": a})
        made = [
            (Grammar.choice(a, b), f"(?:{one})|(?:{other})"),
            (Grammar.sequence(a, b), f"(?:{one})(?:{other})"),
            (inner, f"<(?:{one})>"),
        ]
        for grammar, pattern in made:
            export = grammar.to_regex()
            exact += export.exact
            for _ in range(40):
                text = "".join(rng.choice("abc") for _ in range(rng.randint(0, 5)))
                text = f"<{text}>" if grammar is inner else text
                expected = bool(re.fullmatch(pattern, text))
                assert bool(re.fullmatch(export.text, text)) is expected
                assert grammar.accepts(text) is expected or (not export.exact and expected)
    assert exact > 12
