"""Random sentences of a database's grammar: the guard and the database agree, and canonical forms are stable."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import SQLError, SQLRefused
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql import canonicalize, quote_name, sql_grammar
from jigwork.tools.sql import SQLDatabase

SIZES = [300, pytest.param(10_000, marks=pytest.mark.slow)]


def _sentences(database: SQLDatabase, count: int) -> Iterator[str]:
    """Sample in parts, each with a seed of its own: every part goes through all alternatives."""
    grammar = database.grammar()
    for seed in range(max(1, count // 300)):
        yield from grammar.sample(300, seed=seed, longest=250)


@pytest.mark.parametrize("count", SIZES)
def test_what_passes_the_guard_prepares(shop: SQLDatabase, shop_path: Path, count: int) -> None:
    """A sentence is refused with a reason, or SQLite prepares it; nothing passes and then fails."""
    passed = 0
    with contextlib.closing(sqlite3.connect(f"file:{shop_path}?mode=ro", uri=True)) as connection:
        for sentence in _sentences(shop, count):
            try:
                text = shop.check(sentence).text
            except SQLError as refusal:  # of the guard, or of the database's planner
                assert "cannot be read" not in str(refusal), sentence
                if "is a keyword" in str(
                    refusal
                ):  # the one thing that the grammar lets through and SQLite cannot read
                    continue
                try:
                    connection.execute(f"EXPLAIN {sentence}")
                except sqlite3.OperationalError as error:
                    assert "syntax error" not in str(error), sentence
                continue
            connection.execute(f"EXPLAIN {text}")
            passed += 1
    assert passed > count / 4


@pytest.mark.parametrize("count", SIZES)
def test_canonical_forms_of_sentences_are_stable(shop: SQLDatabase, count: int) -> None:
    """A canonical form is in the grammar, and is its own canonical form."""
    grammar = shop.grammar()
    stable = 0
    for sentence in _sentences(shop, count):
        with contextlib.suppress(SQLRefused):
            written = canonicalize(sentence, shop.schema).sql
            assert grammar.accepts(written), sentence
            assert canonicalize(written, shop.schema).sql == written, sentence
            stable += 1
    assert stable > count / 20


COUNTS = [300, pytest.param(10_000, marks=pytest.mark.slow)]
TABLES = [
    "CREATE TABLE {people} (id INTEGER PRIMARY KEY, {name} VARCHAR(40), born DATE, active BOOLEAN, pay DECIMAL(10, 2))",
    "CREATE TABLE {select} (id INTEGER PRIMARY KEY, person INTEGER, {odd} VARCHAR(20), {accent} INTEGER)",
]
ODD = {"people": "people", "name": "Full Name", "select": "select", "odd": "it's 100%; --", "accent": "größe"}


def _postgres(url: str) -> tuple[str, dict[str, Any], Callable[[str], Any]]:
    import psycopg

    connection: Any = psycopg.connect(url, autocommit=True)
    execute: Callable[[str], Any] = connection.execute
    for statement in (
        "DROP SCHEMA IF EXISTS sampled CASCADE",
        "CREATE SCHEMA sampled",
        "SET search_path = sampled",
    ):
        execute(statement)
    return url, {"schema": "sampled"}, execute


def _mariadb(url: str) -> tuple[str, dict[str, Any], Callable[[str], Any]]:
    driver: Any = import_module("pymysql")
    port = int(re.findall(r":(\d+)/", url)[0])
    cursor = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True).cursor()
    for statement in ("CREATE OR REPLACE DATABASE sampled", "USE sampled"):
        cursor.execute(statement)
    return url.replace("/shop", "/sampled"), {}, cursor.execute


@pytest.mark.external
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_every_sentence_is_sql_to_a_server(request: pytest.FixtureRequest, engine: str, count: int) -> None:
    """A server can read every sentence of the grammar; what passes the check of the database, it also prepares."""
    make = _postgres if engine == "postgres" else _mariadb
    url, options, execute = make(request.getfixturevalue(f"{engine}_url"))
    dialect = "postgres" if engine == "postgres" else "mysql"
    for table in TABLES:
        execute(table.format(**{key: quote_name(name, dialect) for key, name in ODD.items()}))
    database = SQLDatabase(url, **options)
    grammar, passed = database.grammar(), 0
    for seed in range(count // 300 or 1):
        for sentence in grammar.sample(300, seed=seed, longest=250):
            try:
                execute(f"EXPLAIN {sentence}")
            except Exception as error:  # noqa: BLE001 - every driver has its own
                assert not _unread(error), sentence
                with pytest.raises(SQLError):
                    database.check(sentence)
            else:
                passed += 1
    assert passed > count / 50


def _unread(error: Exception) -> bool:
    """Tell whether a server could not read a text, as MariaDB's and PostgreSQL's codes have it."""
    words = "same number of columns" in str(error)  # of which PostgreSQL says that it is syntax
    return not words and (getattr(error, "sqlstate", None) == "42601" or error.args[:1] == (1064,))


@pytest.mark.parametrize("count", COUNTS)
def test_every_sentence_is_sql_to_duckdb(count: int) -> None:
    """DuckDB, which is written for and not opened, can read every sentence of the grammar of its tables."""
    duckdb: Any = pytest.importorskip("duckdb", reason="duckdb is not installed")
    names = {key: quote_name(name, "duckdb") for key, name in ODD.items()}
    connection = duckdb.connect()
    for table in TABLES:
        connection.execute(table.format(**names))
    people = [Column("id", kind="integer"), Column("Full Name"), Column("born", kind="date")]
    people += [Column("active", kind="boolean"), Column("pay", kind="number")]
    others = [Column("id"), Column("person"), Column(ODD["odd"]), Column(ODD["accent"])]
    schema = Schema((Table("people", tuple(people)), Table("select", tuple(others))), dialect="duckdb")
    grammar, passed = sql_grammar(schema), 0
    for seed in range(count // 300 or 1):
        for sentence in grammar.sample(300, seed=seed, longest=250):
            try:
                connection.execute(f"EXPLAIN {sentence}")
                passed += 1
            except duckdb.ParserException as error:
                if "Duplicate CTE" in str(error) or "window definitions" in str(error):
                    continue  # it was read, and is refused for what it means
                pytest.fail(f"{sentence}: {error}")
            except duckdb.Error:
                continue
    assert passed > count / 50
