"""What each database can say in its own way, rewritten and run beside the original on a real server: equal rows."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from jigwork.errors import SQLRefused
from jigwork.tools.sql import SQLDatabase

pytestmark = pytest.mark.external

Execute = Callable[[str], list[tuple[Any, ...]]]

TABLES = [
    (
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(40), team INTEGER, pay DECIMAL(10, 2), born DATE, "
        "active BOOLEAN, bits INTEGER, info {json})"
    ),
    "CREATE TABLE teams (id INTEGER PRIMARY KEY, name VARCHAR(40), city VARCHAR(40))",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, at_time {time}, minutes INTEGER, note VARCHAR(40))",
]

BOTH = [
    "SELECT name FROM people WHERE (team, pay) IN (SELECT team, MAX(pay) FROM people GROUP BY team) ORDER BY id",
    "SELECT id FROM people WHERE (team, active) NOT IN ((1, TRUE), (2, FALSE)) ORDER BY id",
    "SELECT id FROM people WHERE (team, id) >= (2, 9) ORDER BY id",
    "SELECT id, bits & 3, bits | 8, bits << 1, bits >> 1, ~bits & 7 FROM people ORDER BY id",
    "SELECT id FROM people WHERE pay > ALL (SELECT minutes FROM visits WHERE minutes IS NOT NULL) ORDER BY id",
    "SELECT id FROM people WHERE pay < ANY (SELECT minutes * 9 FROM visits) ORDER BY id",
    "SELECT id FROM people WHERE NOT id = ANY (SELECT person FROM visits) ORDER BY id",
    "SELECT COUNT(*) FROM people WHERE active IS NOT TRUE AND (pay > 100) IS NOT FALSE",
    "SELECT COUNT(*) FROM people WHERE active",
    "SELECT id, active AND pay > 100 FROM people ORDER BY id",
    "SELECT id FROM teams UNION SELECT id FROM people WHERE id < 9 INTERSECT SELECT person FROM visits ORDER BY 1",
    "SELECT id FROM people EXCEPT ALL SELECT id FROM teams ORDER BY 1",
    "SELECT t.name, p.id FROM teams t JOIN (people p JOIN visits v ON v.person = p.id) ON p.team = t.id ORDER BY v.id",
    (
        "SELECT p.id, SUM(v.minutes) OVER (w ORDER BY v.id) FROM people p JOIN visits v ON v.person = p.id "
        "WINDOW w AS (PARTITION BY p.team) ORDER BY p.id, v.id"
    ),
    "SELECT id, SUM(minutes) OVER (ORDER BY id RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) FROM visits ORDER BY id",
    "SELECT id FROM people WHERE pay > 1e2 AND pay < 2.5e3 ORDER BY id",
    "SELECT p.name, t.name FROM people p LEFT JOIN teams t ON t.id = p.team AND (t.id = 1 OR t.id = 2) ORDER BY p.id",
    "(SELECT id FROM people ORDER BY id LIMIT 2) UNION ALL (SELECT id FROM teams ORDER BY id DESC LIMIT 2) ORDER BY 1",
    "SELECT SUBSTRING(name FROM 2 FOR 3), POSITION('n' IN name), EXTRACT(YEAR FROM born) FROM people ORDER BY id",
    "SELECT (SELECT COUNT(*) FROM people) * 1.0 / (SELECT COUNT(*) FROM visits)",
    "SELECT x.n FROM (SELECT team AS n, COUNT(*) AS n2 FROM people GROUP BY team) AS x ORDER BY x.n2 DESC, x.n",
]

POSTGRES = [
    "SELECT DISTINCT ON (person) person, id FROM visits ORDER BY person, minutes DESC NULLS LAST, id",
    "SELECT team, STRING_AGG(name, ', ' ORDER BY name DESC) FROM people GROUP BY team ORDER BY team",
    "SELECT ARRAY_AGG(DISTINCT team) FROM people",
    "SELECT team, active, COUNT(*), GROUPING(team) FROM people GROUP BY ROLLUP (team, active) ORDER BY 1, 2, 3",
    "SELECT team, active, COUNT(*) FROM people GROUP BY GROUPING SETS ((team), (active), ()) ORDER BY 1, 2, 3",
    "SELECT info->'a', info->>'b', info->'c'->>0, info #>> '{c,1}' FROM people ORDER BY id",
    "SELECT id FROM people WHERE (info->>'a')::int > 2 ORDER BY id",
    (
        "SELECT p.id, v.id FROM people p CROSS JOIN LATERAL (SELECT id FROM visits WHERE person = p.id ORDER BY id LIMIT 2) v "
        "ORDER BY 1, 2"
    ),
    (
        "SELECT at_time + INTERVAL '1 year 2 months 3 days', at_time - INTERVAL '90 min', at_time + 2 * INTERVAL '1' DAY "
        "FROM visits ORDER BY id"
    ),
    (
        "SELECT at_time AT TIME ZONE 'UTC', at_time::date, DATE '2024-01-01' - born FROM visits v JOIN people p "
        "ON p.id = v.person ORDER BY v.id"
    ),
    'SELECT name COLLATE "C" FROM people ORDER BY name COLLATE "C", id',
    "SELECT id FROM people WHERE name SIMILAR TO 'P(1|2)%' OR name ~* '^p3' ORDER BY id",
    "SELECT id FROM people WHERE team = ANY (ARRAY[1, 3]) AND id <> ALL (ARRAY[2, 4]) ORDER BY id",
    "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY pay), MODE() WITHIN GROUP (ORDER BY team) FROM people",
    "SELECT id, SUM(minutes) OVER (ORDER BY id ROWS 2 PRECEDING EXCLUDE TIES) FROM visits ORDER BY id",
    "SELECT v.a, v.b FROM (VALUES (1, 'x'), (2, 'y')) AS v (a, b) ORDER BY a DESC",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT id FROM people ORDER BY id LIMIT ALL OFFSET 3",
    "SELECT 2 ^ 3, TRIM(BOTH 'P' FROM name), name::varchar(2), pay::numeric(8, 1) FROM people ORDER BY id",
    "SELECT BOOL_OR(active), EVERY(pay > 5), COUNT(*) FILTER (WHERE active) FROM people",
    "SELECT (pay > 100)::int, CASE WHEN active THEN 'y' ELSE 'n' END FROM people ORDER BY id",
    "SELECT id FROM people WHERE EXISTS (SELECT FROM visits WHERE person = people.id) ORDER BY id",
    "SELECT id::text, pay::int FROM people ORDER BY id, pay",
    "SELECT CASE WHEN team = 1 THEN 0 ELSE id END FROM people ORDER BY id DESC",
    "SELECT COUNT(*), team FROM people GROUP BY team ORDER BY count DESC, team",
    "SELECT (SELECT name FROM teams WHERE teams.id = p.team) FROM people p ORDER BY name NULLS FIRST",
    "SELECT DISTINCT ON (team) team::text, id FROM people ORDER BY team, id",
    "SELECT -id, ID::text FROM people ORDER BY ID",
]

MYSQL = [
    "SELECT team, GROUP_CONCAT(DISTINCT name ORDER BY name DESC SEPARATOR '; ') FROM people GROUP BY team ORDER BY team",
    "SELECT GROUP_CONCAT(id, ':', name ORDER BY id) FROM teams",
    "SELECT team, SUM(pay) AS pay FROM people GROUP BY team HAVING pay > 100 ORDER BY pay",
    "SELECT pay * 2 AS twice FROM people HAVING twice > 500 ORDER BY twice",
    "SELECT team, COUNT(*) FROM people GROUP BY team WITH ROLLUP",
    "SELECT COUNT(DISTINCT team, active) FROM people",
    "SELECT id FROM people WHERE active XOR team = 1 ORDER BY id",
    "SELECT id FROM people WHERE active XOR (pay IS NULL XOR name LIKE 'A%') ORDER BY id",
    "SELECT 7 DIV 2, 7 MOD 2, bits ^ 3, !active FROM people ORDER BY id",
    (
        "SELECT INTERVAL 1 DAY + born, DATE_ADD(born, INTERVAL id DAY), ADDDATE(born, 3), TIMESTAMPADD(MONTH, 1, born) "
        "FROM people ORDER BY id"
    ),
    "SELECT ISNULL(pay), CURRENT_DATE() = CURDATE(), CONVERT(pay, SIGNED), CAST(name AS CHAR(2)) FROM people ORDER BY id",
    "SELECT t.id FROM teams t STRAIGHT_JOIN people p ON p.team = t.id ORDER BY p.id",
    "SELECT 1 FROM DUAL WHERE 2 > 1",
    "SELECT id FROM people ORDER BY id LIMIT 18446744073709551615 OFFSET 5",
    "SELECT `id` FROM `people` WHERE `active` = 1 ORDER BY `id`",
    "SELECT JSON_EXTRACT(info, '$.a'), JSON_VALUE(info, '$.b') FROM people ORDER BY id",
    "SELECT SUM(active), SUM(pay > 100) / COUNT(*) FROM people",
]


def _rows() -> Iterator[str]:
    chooser = random.Random(8)
    for number, city in enumerate(["'Rome'", "'Oslo'", "NULL"], 1):
        yield f"INSERT INTO teams VALUES ({number}, 'T{number}', {city})"
    for number in range(1, 31):
        team, pay = (
            chooser.choice(["1", "2", "3", "NULL"]),
            chooser.choice(["NULL", f"{chooser.randint(1, 999)}.25"]),
        )
        info = f'\'{{"a": {number % 5}, "b": "x{number}", "c": [1, {number}]}}\''
        yield (
            f"INSERT INTO people VALUES ({number}, 'P{number % 13}', {team}, {pay}, '19{number + 60}-0{number % 9 + 1}-11', "
            f"{chooser.choice(['TRUE', 'FALSE', 'NULL'])}, {number % 16}, {chooser.choice(['NULL', info])})"
        )
    for number in range(1, 61):
        minutes = chooser.choice(["NULL", str(chooser.randint(1, 60))])
        yield (
            f"INSERT INTO visits VALUES ({number}, {chooser.randint(1, 25)}, '2024-0{number % 9 + 1}-12 10:{number % 60:02}:00', "
            f"{minutes}, 'n{number % 4}')"
        )


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[tuple[SQLDatabase, Execute]]:
    """A filled PostgreSQL schema, and a plain connection to it."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:

        def execute(sql: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

        execute("CREATE SCHEMA equal_rows")
        execute("SET search_path = equal_rows")
        for statement in [*(table.format(json="JSONB", time="TIMESTAMP") for table in TABLES), *_rows()]:
            execute(statement)
        yield SQLDatabase(postgres_url, schema="equal_rows"), execute


@pytest.fixture(scope="module")
def mariadb(mariadb_url: str) -> Iterator[tuple[SQLDatabase, Execute]]:
    """A filled MariaDB database, and a plain connection to it."""
    driver: Any = import_module("pymysql")
    port = int(re.findall(r":(\d+)/", mariadb_url)[0])
    connection = driver.connect(host="127.0.0.1", port=port, user="root", autocommit=True)

    def execute(sql: str) -> list[tuple[Any, ...]]:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]

    for statement in ("CREATE DATABASE equal_rows", "USE equal_rows"):
        execute(statement)
    for statement in [*(table.format(json="JSON", time="DATETIME") for table in TABLES), *_rows()]:
        execute(statement)
    yield SQLDatabase(mariadb_url.replace("/shop", "/equal_rows")), execute
    connection.close()


