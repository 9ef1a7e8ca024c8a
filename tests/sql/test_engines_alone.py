"""The engines without the guard before them: a text that comes that far still changes, locks and stops nothing."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import SQLError, SQLLimitReached
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.engine import Limits, RawRows, Watch
from jigwork.tools.sql.lengths import LONGEST, longest_text


@dataclass(frozen=True)
class Alone:
    """An engine with what a model may read through it."""

    database: SQLDatabase

    def run(self, sql: str, seconds: float = 0.5) -> RawRows:
        """Run a text as if the guard had passed it."""
        engine: Any = self.database._engine  # pyright: ignore[reportPrivateUsage]
        access: Any = self.database._access  # pyright: ignore[reportPrivateUsage]
        result: RawRows = engine.run(sql, access, Limits(100, 100_000, seconds), Watch(seconds), own=sql)
        return result


TABLES = """
CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT, pin TEXT);
CREATE TABLE stays (id INTEGER PRIMARY KEY AUTOINCREMENT, guest INTEGER, note TEXT);
CREATE TABLE vault (id INTEGER PRIMARY KEY, token TEXT);
CREATE VIEW tokens AS SELECT token FROM vault;
CREATE VIRTUAL TABLE pages USING fts5 (body, title);
CREATE VIRTUAL TABLE found USING fts5 (note, content='stays', content_rowid='id');
INSERT INTO pages VALUES ('a bright room', 'one');
INSERT INTO vault VALUES (1, 'hunter2');
INSERT INTO guests VALUES (1, 'Ada', '1234'), (2, 'Bo', '5678');
"""


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a hidden table, a hidden column, and virtual tables."""
    path = tmp_path_factory.mktemp("inn") / "inn.db"
    connection = sqlite3.connect(path)
    connection.executescript(TABLES)
    notes = [(number, number % 2 + 1, f"note {number}") for number in range(1, 2001)]
    connection.executemany("INSERT INTO stays VALUES (?, ?, ?)", notes)
    connection.execute("INSERT INTO found (found) VALUES ('rebuild')")
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def sqlite(inn: Path) -> Iterator[Alone]:
    """The engine of that file, and a look afterwards that not a byte of it changed."""
    before = hashlib.sha256(inn.read_bytes()).digest()
    beside = set(inn.parent.iterdir())
    with SQLDatabase(inn, deny=["vault", "guests.pin"]) as database:
        yield Alone(database)
    assert hashlib.sha256(inn.read_bytes()).digest() == before
    assert set(inn.parent.iterdir()) == beside


REFUSED = [
    *(
        "DELETE FROM stays",
        "UPDATE guests SET name = 'x'",
        "REPLACE INTO guests VALUES (1, 'x', 'y')",
        "VACUUM",
        "ANALYZE",
    ),
    *(
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "DROP TABLE stays",
        "REINDEX",
    ),
    *(
        "WITH x AS (SELECT 1) DELETE FROM stays",
        "DELETE FROM stays RETURNING id",
        "EXPLAIN DELETE FROM stays",
    ),
    *(
        "BEGIN EXCLUSIVE",
        "SAVEPOINT a",
        "COMMIT",
        "SELECT 1; DELETE FROM stays",
        "/* SELECT */ DELETE FROM stays",
    ),
    *(
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = WAL",
        "PRAGMA table_info(vault)",
    ),
    *(
        "PRAGMA hard_heap_limit = 1",
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA trusted_schema = ON",
        "PRAGMA data_version",
    ),
    *(
        "ATTACH ':memory:' AS m",
        "ATTACH 'file:/etc/passwd?mode=ro' AS p",
        "DETACH main",
        "VACUUM INTO 'copy.db'",
    ),
    *("SELECT * FROM sqlite_master", "SELECT * FROM main.sqlite_schema", "SELECT * FROM [SQLITE_MASTER]"),
    *(
        "SELECT * FROM sqlite_sequence",
        "SELECT * FROM dbstat",
        "SELECT * FROM pragma_table_list",
        "SELECT * FROM sqlite_stmt",
    ),
    *("SELECT * FROM vault", "SELECT COUNT(*) FROM vault", "SELECT 1 WHERE EXISTS (SELECT 1 FROM vault)"),
    *(
        "SELECT 1 WHERE 'hunter2' IN (SELECT token FROM vault)",
        "SELECT (SELECT token FROM vault)",
        "SELECT * FROM tokens",
    ),
    *(
        "WITH vault AS (SELECT * FROM main.vault) SELECT * FROM vault",
        "SELECT guests.token FROM vault guests",
    ),
    *(
        "WITH guests AS (SELECT * FROM vault) SELECT * FROM guests",
        "WITH tokens AS (SELECT * FROM vault) SELECT * FROM tokens",
    ),
    *(
        "SELECT pin FROM guests",
        "SELECT * FROM guests",
        "SELECT name FROM guests ORDER BY pin",
        "SELECT COUNT(pin) FROM guests",
    ),
    *(
        "SELECT name FROM guests WHERE pin LIKE '1%'",
        "SELECT MAX(pin) OVER () FROM guests",
        "SELECT name FROM guests GROUP BY pin",
    ),
    *(
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT zeroblob(9)",
    ),
    *(
        "SELECT printf('%1000000000d', 1)",
        "SELECT randomblob(1000000000)",
        "SELECT sqlite_version()",
        "SELECT char(65)",
    ),
    *(
        "SELECT * FROM json_each('[1]')",
        "INSERT INTO pages (pages) VALUES ('optimize')",
        "SELECT rtreecheck('main', 'pages')",
    ),
    *(
        "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT MAX(x) FROM c",
        "SELECT '\ud800'",
        "SELECT 'a",
    ),
    *(
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT 1" + " UNION ALL SELECT 1" * 500,
        "SELECT '" + "x" * 1_000_000 + "'",
    ),
]


