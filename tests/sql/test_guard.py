"""The guard alone: what it refuses and in which words, and what it must let through."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from jigwork.errors import SQLError, SQLRefused
from jigwork.tools.sql import SQLDatabase

REFUSED = [
    ("SELECT nam FROM customers", "no column nam in customers at line 1, column 8; nearest: name"),
    ("SELECT x FROM customers WHERE x = 1", "no column x in customers"),
    (
        "SELECT total FROM customers",
        "no column total in customers at line 1, column 8; it is in orders.total",
    ),
    ("SELECT orders.total FROM customers", "orders is not in FROM"),
    ("SELECT customers.id FROM customers AS c", "customers has the alias c here"),
    ("SELECT id FROM customers, orders", "ambiguous; write one of customers.id, orders.id"),
    ("SELECT * FROM costumers", "there is no table costumers here at line 1, column 15; nearest: customers"),
    (
        "SELECT lenght(name) FROM customers",
        "function lenght is not available here at line 1, column 8; nearest: LENGTH",
    ),
    ("SELECT load_extension('x') FROM customers", "load_extension is not available"),
    ('SELECT "nobody" FROM customers', "a text is written in single quotes: 'nobody'"),
    ("SELECT name FROM customers ORDER BY 2", "position 2 is none of the 1 result columns"),
    (
        "SELECT name FROM customers UNION SELECT title FROM products ORDER BY price",
        "ORDER BY of a set operation",
    ),
    ("SELECT 1; SELECT 2", "only one statement"),
    ("UPDATE customers SET name = 'x'", "UPDATE is not allowed: only SELECT"),
    ("WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x", "DELETE is not allowed"),
    (
        "WITH orders AS (SELECT 1 AS id) SELECT * FROM orders",
        "orders is a table; name the WITH query otherwise",
    ),
    ("SELECT * FROM pragma_table_info('orders')", "only tables of the schema may stand in FROM"),
    ("SELECT name FROM customers WHERE id = ?", "a parameter is not allowed"),
    ("SELECT name FROM customers WHERE name = 'x", "has no end"),
    ("SELECT /* a /* b */ name FROM customers", "comment"),
    ("", "empty"),
    ("SELECT " + "(" * 60 + "1" + ")" * 60, "nest deeper than 40"),
    ("SELECT " + "NOT " * 60 + "1", "in a row"),
    ("SELECT 1 " * 10_000, "characters; at most"),
    ("SELECT\u20281", "U+2028 is not allowed"),
    ("SELECT name FROM cu\u017ftomers", "U+017F is not allowed"),
    ("SELECT '\ud800'", "cannot be sent"),
    ("SELECT a.x FROM (SELECT id FROM orders) AS a", "a has no column x"),
    ("WITH c AS (SELECT id AS n FROM orders) SELECT c.m FROM c", "c has no column m"),
    ("SELECT rowid FROM orders", "no column rowid"),
    ("SELECT FROM WHERE", "cannot be read as SQL"),
]

ALLOWED = [
    "select NAME from Customers where COUNTRY = 'France'",
    "SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    "SELECT name AS n FROM customers ORDER BY n",
    "SELECT country, COUNT(*) AS n FROM customers GROUP BY 1 HAVING n > 3 ORDER BY 2 DESC",
    "WITH a AS (SELECT id AS c, total AS s FROM orders), b AS (SELECT MAX(s) AS m FROM a) SELECT a.c FROM a, b WHERE s = m",
    "SELECT t.n FROM (SELECT COUNT(*) AS n FROM orders) AS t -- the number of orders",
    "SELECT 'DROP TABLE orders; --' AS s",
    "SELECT name FROM customers NATURAL JOIN (SELECT id FROM orders)",
    'SELECT id, total FROM orders JOIN "order lines" ON order_id = id WHERE qty > 1 ;  ',
    "SELECT e.name, b.name FROM employees e LEFT JOIN employees b ON b.id = e.boss_id",
    "SELECT SUM(total) OVER (PARTITION BY customer_id ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders",
    "SELECT main.orders.id FROM main.orders",
    "SELECT name FROM customers UNION SELECT title FROM products ORDER BY name LIMIT 3",
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_refusals_say_what_where_and_what_else(shop: SQLDatabase, sql: str, message: str) -> None:
    """What may not run is refused in a sentence that a model can act on."""
    with pytest.raises(SQLRefused) as caught:
        shop.query(sql)
    assert message in str(caught.value)
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize("sql", ALLOWED)
def test_ordinary_queries_run(shop: SQLDatabase, sql: str) -> None:
    """Free SQL that only reads the schema passes and runs, canonical or not."""
    shop.query(sql)


def test_attacks_are_refused_or_stopped(shop_path: Path, corpora: Path, tmp_path: Path) -> None:
    """Every attack on a database is refused, or stopped by limits where that is what it needs, within two seconds."""
    database = _chinook(corpora, tmp_path)
    for line in (corpora / "sql_attacks" / "attacks_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        started = time.monotonic()
        try:
            database.query(row["sql"])
            ran = True
        except SQLError:
            ran = False
        assert time.monotonic() - started < 2, row["id"]
        assert not ran or row["must"] == "refuse_or_stop", row["id"]


def test_lookalikes_pass(corpora: Path, tmp_path: Path) -> None:
    """What only looks like an attack runs; VALUES is no SELECT and may be refused."""
    database = _chinook(corpora, tmp_path)
    for line in (corpora / "sql_attacks" / "benign_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        if not row["sql"].startswith("VALUES"):
            database.query(row["sql"])


def _chinook(corpora: Path, folder: Path) -> SQLDatabase:
    import sqlite3

    path = folder / "music.db"
    connection = sqlite3.connect(path)
    connection.executescript((corpora / "sql_attacks" / "chinook_schema.sql").read_text())
    connection.close()
    return SQLDatabase(path, timeout=1.5)