def _compare(database: SQLDatabase, execute: Execute, sql: str) -> None:
    written = database.canonicalize(sql).sql
    grammar = database.grammar()
    assert grammar.accepts(written), grammar.explain(written).for_model()
    assert database.canonicalize(written).sql == written
    before, after = execute(sql), execute(written)
    ordered = "ORDER BY" in sql.rpartition(")")[2]
    assert before and (
        before == after if ordered else sorted(map(repr, before)) == sorted(map(repr, after))
    ), written
    database.query(sql)


@pytest.mark.parametrize("sql", [*BOTH, *POSTGRES])
def test_postgres_rows_are_equal(postgres: tuple[SQLDatabase, Execute], sql: str) -> None:
    """A query and its canonical form give the same rows, the form is stable, and the guard lets the query run."""
    _compare(*postgres, sql)


@pytest.mark.parametrize("sql", [*BOTH, *MYSQL])
def test_mariadb_rows_are_equal(mariadb: tuple[SQLDatabase, Execute], sql: str) -> None:
    """So it is in MariaDB."""
    _compare(*mariadb, sql)


NOT_SAID = [
    ("postgres", "SELECT c FROM teams c", "no column c"),
    ("postgres", "SELECT ROW_TO_JSON(teams) FROM teams", "no column teams"),
    ("postgres", "SELECT teams.id FROM teams, people RIGHT JOIN visits ON TRUE", "RIGHT JOIN after a comma"),
    ("postgres", "SELECT SUBSTRING(name FROM '[0-9]+') FROM teams", "SUBSTRING with a pattern"),
    ("postgres", "SELECT id FROM teams ORDER BY id FETCH FIRST 2 ROWS WITH TIES", "WITH TIES"),
    ("mysql", "SELECT TRIM(BOTH 'x' FROM name) FROM teams", "TRIM with 2 arguments"),
    ("mysql", "SELECT born + INTERVAL '1:30' HOUR_MINUTE FROM people", "this INTERVAL"),
    ("mysql", "SELECT name COLLATE utf8mb4_bin FROM teams", "COLLATE utf8mb4_bin"),
]


@pytest.mark.parametrize(("engine", "sql", "reason"), NOT_SAID)
def test_what_cannot_be_said_is_named(
    request: pytest.FixtureRequest, engine: str, sql: str, reason: str
) -> None:
    """Where there is no canonical form, or the guard would not run it, the construct is named."""
    database = request.getfixturevalue("mariadb" if engine == "mysql" else engine)[0]
    with pytest.raises(SQLRefused) as caught:
        database.canonicalize(sql)
        database.check(sql)
    assert reason.casefold() in str(caught.value).casefold()
