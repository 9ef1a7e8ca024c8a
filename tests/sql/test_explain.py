"""Why a query reads what it reads, and results that are too long to be sent whole."""

from __future__ import annotations

import json

import pytest

from jigwork.errors import SQLError
from jigwork.tools.sql import QueryResult, ResultColumn, SQLDatabase
from jigwork.tools.sql.explain import explain_query

CASES: list[tuple[str, list[str]]] = [
    (
        "SELECT COUNT(*) FROM employees",
        ["employees (3 rows): its rows are counted or shown as a whole"],
    ),
    (
        "SELECT c.name, o.total FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.status = 'paid'",
        [
            "customers (40 rows): shows name",
            "orders (200 rows): shows total; kept by status. "
            + "Joined, rows without a partner kept, on customer_id = c.id, along its foreign key",
        ],
    ),
    (
        'SELECT p.title, c.country FROM products p JOIN "order lines" l ON l.product_id = p.id JOIN orders o ON '
        + "o.id = l.order_id JOIN customers c ON c.id = o.customer_id",
        [
            "products (20 rows): shows title",
            "order lines (400 rows): only connects p and o. Joined on product_id = p.id, along its foreign key",
            "orders (200 rows): only connects l and c. Joined on id = l.order_id, along its foreign key",
            "customers (40 rows): shows country. Joined on id = o.customer_id, along its foreign key",
        ],
    ),
    (
        "SELECT c.name FROM customers c JOIN employees e ON e.name = c.name",
        [
            "customers (40 rows): shows name",
            "employees (3 rows): its rows are counted or shown as a whole. Joined on name = c.name, by equal values, "
            + "which no foreign key asks for",
        ],
    ),
    (
        "SELECT e.name FROM employees e WHERE e.boss_id IN (SELECT b.id FROM employees b WHERE b.name = 'Ada')",
        ["employees (3 rows): shows name; kept by boss_id", "employees (3 rows): shows id; kept by name"],
    ),
]


@pytest.mark.parametrize(("sql", "lines"), CASES)
def test_why_these_tables(shop: SQLDatabase, sql: str, lines: list[str]) -> None:
    """Each table is told with what its columns are for, and each join with what holds it."""
    assert explain_query(shop.check(sql)) == lines


def test_prepare_plans_without_running(shop: SQLDatabase) -> None:
    """What the guard lets pass and the database cannot run is found without running it."""
    shop.prepare(shop.check("SELECT * FROM customers"))
    with pytest.raises(SQLError, match="SUBSTR"):
        shop.prepare(shop.check("SELECT SUBSTR(name) FROM customers"))


def test_a_long_result_stays_readable() -> None:
    """Rows that find no room are left out whole; the count stays, and what is shown is said."""
    rows = tuple((number, "x" * 90) for number in range(1000))
    columns = (ResultColumn("n", "integer"), ResultColumn("text", "text"))
    text = QueryResult("SELECT 1", columns, rows, 1000).for_model(10_000)
    data = json.loads(text)
    assert 9_000 < len(text) <= 10_000
    assert data["rows_shown"] == len(data["rows"]) < 1000 == data["row_count"]
    assert data["rows"][-1] == [data["rows_shown"] - 1, "x" * 90]
    assert "rows_shown" not in json.loads(QueryResult("SELECT 1", columns, rows[:3], 3).for_model())
