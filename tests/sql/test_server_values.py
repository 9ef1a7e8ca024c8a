"""PostgreSQL and MariaDB for real: values of every type, messages, views and errors under a scope."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from jigwork.errors import SQLError, SQLRefused
from jigwork.tools.sql import SQLDatabase

pytestmark = pytest.mark.external

Execute = Callable[[str], Any]

POSTGRES = [
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    (
        'CREATE TABLE "Odd Types" (id integer PRIMARY KEY, "Größe" numeric(30, 10), m mood, u uuid, j jsonb, tags text[], '
        "iv interval, ts timestamp, tz timestamptz, d date, t time, f float8, b bytea, ip inet, r int4range, bits bit(4))"
    ),
    (
        "INSERT INTO \"Odd Types\" VALUES (1, 0, 'ok', '1787f19e-70a4-40a8-ab0c-b6bc0f8297e6', '{\"a\": [1]}', "
        "ARRAY['x', 'y'], '1 mon 2 days 03:04', 'infinity', '-infinity', '0044-03-15 BC', '24:00', 'NaN', '\\x00', "
        "'10.0.0.1/8', '[1,5)', '1010')"
    ),
    'INSERT INTO "Odd Types" (id) VALUES (2)',
    "CREATE TABLE parts (id integer, day date) PARTITION BY RANGE (day)",
    "CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "INSERT INTO parts VALUES (1, '2024-05-05')",
    "CREATE TABLE bare ()",
    "CREATE TABLE notes (id integer PRIMARY KEY, owner integer, body text, mood text)",
    "INSERT INTO notes VALUES (1, 7, '5', 'calm'), (2, 8, 'other''s', 'wild')",
    "CREATE VIEW bodies AS SELECT id, body FROM notes",
    "CREATE VIEW lengths AS SELECT length(body) AS n FROM bodies",
    "CREATE TABLE free (id integer PRIMARY KEY, at timestamp)",
    "INSERT INTO free VALUES (1, '2024-02-02 10:00')",
]
MARIADB = [
    "SET SESSION sql_mode = ''",
    (
        "CREATE TABLE `Odd Types` (id integer PRIMARY KEY, `Größe` decimal(30, 10), big bigint unsigned, e enum('sad', 'ok'), "
        "s set('a', 'b'), y year, b bit(8), d date, dt datetime, t time, j json)"
    ),
    (
        "INSERT INTO `Odd Types` VALUES (1, 0, 18446744073709551615, 'ok', 'a,b', 2024, b'10101010', '0000-00-00', "
        "'2024-02-00 00:00:00', '-100:00:00', '{\"a\": 1}')"
    ),
    "INSERT INTO `Odd Types` (id) VALUES (2)",
    "CREATE TABLE notes (id integer PRIMARY KEY, owner integer, body varchar(40), mood varchar(40), n double)",
    "INSERT INTO notes VALUES (1, 7, '5', 'calm', 1), (2, 8, 'other''s', 'wild', 1000)",
    "CREATE VIEW bodies AS SELECT id, body FROM notes",
    "CREATE VIEW lengths AS SELECT length(body) AS n FROM bodies",
    "CREATE TABLE free (id integer PRIMARY KEY, at datetime)",
    "INSERT INTO free VALUES (1, '2024-02-02 10:00')",
    "CREATE TABLE gone (a integer)",
    "CREATE VIEW broken AS SELECT a FROM gone",
    "DROP TABLE gone",
]


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[str]:
    """A database of its own on the PostgreSQL server."""
    import psycopg

    url = postgres_url.rpartition("/")[0] + "/odd"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS odd")
        connection.execute("CREATE DATABASE odd")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in POSTGRES:
            connection.execute(statement)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType,reportCallIssue]
    yield url


@pytest.fixture(scope="module")
def mariadb(mariadb_url: str) -> Iterator[str]:
    """A database of its own on the MariaDB server."""
    with _root(mariadb_url) as execute:
        for statement in ("DROP DATABASE IF EXISTS odd", "CREATE DATABASE odd", "USE odd", *MARIADB):
            execute(statement)
    yield mariadb_url.rpartition("/")[0] + "/odd"


@contextlib.contextmanager
def _root(url: str) -> Generator[Execute]:
    from importlib import import_module

    driver: Any = import_module("pymysql")
    port = int(re.findall(r":(\d+)/", url)[0])
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    try:
        yield connection.cursor().execute
    finally:
        connection.close()


@pytest.fixture(params=["postgres", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """Either server."""
    return str(request.getfixturevalue(str(request.param)))


def test_postgres_values(postgres: str) -> None:
    """What Python's types cannot hold comes as text; nothing makes a query fail."""
    with SQLDatabase(postgres) as database:
        rows = database.query('SELECT * FROM "Odd Types" ORDER BY id LIMIT 5').to_dict()["rows"]
    assert rows[0] == [
        1, "0.0000000000", "ok", "1787f19e-70a4-40a8-ab0c-b6bc0f8297e6", {"a": [1]}, ["x", "y"],
        "1 mon 2 days 03:04:00", "infinity", "-infinity", "0044-03-15 BC", "24:00:00", "nan", "<binary, 1 bytes>",
        "10.0.0.1/8", "[1, 5)", "1010",
    ]  # fmt: skip
    assert rows[1] == [2, *[None] * 15]


