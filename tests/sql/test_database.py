"""SQLDatabase on SQLite: what it reads of a schema, what a query gives, what its limits stop."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jigwork.errors import ConfigurationError, SQLError, SQLLimitReached, SQLRefused
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.engine import Access, Limits, Watch
from jigwork.tools.sql.sqlite import SQLiteEngine


def test_schema_holds_kinds_keys_and_values(shop: SQLDatabase) -> None:
    """Kinds come from the types and, for text that holds dates, from the data; keys and values are there."""
    customers, orders = shop.schema.table("customers"), shop.schema.table("orders")
    assert [c.kind for c in customers.columns] == ["integer", "text", "text", "text", "date"]
    assert orders.column("placed").kind == "datetime"
    assert customers.column("country").values == ("Brazil", "Côte d'Ivoire", "France")
    assert customers.column("name").values is None
    assert (customers.primary_key, customers.unique, customers.rows) == (("id",), (("email",),), 40)
    assert [(k.columns, k.table, k.references) for k in orders.foreign_keys] == [
        (("customer_id",), "customers", ("id",))
    ]
    assert shop.schema.table("big_orders").is_view


def test_query_gives_typed_rows(shop: SQLDatabase) -> None:
    """Columns carry name and type, rows are tuples, and nothing is said that need not be."""
    result = shop.query(
        "SELECT customers.country, COUNT(*) AS n, SUM(orders.total) AS total FROM customers "
        "JOIN orders ON orders.customer_id = customers.id GROUP BY customers.country ORDER BY COUNT(*) DESC LIMIT 5"
    )
    assert [(c.name, c.type) for c in result.columns] == [
        ("country", "text"),
        ("n", "integer"),
        ("total", "number"),
    ]
    assert sum(row[1] for row in result.rows) == 200
    assert (result.row_count, result.truncated) == (len(result.rows), False)
    data = json.loads(result.for_model())
    assert list(data) == ["columns", "rows", "row_count", "truncated", "notes"]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            'SELECT "Select"."from", "Select"."we""ird", "Select"."a b.c" FROM "Select" LIMIT 1',
            [("x", "y", "z")],
        ),
        ('SELECT "Select"."größe" FROM "Select" LIMIT 1', [(3,)]),
        ('SELECT COUNT(*) FROM "order lines" LIMIT 1', [(400,)]),
        ("SELECT big_orders.amount FROM big_orders ORDER BY big_orders.id ASC LIMIT 1", [("102.50",)]),
    ],
)
def test_any_name_can_be_asked(shop: SQLDatabase, sql: str, rows: list[tuple[object, ...]]) -> None:
    """Keywords, quotes, spaces, dots and letters beyond ASCII work as names; so does a view that calls functions."""
    assert list(shop.query(sql).rows) == rows


def test_rows_beyond_the_limit_are_counted_not_kept(shop_path: Path) -> None:
    """A cut result says how many rows there are."""
    result = SQLDatabase(shop_path, max_rows=10).query("SELECT * FROM orders")
    assert (len(result.rows), result.row_count, result.truncated) == (10, 200, True)
    assert "200 rows in all" in result.notes[0]


def test_bytes_beyond_the_limit_are_not_kept(shop_path: Path) -> None:
    """A result is cut by size too."""
    result = SQLDatabase(shop_path, max_bytes=1_000).query("SELECT * FROM orders")
    assert result.truncated
    assert 0 < len(result.rows) < 200
    assert result.row_count == 200


def test_an_empty_result_says_so(shop: SQLDatabase) -> None:
    """No rows is a fact worth a note."""
    assert shop.query("SELECT customers.id FROM customers WHERE customers.id > 999 LIMIT 1").notes == (
        "no row matches",
    )


SLOW = "SELECT COUNT(*) FROM orders AS a, orders AS b, orders AS c, orders AS d WHERE a.total + b.total = c.total + d.id"


def test_time_limit_stops_the_query(shop_path: Path) -> None:
    """A query over its time is interrupted inside SQLite, at once."""
    engine = SQLiteEngine(shop_path)
    access = Access.of(engine.reflect(), ["COUNT"])
    started = time.monotonic()
    with pytest.raises(SQLLimitReached, match=r"longer than 0\.3 s"):
        engine.run(SLOW, access, Limits(10, 1_000, 0.3), Watch(0.3))
    assert time.monotonic() - started < 1.5


def test_cancelling_stops_the_query(shop_path: Path) -> None:
    """Setting the event from another thread ends the query for real."""
    engine = SQLiteEngine(shop_path)
    access = Access.of(engine.reflect(), ["COUNT"])
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(SQLError, match="cancelled"):
        engine.run(SLOW, access, Limits(10, 1_000, 30), Watch(30, cancel))
    assert time.monotonic() - started < 5


def test_a_missing_file_is_never_created(tmp_path: Path) -> None:
    """Opening what is not there is an error that names the path."""
    path = tmp_path / "no.db"
    with pytest.raises(ConfigurationError, match=r"no database file .*no\.db"):
        SQLDatabase(path)
    assert not path.exists()


@pytest.mark.parametrize("source", ["", ":memory:", "sqlite://", "oracle://x/y"])
def test_what_cannot_be_opened_says_why(source: str) -> None:
    """Sources that can hold nothing are refused at once."""
    with pytest.raises(ConfigurationError):
        SQLDatabase(source)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A text file is refused with the reason."""
    path = tmp_path / "notes.db"
    path.write_text("nothing to see here, and long enough to be read as a header" * 20)
    with pytest.raises(ConfigurationError, match="not a readable SQLite database"):
        SQLDatabase(path)


