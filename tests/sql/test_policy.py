"""Who sees what: hidden columns, renamed tables, scoped rows; what is hidden can be neither read nor guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jigwork.errors import ConfigurationError, SQLRefused
from jigwork.tools.sql import SQLDatabase


@pytest.fixture
def scoped(shop_path: Path) -> SQLDatabase:
    """Customer 7's shop: own orders only, no e-mail addresses, other names."""
    return SQLDatabase(
        shop_path,
        deny=["secrets", "customers.email", "orders.customer_id"],
        rename={"customers": "people", "orders.placed": "ordered_at"},
        describe={"orders": "one row per order", "orders.total": "in euros"},
        scope={"orders": "customer_id = :me"},
        parameters={"me": 7},
    )


def test_hidden_columns_are_nowhere(scoped: SQLDatabase) -> None:
    """A hidden column is in no schema, prompt, grammar or star, and is answered as not available."""
    assert [c.name for c in scoped.schema.table("people").columns] == ["id", "name", "country", "joined"]
    assert "email" not in scoped.prompt()
    assert "email" not in scoped.grammar().definition
    assert [c.name for c in scoped.query("SELECT * FROM people").columns] == [
        "id",
        "name",
        "country",
        "joined",
    ]
    for sql in (
        "SELECT email FROM people",
        "SELECT p.email FROM people p",
        "SELECT name FROM people ORDER BY email",
    ):
        with pytest.raises(SQLRefused, match="email is not available here"):
            scoped.query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM orders",
        "SELECT COUNT(*) FROM people p JOIN orders o ON o.id > 0 WHERE p.id = 1",
        "SELECT (SELECT COUNT(*) FROM orders)",
        "WITH o AS (SELECT * FROM orders) SELECT COUNT(*) FROM o",
        "SELECT COUNT(*) FROM (SELECT id FROM orders UNION SELECT id FROM orders)",
        "SELECT COUNT(a.id) FROM orders a JOIN orders b ON a.id = b.id",
        "SELECT COUNT(*) FROM orders NATURAL JOIN (SELECT id FROM orders)",
    ],
)
def test_scoped_rows_only(scoped: SQLDatabase, shop_path: Path, sql: str) -> None:
    """However a scoped table is read, only its rows of this user are there."""
    own = sum(1 for i in range(1, 201) if i % 35 + 1 == 7)
    assert scoped.query(sql).rows == ((own,),)


def test_the_scope_is_not_shown(scoped: SQLDatabase) -> None:
    """Neither the result, nor an error, nor the prompt tells the condition or its values."""
    result = scoped.query("SELECT id, ordered_at FROM orders ORDER BY id LIMIT 1")
    assert "customer_id" not in result.sql + scoped.prompt() + " ".join(result.notes)
    assert scoped.schema.table("orders").rows is None
    assert scoped.schema.table("orders").column("status").values is None
    with pytest.raises(SQLRefused) as caught:
        scoped.query("SELECT customer_id FROM orders")
    assert "7" not in str(caught.value)


def test_renamed_names_are_the_only_ones(scoped: SQLDatabase) -> None:
    """The model's names work everywhere, the database's own nowhere; comments are in the prompt."""
    canonical = "SELECT people.name, COUNT(*) FROM people GROUP BY people.name LIMIT 3"
    assert scoped.grammar().accepts(canonical)
    assert len(scoped.query(canonical).rows) == 3
    with pytest.raises(SQLRefused, match="no table customers here"):
        scoped.query("SELECT * FROM customers")
    assert "one row per order" in scoped.prompt()
    assert "[in euros]" in scoped.prompt()


def test_parameters_make_another_view(scoped: SQLDatabase) -> None:
    """One database serves many users, each with their own rows."""
    other = scoped.with_parameters(me=8)
    first = {row[0] for row in scoped.query("SELECT id FROM orders").rows}
    second = {row[0] for row in other.query("SELECT id FROM orders").rows}
    assert first
    assert second
    assert not first & second


def test_values_cannot_break_out(shop_path: Path) -> None:
    """A parameter's value is a value, whatever it holds."""
    database = SQLDatabase(shop_path, scope={"customers": "name = :who"}, parameters={"who": "x' OR '1'='1"})
    assert database.query("SELECT COUNT(*) FROM customers").rows == ((0,),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": {"orders": "customer_id = :me"}}, "value for :me"),
        ({"deny": ["customers.mail"]}, "did you mean 'customers.email'"),
        ({"rename": {"customers": "orders"}}, "two tables would be called 'orders'"),
        ({"tables": []}, "no table is left"),
        ({"tables": ["Orders"]}, "did you mean 'orders'"),
    ],
)
def test_wrong_policies_fail_early(shop_path: Path, options: dict[str, object], message: str) -> None:
    """A policy that cannot hold is an error when the database is opened."""
    with pytest.raises(ConfigurationError, match=message):
        SQLDatabase(shop_path, **options)  # type: ignore[arg-type]
