"""A trading company in three databases, and what an analyst asks of it: canonical forms give the rows of the originals.

The queries are in `trade/`, one per line: `common.sql` for all, the others in the words of one database each.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from jigwork.grammars import Grammar
from jigwork.tools.sql import SQLDatabase

Rows: TypeAlias = "list[tuple[Any, ...]]"
Execute: TypeAlias = Callable[[str], Rows]
Trade: TypeAlias = tuple[SQLDatabase, Execute]

WORDS = {
    "sqlite": {
        "q": '"', "json": "TEXT", "time": "TIMESTAMP", "double": "REAL", "tags": "",
        "rating": "TEXT", "null": "", "computed": "NUMERIC GENERATED ALWAYS AS",
    },
    "postgres": {
        "q": '"', "json": "JSONB", "time": "TIMESTAMP", "double": "DOUBLE PRECISION", "tags": ", tags TEXT[]",
        "rating": "film_rating", "null": "", "computed": "NUMERIC(12, 2) GENERATED ALWAYS AS",
    },
    "mysql": {
        "q": "`", "json": "JSON", "time": "DATETIME", "double": "DOUBLE", "tags": "",
        "rating": "ENUM('G', 'PG', 'R')", "null": " NULL", "computed": "DECIMAL(12, 2) AS",
    },
}  # fmt: skip
TABLES = """
CREATE TABLE suppliers (supplier_id INTEGER PRIMARY KEY, company VARCHAR(60) NOT NULL, country VARCHAR(30), phone VARCHAR(30));
CREATE TABLE categories (category_id INTEGER PRIMARY KEY, name VARCHAR(30), parent_id INTEGER REFERENCES categories (category_id));
CREATE TABLE products (
    product_id INTEGER PRIMARY KEY, {q}Product Name{q} VARCHAR(60), supplier_id INTEGER REFERENCES suppliers (supplier_id),
    category_id INTEGER REFERENCES categories (category_id), price DECIMAL(10, 2), in_stock INTEGER, discontinued BOOLEAN,
    attrs {json}{tags}
);
CREATE TABLE customers (
    customer_id CHAR(5) PRIMARY KEY, company VARCHAR(60), contact VARCHAR(60), city VARCHAR(30), country VARCHAR(30), joined DATE
);
CREATE TABLE staff (
    staff_id INTEGER PRIMARY KEY, first_name VARCHAR(20), last_name VARCHAR(20), boss INTEGER REFERENCES staff (staff_id),
    hired DATE, salary DECIMAL(10, 2)
);
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY, customer_id CHAR(5) REFERENCES customers (customer_id),
    staff_id INTEGER REFERENCES staff (staff_id), ordered {time}, shipped {time}{null}, freight DECIMAL(8, 2),
    status VARCHAR(10), {q}order{q} INTEGER
);
CREATE TABLE order_items (
    order_id INTEGER, product_id INTEGER, unit_price DECIMAL(10, 2), quantity INTEGER, discount {double},
    line_total {computed} (unit_price * quantity) STORED, PRIMARY KEY (order_id, product_id)
);
CREATE TABLE film (
    film_id INTEGER PRIMARY KEY, title VARCHAR(60), released INTEGER, rate DECIMAL(4, 2), length INTEGER, rating {rating},
    {q}Special Features{q} VARCHAR(60)
);
CREATE TABLE rental (
    rental_id INTEGER PRIMARY KEY, film_id INTEGER REFERENCES film (film_id), customer_id CHAR(5), rented {time},
    returned {time}{null}
);
CREATE VIEW order_totals AS SELECT o.order_id, o.customer_id, SUM(i.line_total) AS total FROM orders o
    JOIN order_items i ON i.order_id = o.order_id GROUP BY o.order_id, o.customer_id
