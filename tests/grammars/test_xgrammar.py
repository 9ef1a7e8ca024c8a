"""EBNF exports in the real XGrammar, which vLLM and SGLang run: an export that is called exact is the same language."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar, library, library_names

END = 256  # the token that ends a text; the others are single bytes


@lru_cache(maxsize=1)
def engine() -> tuple[Any, Any]:
    """XGrammar, and its compiler over a vocabulary of bytes."""
    xgrammar: Any = pytest.importorskip("xgrammar", reason="needs the package xgrammar")
    words = [bytes([byte]) for byte in range(256)] + [b"</s>"]
    info = xgrammar.TokenizerInfo(words, vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[END])
    return xgrammar, xgrammar.GrammarCompiler(info, max_threads=1)


@lru_cache(maxsize=64)
def compiled(ebnf: str) -> Any:
    """The grammar as XGrammar keeps it."""
    xgrammar, compiler = engine()
    return compiler.compile_grammar(xgrammar.Grammar.from_ebnf(ebnf))


def accepts(ebnf: str, text: str) -> bool:
    """Whether XGrammar would have let this text be written, complete."""
    xgrammar, _ = engine()
    matcher = xgrammar.GrammarMatcher(compiled(ebnf))
    return all(matcher.accept_token(byte) for byte in text.encode()) and bool(matcher.accept_token(END))


def walk(ebnf: str, rng: random.Random) -> str | None:
    """A text written by random choice of what XGrammar allows; None where it came to no end."""
    xgrammar, _ = engine()
    matcher = xgrammar.GrammarMatcher(compiled(ebnf))
    mask = xgrammar.allocate_token_bitmask(1, END + 1)
    written = bytearray()
    while len(written) < 120:
        matcher.fill_next_token_bitmask(mask)
        words = [int(word) & 0xFFFFFFFF for word in mask[0].tolist()]
        allowed = [token for token in range(END + 1) if words[token >> 5] >> (token & 31) & 1]
        closing = [token for token in allowed if token in (END, *b'"]})')] if len(written) > 40 else []
        plain = closing or [token for token in allowed if token == END or 32 <= token < 127] or allowed
        token = rng.choice(plain)
        assert matcher.accept_token(token)
        if token == END:
            return written.decode()
        written.append(token)
    return None


def near(text: str, rng: random.Random) -> Iterator[str]:
    """Texts with one character more, less, or other."""
    for _ in range(4):
        at = rng.randrange(len(text) + 1)
        character = rng.choice('aZ09 "\\,.:-+()[]{}/\n\té' + (text or "x"))
        yield text[:at] + character + text[at:]
        yield text[:at] + text[at + 1 :]
        yield text[:at] + character + text[at + 1 :]


OWN: dict[str, Grammar] = {
    "repeats": Grammar.from_lark('start: "x"~2..3 [y] y* (y "-")+ "z"\ny: /[0-9a-f]/\n'),
    "left": Grammar.from_lark('start: start ("+" | "-") N | N\nN: /0|[1-9][0-9]{0,3}/\n'),
    "letters": Grammar.from_lark('start: "k"i "\\n" /[^a-y"\\\\\\n]{2}/ "é€😀" /[é-ü]?/\n'),
    "empty": Grammar.from_lark('start: a a "."\na: ["x"]\n'),
    "signs": Grammar.from_lark("start: A\nA: /[a-z]{1,4}/ & ~/x.*|.*y/\n"),
    "nested": Grammar.from_lark('start: "(" start ")" | "[" start* "]" | N\nN: /[0-9]/\n'),
    "quotes": Grammar.from_choices(['a"b', "a\\b", "a]b", "a-b", "a^b", "", "\t", "a\x7fb"]),
    "regex": Grammar.from_regex(r"[\]\-^\\]{1,3}(a|bc)*\.?"),
    "object": Grammar.from_json_schema(
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "minimum": -3, "maximum": 120},
                "b": {"type": "string", "maxLength": 4},
                "c": {"type": "array", "items": {"enum": ["x", "y", 1, None]}, "maxItems": 3},
            },
            "required": ["a"],
            "additionalProperties": False,
        }
    ),
    "open": Grammar.from_json_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "boolean"}, "b": {}},
            "dependentRequired": {"a": ["b"]},
        }
    ),
    "number": Grammar.from_json_schema({"type": "number", "exclusiveMinimum": -1.5, "maximum": 20}),
}


def check(grammar: Grammar, seed: int, count: int) -> int:
    """Compare both ways; how many texts were compared."""
    made = grammar.to_ebnf()
    assert made.exact
    rng = random.Random(seed)
    texts = grammar.sample(count, seed=seed, longest=160)
    texts += [text for _ in range(count) if (text := walk(made.text, rng)) is not None]
    for text in list(texts):
        assert accepts(made.text, text), f"XGrammar refuses {text!r}"
        assert grammar.accepts(text), f"XGrammar wrote {text!r}"
        for other in near(text, rng):
            assert accepts(made.text, other) is grammar.accepts(other), repr(other)
    return len(texts)


@pytest.mark.parametrize("name", OWN)
def test_an_exact_export_is_the_same_language(name: str) -> None:
    """Sampled texts, random walks of XGrammar and texts near them get one verdict from both engines."""
    engine()
    assert check(OWN[name], 5, 8) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", library_names())
def test_ready_grammars_in_xgrammar(name: str) -> None:
    """The same for every ready grammar whose export is exact; the others are at least taken and accept all samples."""
    engine()
    grammar = library(name)
    try:
        made = grammar.to_ebnf()
    except GrammarError as error:
        pytest.skip(str(error))
    if made.exact:
        assert check(grammar, 7, 8)
    for text in grammar.sample(20, seed=3, longest=200):
        assert accepts(made.text, text), text
