"""Random texts of a grammar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from jigwork.errors import GrammarError, GrammarLimitError
from jigwork.grammars import Grammar
from jigwork.grammars import sample as sampling
from jigwork.grammars.strategies import from_grammar

SHOP = Grammar.from_lark("""
start: order (";" order)*
order: COUNT " " thing [" for " NAME] | "nothing"
thing: "tea" | "cake" | "pie" size?
size: " (small)" | " (large)"
COUNT: /[1-9][0-9]?/
NAME: /[A-Z][a-z]{2,9}/
""")

GRAMMARS = [
    SHOP,
    Grammar.from_regex("[a-z]{2,5}(-[0-9]+)?"),
    Grammar.from_choices(["in", "int", "integer", ""]),
    Grammar.from_json_schema({"type": "object", "properties": {"a": {"enum": ["x", 1]}}, "required": ["a"]}),
    Grammar.from_lark('start: ID "from" ID\nID: /[a-z]+/\n%ignore " "\n'),
    Grammar.from_lark('start: p::0\np::_: "" %if is_ones([0:2])\n | "a" p::set_bit(0) %if bit_clear(0)\n'
                      ' | "b" p::set_bit(1) %if bit_clear(1)\n'),
    Grammar.from_lark('start: A | A "a" "b"\nA: /a+/\n'),
]  # fmt: skip


@pytest.mark.parametrize("grammar", GRAMMARS, ids=str)
def test_samples_are_accepted_bounded_and_seeded(grammar: Grammar) -> None:
    """Every sample is accepted and short enough, and a seed always gives the same ones."""
    texts = grammar.sample(20, seed=3, longest=120)
    assert len(texts) == 20
    assert all(grammar.accepts(text) and len(text) <= 120 for text in texts)
    assert texts == grammar.sample(20, seed=3, longest=120)


def test_samples_cover_every_alternative() -> None:
    """With enough samples every alternative and every option comes up."""
    texts = SHOP.sample(60, seed=1)
    for part in (";", "nothing", "tea", "cake", "pie (small)", "pie (large)", " for "):
        assert any(part in text for text in texts), part
    assert any(text.endswith("pie") or "pie;" in text or "pie for" in text for text in texts)


def test_a_language_without_texts_is_an_error() -> None:
    """Where nothing can be written, or nothing as short as asked for, that is said."""
    with pytest.raises(GrammarError, match="check"):
        Grammar.from_lark('start: A "a"\nA: /a+/\n').sample(1)
    with pytest.raises(GrammarError, match="at most 3"):
        Grammar.from_choices(["four"]).sample(1, longest=3)


def test_time_for_samples_grows_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit leaves time for each text asked for, and still ends a grammar that gives none in time."""
    monkeypatch.setattr(sampling, "_SECONDS", 0.0)
    assert len(SHOP.sample(300)) == 300
    monkeypatch.setattr(sampling, "_SECONDS_EACH", 0.0)
    with pytest.raises(GrammarLimitError, match="of 300 texts"):
        SHOP.sample(300)


@settings(max_examples=40, deadline=None)
@given(from_grammar(SHOP))
def test_strategy_gives_accepted_texts(text: str) -> None:
    """The hypothesis strategy of a grammar gives its texts, and each has a tree."""
    assert SHOP.parse(text).data == "start"
