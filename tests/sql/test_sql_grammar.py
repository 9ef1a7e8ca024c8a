"""The grammar of a schema: what it lets a model write, what it cannot say, and that lexer and parser agree."""

from __future__ import annotations

import pytest

from jigwork.errors import ConfigurationError
from jigwork.grammars import Grammar
from jigwork.grammars.schema import Column, Schema, Table
from jigwork.grammars.sql import (
    DIALECTS,
    canonicalize,
    quote_name,
    sql_grammar,
    sql_grammar_text,
    string_literal,
    table_aliases,
)
from jigwork.grammars.sql.parse import parse_select

COUNTRIES = ("Brazil", "France", "Côte d'Ivoire")


def schema(dialect: str = "sqlite") -> Schema:
    """A schema whose names try to run into keywords and into each other."""
    tables = {
        "users": ["id", "name", "email", "created_at"],
        "orders": ["id", "user_id", "total", "status"],
        "order items": ["order_id", "unit price"],
        "Order": ["id", "select", 'we"ird'],
        "Existing": ["id", "active"],
        "counts": ["id"],
        "NULLABLE": ["id"],
    }
    made = [Table(name, tuple(Column(column) for column in columns)) for name, columns in tables.items()]
    made.append(Table("shops", (Column("id"), Column("country", values=COUNTRIES), Column("city"))))
    return Schema(tuple(made), dialect=dialect)


SAID = [
    "SELECT * FROM users LIMIT 10",
    "SELECT DISTINCT users.id, users.name AS n FROM users WHERE users.email LIKE '%@x.org' LIMIT 5",
    "SELECT users_1.name FROM users AS users_1 LEFT JOIN orders ON orders.user_id = users_1.id LIMIT 1000",
    "SELECT users.name, COUNT(*) AS n FROM users GROUP BY users.name HAVING COUNT(*) > 3 LIMIT 20 OFFSET 5",
    "WITH cte1 AS (SELECT orders.user_id AS u FROM orders) SELECT cte1.u FROM cte1 CROSS JOIN cte1 AS sub1 LIMIT 1",
    "SELECT CASE WHEN orders.total > 100 THEN 'big' ELSE 'small' END AS size FROM orders LIMIT 50",
    "SELECT ROW_NUMBER() OVER (PARTITION BY orders.user_id ORDER BY orders.total DESC) AS rn FROM orders LIMIT 5",
    "SELECT SUM(COUNT(*)) OVER (ORDER BY users.name ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM users LIMIT 1",
    "SELECT users.name FROM users WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.user_id = users.id) LIMIT 1",
    "SELECT users.id FROM users UNION ALL SELECT orders.id FROM orders ORDER BY 1 DESC LIMIT 7",
    "SELECT users.name FROM users WHERE users.id = (SELECT MAX(orders.user_id) FROM orders) LIMIT 1",
    "SELECT users.id FROM users WHERE users.id IN (SELECT orders.user_id FROM orders) AND users.id NOT IN (1, 2) LIMIT 1",
    "SELECT sub1.n FROM (SELECT users.name AS n FROM users LIMIT 3) AS sub1 WHERE sub1.n IS NOT NULL LIMIT 1",
    "SELECT -(users.id) * 2 % 3 - -5 FROM users WHERE NOT Existing.active = 1 AND counts.id = 1 LIMIT 1",
    "SELECT COUNT(DISTINCT counts.id) FROM counts WHERE Existing.id BETWEEN 1 AND 100.5 OR NULLABLE.id IS NULL LIMIT 1",
    "SELECT 'it''s' AS \"two words\" FROM users LIMIT 1",
    'SELECT "order items"."unit price" FROM "order items" LIMIT 1',
    'SELECT "Order"."we""ird" FROM "Order" ORDER BY "Order"."select" ASC NULLS LAST LIMIT 1',
    "SELECT users.id FROM users WHERE (users.id = 1 OR users.id = 2) AND users.name LIKE 'a!%' ESCAPE '!' LIMIT 1",
    "SELECT AVG(orders.total) FILTER (WHERE orders.status = 'paid') FROM orders LIMIT 1",
    "SELECT CAST(users.id AS REAL) / COUNT(*) AS share FROM users LIMIT 999",
    "SELECT STRFTIME('%Y', users.created_at) AS y FROM users GROUP BY STRFTIME('%Y', users.created_at) LIMIT 1",
]

