"""Acceptance is llguidance's own, and cannot be blocked by a hostile grammar or a long text."""

from __future__ import annotations

import json
import time

import pytest
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from jigwork.errors import GrammarError, GrammarLimitError
from jigwork.grammars import Grammar

PERMUTATION = """
start: p::0x0
p::_: "" %if is_ones([0:2])
    | "a" p::set_bit(0) %if bit_clear(0)
    | "b" p::set_bit(1) %if bit_clear(1)
"""

PROBES: list[tuple[str, list[str]]] = [
    ('start: ("x" | "xy") "z" | "x" "yw"\n', ["xz", "xyz", "xyw", "x", ""]),
    ('start: T " end" | T\nT: "item" | "item one"\n', ["item", "item one", "item end", "item one end"]),
    ('start: A? "ba"\nA: /b+/\n', ["ba", "bba", "bbba"]),
    ('start: ("do" | "dot") " "? ID\nID: /[a-z]+/\n', ["dot", "dot x", "dox", "do x"]),
    ("start: A B\nA: /[a-z]+/\nB: /[a-z]+/\n", ["xy", "xyz", "x"]),
    ("start: A B\nA: /[a-z]{1,2}/\nB: /[a-z]{1,2}/\n", ["xy", "xyz", "xyzw", "x"]),
    ('start: "x" "y"\n%ignore " "\n', ["xy", "x y", " xy", "xy ", "x  y"]),
    ('start: "x" "y"\n%ignore /[ ]+/\n%ignore /#[^\\n]*/\n', ["x # c\ny", "xy", "x y", "xy # c"]),
    ("start: /'.*?'/\n", ["'a'", "'a'b'", "''"]),
    ('start: A "z"\nA: /^xy$/\n', ["xyz", "xy"]),
    ('start: A "z"\nA: /x|xy/\n', ["xz", "xyz"]),
    ("start: /x*+x/\n", ["x", "xx", ""]),
    ("start: /[a-z&&[^q]]+/\n", ["ab", "aq", "&"]),
    ("start: /[[:digit:]]+/\n", ["12", ":d"]),
    ("start: /[a-f--c]/\n", ["a", "c", "-"]),
    ("start: /\\w\\s\\d/\n", ["a b", "a 1", "é 1", "a\x1c1", "a\u00a0\u0663", "\u0301 1"]),
    ("%import common.ESCAPED_STRING\nstart: ESCAPED_STRING\n", ['"x"', '"x\ny"', '"\\""', '"']),
    ('start: "k"i\n', ["K", "k", "\u212a", "x"]),
    ("start: /x.y/\n", ["x\ny", "x\ry", "x\u2028y", "x€y"]),
    ('start: ID "in" ID\nID: /[a-z]+/\n%ignore " "\n', ["a in b", "in in in", "ainb"]),
    ('start: "(" start? ")"\n', ["()", "(())", "(()", ""]),
    ('start: %json {"enum":["x",1]} "!"?\n', ['"x"', '"x"!', "1", "2"]),
    ("start: A\nA: /[a-z]+/ & ~/(?s:.*)x(?s:.*)/\n", ["abc", "axc", ""]),
    ("start: part /[0-9]/\npart[lazy]: /[a-z]*;/\n", ["ab;1", "ab;;1", ";1"]),
    (PERMUTATION, ["ab", "ba", "aa", "a"]),
]  # fmt: skip


class _ByteTokens:
    """The plain tokenizer that llguidance is asked with directly."""

    eos_token_id = 257
    bos_token_id = 256
    special_token_ids = (256, 257)
    tokens = (*(bytes([i]) for i in range(256)), b"<bos>", b"<eos>")

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(("text", "sentences"), PROBES, ids=[p[0][:40] for p in PROBES])
def test_accepts_is_llguidance_itself(text: str, sentences: list[str]) -> None:
    """On every probe the verdict is what llguidance gives when it is called directly; the prefix as well."""
    tokenizer = LLTokenizer(TokenizerWrapper(_ByteTokens()), n_vocab=258, eos_token=257, slices=[])
    direct = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(text), log_level=0)
    grammar = Grammar.from_lark(text)
    for sentence in sentences:
        matcher, data = direct.deep_copy(), list(sentence.encode())
        valid = matcher.validate_tokens(data)
        matcher.consume_tokens(data[:valid])
        expected = valid == len(data) and matcher.is_accepting()
        assert grammar.accepts(sentence) is expected, sentence
        explanation = grammar.explain(sentence)
        assert explanation.accepted is expected
        assert explanation.prefix.encode() == bytes(data[:valid]).decode("utf-8", "ignore").encode()


