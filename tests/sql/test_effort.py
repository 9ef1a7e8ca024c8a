"""What no time limit would stop: the guard refuses it before a database begins, and is itself done at once."""

from __future__ import annotations

import time

import pytest

from jigwork.errors import SQLRefused
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.tools.sql.guard import check


def _schema(dialect: str) -> Schema:
    columns = (Column("id", kind="integer"), Column("name", kind="text"), Column("body", kind="text"))
    return Schema((Table("t", columns), Table("u", columns[:2])), dialect=dialect)


@pytest.fixture(scope="module", autouse=True)
def parsers() -> None:
    """The parsers are loaded before anything is timed."""
    for dialect in ("sqlite", "postgres", "mysql"):
        check("SELECT id FROM t", _schema(dialect))


DOUBLED = ", ".join(
    f"c{i} AS (SELECT * FROM {'t' if not i else f'c{i - 1} a, c{i - 1} b'})" for i in range(30)
)
JOINED = ", ".join(
    f"c{i} AS NOT MATERIALIZED (SELECT {'id FROM t' if not i else f'a.id FROM c{i - 1} a JOIN c{i - 1} b ON a.id = b.id'})"
    for i in range(20)
)
SQUARED = ", ".join(
    f"c{i} AS (SELECT {'id AS x FROM t' if not i else f'x * x AS x FROM c{i - 1}'})" for i in range(26)
)


def _nested(depth: int) -> str:
    return f"SELECT x + x + x AS x FROM ({_nested(depth - 1)}) AS s" if depth else "SELECT id AS x FROM t"


GATHERED = "(SELECT STRING_AGG(name, '') AS g, STRING_AGG(body, '') AS h FROM t) x"

REFUSED = [
    (
        "postgres",
        f"SELECT g LIKE '%' || SUBSTR(g, 2) FROM {GATHERED}",
        "searched for a long one at line 1, column 8",
    ),
    ("postgres", f"SELECT BTRIM(g, h) FROM {GATHERED}", "searched for a long one"),
    (
        "postgres",
        f"SELECT y.g FROM (SELECT * FROM {GATHERED}) y WHERE STRPOS(y.h, y.g || 'b') > 0",
        "searched for a long one",
    ),
    ("postgres", f"SELECT STRING_AGG(name, '') LIKE '%{'a' * 500}b' FROM t", "searched for a long one"),
    (
        "postgres",
        "WITH a AS (SELECT 'x' AS g UNION ALL SELECT STRING_AGG(name, '') FROM t) SELECT REPLACE(g, g || 'x', '') FROM a",
        "searched for a long one",
    ),
    (
        "mysql",
        "SELECT LOCATE(CONCAT(g, 'b'), g) FROM (SELECT GROUP_CONCAT(name) AS g FROM t) x",
        "searched for a long one",
    ),
    ("mysql", "SELECT GROUP_CONCAT(name) LIKE GROUP_CONCAT(body) FROM t", "searched for a long one"),
    (
        "mysql",
        f"SELECT REPLACE(REPLACE(name, 'a', '{'a' * 5000}'), 'a', '{'b' * 5000}') LIKE '%{'b' * 900}c' FROM t",
        "searched for a long one",
    ),
    (
        "sqlite",
        "SELECT LTRIM(g, (SELECT GROUP_CONCAT(body) FROM t)) FROM (SELECT GROUP_CONCAT(name) AS g FROM t)",
        "a long one",
    ),
    (
        "sqlite",
        (
            "WITH RECURSIVE c (x, n) AS (SELECT 'a', 1 UNION ALL SELECT x || x, n + 1 FROM c WHERE n < 20) "
            "SELECT INSTR(x, x || 'b') FROM c"
        ),
        "searched for a long one",
    ),
    ("sqlite", f"WITH {DOUBLED} SELECT COUNT(*) FROM c29", "2000 columns at most"),
    ("postgres", f"WITH {JOINED} SELECT COUNT(*) FROM c19", "reads tables more than 500 times"),
    ("sqlite", f"WITH {SQUARED} SELECT x FROM c25", "repeat each other too often"),
    ("mysql", _nested(12), "repeat each other too often"),
    (
        "postgres",
        "SELECT id FROM t GROUP BY CUBE (id, name, body, id, name, body, id, name, body)",
        "more than 256",
    ),
    (
        "postgres",
        "SELECT id FROM t GROUP BY CUBE (id, name, body, id, name), CUBE (id, name, body, id)",
        "more than 256",
    ),
    ("postgres", f"SELECT {' + '.join(['SQRT(POWER(id, 9000))'] * 60)} FROM t", "more than 40 powers"),
    ("sqlite", f"SELECT {'||'.join(['name'] * 1900)} FROM t", "nests too deeply"),
    ("mysql", f"SELECT {' XOR '.join(['id'] * 1900)} FROM t", "nests too deeply"),
    ("postgres", f"SELECT name{'[1]' * 1900} FROM t", "more than 60 arrays or subscripts"),
    ("postgres", f"SELECT name{'::text' * 1900} FROM t", "nests too deeply"),
]