NEVER = [
    "SELECT users.name FROM users",
    "SELECT users.name FROM users LIMIT 0",
    "SELECT users.name FROM users LIMIT 1001",
    "SELECT users.name FROM users LIMIT 01",
    "SELECT users.name FROM users LIMIT 1;",
    "SELECT users.name FROM users LIMIT 1 -- x",
    "SELECT users.total FROM users LIMIT 1",
    "SELECT u.name FROM users LIMIT 1",
    "SELECT users.name FROM nobody LIMIT 1",
    "SELECT users.name FROM users AS orders_1 LIMIT 1",
    "SELECT  users.name FROM users LIMIT 1",
    "select users.name from users limit 1",
    "SELECT 1--1 FROM users LIMIT 1",
    "SELECT 'a\nb' FROM users LIMIT 1",
    "SELECT users.id FROM users WHERE COUNT(*) > 1 LIMIT 1",
    "SELECT MAX(SUM(users.id) FROM users LIMIT 1",
    "SELECT LOAD_EXTENSION('x') FROM users LIMIT 1",
    "SELECT (SELECT users.id, users.name FROM users) FROM users LIMIT 1",
    "DELETE FROM users",
    "WITH RECURSIVE cte1 AS (SELECT users.id FROM users) SELECT cte1.id FROM cte1 LIMIT 1",
    "SELECT users.id FROM users UNION SELECT users.id FROM users INTERSECT SELECT users.id FROM users LIMIT 1",
]


@pytest.fixture(scope="module", params=[1, 40], ids=["separate", "merged"])
def grammar(request: pytest.FixtureRequest) -> Grammar:
    """The grammar with a terminal per table, and with merged terminals."""
    extra = tuple(Table(f"extra_{i}", (Column("id"),)) for i in range(int(request.param)))
    small = schema()
    return sql_grammar(Schema((*small.tables, *extra)))


@pytest.mark.parametrize("sql", SAID)
def test_what_can_be_said(grammar: Grammar, sql: str) -> None:
    """Canonical queries are accepted by the server's engine, and parse."""
    assert grammar.accepts(sql), grammar.explain(sql).for_model()
    assert grammar.parse(sql).data == "start"


@pytest.mark.parametrize("sql", NEVER)
def test_what_cannot_be_said(grammar: Grammar, sql: str) -> None:
    """Writing, running on, unknown names and loose forms have no sentence."""
    if "orders_1" in sql and "ALIAS: " in grammar.definition:
        pytest.skip("merged terminals leave the pairing of table and alias to the guard")
    assert not grammar.accepts(sql)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("values", [False, True])
def test_every_dialect_is_lalr_clean(dialect: str, values: bool) -> None:
    """Lark builds an LALR parser without conflicts, and it and the server's engine take the same sentence."""
    import lark

    text = sql_grammar_text(schema(dialect), values=values)
    name, id_ = (f"{quote_name('users', dialect)}.{quote_name(column, dialect)}" for column in ("name", "id"))
    ending = "OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY" if dialect == "tsql" else "LIMIT 5"
    sql = f"SELECT {name} FROM {quote_name('users', dialect)} WHERE {id_} > 1 ORDER BY COUNT(*) DESC {ending}"
    tree = lark.Lark(text, parser="lalr").parse(sql)  # pyright: ignore[reportUnknownMemberType]
    assert tree.data == "start"
    assert Grammar.from_lark(text).accepts(sql)


