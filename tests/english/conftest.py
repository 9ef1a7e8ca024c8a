"""Shared by the tests of controlled English: random databases, random sentences, and the evaluator beside this file."""

from __future__ import annotations

import importlib.util
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from jigwork.grammars.english import English
from jigwork.grammars.english.engine import Alt, Expr, Opt, Phrase, Rule, Seq, Star, Term
from jigwork.grammars.english.names import typed_word
from jigwork.grammars.english.query import Query
from jigwork.grammars.schema import Column, ForeignKey, Kind, Schema, Table

Row = dict[str, Any]
Rows = list[tuple[Any, ...]]


def _beside(name: str) -> Any:
    """Load a module beside this one; test folders are no packages."""
    spec = importlib.util.spec_from_file_location(f"english_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class World:
    """A schema, its rows as Python values, and the same rows in SQLite."""

    schema: Schema
    rows: dict[str, list[Row]]
    connection: sqlite3.Connection

    def run(self, sql: str) -> Rows:
        """Run SQL in SQLite."""
        return self.connection.execute(sql).fetchall()


# --- random databases ---------------------------------------------------------------------------------------

_TABLES = ["customers", "orders", "OrderLine", "order_items", "People", "order", "staff", "Álbum", "t3 stats", "group",
           "cities", "series", "Sales Data", 'odd "table"', "employee", "tv_show", "boxes", "where", "data"]  # fmt: skip
_COLUMNS = ["name", "country", "total", "unitPrice", "unit price ($)", "count", "Order Date", "status", "from", "e-mail",
            "Größe", "is_active", "size2", "order", "title", "year", "note", "select", "city_name", "2nd", "a`b", "value", "owner's note"]  # fmt: skip
_WORDS = [
    "Brazil",
    "red",
    "Rio de Janeiro",
    "O'Brien",
    "50%",
    "a_b",
    "",
    "Blue",
    "open",
    "Ünal",
    "x" * 12,
    'say "hi"',
]
_KINDS: list[tuple[Kind, str]] = [
    ("integer", "INTEGER"), ("number", "REAL"), ("text", "TEXT"), ("text", "TEXT"),
    ("date", "DATE"), ("datetime", "DATETIME"), ("boolean", "BOOLEAN"),
]  # fmt: skip


def make_world(seed: int) -> World:
    """Make a random database: simple, composite, doubled and self-referencing keys, NULLs, odd names."""
    rng = random.Random(seed)
    names = rng.sample(_TABLES, rng.randint(2, 5))
    tables: list[Table] = []
    rows: dict[str, list[Row]] = {}
    for name in names:
        _add_table(rng, name, tables, rows)
    schema = Schema(tuple(tables))
    connection = sqlite3.connect(":memory:")
    for table in schema.tables:
        columns = ", ".join(f"{_quote(c.name)} {c.type}" for c in table.columns)
        connection.execute(f"CREATE TABLE {_quote(table.name)} ({columns})")
        marks = ", ".join("?" for _ in table.columns)
        for row in rows[table.name]:
            values = [row[c.name] for c in table.columns]
            connection.execute(f"INSERT INTO {_quote(table.name)} VALUES ({marks})", values)
    return World(schema, rows, connection)


def _add_table(rng: random.Random, name: str, tables: list[Table], rows: dict[str, list[Row]]) -> None:
    count = rng.choice([0, 1, 3, 6, 9])
    columns: list[Column] = []
    keys: list[ForeignKey] = []
    made: list[Row] = [{} for _ in range(count)]
    primary = _add_key(rng, columns, made)
    for _ in range(rng.randint(0, 2) if tables else 0):
        _add_reference(rng, rng.choice(tables), (columns, keys), (made, rows))
    if primary == ("id",) and rng.random() < 0.35:
        columns.append(Column("boss_id", "INTEGER", "integer"))
        keys.append(ForeignKey(("boss_id",), name, ("id",)))
        for row in made:
            row["boss_id"] = rng.choice([None, *(other["id"] for other in made)])
    taken = {column.name.casefold() for column in columns}
    for column_name in rng.sample(_COLUMNS, rng.randint(2, 5)):
        if column_name.casefold() not in taken:
            _add_column(rng, column_name, columns, made)
    tables.append(Table(name, tuple(columns), primary, tuple(keys)))
    rows[name] = made


def _add_key(rng: random.Random, columns: list[Column], made: list[Row]) -> tuple[str, ...]:
    style = rng.choice(["id", "id", "id", "two", "none"])
    if style == "none":
        return ()
    names = ("id",) if style == "id" else ("part", "number")
    columns.extend(Column(each, "INTEGER", "integer", nullable=False) for each in names)
    for i, row in enumerate(made):
        row.update({"id": i * 3 + 1} if style == "id" else {"part": i // 3 + 1, "number": i % 3})
    return names


def _add_reference(
    rng: random.Random,
    target: Table,
    made_of: tuple[list[Column], list[ForeignKey]],
    data: tuple[list[Row], Any],
) -> None:
    (columns, keys), (made, rows) = made_of, data
    if not target.primary_key:
        return
    stem = rng.choice([target.name.rstrip("s").lower(), "owner", "main", f"{target.name}_ref"]).replace(
        '"', ""
    )
    names = tuple(f"{stem}_{part}" for part in target.primary_key)
    if {each.casefold() for each in names} & {column.name.casefold() for column in columns}:
        return
    columns.extend(Column(each, "INTEGER", "integer") for each in names)
    keys.append(ForeignKey(names, target.name, target.primary_key))
    for row in made:
        chosen = rng.choice([None, *rows[target.name], *rows[target.name]])
        values = [None if chosen is None else chosen[part] for part in target.primary_key]
        row.update(zip(names, values, strict=True))


def _add_column(rng: random.Random, name: str, columns: list[Column], made: list[Row]) -> None:
    kind, type_ = rng.choice(_KINDS)
    nullable = rng.random() < 0.6
    pool: list[Any]
    match kind:
        case "integer":
            pool = [rng.randint(-3, 12) for _ in range(5)]
        case "number":
            pool = [rng.randint(-8, 40) / 4 for _ in range(5)]
        case "text":
            pool = list(rng.sample(_WORDS, 4))
        case "boolean":
            pool = [0, 1]
        case _:
            days = [date(2022, 11, 20) + timedelta(days=rng.randint(0, 500)) for _ in range(5)]
            pool = [day.isoformat() + (" 10:30:00" if kind == "datetime" else "") for day in days]
    for row in made:
        row[name] = None if nullable and rng.random() < 0.3 else rng.choice(pool)
    stored = tuple(sorted({row[name] for row in made if row[name] is not None})) if kind == "text" else None
    columns.append(Column(name, type_, kind, nullable, None, stored if rng.random() < 0.8 else None))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="session")
def world() -> Callable[[int], World]:
    """Make a random database from a seed."""
    return make_world


@pytest.fixture(scope="session")
def evaluate() -> Callable[[World, Query], Rows]:
    """Give the rows of a query without SQL."""
    evaluator = _beside("evaluator").Evaluator
    return lambda world, query: evaluator(world).rows(query)


@pytest.fixture(scope="session")
def queries() -> Callable[[English, int], Any]:
    """Make a writer of random queries from a language and a seed."""
    made = _beside("queries").Queries
    return lambda english, seed: made(english.schema, english.joins, random.Random(seed))


# --- random sentences ---------------------------------------------------------------------------------------


class Sentences:
    """Writes random sentences of the rules over one schema; most are grammatical nonsense, many mean something."""

    def __init__(self, english: English, rng: random.Random) -> None:
        self._english = english
        self._rng = rng
        self._words: list[str] = []
        self._table: str | None = None
        self._least: dict[str, int] = {}
        for _ in range(12):
            for name, body in english.rules.items():
                self._least[name] = self._size(body)

    def sentence(self) -> str:
        """Return the next sentence, in canonical spacing."""
        self._words = []
        self._write(Rule("question"), 0)
        text = " ".join(self._words)
        return text.replace(" ,", ",").replace(" )", ")").replace("( ", "(").replace(" 's", "'s")

    def _size(self, expr: Expr) -> int:
        match expr:
            case Phrase():
                return len(expr.words)
            case Term():
                return 1
            case Rule():
                return self._least.get(expr.name, 99)
            case Alt():
                return min(self._size(item) for item in expr.items)
            case Opt():
                return 0
            case Star():
                return self._size(expr.item) * expr.least
            case Seq():
                return sum(self._size(item) for item in expr.items)

    def _write(self, expr: Expr, depth: int) -> None:
        rng, deep = self._rng, depth > 9
        match expr:
            case Phrase():
                self._words.extend(expr.words)
            case Term():
                self._words.append(self._term(expr.name))
            case Rule():
                self._write(self._english.rules[expr.name], depth + 1)
            case Alt():
                self._write(min(expr.items, key=self._size) if deep else rng.choice(expr.items), depth)
            case Opt():
                if rng.random() < (0.05 if deep else 0.25):
                    self._write(expr.item, depth)
            case Seq():
                for item in expr.items:
                    self._write(item, depth)
            case Star():
                for _ in range(expr.least + (not deep and rng.random() < 0.25)):
                    self._write(expr.item, depth)

    def _term(self, name: str) -> str:
        rng, lexicon = self._rng, self._english.lexicon
        literals = {
            "TEXT": ['"Brazil"', '"o"', '"50%"', '"2023-01"', '"a_b"', '"q""x"'],
            "NUMBER": ["1", "2", "2023", "3.5", "-2", "0", "ten"],
            "COUNT": ["1", "2", "3", "two"],
            "DATE": ["2023-01", "2023-02-03", "2022-12-31"],
            "MONTH": ["may", "March", "jan"],
            "DAYNUM": ["1", "5th", "31"],
            "YEARNUM": ["2023", "2022"],
        }
        if name in literals:
            return rng.choice(literals[name])
        if name == "TABLE":
            form = rng.choice(list(lexicon.tables.entries))
            self._table = lexicon.tables.best(form)[0]
        elif name == "ONE":
            form = rng.choice([*filter(lexicon.is_one, lexicon.tables.entries)] or [("nothing-of-the-kind",)])
        elif name == "NOUN":
            form = rng.choice([*lexicon.tables.entries, *lexicon.roles.entries])
        elif name == "COLUMN":
            own = lexicon.own.get(self._table or "", lexicon.columns)
            form = rng.choice(list(own.entries if rng.random() < 0.8 else lexicon.columns.entries))
        else:
            names = {"STORED": lexicon.values, "DEED": lexicon.deeds, "FLAG": lexicon.flags}.get(
                name, lexicon.vias
            )
            form = rng.choice(list(names.entries) or [("nothing-of-the-kind",)])
        return " ".join(map(typed_word, form))


@pytest.fixture(scope="session")
def sentences() -> Callable[[English, int], Sentences]:
    """Make a writer of random sentences from a language and a seed."""
    return lambda english, seed: Sentences(english, random.Random(seed))
