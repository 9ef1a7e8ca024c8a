"""Notes: each way of being silently wrong is found, and a sound query gets no note."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jigwork.tools import RunContext
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
    (
        'SELECT COUNT(o.id) FROM orders o JOIN "order lines" l ON l.order_id = o.id',
        "the join with l may repeat rows of orders, so COUNT(orders.id) may count a row more than once",
    ),
    (
        'SELECT o.status, COUNT(o.id) FROM orders o JOIN "order lines" l ON l.order_id = o.id GROUP BY o.status',
        "so COUNT(orders.id) may count a row more than once",
    ),
    (
        "SELECT c.country, AVG(c.id + 1) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1",
        "so AVG(customers.id) may count a row more than once",
    ),
    ("SELECT name FROM customers WHERE 'Brasil' = country", "customers.country never is 'Brasil'"),
    (
        "SELECT COUNT(*) FROM orders o JOIN customers c ON c.id = o.customer_id AND c.country = 'Brasil'",
        "customers.country never is 'Brasil'; nearest: 'Brazil'",
    ),
    (
        "SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id AND c.name = 'Custmer 7'",
        "customers.name never is 'Custmer 7'; nearest: 'Customer 7'",
    ),
    (
        "SELECT COUNT(*), SUM(CASE WHEN name = 'Custmer 7' THEN 1 ELSE 0 END) FROM customers",
        "customers.name never is 'Custmer 7'",
    ),
    (
        "SELECT CASE country WHEN 'Brazil' THEN 1 WHEN 'Frence' THEN 2 END AS place FROM customers",
        "customers.country never is 'Frence'; nearest: 'France'",
    ),
    (
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'payed') FROM orders",
        "orders.status never is 'payed'; nearest: 'paid'",
    ),
    (
        "SELECT country, COUNT(*) FROM customers GROUP BY country HAVING country = 'Brasil'",
        "customers.country never is 'Brasil'",
    ),
    (
        "SELECT id FROM customers WHERE name IN ('Customer 7', 'Custmer 8')",
        "customers.name never is 'Custmer 8'; nearest: 'Customer 8'",
    ),
    ("SELECT id FROM customers WHERE name = 'Customer 7' OR name = 'Custmer 8'", "never is 'Custmer 8'"),
    ("SELECT id FROM customers WHERE name <> 'Custmer 8'", "never is 'Custmer 8'; nearest: 'Customer 8'"),
    (
        "SELECT id FROM customers WHERE LOWER(country) = 'brasil'",
        "LOWER(customers.country) never is 'brasil'; nearest: 'brazil'",
    ),
    (
        "SELECT id FROM customers WHERE LOWER(TRIM(country)) = 'Brazil'",
        "never is 'Brazil'; nearest: 'brazil'",
    ),
    (
        "SELECT COUNT(*) FROM customers WHERE country LIKE '%Brzil%'",
        "no customers.country is like '%Brzil%'; nearest: 'Brazil'",
    ),
    (
        "SELECT COUNT(*) FROM customers WHERE LOWER(name) LIKE LOWER('%CUSTMER%')",
        "no LOWER(customers.name) is like '%custmer%'; nearest: 'customer",
    ),
    (
        "SELECT id FROM customers WHERE id > 3 AND name NOT LIKE 'Custmer%'",
        "no customers.name is like 'Custmer%'; nearest: 'Customer",
    ),
    (
        "WITH c AS (SELECT id, country AS land FROM customers) SELECT COUNT(*) FROM c WHERE land = 'Brasil'",
        "customers.country never is 'Brasil'",
    ),
    (
        "SELECT name FROM employees WHERE id IN (SELECT id FROM customers WHERE name LIKE '%_x')",
        "no customers.name is like '%_x'",
    ),
    ("SELECT SUM(boss_id) FROM employees", "employees.boss_id is NULL in 1 of 3 rows, which SUM leaves out"),
    (
        "SELECT AVG(id - boss_id) FROM employees",
        "employees.boss_id is NULL in 1 of 3 rows, which AVG leaves out",
    ),
    (
        "SELECT AVG(ABS(boss_id) * 2) FROM employees",
        "employees.boss_id is NULL in 1 of 3 rows, which AVG leaves out",
    ),
    (
        "SELECT SUM(CASE WHEN id > 0 THEN 1.0 END) / SUM(boss_id) FROM employees",
        "employees.boss_id is NULL in 1 of 3 rows, which SUM leaves out",
    ),
    (
        'WITH x AS (SELECT o.total AS t FROM orders o JOIN "order lines" l ON l.order_id = o.id) SELECT SUM(t) FROM x',
        "the join with l may repeat rows of orders, so SUM(orders.total) may count a row more than once",
    ),
    (
        (
            'SELECT x.s, AVG(x.total) FROM (SELECT o.total, o.status AS s FROM orders o JOIN "order lines" l '
            "ON l.order_id = o.id) AS x GROUP BY x.s"
        ),
        "so AVG(orders.total) may count a row more than once",
    ),
    (
        (
            'SELECT DISTINCT SUM(o.total) OVER (PARTITION BY o.status) FROM orders o JOIN "order lines" l '
            "ON l.order_id = o.id"
        ),
        "so SUM(orders.total) may count a row more than once",
    ),
    (
        "SELECT p.title FROM products p JOIN customers c ON c.id = p.id",
        "the join on c.id = p.id follows no foreign key",
    ),
    (
        'SELECT e.name FROM employees e JOIN "order lines" l ON l.product_id = e.boss_id',
        "the join on l.product_id = e.boss_id follows no foreign key",
    ),
    (
        "SELECT id FROM employees WHERE boss_id = NULL",
        "boss_id = NULL is never true, since nothing equals NULL; write IS NULL",
    ),
    ("SELECT COUNT(*) FROM employees WHERE boss_id <> NULL", "write IS NOT NULL"),
    (
        'SELECT SUM(o.total) FROM products p JOIN "order lines" l ON l.product_id = p.id JOIN orders o ON o.id = l.order_id',
        "the join with l may repeat rows of orders",
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
    'SELECT COUNT(*), COUNT(l.qty), COUNT(DISTINCT o.id) FROM orders o JOIN "order lines" l ON l.order_id = o.id',
    "SELECT c.name, COUNT(c.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
    "SELECT c.name, COUNT(c.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name",
    "SELECT COUNT(c.id) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.name = 'Customer 7'",
    'SELECT SUM(l.qty * p.price) FROM "order lines" l JOIN products p ON p.id = l.product_id',
    (
        'SELECT p.title, COUNT(o.id), SUM(o.total) FROM orders o JOIN "order lines" l ON l.order_id = o.id '
        "JOIN products p ON p.id = l.product_id GROUP BY p.id"
    ),
    (
        'SELECT SUM(o.total) FROM orders o JOIN "order lines" l ON l.order_id = o.id '
        "JOIN products p ON p.id = l.product_id WHERE p.id = 3"
    ),
    (
        'SELECT SUM(CASE WHEN o.total > 9 THEN l.qty ELSE 0 END) FROM orders o JOIN "order lines" l '
        "ON l.order_id = o.id"
    ),
    "SELECT SUM(a.total) FROM orders a JOIN (SELECT MAX(id) AS id FROM orders) b ON b.id = a.id",
    "SELECT country, COUNT(*) FROM customers WHERE country = 'Brazil'",
    "SELECT id FROM customers WHERE LOWER(country) IN ('brazil', 'france')",
    "SELECT id FROM customers WHERE country LIKE 'Bra%' OR UPPER(country) LIKE '%ANCE'",
    "SELECT id FROM customers WHERE name NOT LIKE '%@%' AND country <> 'Atlantis' AND name <> ''",
    "SELECT SUM(CASE status WHEN 'paid' THEN 1 ELSE 0 END) FROM orders",
    "SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id AND c.name = 'Customer 7'",
    "SELECT SUM(boss_id) FROM employees WHERE boss_id > 0",
    "SELECT AVG(COALESCE(boss_id, 0)), COUNT(CASE WHEN boss_id = 1 THEN 1 END) FROM employees",
    (
        'WITH x AS (SELECT o.id, o.total FROM orders o JOIN "order lines" l ON l.order_id = o.id GROUP BY o.id) '
        "SELECT SUM(total) FROM x"
    ),
    (
        'SELECT x.p, SUM(x.total) FROM (SELECT o.total, l.product_id AS p FROM orders o JOIN "order lines" l '
        "ON l.order_id = o.id) AS x GROUP BY x.p"
    ),
    "SELECT a.id FROM orders a JOIN orders b ON b.customer_id = a.customer_id AND b.id = a.id",
    'SELECT l.qty FROM "order lines" l JOIN "order lines" m ON m.product_id = l.product_id AND m.order_id = l.order_id',
    "SELECT COUNT(*) FROM employees e JOIN customers c ON c.name = e.name",
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


def test_a_scoped_table_says_that_it_is_a_part(shop_path: Path) -> None:
    """What is out of scope is not there, which is another thing than that there is none; its condition stays hidden."""
    part = "only a part of the rows of orders is available here"
    scope = {"orders": "customer_id = :me"}
    with SQLDatabase(shop_path, scope=scope, parameters={"me": 7}) as shop:
        for sql in (
            "SELECT id FROM orders WHERE customer_id = 8",
            "SELECT COUNT(*) FROM orders",
            "SELECT name FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
            "SELECT id FROM orders",
            "SELECT COUNT(*) FROM orders WHERE status = 'payed' OR status LIKE '%open%' OR status LIKE 'pay%'",
        ):
            notes = shop.query(sql).notes
            assert part in notes[:2]
            assert not any("never is" in note or "is like" in note for note in notes)
        assert shop.query("SELECT COUNT(*) FROM customers").notes == ()
    whole = {"orders": "customer_id = 7", "big_orders": "1 = 1"}
    with SQLDatabase(shop_path, tables=["orders", "big_orders"], scope=whole) as shop:
        assert part not in str(shop.query("SELECT COUNT(*) FROM big_orders").notes)
        both = shop.query("SELECT (SELECT COUNT(*) FROM orders) + (SELECT COUNT(*) FROM big_orders)").notes
        assert both == (part,)


@pytest.mark.parametrize(
    ("sql", "note"),
    [
        ("select id from orders order by id", "LIMIT 20 was reached, the most that may be asked for"),
        (
            "select id from orders order by id limit 100",
            "LIMIT 20 was reached, the most that may be asked for",
        ),
        (
            "SELECT orders.id FROM orders LIMIT 20",
            "there may be more rows, and which ones these are is arbitrary",
        ),
        ("select id from orders order by id limit 7", None),
        ("select id from employees", None),
    ],
)
@pytest.mark.parametrize("by", ["max_rows", "max_limit"])
def test_a_limit_that_is_not_the_models_is_told(shop_path: Path, by: str, sql: str, note: str | None) -> None:
    """A LIMIT that was added or lowered cuts like any other, and whoever asked for all rows must know."""
    with SQLDatabase(shop_path, max_rows=20 if by == "max_rows" else 1000) as database:
        tool = database.tool() if by == "max_rows" else database.tool(max_limit=20)
        result = asyncio.run(tool.call(RunContext(None), tool.decode(sql, custom=True)))
        notes = " ".join(result.notes)
        assert (note in notes) if note else not notes
