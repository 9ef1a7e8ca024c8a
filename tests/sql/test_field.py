"""What went wrong with SQL in other frameworks, one test per report; the numbers are those of the reports' list."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jigwork.errors import SQLError, SQLRefused
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.guard import check

INJECTED = [
    "DROP TABLE customers",
    "SELECT name FROM customers; DELETE FROM orders",
    "SELECT writefile('/tmp/jigwork_owned', 'x')",
    "ATTACH DATABASE '/tmp/jigwork_owned' AS x",
    "SELECT fts3_tokenizer('simple', x'00')",
]


@pytest.mark.parametrize("sql", INJECTED)
def test_41_vanna_1078_what_a_model_writes_is_not_run_as_it_is(shop: SQLDatabase, sql: str) -> None:
    """An instruction that slipped into a model's input cannot make the database do anything but read."""
    assert not shop.grammar().accepts(sql)
    with pytest.raises(SQLRefused):
        shop.query(sql)
    assert not Path("/tmp/jigwork_owned").exists()
    assert shop.query("SELECT COUNT(*) FROM orders").rows == ((200,),)


BEGINS_WITH_SELECT = [
    "SELECT * INTO copies FROM customers",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_sleep(100)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT * FROM dblink('dbname=x', 'SELECT 1') AS t (a int)",
    "SELECT setval('s', 1)",
    "SELECT nextval('s')",
    "SELECT id FROM customers FOR UPDATE",
    "SELECT set_config('search_path', 'x', false)",
    "SELECT pg_advisory_lock(1)",
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT id FROM customers WHERE id = (SELECT pg_sleep(10))::int",
    "SELECT COUNT(*) FILTER (WHERE pg_sleep(1) IS NULL) FROM customers",
]


@pytest.mark.parametrize("sql", BEGINS_WITH_SELECT)
def test_42_rocketride_2087_beginning_with_select_is_not_enough(sql: str) -> None:
    """What begins with SELECT and is more than reading is refused by name or by construct."""
    schema = Schema((Table("customers", (Column("id"), Column("name"))),), dialect="postgres")
    with pytest.raises(SQLRefused):
        check(sql, schema)


METADATA = [
    "SHOW TABLES",
    "DESCRIBE customers",
    "EXPLAIN SELECT name FROM customers",
    "EXPLAIN QUERY PLAN SELECT name FROM customers",
    "SELECT sql FROM sqlite_master",
    "SELECT name FROM customers WHERE name IN (SELECT name FROM sqlite_schema)",
    "WITH x AS (SELECT token FROM secrets) SELECT * FROM x",
    "SELECT (SELECT token FROM secrets)",
    "SELECT name FROM customers UNION SELECT token FROM secrets",
    "SELECT c.name FROM customers c JOIN secrets s ON 1 = 1",
]


@pytest.mark.parametrize("sql", METADATA)
def test_43_sqlbot_841_tables_are_allowed_by_what_is_parsed(shop: SQLDatabase, sql: str) -> None:
    """Metadata commands and tables out of bounds are refused wherever they stand."""
    with pytest.raises(SQLRefused):
        shop.query(sql)


def test_44_llama_index_9957_a_file_is_opened_read_only(shop_path: Path) -> None:
    """Using a database leaves its file, and its folder, as they were."""
    before = hashlib.sha256(shop_path.read_bytes()).hexdigest(), sorted(shop_path.parent.iterdir())
    with SQLDatabase(shop_path) as database:
        database.query("SELECT name FROM customers ORDER BY name")
        for sql in ("INSERT INTO orders VALUES (1, 1, 1, 1, 1)", "VACUUM", "PRAGMA journal_mode = WAL"):
            with pytest.raises(SQLError):
                database.query(sql)
    assert (hashlib.sha256(shop_path.read_bytes()).hexdigest(), sorted(shop_path.parent.iterdir())) == before


def test_45_langchain_11243_hidden_is_not_absent_and_not_empty(shop_path: Path) -> None:
    """What policy hides is answered as not available here: never as missing, never as no rows."""
    database = SQLDatabase(shop_path, deny=["secrets", "customers.email"])
    for sql in ("SELECT * FROM secrets", "SELECT COUNT(*) FROM secrets", "SELECT email FROM customers"):
        with pytest.raises(SQLRefused) as caught:
            database.query(sql)
        assert "is not available here" in str(caught.value)
    with pytest.raises(SQLRefused, match="there is no table nothing here"):
        database.query("SELECT * FROM nothing")


def test_45_langchain_11243_rows_out_of_scope_are_not_taken_for_none(shop_path: Path) -> None:
    """An empty result because of row security is not read as an answer: prompt, tools and result say what is missing."""
    with SQLDatabase(shop_path, scope={"orders": "customer_id = :me"}, parameters={"me": 7}) as database:
        described = "orders (only a part of its rows is available here)"
        explore, find = (
            next(tool.function for tool in database.explorers() if tool.name == name)
            for name in ("describe_tables", "find_values")
        )
        for text in (database.prompt(), explore(names=["orders"]), explore(names=[])):
            assert described in text and "= 7" not in text and ":me" not in text
        assert "customers (40 rows)" in database.prompt()
        assert find(text="refunded", table="orders") == (
            "no text column holds 'refunded' (only a part of the rows of orders is available here)"
        )
        others = database.query("SELECT total FROM orders WHERE customer_id = 8")
        assert others.rows == ()
        assert others.notes == ("no row matches", "only a part of the rows of orders is available here")
        counted = database.query("SELECT COUNT(*) FROM customers c JOIN orders o ON o.customer_id = c.id")
        assert counted.notes == ("only a part of the rows of orders is available here",)


def test_46_a_missing_letter_is_told_and_not_repaired(shop: SQLDatabase) -> None:
    """A filter on a value that is not stored keeps its result, and says which value is near."""
    result = shop.query(
        "SELECT SUM(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'Frace'"
    )
    assert result.rows == ((None,),)
    assert "customers.country never is 'Frace'; nearest: 'France'" in result.notes
    grounded = shop.grammar(values=True)
    sql = "SELECT customers.name FROM customers WHERE customers.country = '{}' LIMIT 5"
    assert grounded.accepts(sql.format("France"))
    assert not grounded.accepts(sql.format("Frace"))