@pytest.mark.parametrize("sql", REFUSED, ids=range(len(REFUSED)))
def test_sqlite_refuses(sqlite: Alone, sql: str) -> None:
    """Whatever is no plain reading of what may be read, SQLite itself refuses."""
    with pytest.raises(SQLError):
        sqlite.run(sql)


LONG = "(SELECT REPLACE(GROUP_CONCAT('aaaaaaa'), ',', 'a') AS g FROM stays a, stays b WHERE b.id <= 100)"
ENDLESS = [
    f"SELECT INSTR(g, SUBSTR(g, 1, LENGTH(g) / 2) || 'b') FROM {LONG}",
    f"SELECT LENGTH(REPLACE(g, SUBSTR(g, 1, LENGTH(g) / 2) || 'b', 'c')) FROM {LONG}",
    f"SELECT LENGTH(LTRIM(g, REPLACE(g, 'a', 'b') || 'a')) FROM {LONG}",
    f"SELECT g LIKE '%{'a' * 900}b' FROM {LONG}",
    f"SELECT g GLOB '*{'[^b]' * 240}b' FROM {LONG}",
    f"SELECT \"instr\"(g, SUBSTR(g, 1, LENGTH(g) / 2) || 'b') FROM {LONG}",
    f"SELECT like('%' || SUBSTR(g, 1, 900) || 'b', g) FROM {LONG}",
    f"SELECT LENGTH(LTRIM('{'a' * 90_000}', '{'b' * 90_000}a'))",
    "SELECT COUNT(*) FROM stays a, stays b, stays c, stays d",
    "SELECT a.note || b.note || c.note FROM stays a, stays b, stays c ORDER BY 1",
    "SELECT MAX(LENGTH(g)) FROM (SELECT GROUP_CONCAT(a.note) OVER (ORDER BY a.id, b.id) AS g FROM stays a, stays b)",
    "SELECT COUNT(*) FROM " + ", ".join(f"stays s{number}" for number in range(60)),
]


@pytest.mark.parametrize("sql", ENDLESS, ids=range(len(ENDLESS)))
def test_sqlite_stops(sqlite: Alone, sql: str) -> None:
    """What would run for minutes ends in time, also where it is one call that nothing can interrupt."""
    started = time.monotonic()
    with pytest.raises(SQLLimitReached):
        sqlite.run(sql)
    assert time.monotonic() - started < 2


SEARCHES = [
    ("SELECT name FROM guests", LONGEST),
    ("SELECT TRIM(name), UPPER(name) FROM guests", LONGEST),
    ("SELECT name FROM guests WHERE name LIKE '%a%'", LONGEST),
    ("SELECT REPLACE(name, 'a', 'b') FROM guests WHERE INSTR(name, 'c') > 0", LONGEST),
    ("SELECT 'LIKE', \"glob\" FROM guests -- INSTR(a, b)", LONGEST),
    ("SELECT name FROM guests WHERE name LIKE '%' || pin || '%'", 100_000),
    ("SELECT INSTR(name, pin) FROM guests", 50_000),
    ("SELECT TRIM(name, pin) FROM guests", 20_000),
    (f"SELECT name LIKE '{'x' * 998}' FROM guests", 100_000),
]