def test_unknown_table_names_are_corrected(shop_path: Path) -> None:
    """Allowing a table that is not there names the nearest."""
    with pytest.raises(ConfigurationError, match="did you mean 'customers'"):
        SQLDatabase(shop_path, tables=["custommers"])


def test_url_and_path_open_the_same(shop_path: Path) -> None:
    """A SQLAlchemy URL and a path give one schema."""
    assert SQLDatabase(f"sqlite:///{shop_path}").schema == SQLDatabase(shop_path).schema


def test_denied_tables_are_nowhere(shop: SQLDatabase) -> None:
    """What is denied is in no schema and no prompt, and is answered as not available."""
    assert "secrets" not in [table.name for table in shop.schema.tables]
    assert "secrets" not in shop.prompt()
    with pytest.raises(SQLRefused, match="secrets is not available here"):
        shop.query("SELECT token FROM secrets")


def test_prompt_is_compact_and_complete(shop: SQLDatabase) -> None:
    """The description names tables, columns, kinds, keys, values and foreign keys, and can be cut."""
    text = shop.prompt()
    assert "customers (40 rows)" in text
    assert "country text ('Brazil' | 'Côte d''Ivoire' | 'France')" in text
    assert "customer_id -> customers.id" in text
    assert '"unit price" number' in text
    assert "more tables, not described here" in shop.prompt(max_characters=300)


@pytest.mark.parametrize("room", [0, 300, 2000, 6000])
def test_a_long_prompt_is_cut_between_names(tmp_path: Path, room: int) -> None:
    """However many tables find no room, the text is about as long as it may be, and no name is a half."""
    path = tmp_path / "wide.db"
    names = [f"ledger_of_the_year_{number}" for number in range(400)]
    with sqlite3.connect(path) as connection:
        for name in names:
            connection.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, amount REAL)")
    with SQLDatabase(path) as database:
        *_, last = database.prompt(max_characters=room).splitlines()
        assert len(database.prompt(max_characters=room)) < room + 300
    listed = last.partition(": ")[2].split(", ")
    assert last.startswith("and ") and listed[-1] == "..."
    assert set(listed[:-1]) <= set(names) and len(listed) > 5


