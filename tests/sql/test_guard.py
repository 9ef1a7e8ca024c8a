"""The guard alone: what it refuses and in which words, and what it must let through."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from jigwork.errors import SQLError, SQLRefused
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql import sql_grammar
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.guard import check

REFUSED = [
    ("SELECT nam FROM customers", "no column nam in customers at line 1, column 8; nearest: name"),
    ("SELECT x FROM customers WHERE x = 1", "no column x in customers"),
    (
        "SELECT total FROM customers",
        "no column total in customers at line 1, column 8; it is in orders.total",
    ),
    ("SELECT orders.total FROM customers", "orders is not in FROM"),
    ("SELECT customers.id FROM customers AS c", "customers has the alias c here"),
    ("SELECT id FROM customers, orders", "ambiguous; write one of customers.id, orders.id"),
    ("SELECT * FROM costumers", "there is no table costumers here at line 1, column 15; nearest: customers"),
    (
        "SELECT lenght(name) FROM customers",
        "function lenght is not available here at line 1, column 8; nearest: LENGTH",
    ),
    ("SELECT load_extension('x') FROM customers", "load_extension is not available"),
    ('SELECT "nobody" FROM customers', "a text is written in single quotes: 'nobody'"),
    ("SELECT name FROM customers ORDER BY 2", "position 2 is none of the 1 result columns"),
    (
        "SELECT name FROM customers UNION SELECT title FROM products ORDER BY price",
        "ORDER BY of a set operation",
    ),
    ("SELECT 1; SELECT 2", "only one statement"),
    ("UPDATE customers SET name = 'x'", "UPDATE is not allowed: only SELECT"),
    ("WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x", "DELETE is not allowed"),
    (
        "WITH orders AS (SELECT 1 AS id) SELECT * FROM orders",
        "orders is a table; name the WITH query otherwise",
    ),
    ("SELECT * FROM pragma_table_info('orders')", "only tables of the schema may stand in FROM"),
    ("SELECT name FROM customers WHERE id = ?", "a parameter is not allowed"),
    ("SELECT name FROM customers WHERE name = 'x", "has no end"),
    ("SELECT /* a /* b */ name FROM customers", "comment"),
    ("", "empty"),
    ("SELECT " + "(" * 60 + "1" + ")" * 60, "nest deeper than 40"),
    ("SELECT " + "NOT " * 60 + "1", "in a row"),
    ("SELECT 1 " * 10_000, "characters; at most"),
    ("SELECT\u20281", "U+2028 is not allowed"),
    ("SELECT name FROM cu\u017ftomers", "U+017F is not allowed"),
    ("SELECT '\ud800'", "cannot be sent"),
    ("SELECT a.x FROM (SELECT id FROM orders) AS a", "a has no column x"),
    ("WITH c AS (SELECT id AS n FROM orders) SELECT c.m FROM c", "c has no column m"),
    ("SELECT rowid FROM orders", "no column rowid"),
    ("SELECT FROM WHERE", "cannot be read as SQL"),
]

ALLOWED = [
    "select NAME from Customers where COUNTRY = 'France'",
    "SELECT c.name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    "SELECT name AS n FROM customers ORDER BY n",
    "SELECT country, COUNT(*) AS n FROM customers GROUP BY 1 HAVING n > 3 ORDER BY 2 DESC",
    "WITH a AS (SELECT id AS c, total AS s FROM orders), b AS (SELECT MAX(s) AS m FROM a) SELECT a.c FROM a, b WHERE s = m",
    "SELECT t.n FROM (SELECT COUNT(*) AS n FROM orders) AS t -- the number of orders",
    "SELECT 'DROP TABLE orders; --' AS s",
    "SELECT name FROM customers NATURAL JOIN (SELECT id FROM orders)",
    'SELECT id, total FROM orders JOIN "order lines" ON order_id = id WHERE qty > 1 ;  ',
    "SELECT e.name, b.name FROM employees e LEFT JOIN employees b ON b.id = e.boss_id",
    "SELECT SUM(total) OVER (PARTITION BY customer_id ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders",
    "SELECT main.orders.id FROM main.orders",
    "SELECT name FROM customers UNION SELECT title FROM products ORDER BY name LIMIT 3",
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_refusals_say_what_where_and_what_else(shop: SQLDatabase, sql: str, message: str) -> None:
    """What may not run is refused in a sentence that a model can act on."""
    with pytest.raises(SQLRefused) as caught:
        shop.query(sql)
    assert message in str(caught.value)
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize("sql", ALLOWED)
def test_ordinary_queries_run(shop: SQLDatabase, sql: str) -> None:
    """Free SQL that only reads the schema passes and runs, canonical or not."""
    shop.query(sql)


def test_attacks_are_refused_or_stopped(shop_path: Path, corpora: Path, tmp_path: Path) -> None:
    """Every attack on a database is refused, or stopped by limits where that is what it needs, within two seconds."""
    database = _chinook(corpora, tmp_path)
    for line in (corpora / "sql_attacks" / "attacks_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        started = time.monotonic()
        try:
            database.query(row["sql"])
            ran = True
        except SQLError:
            ran = False
        assert time.monotonic() - started < 2, row["id"]
        assert not ran or row["must"] == "refuse_or_stop", row["id"]


def test_lookalikes_pass(corpora: Path, tmp_path: Path) -> None:
    """What only looks like an attack runs."""
    database = _chinook(corpora, tmp_path)
    for line in (corpora / "sql_attacks" / "benign_half.jsonl").read_text().splitlines():
        database.query(json.loads(line)["sql"])


def _chinook(corpora: Path, folder: Path) -> SQLDatabase:
    import sqlite3

    path = folder / "music.db"
    connection = sqlite3.connect(path)
    connection.executescript((corpora / "sql_attacks" / "chinook_schema.sql").read_text())
    connection.close()
    return SQLDatabase(path, timeout=1.5)


HOSTILE = [
    "SELECT id FROM customers; DELETE FROM orders",
    "SELECT 1;;SELECT 2",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM json_each('[1]')",
    "SELECT * FROM main.sqlite_schema",
    "SELECT * FROM [sqlite_master]",
    "SELECT * FROM temp.customers",
    "SELECT 'x' WHERE EXISTS (SELECT load_extension('x'))",
    "SELECT name FROM customers ORDER BY load_extension('x')",
    "SELECT COUNT(*) FILTER (WHERE load_extension('x')) FROM customers",
    "SELECT SUM(1) OVER (ORDER BY load_extension('x')) FROM customers",
    "SELECT name FROM customers LIMIT load_extension('x')",
    'SELECT "load_extension"(1)',
    "SELECT main.load_extension('x')",
    "SELECT lo\u0430d_extension('x')",
    "SELECT \uff0a FROM customers",
    "\uff33\uff25\uff2c\uff25\uff23\uff34 1",
    "SELECT id\u200bFROM customers",
    "\ufeffSELECT 1",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT format('%.*c', 1000000000, 'x')",
    "SELECT REPLACE(REPLACE(REPLACE(name, 'a', name), 'b', name), 'c', name) FROM customers",
    "WITH RECURSIVE c(s) AS (SELECT 'a' UNION ALL SELECT s || s FROM c) SELECT LENGTH(s) FROM c",
    "WITH x AS (SELECT 1) INSERT INTO customers SELECT 1, 1, 1, 1, 1",
    "SELECT id FROM customers RETURNING id",
    "SELECT /*! 1 */ 1",
    "SELECT x'41'",
    "SELECT name FROM customers WHERE id = :id",
    "SELECT name FROM customers WHERE id IN secrets",
    "SELECT 1 FROM customers NATURAL JOIN secrets",
    "SELECT secrets.* FROM customers",
    "SELECT name FROM customers ORDER BY (SELECT token FROM secrets)",
    "SELECT customers.rowid FROM customers",
    "SELECT sqlite_version()",
    "SELECT * INTO copies FROM customers",
    "VALUES (load_extension('x'))",
    "VALUES (1), ((SELECT sql FROM sqlite_master))",
    "SELECT 1 UNION VALUES (readfile('x'))",
    "TABLE customers",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "-" * 5000 + "1",
    "SELECT 1" + " UNION SELECT 1" * 3000,
    "SELECT id FROM customers WHERE id IN (" + ", ".join(map(str, range(200_000))) + ")",
    "SELECT '" + "x" * 10_000_000 + "'",
    "SELECT " + "CASE WHEN 1 THEN " * 1000 + "1" + " END" * 1000,
    "SELECT * FROM " + "(SELECT * FROM " * 300 + "customers" + ")" * 300,
    "VALUES " + ", ".join(["(1)"] * 2000),
    "SELECT (" + "placed -> " * 2000 + "'b' FROM orders",
    "SELECT " + "missing -> " * 2000 + "'b' FROM orders",
]


@pytest.mark.parametrize("sql", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_refused_at_once(shop: SQLDatabase, sql: str) -> None:
    """The grammar has no such sentence, and the guard alone refuses the text, in less than two seconds."""
    started = time.monotonic()
    assert len(sql) > 20_000 or not shop.grammar().accepts(sql)
    with pytest.raises(SQLRefused):
        shop.check(sql)
    assert time.monotonic() - started < 2


HOSTILE_ELSEWHERE = [
    ("postgres", "SELECT pg_catalog.pg_sleep(10)"),
    ("postgres", "SELECT id FROM customers ORDER BY pg_sleep(5)"),
    ("postgres", "SELECT * FROM customers, LATERAL pg_sleep(3) x"),
    ("postgres", "SELECT * FROM customers TABLESAMPLE SYSTEM (pg_sleep(1))"),
    ("postgres", "SELECT * FROM ROWS FROM (pg_ls_dir('/')) x"),
    ("postgres", "SELECT generate_series(1, 1000000000)"),
    ("postgres", "SELECT REPEAT('x', 1000000000)"),
    ("postgres", "SELECT LPAD('x', 1000000000, 'y')"),
    ("postgres", "SELECT query_to_xml('SELECT 1', true, true, '')"),
    ("postgres", "SELECT 'customers'::regclass"),
    ("postgres", "SELECT c FROM customers c"),
    ("postgres", "SELECT ROW_TO_JSON(c) FROM customers c"),
    ("postgres", "SELECT COUNT(c) FROM customers c"),
    ("postgres", "SELECT (c).* FROM customers c"),
    ("postgres", "SELECT ctid, xmin FROM customers"),
    ("postgres", "SELECT email FROM customers"),
    ("postgres", "SELECT DISTINCT ON (email) name FROM customers"),
    ("postgres", "SELECT a.id FROM customers a JOIN customers b USING (email)"),
    ("postgres", "SELECT name, RANK() OVER (ORDER BY email) FROM customers"),
    ("postgres", 'SELECT U&"\\0065mail" FROM customers'),
    ("postgres", "SELECT 1 OPERATOR(pg_catalog.+) 1"),
    ("postgres", "SELECT $$x$$"),
    ("postgres", "SELECT * FROM (SELECT id FROM customers FOR UPDATE) x"),
    ("postgres", "WITH x AS (UPDATE customers SET name = 'x' RETURNING id) SELECT 1"),
    ("postgres", "COPY (SELECT 1) TO PROGRAM 'id'"),
    ("postgres", "EXPLAIN ANALYZE DELETE FROM customers"),
    ("postgres", "SELECT current_user"),
    ("postgres", "SELECT nextval('s'), set_config('a', 'b', false), lo_import('/etc/passwd')"),
    ("mysql", "SELECT SLEEP(5)"),
    ("mysql", "SELECT `sleep`(5)"),
    ("mysql", "SELECT IF(1, SLEEP(3), 0)"),
    ("mysql", "SELECT BENCHMARK(1000000000, MD5('x'))"),
    ("mysql", "SELECT GET_LOCK('a', 10)"),
    ("mysql", "SELECT 1 INTO @a"),
    ("mysql", "SELECT 'x' INTO DUMPFILE '/tmp/x'"),
    ("mysql", "SELECT @@global.secure_file_priv"),
    ("mysql", "SELECT 1 /*M! UNION SELECT 2 */"),
    ("mysql", "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1"),
    ("mysql", "SELECT 1--1"),
    ("mysql", "SELECT 1 # comment"),
    ("mysql", "SELECT * FROM mysql.user"),
    ("mysql", "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) t"),
    ("mysql", "SELECT extractvalue(1, concat(0x7e, version()))"),
    ("mysql", "SELECT DEFAULT(email) FROM customers"),
    ("mysql", "SELECT name FROM customers PROCEDURE ANALYSE()"),
    ("mysql", "SELECT name FROM customers LOCK IN SHARE MODE"),
    ("mysql", "EXECUTE IMMEDIATE 'SELECT SLEEP(3)'"),
    ("duckdb", "SELECT * FROM read_csv('/etc/passwd')"),
    ("duckdb", "SELECT * FROM '/etc/passwd'"),
    ("duckdb", "FROM customers"),
    ("duckdb", "INSTALL httpfs"),
    ("tsql", "EXEC xp_cmdshell 'id'"),
    ("tsql", "SELECT * FROM OPENROWSET('x', 'y', 'z')"),
    ("tsql", "SELECT name FROM customers; WAITFOR DELAY '0:0:5'"),
    ("tsql", "SELECT name FROM customers WITH (UPDLOCK)"),
    ("snowflake", "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)"),
    ("snowflake", "SELECT $1 FROM @stage"),
    ("bigquery", "SELECT * FROM EXTERNAL_QUERY('x', 'SELECT 1')"),
    ("bigquery", "SELECT * FROM `other.project.table`"),
]


@pytest.mark.parametrize(("dialect", "sql"), HOSTILE_ELSEWHERE)
def test_hostile_texts_of_other_dialects_are_refused(dialect: str, sql: str) -> None:
    """So are those that only one kind of database would fall for; a hidden column shows in no form."""
    schema = Schema((Table("customers", (Column("id"), Column("name"))),), dialect=dialect)
    assert not sql_grammar(schema).accepts(sql)
    with pytest.raises(SQLRefused):
        check(sql, schema, hidden=["customers.email"])


HARMLESS = [
    "SELECT 'a; b' AS s, '-- c' AS t, '/* d */' AS u",
    "SELECT 'line\nbreak' AS s",
    "SELECT '100%', 'under_score', '$5', '@home', '#tag', '{json}', 'what?', ':x', '\\'",
    'SELECT name AS "update", id AS "select" FROM customers',
    "SELECT name AS deleted_at FROM customers",
    "SELECT name FROM customers WHERE name = 'pg_sleep(10)' OR name LIKE '%DELETE FROM%'",
    "SELECT name FROM customers WHERE name IN ('Mot\u00f6rhead', '\u65e5\u672c', 'O''Neil; DROP')",
    "SELECT id FROM customers ;;",
    "SELECT id /* a */ FROM /* b */ customers -- c",
    'WITH "update" AS (SELECT id FROM customers) SELECT * FROM "update"',
    "WITH deleted AS (SELECT id FROM customers), inserted AS (SELECT id FROM deleted) SELECT COUNT(*) FROM inserted",
    "SELECT CASE WHEN id = 1 THEN 'insert' ELSE 'drop' END FROM customers",
    "SELECT REPLACE(REPLACE(REPLACE(name, '-', ''), ' ', ''), '.', '') FROM customers",
    'SELECT SUM(total) AS "sum;total" FROM orders',
    "WITH t AS MATERIALIZED (SELECT id FROM customers) SELECT COUNT(*) FROM t",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT * FROM (VALUES (1, 'drop'), (2, 'table'))",
    "SELECT 1 WHERE 1 = 0",
    "SELECT (SELECT MAX(id) FROM orders) - (SELECT MIN(id) FROM orders) AS span",
    "SELECT id FROM customers WHERE name COLLATE NOCASE = 'CUSTOMER 1'",
    "SELECT id & 1, id | 2, ~id, id << 1 FROM customers",
]


@pytest.mark.parametrize("sql", HARMLESS)
def test_words_and_signs_alone_are_no_attack(shop: SQLDatabase, sql: str) -> None:
    """Keywords and comment signs in texts and names, VALUES, and bits are ordinary SQL."""
    shop.query(sql)


def test_a_reserved_word_is_no_name_without_quotes(shop: SQLDatabase) -> None:
    """SQLite cannot read it, and the refusal says how it is written; words that fall back to names stay names."""
    with pytest.raises(
        SQLRefused, match='is is a keyword at line 1, column 10; as a name it is written "is"'
    ):
        shop.check("SELECT x.is FROM (SELECT 1 AS a) AS x")
    assert shop.query('SELECT x."is", x.key FROM (SELECT 1 AS "is", 2 AS key) AS x').rows == ((1, 2),)
