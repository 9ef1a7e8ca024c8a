"""Notes on results of real servers, whose own ideas of text and NULL they follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from jigwork.tools.sql import SQLDatabase

pytestmark = pytest.mark.external

STATEMENTS = [
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, land VARCHAR(40))",
    (
        "CREATE TABLE sales (id INTEGER PRIMARY KEY, client INTEGER REFERENCES clients (id), total DECIMAL(10, 2), "
        "ordered DATE, shipped DATE)"
    ),
    *(
        f"INSERT INTO clients VALUES ({n}, 'Client {n}', {['NULL', repr('Brazil'), repr('France')][n % 3]})"
        for n in range(1, 31)
    ),
    *(
        f"INSERT INTO sales VALUES ({n}, {n % 9 + 1}, {n}.5, '2024-01-0{n % 9 + 1}', "
        f"{'NULL' if n % 10 == 0 else repr(f'2024-02-0{n % 9 + 1}')})"
        for n in range(1, 41)
    ),
]

NOTED = [
    (
        "SELECT COUNT(c.id) FROM clients c JOIN sales s ON s.client = c.id",
        "the join with s may repeat rows of clients, so COUNT(clients.id) may count a row more than once",
    ),
    (
        "SELECT s.id FROM sales s LEFT JOIN clients c ON c.id = s.client AND c.name = 'Cliet 7'",
        "clients.name never is 'Cliet 7'; nearest: 'Client 7'",
    ),
    (
        "SELECT COUNT(*) FROM clients WHERE LOWER(name) = 'cliet 7'",
        "LOWER(clients.name) never is 'cliet 7'; nearest: 'client 7'",
    ),
    (
        "SELECT COUNT(*) FROM clients WHERE name LIKE '%Cliet!_7' ESCAPE '!'",
        "no clients.name is like '%Cliet!_7'; nearest: 'Client",
    ),
    (
        "SELECT SUM(CASE WHEN land = 'Brasil' THEN 1 ELSE 0 END) FROM clients",
        "clients.land never is 'Brasil'",
    ),
    ("SELECT COUNT(shipped) FROM sales", "sales.shipped is NULL in 4 of 40 rows, which COUNT leaves out"),
]

ONLY = [
    (
        "postgres",
        "SELECT AVG(shipped - ordered) FROM sales",
        "sales.shipped is NULL in 4 of 40 rows, which AVG leaves out",
    ),
    (
        "mysql",
        "SELECT AVG(DATEDIFF(shipped, ordered)) FROM sales",
        "sales.shipped is NULL in 4 of 40 rows, which AVG leaves out",
    ),
    (
        "postgres",
        "SELECT COUNT(*) FROM clients WHERE name LIKE 'client%'",
        "clients.name has 'client%' in another case only: LIKE minds it, ILIKE does not",
    ),
    (
        "postgres",
        "SELECT COUNT(*) FROM clients WHERE name ILIKE 'cliet%'",
        "no clients.name is like 'cliet%'; nearest: 'Client",
    ),
]

SOUND = [
    "SELECT c.name, COUNT(c.id) FROM clients c JOIN sales s ON s.client = c.id GROUP BY c.name",
    "SELECT COUNT(s.id), SUM(s.total) FROM clients c JOIN sales s ON s.client = c.id WHERE c.name LIKE 'Client%'",
    "SELECT id FROM clients WHERE LOWER(name) = 'client 7' OR land IN ('Brazil', 'France')",
]


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def noted(request: pytest.FixtureRequest) -> Iterator[SQLDatabase]:
    """Clients and their sales, on one server after the other."""
    name = "noted"
    if request.param == "postgres":
        import psycopg

        url = request.getfixturevalue("postgres_url")
        connection: Any = psycopg.connect(url, autocommit=True)
        before, schema = [f"CREATE SCHEMA {name}", f"SET search_path = {name}"], name
    else:
        url = request.getfixturevalue("mariadb_url")
        port = int(re.findall(r":(\d+)/", url)[0])
        driver: Any = import_module("pymysql")
        connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
        before, schema = [f"CREATE DATABASE {name}", f"USE {name}"], None
        url = url.replace("/shop", f"/{name}")
    with connection.cursor() as cursor:
        for statement in [*before, *STATEMENTS]:
            cursor.execute(statement)
    connection.close()
    with SQLDatabase(url, timeout=10, schema=schema) as database:
        yield database


@pytest.mark.parametrize(("sql", "note"), NOTED)
def test_what_may_mislead_is_noted(noted: SQLDatabase, sql: str, note: str) -> None:
    """The looks that notes take run on every server."""
    notes = noted.query(sql).notes
    assert any(note in text for text in notes), notes


@pytest.mark.parametrize(("dialect", "sql", "note"), ONLY)
def test_what_may_mislead_on_one_server_is_noted(
    noted: SQLDatabase, dialect: str, sql: str, note: str
) -> None:
    """So do those that one server alone has."""
    if dialect != noted.dialect:
        pytest.skip(f"{sql} is written for the other server")
    assert note in str(noted.query(sql).notes)


@pytest.mark.parametrize("sql", SOUND)
def test_sound_queries_are_left_alone(noted: SQLDatabase, sql: str) -> None:
    """No server makes a note of what is right."""
    assert noted.query(sql).notes == ()


def test_what_is_not_in_the_grammar_is_rewritten(noted: SQLDatabase) -> None:
    """In the dialect of the server."""
    quoted = {"postgres": '"clients"', "mysql": "`clients`"}[noted.dialect]
    decoded = noted.tool().decode(
        f"select c.name from {quoted} c, sales s where s.client = c.id", custom=True
    )
    written = "SELECT clients.name FROM clients CROSS JOIN sales WHERE sales.client = clients.id LIMIT 1000"
    assert decoded.value == {"sql": written}
    assert noted.query(written).row_count == 40