@pytest.mark.parametrize(("sql", "longest"), SEARCHES)
def test_how_long_a_searched_text_may_be(sql: str, longest: int) -> None:
    """A few words are looked for in any text; a column in a column only in texts of some pages."""
    assert longest_text(sql) == longest


def test_ordinary_searches_run(sqlite: Alone) -> None:
    """Names are compared with names as ever."""
    sql = "SELECT COUNT(*) FROM guests a JOIN stays b ON b.note LIKE '%' || a.id || '%' AND INSTR(b.note, a.id) > 0"
    expected = sum(str(guest) in str(number) for guest in (1, 2) for number in range(1, 2001))
    assert sqlite.run(sql).rows == [(expected,)]


def test_a_text_too_long_to_search_is_named(sqlite: Alone) -> None:
    """The refusal says what to do."""
    with pytest.raises(SQLLimitReached, match="too many to search for so much in it; look for less"):
        sqlite.run(ENDLESS[0])


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({}, ["found", "guests", "pages", "stays", "tokens", "vault"]),
        ({"deny": ["pages"]}, ["found", "guests", "stays", "tokens", "vault"]),
        ({"deny": ["stays.note"]}, ["guests", "pages", "stays", "tokens", "vault"]),
        ({"scope": {"stays": "guest = 1"}}, ["guests", "pages", "stays", "tokens", "vault"]),
    ],
)
def test_virtual_tables(inn: Path, options: dict[str, Any], seen: list[str]) -> None:
    """A full-text index is read like a table, shows nothing that is hidden, and what it keeps its rows in is no table."""
    with SQLDatabase(inn, **options) as database:
        assert sorted(table.name for table in database.schema.tables) == seen
        if "pages" in seen:
            assert database.query("SELECT title FROM pages WHERE body LIKE '%bright%'").rows == (("one",),)
        if "found" in seen:
            assert database.query("SELECT COUNT(*) FROM found").rows == ((2000,),)
        with pytest.raises(SQLError):
            Alone(database).run(
                "SELECT * FROM found_content" if "pages" in seen else "SELECT * FROM pages_content"
            )


