"""What a policy hides on the servers: behind views, functions, inheritance, other schemas, figures of the planner."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from jigwork.errors import ConfigurationError, SQLError, SQLLimitReached, SQLRefused
from jigwork.tools.sql import SQLDatabase

pytestmark = pytest.mark.external

Opened = Callable[..., SQLDatabase]

POSTGRES = """
CREATE SCHEMA wing; CREATE SCHEMA cellar; SET search_path = wing;
CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT, pin TEXT);
CREATE TABLE bills (id INTEGER PRIMARY KEY, guest INTEGER, total INTEGER);
CREATE TABLE vault (id INTEGER PRIMARY KEY, token TEXT);
INSERT INTO guests SELECT n, 'Guest ' || n, 'PIN' || n FROM generate_series(1, 300) n;
INSERT INTO bills SELECT n, n % 3, n FROM generate_series(1, 3000) n;
INSERT INTO vault VALUES (1, 'hunter2');
CREATE TABLE parent (id INTEGER, body TEXT); CREATE TABLE child (extra TEXT) INHERITS (parent);
CREATE FUNCTION token_of(n INTEGER) RETURNS TEXT LANGUAGE sql AS 'SELECT token FROM wing.vault WHERE id = n';
CREATE FUNCTION tokens() RETURNS SETOF vault LANGUAGE sql AS 'SELECT * FROM wing.vault';
CREATE FUNCTION paired(INTEGER, TEXT) RETURNS TEXT LANGUAGE sql AS 'SELECT token FROM wing.vault';
CREATE OPERATOR ##> (LEFTARG = INTEGER, RIGHTARG = TEXT, FUNCTION = paired);
CREATE VIEW v_plain AS SELECT id, upper(name) AS n, now() AS t, id::text || 'x' AS s FROM guests;
CREATE VIEW v_counted AS SELECT name, count(*) AS n, rank() OVER (ORDER BY name) FROM guests GROUP BY name;
CREATE VIEW v_called AS SELECT id, token_of(id) FROM guests;
CREATE VIEW v_rows AS SELECT g.id, t.token FROM guests g, tokens() t;
CREATE VIEW v_exists AS SELECT id FROM guests WHERE EXISTS (SELECT FROM tokens());
CREATE VIEW v_operator AS SELECT id ##> 'x' AS y FROM guests;
CREATE VIEW v_xml AS SELECT id, query_to_xml('SELECT * FROM wing.vault', true, true, '')::text FROM guests;
CREATE VIEW v_samples AS SELECT g.id, s.most_common_vals::text FROM guests g, pg_stats s;
CREATE VIEW v_through AS SELECT * FROM v_called;
CREATE VIEW cellar.copies AS SELECT * FROM vault; CREATE VIEW v_other AS SELECT g.id, c.token FROM guests g, cellar.copies c;
CREATE MATERIALIZED VIEW m_called AS SELECT id, token_of(id) FROM guests;
CREATE TABLE cellar.guests (id INTEGER, name TEXT); INSERT INTO cellar.guests VALUES (7, 'other schema');
CREATE TABLE odd (id INTEGER); CREATE TABLE "Odd" (id INTEGER); INSERT INTO odd VALUES (1); INSERT INTO "Odd" VALUES (2);
ANALYZE
"""
MARIADB = """
CREATE DATABASE wing; CREATE DATABASE cellar; USE wing;
CREATE TABLE guests (id INTEGER PRIMARY KEY, name VARCHAR(40), pin VARCHAR(40));
CREATE TABLE bills (id INTEGER PRIMARY KEY, guest INTEGER, total INTEGER);
CREATE TABLE vault (id INTEGER PRIMARY KEY, token VARCHAR(40));
INSERT INTO guests SELECT seq, CONCAT('Guest ', seq), CONCAT('PIN', seq) FROM seq_1_to_300;
INSERT INTO bills SELECT seq, seq % 3, seq FROM seq_1_to_3000;
INSERT INTO vault VALUES (1, 'hunter2');
CREATE FUNCTION token_of(n INTEGER) RETURNS VARCHAR(40) READS SQL DATA RETURN (SELECT token FROM vault WHERE id = n);
CREATE VIEW v_plain AS SELECT g.id, UPPER(name) AS n, b.total FROM guests g JOIN bills b ON b.guest = g.id;
CREATE VIEW v_called AS SELECT id, token_of(id) AS t FROM guests;
CREATE VIEW v_through AS SELECT * FROM v_called;
CREATE VIEW cellar.copies AS SELECT token FROM wing.vault;
CREATE VIEW v_other AS SELECT g.id, c.token FROM cellar.copies c JOIN guests g;
CREATE TABLE odd (id INTEGER); CREATE TABLE Odd (id INTEGER); INSERT INTO odd VALUES (1); INSERT INTO Odd VALUES (2)
"""


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Opened:
    """Open a schema of PostgreSQL with views of all kinds."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        statements: Any = POSTGRES
        connection.execute(statements)
    return partial(SQLDatabase, postgres_url, schema="wing")


