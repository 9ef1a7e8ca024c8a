"""Random sentences of a database's grammar: the guard and the database agree, and canonical forms are stable."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from jigwork.errors import SQLRefused
from jigwork.grammars.sql import canonicalize
from jigwork.tools.sql import SQLDatabase

SIZES = [300, pytest.param(5000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", SIZES)
def test_what_passes_the_guard_prepares(shop: SQLDatabase, shop_path: Path, count: int) -> None:
    """A sentence is refused with a reason, or SQLite prepares it; nothing passes and then fails."""
    passed = 0
    with contextlib.closing(sqlite3.connect(f"file:{shop_path}?mode=ro", uri=True)) as connection:
        for sentence in shop.grammar().sample(count, seed=count, longest=250):
            try:
                text = shop.check(sentence).text
            except SQLRefused as refusal:
                assert "cannot be read" not in str(refusal), sentence
                continue
            connection.execute(f"EXPLAIN {text}")
            passed += 1
    assert passed > count / 20


@pytest.mark.parametrize("count", SIZES)
def test_canonical_forms_of_sentences_are_stable(shop: SQLDatabase, count: int) -> None:
    """A canonical form is in the grammar, and is its own canonical form."""
    grammar = shop.grammar()
    stable = 0
    for sentence in grammar.sample(count, seed=count + 1, longest=250):
        with contextlib.suppress(SQLRefused):
            written = canonicalize(sentence, shop.schema).sql
            assert grammar.accepts(written), sentence
            assert canonicalize(written, shop.schema).sql == written, sentence
            stable += 1
    assert stable > count / 20