@pytest.mark.parametrize(("dialect", "sql", "said"), REFUSED, ids=range(len(REFUSED)))
def test_endless_work_is_refused(dialect: str, sql: str, said: str) -> None:
    """The sentence names what is too much, and it does not take long to say so."""
    started = time.monotonic()
    with pytest.raises(SQLRefused, match=said):
        check(sql, _schema(dialect), recursive=True)
    assert time.monotonic() - started < 2


PASSED = [
    ("postgres", "SELECT a.name FROM t a JOIN u b ON a.body LIKE '%' || b.name || '%'"),
    (
        "postgres",
        "SELECT STRING_AGG(name, ', ') FROM t GROUP BY id HAVING STRING_AGG(name, ', ') LIKE '%Smith%'",
    ),
    (
        "postgres",
        "SELECT REPLACE(STRING_AGG(name, ', '), ',', ';'), SPLIT_PART(STRING_AGG(name, '|'), '|', 1) FROM t",
    ),
    ("postgres", "SELECT id FROM t WHERE id = ANY (ARRAY[1, 2]) OR id = ANY (ARRAY[3])"),
    ("postgres", "SELECT COUNT(*) FROM t GROUP BY CUBE (id, name, body), ROLLUP (id, name)"),
    ("postgres", "SELECT COUNT(*) FROM t GROUP BY GROUPING SETS ((id, name), CUBE (name, body), ())"),
    ("mysql", "SELECT SUBSTRING_INDEX(GROUP_CONCAT(name ORDER BY id SEPARATOR ';'), ';', 1) FROM t"),
    ("mysql", "SELECT FIND_IN_SET(u.name, g) FROM u, (SELECT GROUP_CONCAT(name) AS g FROM t) x"),
    ("sqlite", "SELECT REPLACE(REPLACE(REPLACE(name, '-', ''), ' ', ''), '.', '') LIKE '%ab%' FROM t"),
    ("sqlite", "SELECT TRIM(REPLACE(GROUP_CONCAT(DISTINCT name), ',', ', ')) FROM t"),
    (
        "sqlite",
        (
            "WITH a AS (SELECT GROUP_CONCAT(name) AS g FROM t) SELECT u.name FROM u, a WHERE INSTR(g, u.name) > 0 OR "
            "g LIKE '%' || u.name || '%'"
        ),
    ),
    ("sqlite", "SELECT id FROM t WHERE " + " OR ".join(f"id = {number}" for number in range(150))),
    ("sqlite", "SELECT id FROM t WHERE id IN (" + ", ".join(str(number) for number in range(1500)) + ")"),
    (
        "sqlite",
        "SELECT "
        + ", ".join(f"SUM(CASE WHEN id = {number} THEN 1 ELSE 0 END) AS n{number}" for number in range(80))
        + " FROM t",
    ),
    (
        "sqlite",
        "WITH "
        + ", ".join(f"c{i} AS (SELECT id FROM {'t' if not i else f'c{i - 1}'})" for i in range(30))
        + " SELECT * FROM c29",
    ),
    ("sqlite", "SELECT t0.id FROM t t0 " + " ".join(f"JOIN t t{i} ON t{i}.id = t0.id" for i in range(1, 20))),
    (
        "sqlite",
        (
            "WITH a AS (SELECT id, id * 1.2 AS p FROM t), b AS (SELECT id, p, p - id AS d FROM a), c AS (SELECT id, p, d, "
            "d / p AS r FROM b) SELECT SUM(p), SUM(d), AVG(r), MAX(p - d), SUM(p * r) / SUM(d) FROM c WHERE r > 0 AND p > d"
        ),
    ),
    ("sqlite", "SELECT id FROM t" + " UNION ALL SELECT id FROM t" * 40),
]