def test_a_grammar_that_llguidance_refuses_says_so_when_used() -> None:
    """What only the compiler sees is an error on first use, with its message."""
    grammar = Grammar.from_lark("start: <|unknown|>\n")
    with pytest.raises(GrammarError, match="unknown special token"):
        grammar.accepts("x")


LONG: list[tuple[str, str, str, bool]] = [
    ("json", 'start: %json {"type":"array","items":{"type":"object"},"x-guidance":{"whitespace_flexible":false}}\n',
     json.dumps([{"a": i, "b": "x" * 20} for i in range(25_000)], separators=(",", ":")), True),
    ("one string", 'start: /"[^"]*"/\n', '"' + "é" * 500_000 + '"', True),
    ("left recursion", 'start: start "a" | "a"\n', "a" * 1_000_000, True),
    ("wrong at the end", "start: /[a-y]*/\n", "a" * 1_000_000 + "z", False),
    ("deep", 'start: "(" start ")" | "x"\n', "(" * 200_000, False),
]  # fmt: skip


_LONG = [
    pytest.param(*case[1:], id=case[0], marks=[] if case[0] == "left recursion" else [pytest.mark.slow])
    for case in LONG
]


@pytest.mark.parametrize(("text", "sentence", "expected"), _LONG)
def test_a_megabyte_is_judged(text: str, sentence: str, expected: bool) -> None:
    """Texts of a megabyte are accepted or explained within the time limit."""
    grammar = Grammar.from_lark(text)
    assert grammar.accepts(sentence) is expected
    if not expected:
        assert grammar.explain(sentence).prefix == sentence.removesuffix("z")


HOSTILE: list[tuple[str, str]] = [
    ('start: start start | "a"\n', "a" * 20_000),
    ('start: "a" start | "a"\n', "a" * 20_000),
    ('start: a+\na: b+\nb: c+\nc: "x"+\n', "x" * 20_000),
    ('start: (a | b)*\na: "x" a | "x"\nb: "x" b | "x"\n', "x" * 20_000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "sentence"), HOSTILE)
def test_hostile_grammars_end_in_time(text: str, sentence: str) -> None:
    """An ambiguous grammar on a long text gives an answer or a typed error, about when the time is over."""
    grammar = Grammar.from_lark(text)
    for judge in (grammar.accepts, grammar.explain):
        started = time.monotonic()
        try:
            judge(sentence, seconds=0.2)
        except GrammarLimitError as error:
            assert error.rule in ("E13", "E14")
        assert time.monotonic() - started < 6


TRAPS = [
    ('start: A "a"\nA: /a+/\n', "aaa"),
    ('start: A? "ab"\nA: /a+/\n', "aa"),
    ('start: "a" start\n', "aaa"),
    ('start: a\na: "x" a\n', "xx"),
    ('start: A "b"\nA: /[ab]+/\n', "abab"),
]


@pytest.mark.parametrize(("text", "sentence"), TRAPS)
def test_traps_do_not_catch_us(text: str, sentence: str) -> None:
    """Grammars whose forced continuation never ends, which hang llguidance's own loop, are answered at once."""
    grammar = Grammar.from_lark(text)
    started = time.monotonic()
    assert not grammar.accepts(sentence)
    assert grammar.explain(sentence).prefix == sentence
    assert len(grammar.next(sentence).forced) <= 400
    assert time.monotonic() - started < 2


def test_too_many_alternatives_are_an_error_not_a_no() -> None:
    """A limit of llguidance is never mistaken for a text that is outside of the language."""
    grammar = Grammar.from_lark("start: " + " | ".join(f'"k{n}"' for n in range(2500)) + "\n")
    with pytest.raises(GrammarLimitError, match="items"):
        grammar.accepts("k7")