def test_threads_share_one_database(shop: SQLDatabase) -> None:
    """Many threads may query at once."""

    def count(least: int) -> int:
        result = shop.query(f"SELECT COUNT(*) FROM orders WHERE orders.total > {least} LIMIT 1")
        return int(result.rows[0][0])

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(count, range(0, 500, 10)))
    assert results == [sum(1 for i in range(1, 201) if i * 2.5 > n) for n in range(0, 500, 10)]


def test_the_file_is_never_changed(shop_path: Path) -> None:
    """Even past the guard, the engine refuses to write, attach, or read what is not allowed."""
    engine = SQLiteEngine(shop_path)
    schema = engine.reflect()
    kept = type(schema)(tuple(t for t in schema.tables if t.name != "secrets"))
    access, limits = Access.of(kept, ["COUNT"]), Limits(10, 1_000, 1)
    for sql in (
        "DELETE FROM orders",
        "CREATE TABLE x (a)",
        "PRAGMA query_only = OFF",
        "ATTACH '/tmp/x.db' AS y",
        "SELECT token FROM secrets",
        "SELECT COUNT(*) FROM secrets",
        "SELECT sql FROM sqlite_master",
        "SELECT randomblob(10)",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
        "WITH big_orders AS (SELECT token FROM secrets) SELECT * FROM big_orders",
        "BEGIN EXCLUSIVE",
    ):
        with pytest.raises(SQLError):
            engine.run(sql, access, limits, Watch(1))
    with sqlite3.connect(shop_path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM orders").fetchone() == (200,)


def test_products_of_large_tables_are_refused(tmp_path: Path) -> None:
    """A join without a condition is refused before it runs, where its tables are large; small ones may."""
    path = tmp_path / "large.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE many (a INTEGER)")
        connection.executemany("INSERT INTO many VALUES (?)", [(i,) for i in range(3000)])
        connection.execute("CREATE TABLE few (a INTEGER)")
        connection.execute("INSERT INTO few VALUES (1)")
    database = SQLDatabase(path)
    for judge in (database.query, database.check):
        with pytest.raises(SQLLimitReached, match="x, y are joined by no equality"):
            judge("SELECT COUNT(*) FROM many AS x, many AS y WHERE x.a < y.a")
    assert database.query("SELECT COUNT(*) FROM many, few").rows == ((3000,),)
    assert database.query("SELECT COUNT(*) FROM many AS x JOIN many AS y ON x.a = y.a").rows == ((3000,),)


def test_a_question_narrows_prompt_and_grammar(tmp_path: Path) -> None:
    """With a question, a large database shows only what the question is about."""
    path = tmp_path / "wide.db"
    with sqlite3.connect(path) as connection:
        for number in range(40):
            connection.execute(f"CREATE TABLE noise_{number} (id INTEGER)")
        connection.execute("CREATE TABLE invoices (id INTEGER, amount REAL)")
    database = SQLDatabase(path)
    question = "What is the total amount of all invoices?"
    assert "invoices" in database.prompt(question=question)
    assert "noise_7" not in database.prompt(question=question)
    assert "noise_7" in database.prompt()
    grammar = database.grammar(question=question)
    assert grammar.accepts("SELECT SUM(invoices.amount) FROM invoices LIMIT 1")
    assert not grammar.accepts("SELECT noise_7.id FROM noise_7 LIMIT 1")


def test_canonicalize_knows_the_database(shop: SQLDatabase) -> None:
    """The database's own door to `canonicalize` keeps to its limits and to what it hides."""
    canonical = shop.canonicalize("select name from customers")
    assert (canonical.sql, canonical.limit_added) == ("SELECT customers.name FROM customers LIMIT 1000", True)
    with pytest.raises(SQLRefused, match="secrets is not available here"):
        shop.canonicalize("select token from secrets")
