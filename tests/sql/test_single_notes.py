"""The note on a sub-query that stands for one value: SQLite takes the first of several rows without a word."""

from __future__ import annotations

import pytest

from jigwork.tools.sql import SQLDatabase

SEVERAL = [
    ("SELECT (SELECT title FROM products) AS title", "line 1, column 16"),
    (
        "SELECT name FROM customers WHERE id = (SELECT customer_id FROM orders WHERE status = 'paid')",
        "column 47",
    ),
    (
        "SELECT c.id, (SELECT o.id FROM orders o WHERE o.customer_id = c.id) AS o FROM customers c",
        "column 24",
    ),
    ("SELECT 1 + ((SELECT total FROM orders)) AS n", "column 21"),
    ("SELECT (SELECT COUNT(*) FROM orders GROUP BY status) AS n", "column 16"),
    ('SELECT (SELECT qty FROM "order lines" WHERE order_id = 3) AS n', "column 16"),
    ("WITH t AS (SELECT total FROM orders) SELECT (SELECT total FROM t) AS n", "column 53"),
    ("SELECT (SELECT SUM(total) OVER () FROM orders) AS n", "column 16"),
]


@pytest.mark.parametrize(("sql", "place"), SEVERAL)
def test_several_rows_for_one_value(shop: SQLDatabase, sql: str, place: str) -> None:
    """It says where, and what to write instead."""
    notes = [note for note in shop.query(sql).notes if "may give several rows" in note]
    assert len(notes) == 1
    assert place in notes[0]
    assert notes[0].endswith("aggregate, compare with a key, or write ORDER BY and LIMIT 1")


ONE = [
    "SELECT (SELECT MAX(total) FROM orders) AS n",
    "SELECT (SELECT COUNT(*) FILTER (WHERE total > 5) FROM orders) AS n",
    "SELECT name FROM customers WHERE id = (SELECT customer_id FROM orders WHERE id = 7)",
    "SELECT o.id, (SELECT c.name FROM customers c WHERE c.id = o.customer_id) AS n FROM orders o",
    "SELECT (SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = 4) AS n",
    'SELECT (SELECT qty FROM "order lines" WHERE order_id = 3 AND product_id = 4) AS n',
    "SELECT (SELECT id FROM orders ORDER BY total DESC LIMIT 1) AS n",
    "SELECT (SELECT 1) AS n",
    "WITH m AS (SELECT AVG(total) AS a FROM orders) SELECT id FROM orders WHERE total > (SELECT a FROM m)",
    "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders)",
    "SELECT name FROM customers WHERE EXISTS (SELECT total FROM orders WHERE customer_id = customers.id)",
    "SELECT t.total FROM (SELECT total FROM orders) AS t",
    "SELECT id FROM orders UNION SELECT id FROM customers",
]


@pytest.mark.parametrize("sql", ONE)
def test_one_row_needs_no_note(shop: SQLDatabase, sql: str) -> None:
    """An aggregate, a key, LIMIT 1, and what stands for all its rows."""
    assert not [note for note in shop.query(sql).notes if "several rows" in note]