# The servers


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Alone:
    """PostgreSQL as its own administrator: nothing but the session holds."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA alone")
        connection.execute("CREATE TABLE alone.stays (id INTEGER, note TEXT)")
        connection.execute("INSERT INTO alone.stays VALUES (1, 'x')")
        connection.execute("CREATE SEQUENCE alone.numbers")
    return Alone(SQLDatabase(postgres_url, schema="alone"))


@pytest.fixture(scope="module")
def mariadb(mariadb_url: str) -> Alone:
    """MariaDB as its own administrator."""
    from importlib import import_module

    driver: Any = import_module("pymysql")
    port = int(mariadb_url.rpartition(":")[2].partition("/")[0])
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    for statement in (
        "CREATE DATABASE alone",
        "CREATE TABLE alone.stays (id INTEGER, note TEXT)",
        "INSERT INTO alone.stays VALUES (1, 'x')",
        "CREATE SEQUENCE alone.numbers",
    ):
        connection.cursor().execute(statement)
    connection.close()
    return Alone(SQLDatabase(mariadb_url.replace("/shop", "/alone")))


POSTGRES = [
    *(
        "DELETE FROM stays",
        "TRUNCATE stays",
        "DROP TABLE stays",
        "CREATE TEMP TABLE t (a int)",
        "SELECT 1 INTO t",
        "VACUUM",
    ),
    *(
        "WITH x AS (DELETE FROM stays RETURNING id) SELECT * FROM x",
        "SELECT 1; DELETE FROM stays",
        "CALL p()",
        "BEGIN",
        "COMMIT",
    ),
    *(
        "SET TRANSACTION READ WRITE",
        "SET statement_timeout = 0",
        "RESET ROLE",
        "DISCARD ALL",
        "LOCK TABLE stays",
        "NOTIFY ch",
    ),
    *(
        "SELECT * FROM stays FOR UPDATE",
        "SELECT * FROM stays FOR KEY SHARE",
        "SELECT nextval('numbers')",
        "SELECT setval('numbers', 9)",
    ),
    *(
        "SELECT set_config('transaction_read_only', 'off', true)",
        "COPY stays TO '/tmp/jigwork-alone'",
        "SHOW data_directory",
    ),
    *(
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "DO $$ BEGIN NULL; END $$",
        "PREPARE p AS SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM stays",
    ),
    *(
        "SELECT pg_sleep(60)",
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)",
        "SELECT '\ud800'",
    ),
    *(
        "SELECT COUNT(*) FROM generate_series(1, 100000000000)",
        "SELECT repeat('x', 1000000000) FROM generate_series(1, 100)",
    ),
]
MARIADB = [
    *(
        "DELETE FROM stays",
        "TRUNCATE stays",
        "DROP TABLE stays",
        "CREATE TEMPORARY TABLE t (a int)",
        "RENAME TABLE stays TO t",
    ),
    *(
        "SET SESSION TRANSACTION READ WRITE",
        "SET GLOBAL max_connections = 9",
        "SET @a = 1",
        "SET STATEMENT sql_mode = '' FOR SELECT 1",
    ),
    *(
        "FLUSH TABLES WITH READ LOCK",
        "LOCK TABLES stays READ",
        "BACKUP STAGE START",
        "KILL 1",
        "SHUTDOWN",
        "COMMIT",
        "XA START 'x'",
    ),
    *(
        "HANDLER stays OPEN",
        "DO SLEEP(60)",
        "CALL p()",
        "EXECUTE IMMEDIATE 'DELETE FROM stays'",
        "BEGIN NOT ATOMIC SELECT 1; END",
    ),
    *(
        "SHOW GRANTS",
        "DESCRIBE stays",
        "USE mysql",
        "ANALYZE TABLE stays",
        "ANALYZE DELETE FROM stays",
        "INSTALL SONAME 'x'",
    ),
    *(
        "CHANGE MASTER TO MASTER_HOST = 'x'",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE stays",
        "SELECT 1; DELETE FROM stays",
    ),
    *(
        "SELECT 'x' INTO OUTFILE '/tmp/jigwork-alone'",
        "SELECT 1 UNION SELECT 2 INTO DUMPFILE '/tmp/jigwork-alone'",
        "SELECT 1 INTO @a",
    ),
    *(
        "SELECT /*! 1 INTO OUTFILE '/tmp/jigwork-alone' */",
        "SELECT 1 /*M! INTO OUTFILE '/tmp/jigwork-alone' */",
        "SELECT '\ud800'",
    ),
    *(
        "SELECT * FROM stays FOR UPDATE",
        "SELECT * FROM stays LOCK IN SHARE MODE",
        "SELECT NEXT VALUE FOR numbers",
        "SELECT SETVAL(numbers, 9)",
    ),
    *(
        "SELECT SLEEP(60)",
        "SELECT * FROM (SELECT SLEEP(60)) AS x",
        "/* SELECT */ DELETE FROM stays",
        "-- SELECT\nDELETE FROM stays",
    ),
]


@pytest.mark.external
@pytest.mark.parametrize("sql", POSTGRES, ids=range(len(POSTGRES)))
def test_postgres_refuses_or_stops(postgres: Alone, sql: str) -> None:
    """A read-only transaction, one statement in a cursor, and the time limit hold also an administrator."""
    started = time.monotonic()
    with pytest.raises(SQLError):
        postgres.run(sql)
    assert time.monotonic() - started < 2
    assert postgres.run("SELECT * FROM stays").rows == [(1, "x")]


@pytest.mark.external
@pytest.mark.parametrize("sql", MARIADB, ids=range(len(MARIADB)))
def test_mariadb_refuses_or_stops(mariadb: Alone, sql: str) -> None:
    """What is no SELECT is not sent, and one that writes a file, locks or sleeps is refused or stopped."""
    started = time.monotonic()
    with pytest.raises(SQLError):
        mariadb.run(sql)
    assert time.monotonic() - started < 2
    assert not Path("/tmp/jigwork-alone").exists()
    assert mariadb.run("SELECT * FROM stays").rows == [(1, "x")]


@pytest.mark.external
def test_words_in_quotes_are_no_statements(mariadb: Alone) -> None:
    """A text or a name may hold what a statement may not."""
    sql = "SELECT 'it''s INTO x; /*! */ FOR UPDATE' AS `into` FROM stays /* INTO OUTFILE */ -- LOCK IN SHARE MODE"
    assert mariadb.run(sql).rows == [("it's INTO x; /*! */ FOR UPDATE",)]


@pytest.mark.external
def test_nobody_waits_for_a_server_that_cannot_stop(postgres: Alone) -> None:
    """PostgreSQL does not look up while it compares two texts; whoever asked is told in time all the same."""
    started = time.monotonic()
    with pytest.raises(SQLLimitReached, match="took longer than"):
        postgres.run("SELECT repeat('a', 160000) LIKE '%' || repeat('a', 80000) || 'b'")
    assert time.monotonic() - started < 3