"""
COUNTRIES = ("Norway", "Peru", "Japan", None, "C\u00f4te d'Ivoire", "Spain")


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _insert(table: str, *values: object) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join(map(_literal, values))})"


def _goods(chooser: random.Random, tags: bool) -> Iterator[str]:
    for i in range(1, 9):
        phone = None if i % 3 == 0 else f"+{i}-555-{i * 7:04}"
        yield _insert("suppliers", i, f"Supplier {i}", COUNTRIES[i % 6], phone)
    parents = [("All", None), ("Drinks", 1), ("Tea", 2), ("Food", 1), ("Sea Food", 4), ("empty", 1)]
    for i, (name, parent) in enumerate(parents, 1):
        yield _insert("categories", i, name, parent)
    for i in range(1, 41):
        color = chooser.choice(["red", "blue"])
        attrs = (
            f'{{"color": "{color}", "size": {i % 7}, "dims": [{i}, {i * 2}], "n": {{"deep": "v{i % 3}"}}}}'
        )
        row = _insert(
            "products",
            i,
            f"{'Tea' if i % 4 == 0 else 'Item'} {i}{chr(39) if i % 11 == 0 else ''}",
            chooser.randint(1, 8) if i % 9 else None,
            chooser.randint(2, 5) if i % 10 else None,
            round(chooser.uniform(0.5, 90), 2) if i % 13 else None,
            chooser.randint(0, 100),
            chooser.choice([True, False, None]) if i % 4 else False,
            attrs if i % 5 else None,
        )
        array = f"ARRAY['a', 't{i % 3}']" if i % 4 else "NULL"
        yield f"{row[:-1]}, {array})" if tags else row


def _trade(chooser: random.Random) -> Iterator[str]:
    for i in range(1, 26):
        city = chooser.choice(["Oslo", "Lima", "Kyoto", "oslo", None])
        contact = None if i % 6 == 0 else f"Ann {chr(65 + i % 5)}. Lee"
        joined = f"20{18 + i % 5}-{i % 12 + 1:02}-{i % 28 + 1:02}"
        yield _insert(
            "customers",
            f"C{i:04}",
            f"Company {i % 20}",
            contact,
            city,
            COUNTRIES[chooser.randint(0, 5)],
            joined,
        )
    for i in range(1, 8):
        salary = 3000 + i * 250.5 if i != 4 else None
        yield _insert(
            "staff",
            i,
            f"F{i}",
            f"L{i % 3}",
            None if i == 1 else max(1, i // 2),
            f"20{10 + i}-0{i}-15",
            salary,
        )
    for i in range(1, 121):
        day = f"{2021 + i % 3}-{chooser.randint(1, 12):02}-{chooser.randint(1, 28):02}"
        yield _insert(
            "orders",
            i,
            f"C{chooser.randint(1, 22):04}",
            chooser.randint(1, 7) if i % 8 else None,
            f"{day} {chooser.randint(0, 23):02}:{chooser.randint(0, 59):02}:00",
            None if i % 5 == 0 else f"2024-{chooser.randint(1, 12):02}-0{chooser.randint(1, 9)} 12:00:00",
            round(chooser.uniform(0, 300), 2) if i % 7 else None,
            chooser.choice(["new", "paid", "sent", None]),
            i % 4,
        )
        for product in chooser.sample(range(1, 41), chooser.randint(1, 4)):
            price, quantity = round(chooser.uniform(1, 50), 2), chooser.randint(1, 20)
            columns = "order_items (order_id, product_id, unit_price, quantity, discount)"
            yield _insert(columns, i, product, price, quantity, chooser.choice([0, 0.05, 0.25, 0.1]))


def _films(chooser: random.Random) -> Iterator[str]:
    for i in range(1, 31):
        features = chooser.choice(["Trailers", "Trailers,Deleted Scenes", "", "Commentaries", None])
        rating = ["G", "PG", "R"][i % 3] if i % 11 else None
        year, length = 2000 + i % 8 if i % 9 else None, 60 + i * 3 if i % 10 else None
        title = f"{'The ' if i % 3 else ''}Film {i:02}"
        yield _insert("film", i, title, year, [0.99, 2.99, 4.99][i % 3], length, rating, features)
    for i in range(1, 151):
        film, customer = chooser.randint(1, 28), f"C{chooser.randint(1, 25):04}"
        rented = f"2022-{chooser.randint(1, 12):02}-{chooser.randint(1, 28):02} {i % 24:02}:00:00"
        returned = None if i % 9 == 0 else f"2023-01-{chooser.randint(1, 28):02} 10:30:00"
        yield _insert("rental", i, film, customer, rented, returned)


def _fill(execute: Execute, dialect: str) -> None:
    if dialect == "postgres":
        execute("CREATE TYPE film_rating AS ENUM ('G', 'PG', 'R')")
    for statement in TABLES.format(**WORDS[dialect]).split(";"):
        execute(statement)
    chooser = random.Random(5)
    execute("BEGIN")
    for row in (*_goods(chooser, dialect == "postgres"), *_trade(chooser), *_films(chooser)):
        execute(row)
    execute("COMMIT")


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """The company in a file."""
    path = tmp_path_factory.mktemp("trade") / "trade.db"
    connection = sqlite3.connect(path, isolation_level=None)

    def execute(sql: str) -> Rows:
        return connection.execute(sql).fetchall()

    _fill(execute, "sqlite")
    yield SQLDatabase(path), execute
    connection.close()


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[Trade]:
    """The company in PostgreSQL, in a schema of its own."""
    import psycopg
    from psycopg.types.string import TextLoader

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.adapters.register_loader("interval", TextLoader)

        def execute(sql: Any) -> Rows:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

        execute("CREATE SCHEMA trade")
        execute("SET search_path = trade")
        _fill(execute, "postgres")
        yield SQLDatabase(postgres_url, schema="trade"), execute


@pytest.fixture(scope="module")
def mysql(mariadb_url: str) -> Iterator[Trade]:
    """The company in MariaDB."""
    driver: Any = import_module("pymysql")
    port = int(mariadb_url.rpartition(":")[2].partition("/")[0])
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)

    def execute(sql: str) -> Rows:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    for statement in ("CREATE DATABASE trade", "USE trade"):
        execute(statement)
    _fill(execute, "mysql")
    yield SQLDatabase(mariadb_url.replace("/shop", "/trade")), execute
    connection.close()


def _queries(dialect: str) -> Iterator[Any]:
    folder = Path(__file__).with_name("trade")
    marks = () if dialect == "sqlite" else (pytest.mark.external,)
    for name in ("common", dialect):
        for number, sql in enumerate((folder / f"{name}.sql").read_text().splitlines(), 1):
            yield pytest.param(dialect, sql, id=f"{dialect}-{name}-{number}", marks=marks)


@cache
def _grammar(database: SQLDatabase) -> Grammar:
    return database.grammar()


@pytest.mark.parametrize(("dialect", "sql"), [*_queries("sqlite"), *_queries("postgres"), *_queries("mysql")])
def test_rows_are_equal(request: pytest.FixtureRequest, dialect: str, sql: str) -> None:
    """The grammar takes the form, the guard the query, and both give the same rows in the same order."""
    trade: Trade = request.getfixturevalue(dialect)
    database, execute = trade
    written = database.canonicalize(sql).sql
    assert _grammar(database).accepts(written)
    assert database.canonicalize(written).sql == written
    before, after = execute(sql), execute(written)
    ordered = "ORDER BY" in sql.rpartition(")")[2]
    assert before
    assert before == after if ordered else sorted(map(repr, before)) == sorted(map(repr, after)), written
    assert len(database.query(sql).rows) == len(before)