GROUNDED = [
    ("shops.country = 'Brazil'", True),
    ("shops.country <> 'Côte d''Ivoire'", True),
    ("shops.country = 'Brasil'", False),
    ("shops.country IN ('Brazil', 'France')", True),
    ("shops.country IN ('Brazil', 'Spain')", False),
    ("shops_1.country = 'Spain'", False),
    ("shops.country = shops_1.country", True),
    ("shops.city = shops.country", True),
    ("shops.city = 'anything'", True),
    ("shops.country LIKE 'Br%'", True),
    ("shops.country IS NULL", True),
    ("shops.country = (SELECT shops_1.country FROM shops AS shops_1 LIMIT 1)", True),
    ("LOWER(shops.country) = 'anything'", True),
    ("shops.country || 'x' = 'anything'", True),
]


@pytest.mark.parametrize(("condition", "accepted"), GROUNDED)
def test_values_ground_filters(condition: str, accepted: bool) -> None:
    """A column with known values is compared with those only, and is otherwise a column like any other."""
    grammar = sql_grammar(schema(), values=True)
    sql = f"SELECT shops.country FROM shops WHERE {condition} GROUP BY shops.country LIMIT 5"
    assert grammar.accepts(sql) is accepted


def test_values_may_be_given() -> None:
    """A mapping grounds any column; one that is not there is an error."""
    grammar = sql_grammar(schema(), values={"orders.status": ["paid"]})
    assert grammar.accepts("SELECT orders.id FROM orders WHERE orders.status = 'paid' LIMIT 1")
    assert not grammar.accepts("SELECT orders.id FROM orders WHERE orders.status = 'open' LIMIT 1")
    with pytest.raises(ConfigurationError, match=r"orders\.state"):
        sql_grammar(schema(), values={"orders.state": ["paid"]})


@pytest.mark.parametrize("maximum", [1, 7, 9, 10, 42, 99, 100, 365, 1000, 2500])
def test_limit_has_a_maximum(maximum: int) -> None:
    """LIMIT takes 1 to the maximum and nothing else."""
    grammar = sql_grammar(schema(), max_limit=maximum)
    for limit in {0, 1, 5, 9, 10, 19, 20, 41, 42, 43, 99, 100, 101, 999, maximum - 1, maximum, maximum + 1}:
        accepted = grammar.accepts(f"SELECT users.id FROM users LIMIT {limit}")
        assert accepted is (1 <= limit <= maximum), limit


def test_functions_can_be_narrowed() -> None:
    """Only the functions that were named exist; an unknown one is an error."""
    grammar = sql_grammar(schema(), functions=["lower"])
    assert grammar.accepts("SELECT LOWER(users.name) FROM users LIMIT 1")
    assert not grammar.accepts("SELECT UPPER(users.name) FROM users LIMIT 1")
    with pytest.raises(ConfigurationError, match="SLEEP"):
        sql_grammar(schema(), functions=["SLEEP"])


def test_size_grows_with_names_only() -> None:
    """A thousand tables stay a grammar of a few hundred kilobytes that checks a query in milliseconds."""
    tables = tuple(Table(f"t{i}", tuple(Column(f"c{i}_{j}") for j in range(13))) for i in range(1000))
    grammar = sql_grammar(Schema(tables))
    assert len(grammar.definition) < 300_000
    assert grammar.accepts("SELECT t7.c7_3 FROM t7 JOIN t8 AS t8_1 ON t8_1.c8_0 = t7.c7_0 LIMIT 1")
    assert not grammar.accepts("SELECT t7.c8_3 FROM t7 LIMIT 1")


def test_an_empty_schema_is_an_error() -> None:
    """Nothing to select is said at once."""
    with pytest.raises(ConfigurationError, match="nothing to select"):
        sql_grammar(Schema(()))