@pytest.mark.parametrize(("dialect", "sql"), PASSED, ids=range(len(PASSED)))
def test_long_and_sane_queries_pass(dialect: str, sql: str) -> None:
    """A query may be long, and may search what it puts together."""
    check(sql, _schema(dialect))


NAMES = (
    "update",
    "delete",
    "drop",
    "grant",
    "user",
    "select",
    "from",
    "pg_sleep",
    "load_file",
    "comment",
    "exec",
)
LOOKALIKES = [
    "SELECT {update}, {delete}, {drop}, {grant}, {user} FROM audit",
    "SELECT pg_sleep, load_file, comment, exec FROM audit",
    "SELECT a.{drop} FROM audit a WHERE a.{select} = 'x' ORDER BY a.{from}",
    "SELECT comment FROM audit WHERE comment = '; DROP TABLE audit; --'",
    "SELECT comment FROM audit WHERE comment LIKE '%--%' OR comment = '/* no comment */'",
    "SELECT comment FROM audit WHERE comment = 'O''Brien'' OR ''1''=''1'",
    "SELECT 'UNION SELECT password FROM users' AS s, 'xp_cmdshell', 'INTO OUTFILE' FROM audit",
    "SELECT comment FROM audit WHERE comment = '#hash @at $dollar {{brace}} ?mark :colon'",
    "SELECT comment FROM audit WHERE comment IN ('select', 'update', 'delete')",
    "SELECT exec /* all; DELETE FROM audit */ FROM audit -- DROP TABLE audit\nWHERE exec > 'a';",
    "WITH updated AS (SELECT exec FROM audit), deleted AS (SELECT exec FROM updated) SELECT COUNT(*) FROM deleted",
    "SELECT x.dropped FROM (SELECT {drop} AS dropped FROM audit) AS x",
    "SELECT CASE WHEN comment = 'DELETE' THEN 'UPDATE' ELSE 'INSERT' END FROM audit",
    "SELECT REPLACE(comment, 'DROP', 'KEEP'), COALESCE(comment, 'NULL; --'), LENGTH('; SELECT pg_sleep(9)') FROM audit",
    "SELECT comment FROM audit WHERE comment <> '''' AND comment <> ''';' AND comment <> ''",
    "SELECT comment FROM audit WHERE comment = 'C\u00f4te d''Ivoire' OR comment = '\u65e5\u672c' OR comment = 'a\u200bb'",
    "SELECT MAX(pg_sleep) FROM audit GROUP BY {user} HAVING COUNT({update}) > 1",
]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "mysql"])
@pytest.mark.parametrize("sql", LOOKALIKES, ids=range(len(LOOKALIKES)))
def test_names_and_texts_like_attacks_pass(dialect: str, sql: str) -> None:
    """A column may be called like a keyword or a function, and a text may say anything."""
    quote = "`" if dialect == "mysql" else '"'
    schema = Schema((Table("audit", tuple(Column(name, kind="text") for name in NAMES)),), dialect=dialect)
    check(sql.format(**{name: f"{quote}{name}{quote}" for name in NAMES}), schema)
