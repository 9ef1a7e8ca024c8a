"""PostgreSQL and MariaDB for real: reflection, reading, and everything that must not be possible."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.sql import canonicalize, quote_name
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.engine import Access, Limits, Watch

pytestmark = pytest.mark.external

TABLES = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL, country VARCHAR(40), joined DATE);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total DECIMAL(10, 2), placed TIMESTAMP NULL,
    paid BOOLEAN, FOREIGN KEY (customer_id) REFERENCES customers (id)
);
CREATE TABLE {odd} ({id} INTEGER PRIMARY KEY, {select} INTEGER, {quote} VARCHAR(10));
CREATE VIEW big_orders AS SELECT id, total FROM orders WHERE total > 100;
"""


def _trusted(sql: str) -> Any:
    """psycopg's types want a literal."""
    return sql


Execute = Callable[[str], list[tuple[Any, ...]]]


def _statements(dialect: str) -> Iterator[str]:
    names = {"odd": "Odd Name", "id": "Id", "select": "select", "quote": 'a"b`c'}
    written = {key: quote_name(name, dialect) for key, name in names.items()}
    yield from (part for part in TABLES.format(**written).split(";") if part.strip())
    countries = ["'Brazil'", "'France'", "NULL"]
    for i in range(1, 41):
        yield f"INSERT INTO customers VALUES ({i}, 'C {i}', {countries[i % 3]}, '2023-0{i % 9 + 1}-01')"
    for i in range(1, 301):
        yield f"INSERT INTO orders VALUES ({i}, {i % 35 + 1}, {i}.25, '2024-0{i % 9 + 1}-11 10:00:00', {i % 2} = 1)"
    yield f"INSERT INTO {written['odd']} VALUES (1, 2, 'x')"