NAMES = [
    ("users", "sqlite", "users"),
    ("Users", "postgres", '"Users"'),
    ("order", "sqlite", '"order"'),
    ("user", "postgres", '"user"'),
    ("rank", "mysql", "`rank`"),
    ('a"b', "sqlite", '"a""b"'),
    ("a`b", "mysql", "`a``b`"),
    ("größe", "sqlite", '"größe"'),
    ("1st", "sqlite", '"1st"'),
]


@pytest.mark.parametrize(("name", "dialect", "written"), NAMES)
def test_names_are_quoted_where_needed(name: str, dialect: str, written: str) -> None:
    """Plain names stay plain, all others are quoted the dialect's way."""
    assert quote_name(name, dialect) == written


def test_literals_cannot_break_out() -> None:
    """Quotes are doubled, backslashes where they escape, and control characters refused."""
    assert string_literal("it's") == "'it''s'"
    assert string_literal("a\\") == "'a\\'"
    assert string_literal("a\\", "mysql") == "'a\\\\'"
    for text in ("a\nb", "a\x00", "x" * 301):
        with pytest.raises(ValueError, match="literal"):
            string_literal(text)


def test_aliases_clash_with_nothing() -> None:
    """Aliases of one table are no table, and no alias of another."""
    tables = tuple(Table(name, (Column("id"),)) for name in ("a", "a_1", "A 1", "a-1", "cte1", "sub1", "1x"))
    aliases = table_aliases(Schema(tables))
    names = [alias.casefold() for pool in aliases.values() for alias in pool]
    assert len(set(names)) == len(names) == 21
    assert not set(names) & {table.name.casefold() for table in tables}


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_sentences_of_every_dialect_are_read(dialect: str) -> None:
    """What the grammar says, the guard's parser can read: no construct of it is unknown there."""
    for sentence in sql_grammar(schema(dialect)).sample(150, seed=7, longest=200):
        parse_select(sentence, dialect)


TEXT_ONLY = [
    (
        "duckdb",
        "select name, count(*) n from users group by 1 having n > 1",
        "SELECT users.name, COUNT(*) AS n FROM users GROUP BY users.name HAVING COUNT(*) > 1 LIMIT 1000",
    ),
    (
        "snowflake",
        'select "name" from "users" u where "id" not in (select "user_id" from "orders")',
        'SELECT "users"."name" FROM "users" WHERE "users"."id" NOT IN (SELECT "orders"."user_id" FROM "orders") LIMIT 1000',
    ),
    (
        "bigquery",
        "select name from users where name = 'it\\'s' union distinct select status from orders",
        "SELECT users.name FROM users WHERE users.name = 'it\\'s' UNION DISTINCT SELECT orders.status FROM orders LIMIT 1000",
    ),
    (
        "tsql",
        "select top 5 name from users order by name desc",
        "SELECT users.name FROM users ORDER BY users.name DESC OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY",
    ),
    (
        "tsql",
        "select [unit price] from [order items]",
        "SELECT [order items].[unit price] FROM [order items] ORDER BY 1 OFFSET 0 ROWS FETCH NEXT 1000 ROWS ONLY",
    ),
]


@pytest.mark.parametrize(("dialect", "sql", "canonical"), TEXT_ONLY)
def test_dialects_that_are_text_only(dialect: str, sql: str, canonical: str) -> None:
    """Dialects without an engine here have their own canonical form, which is in their grammar."""
    written = canonicalize(sql, schema(dialect)).sql
    assert written == canonical
    assert sql_grammar(schema(dialect)).accepts(written)
    assert canonicalize(written, schema(dialect)).sql == written


@pytest.mark.slow
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_grammar_is_clean_for_every_target(dialect: str) -> None:
    """The checks of grammars find nothing: every alternative can be written, and all engines agree."""
    assert not sql_grammar(schema(dialect)).check(seconds=60)  # of which a quiet machine needs a twentieth
