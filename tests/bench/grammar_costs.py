"""What grammars cost, beside calling llguidance directly and beside Lark's two parsers.

`compile` makes the grammar ready from its text, `first check` judges one text on that, `warm check` judges it again and
again; a mask is taken, and its token written, at every place of a text. Everything runs in this process.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import lark
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
from measure import Row, in_turns

from jigwork.grammars import Column, Grammar, Schema, Table, TokenMatcher
from jigwork.grammars.sql import sql_grammar

SMALL = """
start: item (", " item)* "."
item: COUNT " " NAME
COUNT: /[1-9][0-9]?/
NAME: "tea" | "coffee" | "cake"
"""
VOCABULARIES = {"32k": 32_000, "128k": 128_000}
END = 256


@dataclass(frozen=True, slots=True)
class Judged:
    """A grammar and a text of it."""

    name: str
    text: str
    sample: str


def cases() -> list[Judged]:
    """A small grammar, one as large as those for SQL, and a list of 2000 words."""
    columns = [Column(name, kind="integer") for name in ("id", "amount", "price", "weight", "size", "age")]
    columns += [Column(name) for name in ("name", "city", "street", "country", "note", "status", "kind")]
    shops = Schema(tuple(Table(name, tuple(columns)) for name in ("customers", "orders", "products")))
    query = (
        "SELECT customers.name, customers.city FROM customers WHERE customers.age > 30 AND customers.city = 'Rome' "
        "ORDER BY customers.name LIMIT 10"
    )
    words = [f"item {number * 7919 % 100_000:05d}" for number in range(2000)]
    return [
        Judged("small", SMALL, "3 tea, 12 coffee, 1 cake."),
        Judged("sql", sql_grammar(shops).definition, query),
        Judged("2000 words", Grammar.from_choices(words).definition, words[1234]),
    ]


@dataclass(slots=True)
class Vocabulary:
    """Bytes, the end token, and made-up words, as llguidance reads a tokenizer."""

    tokens: list[bytes]
    eos_token_id: int = END
    bos_token_id: int | None = None
    special_token_ids: list[int] = field(default_factory=lambda: [END])

    def __call__(self, text: str | bytes) -> list[int]:
        """Cut a text into bytes; nothing here asks for more."""
        return list(text.encode() if isinstance(text, str) else text)


def tokenizer(size: int) -> LLTokenizer:
    """A tokenizer of so many tokens: words and parts of words, with and without a space before them."""
    rng = random.Random(0)
    found = dict.fromkeys([*(bytes([i]) for i in range(256)), b"<|end|>"])
    while len(found) < size:
        word = "".join(rng.choices("etaoinshrdlucmfwygpbvkxqjz", k=rng.randint(2, 9)))
        found[(" " * rng.randint(0, 1) + (word.title() if rng.random() < 0.2 else word)).encode()] = None
    return LLTokenizer(TokenizerWrapper(Vocabulary(list(found))), n_vocab=size, eos_token=END)


Judge = Callable[[str], bool]
Ready = Callable[[str], Judge]
"""Makes a text of a grammar into a judge."""


def contenders() -> dict[str, Ready]:
    """Everybody who judges texts."""
    plain = LLTokenizer(
        TokenizerWrapper(Vocabulary([*(bytes([i]) for i in range(256)), b"<|end|>"])),
        n_vocab=257,
        eos_token=END,
        slices=[],
    )

    def own(text: str) -> Judge:
        grammar = Grammar.from_lark(text)
        grammar.accepts("")
        return grammar.accepts

    def direct(text: str) -> Judge:
        base = LLMatcher(plain, LLMatcher.grammar_from_lark(text), log_level=0)
        if base.is_error():
            raise ValueError(base.get_error())

        def judge(sample: str) -> bool:
            matcher = base.deep_copy()
            return matcher.consume_tokens(list(sample.encode())) and matcher.is_accepting()

        return judge

    def by_lark(**options: Any) -> Ready:
        def ready(text: str) -> Judge:
            parser: Any = lark.Lark(text, **options)
            return lambda sample: bool(parser.parse(sample).data)

        return ready

    return {
        "jigwork": own,
        "llguidance": direct,
        "earley": by_lark(parser="earley"),
        "lalr": by_lark(parser="lalr"),
    }


def checks(rounds: int, budget: float) -> list[Row]:
    """Milliseconds until a grammar is ready, for its first text, and for every text after that."""
    rows: list[Row] = []
    for case in cases():
        figures: dict[tuple[str, str], list[float]] = {}
        for number in range(rounds):
            judges: dict[str, Judge] = {}
            for who, ready in contenders().items():
                fresh = f"{case.text}\n// {number}\n"  # a text that no cache has seen
                start = time.perf_counter()
                judges[who] = ready(fresh)
                made = time.perf_counter()
                if not judges[who](case.sample):
                    raise ValueError(f"{who} refuses {case.sample!r} of {case.name}")
                figures.setdefault(("first check", who), []).append(time.perf_counter() - made)
                figures.setdefault(("grammar compile", who), []).append(made - start)
            for _, who in in_turns(list(judges), 2 * len(judges)):
                figures.setdefault(("warm check", who), []).append(warm(judges[who], case.sample, budget))
        rows += [
            Row(section, case.name, who, statistics.median(taken) * 1000, "ms")
            for (section, who), taken in figures.items()
        ]
    return rows


def warm(judge: Judge, sample: str, budget: float) -> float:
    """Seconds for a text that was judged before."""
    runs, start = 0, time.perf_counter()
    while not runs or time.perf_counter() - start < budget:
        judge(sample)
        runs += 1
    return (time.perf_counter() - start) / runs


def masks(rounds: int) -> list[Row]:
    """Milliseconds for one mask and the token after it: the mean over every place of the text, by median round."""
    rows: list[Row] = []
    for label, size in VOCABULARIES.items():
        made = tokenizer(size)
        for case in cases():
            own = Grammar.from_lark(case.text).matcher(made)
            direct = LLMatcher(made, LLMatcher.grammar_from_lark(case.text), log_level=0)
            data = case.sample.encode()
            walks = {
                "jigwork": partial(walk_own, own, data),
                "llguidance": partial(walk_direct, direct, data),
            }
            figures: dict[str, list[float]] = {who: [] for who in walks}
            for _ in range(rounds):
                for who, work in walks.items():
                    start = time.perf_counter()
                    work()
                    figures[who].append((time.perf_counter() - start) * 1000 / len(case.sample))
            rows += [
                Row("mask per token", f"{case.name}, {label}", who, statistics.median(taken), "ms")
                for who, taken in figures.items()
            ]
    return rows


def walk_own(first: TokenMatcher, data: bytes) -> None:
    """Write a text, with the mask at every place."""
    matcher = first.copy()
    for token in data:
        matcher.mask()
        if not matcher.consume(token):
            raise ValueError(f"{token} is refused")


def walk_direct(first: LLMatcher, data: bytes) -> None:
    """Write a text, with the mask at every place."""
    matcher = first.deep_copy()
    for token in data:
        matcher.compute_bitmask()
        if not matcher.consume_token(token):
            raise ValueError(f"{token} is refused")


def costs(rounds: int) -> list[Row]:
    """Every figure about grammars."""
    return checks(rounds, 0.005) + masks(rounds)
