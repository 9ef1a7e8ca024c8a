"""Notes: each way of being silently wrong is found, and a sound query gets no note."""

from __future__ import annotations

import pytest

from jigwork.tools.sql import SQLDatabase

NOTED = [
    (
        "SELECT name FROM customers WHERE country = 'Brasil'",
        "customers.country never is 'Brasil'; nearest: 'Brazil'",
    ),
    (
        "SELECT COUNT(*) FROM customers WHERE country IN ('brazil', 'France')",
        "never is 'brazil'; nearest: 'Brazil'",
    ),
    (
        "SELECT name FROM customers WHERE name = 'Custmer 7'",
        "customers.name never is 'Custmer 7'; nearest: 'Customer 7'",
    ),
    ("SELECT id FROM customers WHERE id > 999", "no row matches"),
    ("SELECT SUM(total) FROM orders WHERE id > 999", "one row of NULLs"),
    ("SELECT name FROM customers LIMIT 5", "LIMIT 5 was reached without ORDER BY"),
    ("SELECT id FROM orders ORDER BY id LIMIT 100", "LIMIT 100 was reached; there may be more rows"),
    (
        "SELECT COUNT(*) / (SELECT COUNT(*) FROM customers) FROM customers WHERE country = 'Brazil'",
        "multiply by 1.0",
    ),
    ('SELECT SUM(qty) / COUNT(*) FROM "order lines"', "divides whole numbers and drops the rest"),
    ("SELECT name FROM customers WHERE name > 5", "customers.name is text; it is compared with the number 5"),
    ("SELECT AVG(status) FROM orders", "orders.status is text, of which AVG takes what is no number as 0"),
    (
        "SELECT COUNT(*) FROM orders WHERE placed BETWEEN '2024-01-01' AND '2024-02-02'",
        "later on that day are left out; compare with < '2024-02-03'",
    ),
    ("SELECT COUNT(*) FROM orders WHERE placed <= '2024-02-02'", "2024-02-02 alone means its midnight"),
    ("SELECT COUNT(*) FROM orders WHERE placed = '2024-02-02'", "2024-02-02 alone means its midnight"),
    ("SELECT name FROM customers WHERE name LIKE 'Customer'", "LIKE 'Customer' has no % or _"),
    (
        (
            "SELECT SUM(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id "
            'JOIN "order lines" l ON l.order_id = o.id'
        ),
        "the join with l may repeat rows of orders",
    ),
    (
        'SELECT SUM(o.total) FROM orders o JOIN "order lines" l ON l.order_id = o.id',
        "the join with l may repeat rows of orders, so SUM(orders.total) may count a row more than once",
    ),
    ("SELECT c.name FROM customers c, products p LIMIT 3", "p and c are joined by no condition"),
    ("SELECT o.id FROM orders o JOIN customers c ON o.id = c.id", "o.id = c.id follows no foreign key"),
    (
        "SELECT country, name, COUNT(*) FROM customers GROUP BY country",
        "customers.name is neither grouped nor aggregated",
    ),
    (
        "SELECT COUNT(country) FROM customers",
        "customers.country is NULL in 10 of 40 rows, which COUNT leaves out",
    ),
    (
        "SELECT name FROM employees WHERE id NOT IN (SELECT boss_id FROM employees)",
        "NOT IN with a NULL among its values matches no row",
    ),
]

SOUND = [
    "SELECT name FROM customers WHERE country = 'Brazil'",
    "SELECT c.name, SUM(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
    "SELECT c.name, COUNT(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
    "SELECT country, COUNT(*) FROM customers GROUP BY 1",
    "SELECT country AS land, COUNT(*) FROM customers GROUP BY land",
    "SELECT name, MAX(id) FROM customers",
    "SELECT SUM(total) FROM orders JOIN customers ON customers.id = orders.customer_id",
    "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE customer_id IS NOT NULL) LIMIT 9",
    "SELECT e.name, b.name FROM employees e JOIN employees b ON b.id = e.boss_id",
    "SELECT id, SUM(total) OVER (ORDER BY id) FROM orders",
    "SELECT name FROM customers ORDER BY name LIMIT 5",
    "SELECT SUM(total) / COUNT(*) FROM orders",
    "SELECT COUNT(*) * 1.0 / 3 FROM orders",
    "SELECT id / 10 * 10 AS ten, COUNT(*) FROM orders GROUP BY id / 10 * 10",
    "SELECT CAST(COUNT(*) / 2 AS INTEGER) FROM orders",
    "SELECT COUNT(*) FROM orders WHERE placed >= '2024-01-01' AND placed < '2024-02-03'",
    "SELECT COUNT(*) FROM orders WHERE placed BETWEEN '2024-01-01' AND '2024-01-31'",
    "SELECT COUNT(*) FROM customers WHERE joined BETWEEN '2023-01-01' AND '2023-02-01'",
    "SELECT COUNT(country) FROM customers WHERE country <> 'France'",
    "SELECT c.name, o.status, COUNT(*) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.id",
    "SELECT c.name, COUNT(*) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.customer_id",
    "SELECT MAX(name) FROM customers WHERE name LIKE 'Customer 1%'",
]


@pytest.mark.parametrize(("sql", "note"), NOTED)
def test_what_may_mislead_is_noted(shop: SQLDatabase, sql: str, note: str) -> None:
    """A result that a reader could take for something else says so."""
    notes = shop.query(sql).notes
    assert any(note in text for text in notes), notes


@pytest.mark.parametrize("sql", SOUND)
def test_sound_queries_are_left_alone(shop: SQLDatabase, sql: str) -> None:
    """Notes that mean nothing would teach the reader to skip them."""
    assert shop.query(sql).notes == ()


def test_notes_can_be_left_out(shop_path: object) -> None:
    """Who wants rows only gets rows only."""
    assert (
        SQLDatabase(str(shop_path), notes=False).query("SELECT id FROM customers WHERE id > 999").notes == ()
    )
