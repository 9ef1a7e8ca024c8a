"""What a model reads when the database refuses its query: what, where in its own text, and nothing of the driver."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from jigwork.errors import ConfigurationError, SQLError
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.guard import check
from jigwork.tools.sql.result import json_value

SAID = [
    ("SELECT id FROM orders LIMIT 1.5", "LIMIT and OFFSET take whole numbers"),
    ("SELECT id FROM customers FETCH FIRST 3 ROWS ONLY", "cannot read 'FIRST' at line 1, column 32"),
    ("SELECT name\nFROM customers WHERE name ILIKE 'c%'", "cannot read 'ILIKE' at line 2, column 27"),
    ("SELECT name FROM customers WHERE name REGEXP 'a'", "REGEXP is not available here"),
    ("SELECT id FROM orders WHERE (id, total) = (1, 2, 3)", "several values stand where one is expected"),
    ("SELECT json_extract('{', '$.x') FROM customers", "keep such rows out with json_valid"),
    ("SELECT DIV(1, 0)", "something is missing or stands at the wrong place"),
    ("SELECT nme FROM customers", "no column nme in customers at line 1, column 8; nearest: name"),
    ("SELECT name FROM custmers", "there is no table custmers here at line 1, column 18; nearest: customers"),
]


@pytest.mark.parametrize(("sql", "said"), SAID)
def test_it_is_said_in_words(shop: SQLDatabase, sql: str, said: str) -> None:
    """The sentence names what is wrong and where; no class and no driver is in it."""
    with pytest.raises(SQLError) as caught:
        shop.query(sql)
    assert said in str(caught.value)
    assert not [
        noise for noise in ("sqlite3", "sqlglot", "<class", "Traceback") if noise in str(caught.value)
    ]


def test_the_nearest_name_is_written_as_it_must_be() -> None:
    """A name that needs quotes is shown with them: without, it would be the same mistake again."""
    columns = (Column("ArtistId"), Column("name"))
    schema = Schema((Table("Artist", columns), Table("album", (Column("Title Text"),))), dialect="postgres")
    for sql, said in (
        ("SELECT 1 FROM Artist", 'nearest: "Artist"'),
        ('SELECT artistid FROM "Artist"', 'it is in "Artist"."ArtistId"'),
        ('SELECT "Title Text" FROM "Artist"', 'it is in album."Title Text"'),
    ):
        with pytest.raises(SQLError) as caught:
            check(sql, schema)
        assert str(caught.value).endswith(said)


URLS = [
    ("mysql://root:hunter2@127.0.0.1:abc/shop", "mysql"),
    ("mysql://root:hun/ter2@127.0.0.1:3306/shop", "mysql"),
    ("postgresql://jig:hunter2%zz@127.0.0.1:1/shop", "postgres"),
    ("postgresql://jig:hun@ter2@127.0.0.1:1/shop", "postgres"),
    ("postgresql://jig:hun/ter2@127.0.0.1:1/shop", "postgres"),
    ("postgresql://jig:hunter2@127.0.0.1:1/shop?nosuch=1", "postgres"),
]


@pytest.mark.parametrize(("url", "kind"), URLS)
def test_no_url_shows_its_password(url: str, kind: str) -> None:
    """A URL that cannot be read, or does not lead anywhere, is an error with the way to write it, without its parts."""
    pytest.importorskip({"mysql": "pymysql", "postgres": "psycopg"}[kind])
    with pytest.raises(ConfigurationError) as caught:
        SQLDatabase(url)
    said: BaseException | None = caught.value
    while said is not None:
        assert not [part for part in ("hunter2", "ter2", "hun/", "hun@") if part in str(said)]
        said = None if said.__suppress_context__ else said.__context__


JSON = [
    (Decimal("0E-10"), "0.0000000000"),
    (Decimal("1234567890.0123456789"), "1234567890.0123456789"),
    (Decimal("NaN"), "NaN"),
    (Decimal("1E+500"), "1E+500"),
    (timedelta(hours=-100), "-100:00:00"),
    (timedelta(hours=838, minutes=59, seconds=59), "838:59:59"),
    (timedelta(microseconds=1500), "00:00:00.001500"),
    (float("inf"), "inf"),
    (2**70, str(2**70)),
    (b"\x00\xff", "<binary, 2 bytes>"),
    (date(2024, 2, 29), "2024-02-29"),
]


@pytest.mark.parametrize(("value", "written"), JSON)
def test_values_as_json(value: object, written: str) -> None:
    """What JSON has no form for is written as the databases write it."""
    assert json_value(value) == written


def test_a_locked_file_is_said(tmp_path: Path) -> None:
    """A database that another program is writing is waited for, and then named as locked."""
    path = tmp_path / "busy.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.executescript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    with SQLDatabase(path, timeout=0.3) as database:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SQLError) as caught:
            database.query("SELECT a FROM t")
        writer.execute("ROLLBACK")
        assert database.query("SELECT a FROM t").rows == ((1,),)
    writer.close()
    assert "another program has locked it" in str(caught.value)