def test_mariadb_values(mariadb: str) -> None:
    """Days that are none, times of more than a day, bits and unsigned numbers come as they are stored."""
    with SQLDatabase(mariadb) as database:
        rows = database.query("SELECT * FROM `Odd Types` ORDER BY id LIMIT 5").to_dict()["rows"]
    assert rows[0] == [
        1, "0.0000000000", "18446744073709551615", "ok", "a,b", 2024, 170, "0000-00-00", "2024-02-00 00:00:00",
        "-100:00:00", '{"a": 1}',
    ]  # fmt: skip
    assert rows[1] == [2, *[None] * 10]


def test_partitions_are_no_tables(postgres: str) -> None:
    """The rows of a partition are read through its table; a table without columns cannot be asked."""
    with SQLDatabase(postgres) as database:
        names = [table.name for table in database.schema.tables]
        assert "parts" in names and "parts_2024" not in names and "bare" not in names
        with pytest.raises(SQLRefused, match="bare is not available here"):
            database.query("SELECT * FROM bare")


def test_views_over_a_scoped_table(url: str) -> None:
    """They are hidden, one over another too; asked for they need a scope of their own."""
    with SQLDatabase(url, scope={"notes": "owner = :me"}, parameters={"me": 7}) as database:
        assert database.query("SELECT COUNT(*) FROM notes").rows == ((1,),)
        for view in ("bodies", "lengths"):
            with pytest.raises(SQLRefused, match=f"{view} is not available here"):
                database.query(f"SELECT * FROM {view}")
    with SQLDatabase(url, deny=["notes.body"]) as database:
        assert not {"bodies", "lengths"} & {table.name for table in database.schema.tables}
    with SQLDatabase(url, scope={"free": "id = 1"}) as database:
        assert database.query("SELECT COUNT(*) FROM bodies").rows == ((2,),)


FAILING = {
    "postgres": "SELECT id FROM notes WHERE CAST(body AS integer) = 5",
    "mysql": "SELECT id FROM notes WHERE EXP(n) > 0",
}


def test_errors_tell_nothing_of_other_rows(url: str) -> None:
    """A condition that fails on a row out of scope is not tried on it."""
    with SQLDatabase(url, scope={"notes": "owner = 7"}) as database:
        assert database.query(FAILING[database.dialect]).rows == ((1,),)
    with SQLDatabase(url) as database, pytest.raises(SQLError):
        database.query(FAILING[database.dialect])


def test_errors_under_a_scope_quote_nothing(url: str) -> None:
    """The text that was sent has the condition and its values, so no message has a part of it."""
    wrong = {
        "postgres": "SELECT UPPER(id) FROM notes",
        "mysql": "SELECT id FROM notes ORDER BY id NULLS LAST",
    }
    with SQLDatabase(url, scope={"notes": "owner = :me"}, parameters={"me": 424242}) as database:
        for run in (database.query, database.check):
            with pytest.raises(SQLError) as caught:
                run(wrong[database.dialect])
            assert "424242" not in str(caught.value) and "owner" not in str(caught.value)


PLACES = {
    "postgres": [
        ("SELECT id\nFROM notes WHERE mood > 5", "line 2, column 23"),
        ("SELECT * FROM notes n JOIN free f", "the query ends too early"),
    ],
    "mysql": [
        ("SELECT id\nFROM notes ORDER BY id NULLS LAST", "'NULLS' at line 2, column 24"),
        ("SELECT MAX(id, 3) FROM notes", "at line 1, column 16"),
    ],
}


def test_places_are_those_of_the_query(url: str) -> None:
    """Checked or run, the place is one in the text as it was written."""
    with SQLDatabase(url) as database:
        for sql, said in PLACES[database.dialect]:
            for run in (database.query, database.check):
                with pytest.raises(SQLError) as caught:
                    run(sql)
                assert said in str(caught.value)
                assert "manual" not in str(caught.value)


def test_notes_on_servers(url: str) -> None:
    """A day that means its midnight is noted; a spelling that the server takes for the same is not."""
    with SQLDatabase(url) as database:
        late = database.query("SELECT COUNT(*) FROM free WHERE at <= '2024-02-02'").notes
        case = database.query("SELECT COUNT(*) FROM notes WHERE mood = 'CALM'").notes
    assert "2024-02-02 alone means its midnight" in late[0]
    assert bool(case) == (database.dialect == "postgres")
