"""Laws of every sentence of a SQL grammar: what need not be left to the guard, since a grammar can see to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from sqlglot import exp

from jigwork.errors import SQLError, SQLRefused
from jigwork.grammars import Grammar
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql import canonicalize, sql_grammar
from jigwork.grammars.sql.parse import parse_select
from jigwork.tools.sql.guard import check

DIALECTS = ("sqlite", "postgres", "mysql", "duckdb")
TABLES = {"users": ("id", "name", "age"), "orders": ("id", "user_id", "total", "placed")}


def schema(dialect: str) -> Schema:
    """Two tables."""
    made = [Table(name, tuple(Column(column) for column in columns)) for name, columns in TABLES.items()]
    return Schema(tuple(made), dialect=dialect)


@cache
def grammar(dialect: str) -> Grammar:
    """The grammar of the two tables in a dialect."""
    return sql_grammar(schema(dialect))


@cache
def sentences(dialect: str) -> list[str]:
    """Some hundreds of sentences, through as many alternatives as there are of them."""
    made = grammar(dialect)
    return [text for seed in range(3) for text in made.sample(200, seed=seed, longest=250)]


def trees(dialect: str) -> Iterator[tuple[str, exp.Query]]:
    """Yield sentences with their trees."""
    for text in sentences(dialect):
        yield text, parse_select(text, dialect)[0]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_with_queries_are_defined_in_order_and_read_below_with_only(dialect: str) -> None:
    """No sentence names a WITH query without a WITH; the names come in order, and the first query reads none."""
    for text, tree in trees(dialect):
        names = [cte.alias for cte in tree.find_all(exp.CTE)]
        assert sorted(names) == [f"cte{number}" for number in range(1, len(names) + 1)], text
        if not names:
            assert not re.search(r"\bcte\d\b", re.sub(r"'(?:[^'\\]|''|\\.)*'|[\"`][^\"`]+[\"`]", "", text)), (
                text
            )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_set_operations_join_equal_numbers_of_columns(dialect: str) -> None:
    """No sentence joins SELECTs of different numbers of columns, up to eight, or one with a star."""
    for text, tree in trees(dialect):
        for union in tree.find_all(exp.SetOperation):
            left, right = _first(union.this), _first(union.expression)
            counts = {len(left.expressions), len(right.expressions)}
            assert len(counts) == 1 or min(counts) > 8, text
            assert not any(isinstance(item, exp.Star) for item in (*left.expressions, *right.expressions)), (
                text
            )


def _first(query: exp.Expr) -> exp.Select:
    """Return the SELECT that says how many columns a query has."""
    while isinstance(query, exp.SetOperation):
        query = query.this
    assert isinstance(query, exp.Select)
    return query


_REASONS = (
    "is none of the",
    "columns with",
    "HAVING needs",
    "twice",
    "may not stand inside",
    "there is no table",
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_sentence_is_refused_for_what_a_grammar_can_see(dialect: str) -> None:
    """Positions, numbers of columns, HAVING without GROUP BY, nested aggregates and repeated names are the grammar's.

    A WITH query that is not defined, or not yet, may be read below a WITH, a table stand in FROM twice, and more than eight
    columns be joined with more: no rule counts those.
    """
    passed = 0
    for text in sentences(dialect):
        try:
            check(text, schema(dialect))
            passed += 1
        except SQLError as refusal:
            said = str(refusal)
            wide = re.search(r"joins (9|\d\d) columns with (9|\d\d)", said)
            if not (
                wide or "stands twice in FROM" in said or ("there is no table cte" in said and "WITH" in text)
            ):
                assert not any(reason in said for reason in _REASONS), (text, said)
    assert passed > len(sentences(dialect)) / 2


NEVER = [
    "SELECT cte1.id FROM cte1 LIMIT 1",
    "SELECT users.id FROM users WHERE users.id IN (SELECT cte1.id FROM cte1) LIMIT 1",
    "SELECT users.id FROM users WHERE cte1.id = 1 LIMIT 1",
    "SELECT (SELECT MAX(cte2.x) FROM cte2) FROM users LIMIT 1",
    "WITH cte2 AS (SELECT users.id FROM users) SELECT cte2.id FROM cte2 LIMIT 1",
    "WITH cte1 AS (SELECT users.id FROM users), cte1 AS (SELECT users.id FROM users) SELECT cte1.id FROM cte1 LIMIT 1",
    "WITH cte1 AS (SELECT users.id FROM users), cte3 AS (SELECT users.id FROM users) SELECT cte1.id FROM cte1 LIMIT 1",
    "WITH cte1 AS (SELECT cte2.id FROM cte2), cte2 AS (SELECT users.id FROM users) SELECT cte1.id FROM cte1 LIMIT 1",
    "SELECT users.id, users.age FROM users UNION SELECT orders.id FROM orders LIMIT 1",
    "SELECT 1, 2, 3, 4, 5, 6 UNION SELECT 1, 2, 3, 4, 5, 6, 7 LIMIT 1",
    "SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9 UNION SELECT 1, 2, 3, 4, 5, 6, 7, 8 LIMIT 1",
    "SELECT * FROM users UNION SELECT users.id FROM users LIMIT 1",
    "SELECT 1, 2, 3, 4, 5, 6 UNION SELECT 1, 2, 3, 4, 5, 6 ORDER BY 7 LIMIT 1",
    "SELECT users.id FROM users ORDER BY 2 LIMIT 1",
    "SELECT users.id FROM users ORDER BY -1 LIMIT 1",
    "SELECT users.id FROM users GROUP BY 3 LIMIT 1",
    "SELECT users.id FROM users HAVING COUNT(*) > 1 LIMIT 1",
    "SELECT 1 WHERE users.id = 1 LIMIT 1",
    "SELECT SUM(MAX(users.id)) FROM users LIMIT 1",
    "SELECT COUNT(ROUND(MAX(users.id))) FROM users LIMIT 1",
    "SELECT MAX(SUM(users.id) OVER ()) OVER () FROM users LIMIT 1",
]


@pytest.mark.parametrize("sql", NEVER)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_no_grammar_of_a_database_lets_through(dialect: str, sql: str) -> None:
    """None of these is a sentence, in any dialect."""
    assert not grammar(dialect).accepts(sql)


@pytest.mark.parametrize("amount", ["1 day 2 days", "1 month 1 year 1 month", "1 hour 30 minutes"])
def test_an_interval_has_one_unit(amount: str) -> None:
    """More units are a sum, in which none can be given twice by mistake."""
    assert not grammar("postgres").accepts(f"SELECT INTERVAL '{amount}' LIMIT 1")
    assert grammar("postgres").accepts("SELECT INTERVAL '1 hour' + INTERVAL '30 minutes' LIMIT 1")


SAID = [
    (
        "SELECT id, name FROM users WHERE id IN (SELECT user_id FROM orders UNION SELECT 5)",
        "SELECT users.id, users.name FROM users WHERE users.id IN (SELECT orders.user_id FROM orders UNION SELECT 5)",
    ),
    (
        "SELECT COUNT(*) AS n FROM users HAVING MAX(age) > 3",
        (
            "SELECT sub1.n FROM (SELECT COUNT(*) AS n, {kept} AS kept FROM users) AS sub1 WHERE sub1.kept{true}"
        ),
    ),
    (
        "SELECT name FROM users WHERE EXISTS (SELECT 1 WHERE age > 3)",
        "SELECT users.name FROM users WHERE EXISTS (SELECT 1 FROM (SELECT 1 AS one) AS sub1 WHERE users.age > 3)",
    ),
    (
        "WITH a AS (SELECT id FROM users), b AS (SELECT id FROM a) SELECT (SELECT MAX(id) FROM b) FROM a GROUP BY 1",
        (
            "WITH cte1 AS (SELECT users.id FROM users), cte2 AS (SELECT cte1.id FROM cte1) "
            "SELECT (SELECT MAX(cte2.id) FROM cte2) FROM cte1 GROUP BY (SELECT MAX(cte2.id) FROM cte2)"
        ),
    ),
    (
        "SELECT SUM(COUNT(*)) OVER (), AVG(SUM(total) / COUNT(*)) OVER (ORDER BY user_id) FROM orders GROUP BY user_id",
        (
            "SELECT SUM(COUNT(*)) OVER (), AVG(+(SUM(orders.total) / COUNT(*))) OVER (ORDER BY orders.user_id) "
            "FROM orders GROUP BY orders.user_id"
        ),
    ),
    (
        "SELECT id, 5 AS five FROM users ORDER BY five, 3 + age DESC, -age",
        "SELECT users.id, 5 AS five FROM users ORDER BY 3 + users.age DESC, -(users.age)",
    ),
]


@pytest.mark.parametrize(("sql", "canonical"), SAID)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_the_laws_leave_to_be_said(dialect: str, sql: str, canonical: str) -> None:
    """What the grammar says otherwise than people do has a form in it, which is its own."""
    strict = dialect in ("postgres", "duckdb")
    kept = "(MAX(users.age) > 3)" if strict else "MAX(users.age) > 3"
    if strict:
        sql = sql.replace(" DESC, -age", " DESC NULLS LAST, -age NULLS LAST")
    expected = (
        canonical.replace("{kept}", kept).replace("{true}", " = TRUE" if strict else "") + " LIMIT 1000"
    )
    written = canonicalize(sql, schema(dialect)).sql
    assert re.sub(r" NULLS (FIRST|LAST)", "", written) == expected
    assert grammar(dialect).accepts(written), grammar(dialect).explain(written).for_model()
    assert canonicalize(written, schema(dialect)).sql == written


def test_wide_set_operations_are_counted_by_the_guard() -> None:
    """More columns than the grammar counts can be joined; that they are equally many is seen on the syntax tree."""
    items = ", ".join(str(number) for number in range(9))
    written = canonicalize(f"SELECT {items} UNION SELECT {items} ORDER BY 9", schema("sqlite")).sql
    assert grammar("sqlite").accepts(written)
    with pytest.raises(SQLRefused, match="UNION joins 9 columns with 10"):
        canonicalize(f"SELECT {items} UNION SELECT {items}, 9", schema("sqlite"))


KINDS = [
    "-('5')",
    "-(NULL)",
    "-(CURRENT_DATE)",
    '(5 COLLATE "C")',
    "EXTRACT(YEAR FROM 5)",
    "EXTRACT(YEAR FROM '2024-01-05')",
    "(CAST(users.id AS TEXT) -> 'a')",
    "~('a')",
    "(users.id IS NULL) = 1",
    "SUM(+(TRUE)) OVER ()",
]


@pytest.mark.parametrize("value", KINDS)
def test_operators_of_strict_dialects_take_no_literal_of_another_kind(value: str) -> None:
    """PostgreSQL would refuse each of these for the kinds of its literals, which a grammar can see."""
    shown = f"({value})" if value.endswith("= 1") else value
    assert not grammar("postgres").accepts(f"SELECT {shown} FROM users LIMIT 1")


TYPED = [
    ("SELECT (id > 3) = flag, - -5, -(-(id)), ~5, ~id FROM t", "(t.flag = (t.id > 3)), 5, -(-(t.id)), -6, ~(t.id) FROM t"),
    ("SELECT (name || 'x') COLLATE \"C\", CAST(name AS JSONB) -> 'a' FROM t", "(t.name || 'x') COLLATE \"C\"), (CAST(t.name AS JSONB) -> 'a') FROM t"),
    ("SELECT EXTRACT(EPOCH FROM seen - INTERVAL '2 days 3 hours') FROM t", "EXTRACT(EPOCH FROM t.seen - (INTERVAL '2 days' + INTERVAL '3 hours')) FROM t"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "canonical"), TYPED)
def test_what_has_the_right_kinds_is_said(sql: str, canonical: str) -> None:
    """A condition comes second in an equation, a number has its own sign, and an interval one unit."""
    tables = (Table("t", tuple(Column(name) for name in ("id", "name", "flag", "seen"))),)
    strict = Schema(tables, dialect="postgres")
    written = canonicalize(sql, strict).sql
    assert canonical in written
    made = sql_grammar(strict)
    assert made.accepts(written), made.explain(written).for_model()
    assert canonicalize(written, strict).sql == written
