"""Random queries over random databases give the same rows on SQLite, PostgreSQL and MariaDB; other dialects as text."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import ConfigurationError
from jigwork.grammars.english import English
from jigwork.grammars.english.choices import Trouble
from jigwork.grammars.english.compile import Compiler
from jigwork.grammars.schema import Column, Schema
from jigwork.grammars.sql import quote_name, sql_grammar

Rows = list[tuple[Any, ...]]
TYPES = {
    "postgres": {"integer": "INTEGER", "number": "DOUBLE PRECISION", "text": 'TEXT COLLATE "C"', "date": "DATE",
                 "datetime": "TIMESTAMP", "boolean": "BOOLEAN"},
    "mysql": {"integer": "INTEGER", "number": "DOUBLE", "text": "VARCHAR(60) COLLATE utf8mb4_bin", "date": "DATE",
              "datetime": "DATETIME", "boolean": "BOOLEAN"},
}  # fmt: skip


def _servers() -> Any:
    """The fixtures that start servers are those of the tests of SQL."""
    path = Path(__file__).parent.parent / "sql" / "conftest.py"
    spec = importlib.util.spec_from_file_location("sql_servers", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_SQL = _servers()
postgres_url, mariadb_url = _SQL.postgres_url, _SQL.mariadb_url


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Callable[[str], Rows]]]:
    """The dialect, and what runs a statement."""
    if request.param == "postgres":
        import psycopg

        with psycopg.connect(request.getfixturevalue("postgres_url"), autocommit=True) as connection:
            yield "postgres", lambda sql: _fetched(connection.execute(sql))  # type: ignore[arg-type]  # pyright: ignore
        return
    from importlib import import_module

    driver: Any = import_module("pymysql")
    port = int(re.findall(r":(\d+)/", request.getfixturevalue("mariadb_url"))[0])
    made = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True, charset="utf8mb4")
    cursor = made.cursor()
    cursor.execute("CREATE DATABASE IF NOT EXISTS worlds")
    cursor.execute("USE worlds")

    def run(sql: str) -> Rows:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    yield "mysql", run
    made.close()


def _fetched(cursor: Any) -> Rows:
    return list(cursor.fetchall()) if cursor.description else []


def _fill(world: Any, dialect: str, run: Callable[[str], Rows]) -> Schema:
    """Make the tables of a world on a server, and return its schema there."""
    for table in world.schema.tables:
        name = quote_name(table.name, dialect)
        run(f"DROP TABLE IF EXISTS {name}")
        columns = ", ".join(f"{quote_name(c.name, dialect)} {TYPES[dialect][c.kind]}" for c in table.columns)
        run(f"CREATE TABLE {name} ({columns})")
        for row in world.rows[table.name]:
            values = ", ".join(_literal(row[c.name], c) for c in table.columns)
            run(f"INSERT INTO {name} VALUES ({values})")
    return replace(world.schema, dialect=dialect)


def _literal(value: Any, column: Column) -> str:
    if value is None:
        return "NULL"
    if column.kind == "boolean":
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    """A value as the evaluator has it; numbers to the digits that the engines agree about."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str):
        return value
    return float(f"{float(value):.4g}") + 0.0


def _normal(rows: Rows, *, ordered: bool) -> Rows:
    made = [tuple(_plain(value) for value in row) for row in rows]
    return made if ordered else sorted(made, key=repr)


@pytest.mark.slow
@pytest.mark.external
@pytest.mark.parametrize("seed", range(25))
def test_servers_give_the_rows_of_the_evaluator(
    server: tuple[str, Callable[[str], Rows]],
    world: Callable[[int], Any],
    evaluate: Callable[[Any, Any], Rows],
    queries: Callable[[English, int], Any],
    seed: int,
) -> None:
    """Whatever the language can say gives on a server the rows that following the keys in Python gives."""
    dialect, run = server
    made = world(seed + 1000)
    schema = _fill(made, dialect, run)
    english = English(schema)
    compiler = Compiler(schema, english.joins, 1000)
    writer = queries(english, seed)
    for _ in range(20):
        query = writer.query()
        sql, _ = compiler.write(query)
        sorted_ = bool(
            query.measures or query.distinct or query.also or made.schema.table(query.table).primary_key
        )
        if query.limit is not None and not sorted_:
            continue  # which of equal rows come first is open
        found = _normal(run(sql), ordered=sorted_)
        assert found == _normal(evaluate(made, query), ordered=sorted_), sql


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "duckdb", "snowflake", "bigquery", "tsql"])
def test_the_text_of_every_dialect_parses(
    world: Callable[[int], Any], queries: Callable[[English, int], Any], dialect: str
) -> None:
    """Every query is one statement of the dialect for sqlglot; what the dialect cannot say is an error that names it."""
    import sqlglot

    said = 0
    for seed in range(6):
        made = world(seed + 50)
        schema = replace(made.schema, dialect=dialect)
        english = English(schema)
        writer = queries(english, seed)
        for _ in range(12):
            try:
                sql, _ = Compiler(schema, english.joins, 1000).write(writer.query())
            except (Trouble, ConfigurationError) as error:
                assert dialect in str(error) or "digits" in str(error) or "cannot be used" in str(error)
                continue
            assert len(sqlglot.parse(sql, read=dialect)) == 1, sql
            said += 1
    assert said > 50


@pytest.mark.parametrize("dialect", ["postgres", "mysql"])
def test_the_text_is_canonical(
    world: Callable[[int], Any], queries: Callable[[English, int], Any], dialect: str
) -> None:
    """Every SQL is a text of the SQL grammar of the schema, on the servers' dialects too."""
    for seed in range(4):
        made = world(seed + 80)
        schema = replace(made.schema, dialect=dialect)
        english, grammar = English(schema), sql_grammar(schema)
        writer = queries(english, seed)
        for _ in range(10):
            sql, _ = Compiler(schema, english.joins, 1000).write(writer.query())
            assert grammar.accepts(sql), grammar.explain(sql).for_model()