@pytest.fixture(scope="module")
def mariadb(mariadb_url: str) -> Iterator[Opened]:
    """Open a database of MariaDB with views of all kinds."""
    driver: Any = import_module("pymysql")
    port = int(mariadb_url.rpartition(":")[2].partition("/")[0])
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    for statement in MARIADB.split(";"):
        connection.cursor().execute(statement)
    yield partial(SQLDatabase, mariadb_url.replace("/shop", "/wing"))
    connection.close()


@pytest.fixture(params=["postgres", "mariadb"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """Either."""
    made: Opened = request.getfixturevalue(request.param)
    return made


def _views(database: SQLDatabase) -> set[str]:
    return {table.name for table in database.schema.tables if table.name.startswith(("v_", "m_"))}


def test_postgres_views_that_may_read_anything_are_hidden(postgres: Opened) -> None:
    """A view shows what its functions, operators, catalogs and views of other schemas read: where that is unknown, it goes."""
    assert len(_views(postgres())) == 11
    assert _views(postgres(deny=["vault"])) == {"v_plain", "v_counted"}
    assert _views(postgres(deny=["guests.pin"])) == {"v_plain", "v_counted"}
    assert _views(postgres(deny=["guests.name"])) == set()
    assert _views(postgres(scope={"bills": "guest = 1"})) == {"v_plain", "v_counted"}
    with pytest.raises(ConfigurationError, match="v_called may read bills, which has a scope"):
        postgres(scope={"bills": "guest = 1"}, tables=["bills", "v_called"])
    assert _views(postgres(deny=["vault"], tables=["guests", "v_called"])) == {"v_called"}


def test_mariadb_views_that_may_read_anything_are_hidden(mariadb: Opened) -> None:
    """So it is with stored functions and views in other databases."""
    assert _views(mariadb()) == {"v_plain", "v_called", "v_through", "v_other"}
    assert _views(mariadb(deny=["vault"])) == {"v_plain"}
    assert _views(mariadb(scope={"bills": "guest = 1"})) == set()


def test_tables_that_share_rows_are_hidden_together(postgres: Opened) -> None:
    """A parent shows the rows of its children, and they are its rows."""
    shown = {table.name for table in postgres(deny=["child"]).schema.tables}
    assert not {"parent", "child"} & shown
    assert "child" not in {table.name for table in postgres(deny=["parent.body"]).schema.tables}
    assert "parent" in {table.name for table in postgres(deny=["child.extra"]).schema.tables}


def test_no_other_schema_is_read(postgres: Opened) -> None:
    """A table of the same name in another schema is another table."""
    database = postgres()
    for sql in (
        "SELECT * FROM cellar.guests",
        "SELECT * FROM public.guests",
        "SELECT public.guests.id FROM guests",
    ):
        with pytest.raises(SQLRefused, match=r"no schema (cellar|public) is available here"):
            database.query(sql)
    assert len(database.query("SELECT * FROM wing.guests").rows) == 300


def test_names_that_differ_in_case_alone(opened: Opened) -> None:
    """Where the database tells them apart, so does a query; only a new name may not be like another."""
    database = opened()
    quoted = "`Odd`" if database.dialect == "mysql" else '"Odd"'
    assert database.query("SELECT id FROM odd").rows == ((1,),)
    assert database.query(f"SELECT id FROM {quoted}").rows == ((2,),)
    with pytest.raises(ConfigurationError, match="two tables would be called"):
        opened(rename={"vault": "GUESTS"})


def test_a_misspelt_case_is_said_without_the_name_of_the_database(mariadb: Opened) -> None:
    """MariaDB's own words would tell it."""
    with pytest.raises(SQLError, match="capital and small letters count") as caught:
        mariadb().query("SELECT * FROM Guests")
    assert "wing" not in str(caught.value)


def test_what_a_plan_costs_tells_of_no_hidden_row(opened: Opened) -> None:
    """Over a scoped table the refusal has no figure: it would be one of rows out of scope."""
    database = opened(scope={"bills": "guest = 1"}, max_cost=20)
    with pytest.raises(SQLLimitReached) as caught:
        database.query("SELECT COUNT(*) FROM bills")
    assert "more than the 20 allowed" in str(caught.value).replace(
        "more rows than the 20 allowed", "more than the 20 allowed"
    )
    assert not [word for word in str(caught.value).split() if word.isdigit() and word != "20"]


def test_a_query_is_planned_where_its_cost_is_limited(opened: Opened) -> None:
    """Planning alone costs nothing, however dear the query."""
    database = opened(max_cost=50_000)
    database.check("SELECT COUNT(*) FROM bills a JOIN bills b ON a.guest = b.guest AND a.total > b.total")


PEEKS = [
    "SELECT COUNT(*), SUM(total), MIN(guest), MAX(guest) FROM bills",
    "SELECT COUNT(*), SUM(b.total), MIN(b.guest), MAX(b.guest) FROM bills b JOIN guests g ON g.id = 1",
    "SELECT COUNT(*), SUM(total), 1, 1 FROM (SELECT * FROM bills) AS guests",
    "WITH vault AS (SELECT * FROM bills) SELECT COUNT(*), SUM(total), MIN(guest), MAX(guest) FROM vault",
    "SELECT COUNT(*), SUM(x.total), MIN(x.guest), MAX(x.guest) FROM bills x LEFT JOIN bills y ON y.id = x.id",
    "SELECT (SELECT COUNT(*) FROM bills), (SELECT SUM(total) FROM bills), 1, 1",
    "SELECT COUNT(*), SUM(total), MIN(guest), MAX(guest) FROM bills WHERE guest = 1 OR guest <> 1",
    "SELECT COUNT(*), SUM(total), 1, 1 FROM (SELECT total FROM bills UNION SELECT total FROM bills) AS u",
]


@pytest.mark.parametrize("sql", PEEKS)
def test_rows_out_of_scope_are_in_no_figure(opened: Opened, sql: str) -> None:
    """However a scoped table is read, the rest of its rows is not there."""
    row = opened(scope={"bills": "guest = :me"}, parameters={"me": 1}).query(sql).rows[0]
    assert tuple(int(value) for value in row) == (1000, 1_499_500, 1, 1)


HIDDEN = [
    "SELECT pin FROM guests",
    "SELECT g FROM guests g",
    "SELECT COUNT(g.*) FROM guests g",
    "SELECT g.* FROM guests g ORDER BY g.pin",
    "SELECT ROW_TO_JSON(guests) FROM guests",
    "SELECT CAST(g AS CHAR) FROM guests g",
    "SELECT a.id FROM guests a JOIN guests b USING (pin)",
    "SELECT (SELECT pin) FROM guests",
    "SELECT MAX(pin) OVER () FROM guests",
    "SELECT id FROM guests JOIN (SELECT 'PIN3' AS pin) z USING (pin)",
    "SELECT x.pin FROM (SELECT * FROM guests) x",
    "SELECT id, name FROM guests UNION SELECT id, token FROM vault",
    "SELECT id FROM guests WHERE EXISTS (SELECT 1 FROM vault)",
    "SELECT * FROM guests NATURAL JOIN vault",
    "SELECT DEFAULT(pin) FROM guests",
    "SELECT name FROM guests ORDER BY 3",
]


@pytest.mark.parametrize("sql", HIDDEN)
def test_hidden_columns_and_tables_are_in_no_form(opened: Opened, sql: str) -> None:
    """Neither by their names nor as a part of a row; and no refusal holds a value."""
    database = opened(deny=["vault", "guests.pin"])
    with pytest.raises(SQLRefused) as caught:
        database.query(sql)
    assert "hunter2" not in str(caught.value)
    assert len(database.query("SELECT * FROM guests LIMIT 1").columns) == 2
    assert len(database.query("SELECT id FROM guests NATURAL JOIN (SELECT 'PIN3' AS pin) z").rows) == 300


def test_no_error_tells_of_a_value_out_of_scope(opened: Opened) -> None:
    """A condition that fails on another's row is not tried on it."""
    database = opened(scope={"bills": "guest = 1"})
    with contextlib.suppress(SQLError):
        database.query("SELECT id FROM bills WHERE guest = 2 AND 1 / (guest - 2) > 0")
    assert database.query("SELECT COUNT(*) FROM bills WHERE 1 / (guest - 2) < 0").rows == ((1000,),)