@contextlib.contextmanager
def _postgres(url: str) -> Generator[Execute]:
    import psycopg
    from psycopg.types.string import TextLoader

    with psycopg.connect(url, autocommit=True) as connection:
        # An interval has months, which Python's has not: it is the server's text here as in a result of ours.
        connection.adapters.register_loader("interval", TextLoader)

        def execute(sql: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(_trusted(sql))
            return cursor.fetchall() if cursor.description else []

        yield execute


@contextlib.contextmanager
def _mariadb(url: str) -> Generator[Execute]:
    from importlib import import_module

    port = int(re.findall(r":(\d+)/", url)[0])
    driver: Any = import_module("pymysql")
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)

    def execute(sql: str) -> list[tuple[Any, ...]]:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    execute("CREATE DATABASE IF NOT EXISTS shop")
    execute("USE shop")
    try:
        yield execute
    finally:
        connection.close()


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Execute]]:
    """A filled database and a connection of an administrator beside it."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        manager = _postgres(url)
    else:
        url = request.getfixturevalue("mariadb_url")
        manager = _mariadb(url)
    with manager as execute:
        for statement in _statements(str(request.param)):
            execute(statement)
        yield url, execute


@pytest.fixture
def database(server: tuple[str, Execute]) -> SQLDatabase:
    """The database as a model gets it."""
    return SQLDatabase(server[0], timeout=5)


def test_prepare_plans_without_running(database: SQLDatabase) -> None:
    """A server plans a query without running it; two columns of one name are no trouble, a wrong call is found."""
    database.prepare(database.check("SELECT customers.id AS a, customers.id AS a FROM customers"))
    with pytest.raises(SQLError):
        database.prepare(database.check("SELECT SUBSTRING(customers.id) FROM customers"))


def test_reflection(database: SQLDatabase) -> None:
    """Kinds, keys, views, rows and stored values are read as from SQLite."""
    customers, orders = database.schema.table("customers"), database.schema.table("orders")
    assert [column.kind for column in customers.columns] == ["integer", "text", "text", "date"]
    assert [column.kind for column in orders.columns] == [
        "integer",
        "integer",
        "number",
        "datetime",
        "boolean",
    ]
    assert customers.column("country").values == ("Brazil", "France")
    assert customers.rows == 40
    assert {(key.columns, key.table) for key in orders.foreign_keys} == {(("customer_id",), "customers")}
    assert database.schema.table("big_orders").is_view


def test_canonical_queries_run(database: SQLDatabase) -> None:
    """What the grammar accepts runs, odd names included."""
    odd, select, quote = (quote_name(name, database.dialect) for name in ("Odd Name", "select", 'a"b`c'))
    queries = [
        (
            "SELECT customers.country, COUNT(*) AS n, SUM(orders.total) AS s FROM customers JOIN orders ON "
            "orders.customer_id = customers.id WHERE orders.paid = TRUE GROUP BY customers.country ORDER BY COUNT(*) DESC LIMIT 5"
        ),
        f"SELECT {odd}.{select}, {odd}.{quote} FROM {odd} LIMIT 1",
        "SELECT EXTRACT(MONTH FROM orders.placed) AS m, COUNT(*) FROM orders GROUP BY EXTRACT(MONTH FROM orders.placed) LIMIT 5",
        "SELECT customers.name FROM customers WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.customer_id = customers.id) LIMIT 9",
        "SELECT orders.id, RANK() OVER (ORDER BY orders.total DESC) AS r FROM orders LIMIT 3",
        (
            "WITH cte1 AS (SELECT orders.customer_id AS c, MAX(orders.total) AS m FROM orders GROUP BY orders.customer_id) "
            "SELECT customers.name, cte1.m FROM cte1 JOIN customers ON customers.id = cte1.c ORDER BY cte1.m DESC LIMIT 3"
        ),
    ]
    grammar = database.grammar()
    for sql in queries:
        assert grammar.accepts(sql), grammar.explain(sql).for_model()
        assert database.query(sql).rows


def test_rows_beyond_the_limit(server: tuple[str, Execute]) -> None:
    """A cut result keeps the first rows and counts the rest."""
    result = SQLDatabase(server[0], max_rows=250).query("SELECT id FROM orders")
    assert (len(result.rows), result.row_count, result.truncated) == (250, 300, True)


SLOW = (
    "SELECT COUNT(*) FROM orders a JOIN orders b ON a.paid = b.paid JOIN orders c ON b.paid = c.paid "
    "JOIN orders d ON c.paid = d.paid JOIN orders e ON d.paid = e.paid WHERE a.total + b.total > c.total + d.id"
)


def test_time_limit_ends_the_query_in_the_server(server: tuple[str, Execute]) -> None:
    """A query over its time is stopped, and gone from the server."""
    database = SQLDatabase(server[0], timeout=0.5)
    started = time.monotonic()
    with pytest.raises(SQLLimitReached, match="longer than"):
        database.query(SLOW)
    assert time.monotonic() - started < 4
    assert not _running(server)


def test_what_the_planner_finds_too_dear_is_not_run(server: tuple[str, Execute]) -> None:
    """`max_cost` asks the planner first: a small query passes, a product of tables is refused within a moment."""
    database = SQLDatabase(server[0], max_cost=50_000, timeout=30)
    assert database.query("SELECT COUNT(*) FROM orders").rows == ((300,),)
    started = time.monotonic()
    with pytest.raises(SQLLimitReached, match="more than the 50000 allowed"):
        database.query(SLOW)
    assert time.monotonic() - started < 4
    with pytest.raises(SQLLimitReached, match="more than the 1 allowed"):
        SQLDatabase(server[0], max_cost=1).query("SELECT id FROM orders")


def test_cancelling_ends_the_query_in_the_server(server: tuple[str, Execute]) -> None:
    """So is one that is cancelled from another thread."""
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(SQLError, match="cancelled"):
        SQLDatabase(server[0], timeout=30).query(SLOW, cancel=cancel)
    assert not _running(server)


def _running(server: tuple[str, Execute]) -> list[Any]:
    """Return the slow queries that the server still works on, after a moment."""
    time.sleep(0.3)
    if server[0].startswith("postgres"):
        return server[1](
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%orders e%' AND pid <> pg_backend_pid()"
        )
    return [
        row for row in server[1]("SHOW FULL PROCESSLIST") if "orders e" in str(row[7]) and row[4] == "Query"
    ]


def test_the_session_cannot_write(server: tuple[str, Execute]) -> None:
    """Past the guard, the transaction is still read-only."""
    database = SQLDatabase(server[0])
    engine = database._engine  # pyright: ignore[reportPrivateUsage]
    for sql in (
        "DELETE FROM orders",
        "CREATE TABLE x (a INT)",
        "SELECT id FROM orders FOR UPDATE",
        "SELECT 1; SELECT 2",
    ):
        with contextlib.suppress(SQLError):
            raw = engine.run(sql, Access({}, frozenset()), Limits(5, 1000, 2), Watch(2))
            assert "FOR UPDATE" in sql, raw.rows
    assert server[1]("SELECT COUNT(*) FROM orders")[0][0] == 300


def test_errors_are_in_words(database: SQLDatabase) -> None:
    """What only the server finds is told without driver noise."""
    with pytest.raises(SQLError) as caught:
        database.query("SELECT id FROM orders WHERE id = (SELECT id FROM customers)")
    assert "the database says: " in str(caught.value)
    assert "psycopg" not in str(caught.value)
    assert "(" not in str(caught.value)[:20]


def test_attacks_are_refused(database: SQLDatabase, corpora: Path) -> None:
    """No attack of any dialect gets through, and each is answered within two seconds."""
    for line in (corpora / "sql_attacks" / "attacks_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        started = time.monotonic()
        with pytest.raises(SQLError):
            database.query(row["sql"].replace('"', "") if row["dialect"] == "postgres" else row["sql"])
        assert time.monotonic() - started < 2, row["id"]


def test_sampled_sentences_parse(server: tuple[str, Execute], database: SQLDatabase) -> None:
    """What the guard lets through is SQL to the server: it may not like the types, but it can read the sentence."""
    unread: list[str] = []
    for sentence in database.grammar().sample(200, seed=4, longest=250):
        try:
            server[1](f"EXPLAIN {database.check(sentence).text}")
        except SQLRefused:
            continue
        except Exception as error:  # noqa: BLE001 - every driver has its own
            if getattr(error, "sqlstate", None) == "42601" or error.args[0] == 1064:
                unread.append(f"{sentence} -> {error}")
    assert not unread, unread[0]


def test_defog_rows_are_equal(server: tuple[str, Execute], corpora: Path) -> None:
    """Canonical forms prepare in the server and give the rows of the originals, on random rows."""
    url, execute = server
    dialect = "postgres" if url.startswith("postgres") else "mysql"
    rows = [
        json.loads(line)
        for line in (corpora / "sql_defog" / f"{dialect}_half.jsonl").read_text().splitlines()
    ]
    chooser = random.Random(3)
    expressed = compared = equal = 0
    for path in sorted((corpora / "sql_defog" / "ddl" / dialect).glob("*.sql")):
        database = _load(url, execute, path, chooser)
        for row in (row for row in rows if row["db_id"] == path.stem):
            try:
                written = canonicalize(row["sql"], database.schema).sql
            except SQLRefused:
                continue
            expressed += 1
            before: list[tuple[Any, ...]] | None = None
            with contextlib.suppress(
                Exception
            ):  # some originals do not run on this data: a division by zero, a cast
                before = execute(row["sql"])
            if before is None:
                continue
            compared += 1
            after = database.query(written).rows
            same = sorted(map(repr, before[:1000])) == sorted(map(repr, after))
            equal += same
            assert same, (row["sql"], written)
    assert expressed / len(rows) >= 0.97
    assert compared > 100
    assert equal == compared


def _load(url: str, execute: Execute, path: Path, chooser: random.Random) -> SQLDatabase:
    """Make one schema of the corpus in the server, with a few random rows per table."""
    ddl = re.sub(r"--.*", "", path.read_text())
    ddl = re.sub(r"REFERENCES [\w.]+\s*\([^)]*\)|public\.", "", ddl)
    if url.startswith("postgres"):
        target = "consumer_div" if "consumer_div" in ddl else f"s_{path.stem}"
        execute(f"DROP SCHEMA IF EXISTS {target} CASCADE")
        execute(f"CREATE SCHEMA {target}")
        execute(f"SET search_path = {target}")
        for statement in ddl.split(";"):
            if statement.strip() and "CREATE SCHEMA" not in statement.upper():
                execute(statement)
        opened = SQLDatabase(url, schema=target, timeout=20)
    else:
        execute(f"DROP DATABASE IF EXISTS {path.stem}")
        execute(f"CREATE DATABASE {path.stem}")
        execute(f"USE {path.stem}")
        execute("SET sql_mode = ''")
        for statement in ddl.split(";"):
            if statement.strip():
                execute(statement)
        opened = SQLDatabase(url.replace("/shop", f"/{path.stem}"), timeout=20)
    for table in opened.schema.tables:
        for number in range(12):
            values = ", ".join(_value(column.kind, number, chooser) for column in table.columns)
            with contextlib.suppress(Exception):
                execute(f"INSERT INTO {quote_name(table.name, opened.dialect)} VALUES ({values})")
    return opened


def _value(kind: str, number: int, chooser: random.Random) -> str:
    day = f"{chooser.randint(2022, 2026)}-0{chooser.randint(1, 9)}-1{chooser.randint(0, 9)}"
    choices = {
        "integer": str(number + 1 if chooser.random() < 0.5 else chooser.randint(0, 5)),
        "number": f"{chooser.randint(1, 900)}.5",
        "boolean": chooser.choice(["TRUE", "FALSE"]),
        "date": f"'{day}'",
        "datetime": f"'{day} 10:00:00'",
        "time": "'10:00:00'",
    }
    return choices.get(kind, chooser.choice(["'US'", "'CA'", "'success'", "'active'", f"'x{number % 4}'"]))
