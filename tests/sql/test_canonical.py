"""`canonicalize`: one form for every way to write a query, the same rows, and a clear word where it has none."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import SQLLimitReached, SQLRefused
from jigwork.grammars import Grammar
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql import canonicalize, sql_grammar
from jigwork.tools.sql import SQLDatabase

FORMS = [
    (
        "select c.name from Customers c where c.country='France' order by 1",
        "SELECT customers.name FROM customers WHERE customers.country = 'France' ORDER BY customers.name LIMIT 1000",
    ),
    (
        "SELECT country AS c, COUNT(1) n FROM customers GROUP BY c HAVING n>2 ORDER BY n DESC LIMIT 5000",
        (
            "SELECT customers.country AS c, COUNT(1) AS n FROM customers GROUP BY customers.country HAVING COUNT(1) > 2 "
            "ORDER BY COUNT(1) DESC LIMIT 1000"
        ),
    ),
    (
        "SELECT e.name, b.name FROM employees e LEFT OUTER JOIN employees b ON b.id = e.boss_id LIMIT 3",
        (
            "SELECT employees.name, employees_1.name FROM employees LEFT JOIN employees AS employees_1 "
            "ON employees_1.id = employees.boss_id LIMIT 3"
        ),
    ),
    (
        "SELECT name FROM customers, orders WHERE customer_id = customers.id AND (total > 5 OR (total < 1))",
        (
            "SELECT customers.name FROM customers CROSS JOIN orders WHERE orders.customer_id = customers.id "
            "AND (orders.total > 5 OR orders.total < 1) LIMIT 1000"
        ),
    ),
    (
        "WITH big AS (SELECT customer_id AS Who, SUM(total) AS S FROM orders GROUP BY 1) SELECT * FROM big WHERE s > 10",
        (
            "WITH cte1 AS (SELECT orders.customer_id AS who, SUM(orders.total) AS s FROM orders GROUP BY orders.customer_id) "
            "SELECT cte1.who AS Who, cte1.s AS S FROM cte1 WHERE cte1.s > 10 LIMIT 1000"
        ),
    ),
    (
        "SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM orders GROUP BY customer_id)",
        "SELECT AVG(sub1.n) FROM (SELECT COUNT(*) AS n FROM orders GROUP BY orders.customer_id) AS sub1 LIMIT 1000",
    ),
    (
        "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders) AND email IS NOT NULL",
        (
            "SELECT customers.name FROM customers WHERE customers.id NOT IN (SELECT orders.customer_id FROM orders) "
            "AND customers.email IS NOT NULL LIMIT 1000"
        ),
    ),
    (
        "SELECT CASE country WHEN 'France' THEN 1 ELSE 0 END, -total, 1.5e2, .5 FROM customers JOIN orders USING (id)",
        (
            "SELECT CASE WHEN customers.country = 'France' THEN 1 ELSE 0 END, -(orders.total), 1.5e2, 0.5 FROM customers "
            "JOIN orders ON customers.id = orders.id LIMIT 1000"
        ),
    ),
    (
        "SELECT id FROM orders UNION SELECT id FROM customers EXCEPT SELECT id FROM products ORDER BY id DESC",
        (
            "SELECT orders.id FROM orders UNION SELECT customers.id FROM customers EXCEPT SELECT products.id FROM products "
            "ORDER BY 1 DESC LIMIT 1000"
        ),
    ),
    (
        'SELECT name FROM customers WHERE country = "France"',
        "SELECT customers.name FROM customers WHERE customers.country = 'France' LIMIT 1000",
    ),
    (
        "SELECT RANK() OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY total DESC)",
        "SELECT RANK() OVER (PARTITION BY orders.customer_id ORDER BY orders.total DESC) FROM orders LIMIT 1000",
    ),
    (
        "SELECT total FROM orders ORDER BY total DESC NULLS FIRST, id NULLS FIRST LIMIT 1",
        "SELECT orders.total FROM orders ORDER BY orders.total DESC NULLS FIRST, orders.id LIMIT 1",
    ),
    (
        "SELECT 1 + 2 || 'x' FROM orders LIMIT 1",
        "SELECT 1 + (2 || 'x') FROM orders LIMIT 1",
    ),
    (
        "SELECT 1 AS one, name FROM customers ORDER BY one, name",
        "SELECT 1 AS one, customers.name FROM customers ORDER BY customers.name LIMIT 1000",
    ),
    (
        "SELECT name FROM customers WHERE EXISTS (SELECT * FROM orders o WHERE o.customer_id = customers.id) LIMIT 1",
        (
            "SELECT customers.name FROM customers WHERE EXISTS (SELECT * FROM orders WHERE orders.customer_id = customers.id) "
            "LIMIT 1"
        ),
    ),
]

MORE_FORMS = [
    (
        "SELECT id FROM orders WHERE (customer_id, status) IN ((1, 'open'), (2, 'paid'))",
        (
            "SELECT orders.id FROM orders WHERE orders.customer_id = 1 AND orders.status = 'open' "
            "OR orders.customer_id = 2 AND orders.status = 'paid' LIMIT 1000"
        ),
    ),
    (
        "SELECT id FROM orders WHERE (customer_id, total) IN (SELECT customer_id, MAX(total) FROM orders GROUP BY 1)",
        (
            "SELECT orders.id FROM orders WHERE (orders.customer_id, orders.total) IN (SELECT orders_1.customer_id, "
            "MAX(orders_1.total) FROM orders AS orders_1 GROUP BY orders_1.customer_id) LIMIT 1000"
        ),
    ),
    (
        "SELECT id FROM orders WHERE (customer_id, id) < (5, 100)",
        "SELECT orders.id FROM orders WHERE orders.customer_id < 5 OR orders.customer_id = 5 AND orders.id < 100 LIMIT 1000",
    ),
    (
        "SELECT id & 3 | 4, ~id, id << 1 FROM orders",
        "SELECT (orders.id & 3) | 4, ~(orders.id), orders.id << 1 FROM orders LIMIT 1000",
    ),
    (
        "SELECT name FROM customers ORDER BY name COLLATE nocase DESC",
        "SELECT customers.name FROM customers ORDER BY (customers.name COLLATE NOCASE) DESC LIMIT 1000",
    ),
    (
        "SELECT id FROM orders WHERE (total > 5) IS NOT TRUE",
        "SELECT orders.id FROM orders WHERE (orders.total > 5) IS NOT TRUE LIMIT 1000",
    ),
    (
        "SELECT SUM(total) OVER (w ORDER BY id) FROM orders WINDOW w AS (PARTITION BY status)",
        "SELECT SUM(orders.total) OVER (PARTITION BY orders.status ORDER BY orders.id) FROM orders LIMIT 1000",
    ),
    (
        "SELECT SUM(id) OVER (ORDER BY id GROUPS 1 PRECEDING EXCLUDE CURRENT ROW) FROM employees",
        (
            "SELECT SUM(employees.id) OVER (ORDER BY employees.id GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW "
            "EXCLUDE CURRENT ROW) FROM employees LIMIT 1000"
        ),
    ),
    (
        "SELECT * FROM (SELECT 1, 2)",
        "SELECT sub1.column_1 AS _, sub1.column_2 AS _ FROM (SELECT 1 AS column_1, 2 AS column_2) AS sub1 LIMIT 1000",
    ),
    (
        "SELECT * FROM (SELECT id, name AS id FROM employees)",
        "SELECT sub1.id, sub1.id_ AS id FROM (SELECT employees.id, employees.name AS id_ FROM employees) AS sub1 LIMIT 1000",
    ),
    (
        "SELECT column1 FROM (VALUES (1, 'a'), (2, 'b'))",
        "SELECT sub1.column1 FROM (SELECT 1 AS column1, 'a' AS column2 UNION ALL SELECT 2 AS column1, 'b' AS column2) AS sub1 LIMIT 1000",
    ),
    (
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT 1 AS column1, 'a' AS column2 UNION ALL SELECT 2 AS column1, 'b' AS column2 LIMIT 1000",
    ),
    (
        "SELECT id FROM customers LIMIT -1 OFFSET 30",
        "SELECT customers.id FROM customers LIMIT 1000 OFFSET 30",
    ),
    (
        "SELECT MAX(id, 7), MAX(id) FROM customers",
        "SELECT MAX(customers.id, 7), MAX(customers.id) FROM customers LIMIT 1000",
    ),
    ("SELECT 1 WHERE 1 = 1", "SELECT 1 FROM (SELECT 1 AS one) AS sub1 WHERE 1 = 1 LIMIT 1000"),
    (
        "SELECT COUNT(*) FROM orders HAVING COUNT(*) > 2",
        (
            "SELECT sub1.column_1 FROM (SELECT COUNT(*) AS column_1, COUNT(*) > 2 AS kept FROM orders) AS sub1 "
            "WHERE sub1.kept LIMIT 1000"
        ),
    ),
    (
        "SELECT -total AS t, 1 + total AS u FROM orders ORDER BY t, 2 DESC",
        (
            "SELECT -(orders.total) AS t, 1 + orders.total AS u FROM orders ORDER BY -(orders.total), 1 + orders.total DESC "
            "LIMIT 1000"
        ),
    ),
    (
        "SELECT status, SUM(100.0 * COUNT(*)) OVER (), SUM(MAX(total)) OVER () FROM orders GROUP BY status",
        (
            "SELECT orders.status, SUM(+(100.0 * COUNT(*))) OVER (), SUM(MAX(orders.total)) OVER () FROM orders "
            "GROUP BY orders.status LIMIT 1000"
        ),
    ),
    (
        'SELECT COUNT(*) FROM customers c JOIN (orders o JOIN "order lines" l ON l.order_id = o.id) ON c.id = o.customer_id',
        (
            'SELECT COUNT(*) FROM customers CROSS JOIN orders JOIN "order lines" ON '
            '"order lines".order_id = orders.id AND customers.id = orders.customer_id LIMIT 1000'
        ),
    ),
    (
        "SELECT SUM(id) * 1.0 / (SELECT SUM(id) FROM orders) AS s FROM orders GROUP BY status ORDER BY 1",
        (
            "SELECT SUM(orders.id) * 1.0 / (SELECT SUM(orders_1.id) FROM orders AS orders_1) AS s FROM orders GROUP BY "
            "orders.status ORDER BY SUM(orders.id) * 1.0 / (SELECT SUM(orders_1.id) FROM orders AS orders_1) LIMIT 1000"
        ),
    ),
]

BEYOND = [
    ("SELECT id FROM orders WHERE total > id > 1", "comparison inside a comparison"),
    ("SELECT id FROM orders LIMIT 0", "LIMIT 0"),
    ("SELECT id FROM orders LIMIT 2 + 3", "LIMIT or OFFSET that is no whole number"),
    ("SELECT id FROM orders WHERE (id, total) = (SELECT id, total FROM orders)", "comparison of rows"),
    (
        "SELECT (id, total) IN (SELECT id, total FROM orders) FROM orders",
        "a row of more than columns and calls",
    ),
    ("SELECT id FROM orders WHERE id IN ()", "an empty IN ()"),
    ("SELECT name FROM customers WHERE name = 'a\nb'", "control characters"),
    ("SELECT name COLLATE nothing FROM customers", "COLLATE nothing"),
    ("SELECT placed ->> (id || 'x') FROM orders", "the operator ->> here"),
    ("SELECT SUM(id) OVER (ROWS 1 PRECEDING) FROM orders", "a window frame without ORDER BY"),
    ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c", "WITH RECURSIVE"),
]


@pytest.mark.parametrize(("sql", "canonical"), [*FORMS, *MORE_FORMS])
def test_one_form_with_the_same_rows(shop: SQLDatabase, sql: str, canonical: str) -> None:
    """The canonical form is the one we expect, is in the grammar, is its own canonical form, and gives equal rows."""
    written = canonicalize(sql, shop.schema).sql
    assert written == canonical
    assert shop.grammar().accepts(written), shop.grammar().explain(written).for_model()
    assert canonicalize(written, shop.schema).sql == written
    rows = shop.query(sql).rows if '"France"' not in sql else shop.query(sql.replace('"', "'")).rows
    assert sorted(map(repr, rows[:1000])) == sorted(map(repr, shop.query(written).rows))


@pytest.mark.parametrize(("sql", "reason"), BEYOND)
def test_what_it_cannot_say_is_named(shop: SQLDatabase, sql: str, reason: str) -> None:
    """A construct beyond canonical SQL is refused by name, never approximated."""
    with pytest.raises(SQLRefused) as caught:
        canonicalize(sql, shop.schema)
    assert reason in str(caught.value)


def test_recursion_is_an_option(shop_path: Path) -> None:
    """WITH RECURSIVE is refused where nobody allowed it, and is in the grammar where somebody did."""
    sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n FROM c"
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c"
    with SQLDatabase(shop_path, recursive=True, timeout=0.3) as database:
        written = database.canonicalize(sql).sql
        assert database.grammar().accepts(written)
        assert database.query(sql).rows == database.query(written).rows == ((1,), (2,), (3,), (4,), (5,))
        with pytest.raises(SQLLimitReached):
            database.query(endless)
    with SQLDatabase(shop_path) as database:
        assert not database.grammar().accepts(written)
        with pytest.raises(SQLRefused, match="WITH RECURSIVE"):
            database.query(sql)


def test_an_added_limit_is_told(shop: SQLDatabase) -> None:
    """Whoever reads the result must know whether the limit was asked for."""
    assert canonicalize("SELECT id FROM orders", shop.schema).limit_added
    assert not canonicalize("SELECT id FROM orders LIMIT 7", shop.schema).limit_added


def test_spider_queries(corpora: Path) -> None:
    """Every query over ten schemas has a canonical form in the grammar, with equal rows on filled tables."""
    schemas = json.loads((corpora / "sql_spider" / "schemas_half.json").read_text())
    rows = _rows(corpora / "sql_spider" / "dev_half.jsonl")
    expressed, equal, compared = _measure(rows, {name: entry["ddl"] for name, entry in schemas.items()})
    assert expressed / len(rows) >= 0.99
    assert equal == compared


def test_defog_queries(corpora: Path) -> None:
    """So have at least 97 % of analytical queries over six schemas."""
    rows = _rows(corpora / "sql_defog" / "sqlite_half.jsonl")
    ddl = {path.stem: path.read_text() for path in (corpora / "sql_defog" / "ddl" / "sqlite").glob("*.sql")}
    expressed, equal, compared = _measure(rows, ddl)
    assert expressed / len(rows) >= 0.97
    assert equal == compared


@pytest.mark.parametrize("dialect", ["postgres", "mysql"])
def test_other_dialects(corpora: Path, dialect: str) -> None:
    """PostgreSQL's and MySQL's own ways of writing are covered as well; servers compare the rows elsewhere."""
    rows = _rows(corpora / "sql_defog" / f"{dialect}_half.jsonl")
    grammars: dict[str, tuple[Schema, Grammar]] = {}
    for path in (corpora / "sql_defog" / "ddl" / "sqlite").glob("*.sql"):
        base = _schema(path.read_text())
        name = "consumer_div" if dialect == "postgres" else path.stem
        schema = Schema(base.tables, dialect=dialect, name=name)
        grammars[path.stem] = (schema, sql_grammar(schema))
    expressed = 0
    for row in rows:
        schema, grammar = grammars[row["db_id"]]
        try:
            written = canonicalize(row["sql"], schema).sql
        except SQLRefused:
            continue
        assert grammar.accepts(written), written
        assert canonicalize(written, schema).sql == written
        expressed += 1
    assert expressed / len(rows) >= 0.97


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _schema(ddl: str) -> Schema:
    connection = sqlite3.connect(":memory:")
    connection.executescript(ddl)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = [
        Table(name, tuple(Column(row[1]) for row in connection.execute(f'PRAGMA table_info("{name}")')))
        for name in names
        if not name.startswith("sqlite_")
    ]
    return Schema(tuple(tables))


def _measure(rows: list[dict[str, Any]], ddl: dict[str, str]) -> tuple[int, int, int]:
    """Return how many rows have a canonical form, and on how many of those the results are equal."""
    databases = {
        name: _filled(text, [row["sql"] for row in rows if row["db_id"] == name])
        for name, text in ddl.items()
    }
    expressed = equal = compared = 0
    for row in rows:
        schema, grammar, connection = databases[row["db_id"]]
        try:
            written = canonicalize(row["sql"], schema)
        except SQLRefused:
            continue
        assert grammar.accepts(written.sql), written.sql
        assert canonicalize(written.sql, schema).sql == written.sql
        expressed += 1
        before, after = (connection.execute(sql).fetchall() for sql in (row["sql"], written.sql))
        if len(before) <= 1000:
            compared += 1
            equal += sorted(map(repr, before)) == sorted(map(repr, after))
    return expressed, equal, compared


def _filled(ddl: str, queries: list[str]) -> tuple[Schema, Grammar, sqlite3.Connection]:
    """Fill every table with rows drawn from the literals that the queries ask for, and NULLs."""
    schema = _schema(ddl)
    connection = sqlite3.connect(":memory:")
    connection.executescript(re.sub(r"(?i)\bNOT NULL\b|\bUNIQUE\b|\bINTEGER (?=PRIMARY KEY)", "", ddl))
    texts = sorted(
        {text.strip("%") for query in queries for text in re.findall(r"""['"]([^'"]{1,40})['"]""", query)}
    )
    numbers = sorted({int(number) for query in queries for number in re.findall(r"\b\d{1,5}\b", query)})
    chooser = random.Random(1)
    for table in schema.tables:
        marks = ", ".join("?" * len(table.columns))
        for _ in range(25):
            values = list(_values(chooser, len(table.columns), texts, numbers))
            connection.execute(f'INSERT OR IGNORE INTO "{table.name}" VALUES ({marks})', values)
    return schema, sql_grammar(schema), connection


def _values(chooser: random.Random, count: int, texts: list[str], numbers: list[int]) -> Iterator[object]:
    for _ in range(count):
        kind = chooser.random()
        if kind < 0.08:
            yield None
        elif kind < 0.45:
            yield chooser.choice(texts or ["x"])
        elif kind < 0.55:
            yield f"2024-0{chooser.randint(1, 9)}-1{chooser.randint(0, 9)}"
        else:
            yield chooser.choice([*numbers[:20], 1, 2, 3, 4, 5])
