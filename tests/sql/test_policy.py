"""Who sees what: hidden columns, renamed tables, scoped rows; what is hidden can be neither read nor guessed."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import ConfigurationError, SQLError, SQLRefused, ToolError
from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.policy import Policy


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
        ({"scope": {"orders": "custmer_id = 7"}}, "scope of orders cannot run: .*no such column: custmer_id"),
        (
            {"scope": {"orders": "soundless(id)"}},
            "scope of orders cannot run: soundless is not available here",
        ),
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


VIEWS = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER, body TEXT, mood TEXT);
CREATE TABLE keys (id INTEGER PRIMARY KEY, secret TEXT);
CREATE VIEW moods AS SELECT id, mood FROM notes;
CREATE VIEW calm AS SELECT id FROM moods WHERE mood = 'calm';
CREATE VIEW bodies AS SELECT id, body FROM notes;
CREATE VIEW hints AS SELECT id, length(secret) AS size FROM keys;
CREATE VIEW broken AS SELECT gone FROM notes;
INSERT INTO notes VALUES (1, 7, 'mine', 'calm'), (2, 8, '{"not": json', 'wild');
INSERT INTO keys VALUES (1, 'k');
"""


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """Tables with views over them, and a view over what is gone."""
    path = tmp_path / "notes.db"
    connection = sqlite3.connect(path)
    connection.executescript(VIEWS)
    connection.close()
    return path


OPEN = ["bodies", "broken", "calm", "hints", "moods"]


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({}, ["bodies", "calm", "hints", "moods"]),
        ({"scope": {"notes": "owner = 7"}}, ["hints"]),
        ({"scope": {"notes": "owner = 7", "moods": "id = 1"}}, ["hints", "moods"]),
        ({"deny": ["notes.body"]}, ["calm", "hints", "moods"]),
        ({"deny": ["notes.mood"]}, ["bodies", "hints"]),
        ({"deny": ["keys"]}, ["bodies", "calm", "moods"]),
        ({"deny": ["keys"], "tables": ["notes", "hints"]}, ["hints"]),
        ({"tables": ["calm"]}, ["calm"]),
    ],
)
def test_no_view_shows_what_is_hidden(noted: Path, options: dict[str, Any], seen: list[str]) -> None:
    """A view over a scoped or hidden part is hidden too, through other views as well, unless it was asked for."""
    with SQLDatabase(noted, **options) as database:
        assert sorted(table.name for table in database.schema.tables if table.is_view) == seen
        for name in {*OPEN} - {*seen}:
            with pytest.raises(SQLRefused, match=f"{name} is not available here"):
                database.query(f"SELECT * FROM {name}")


def test_a_view_that_shows_scoped_rows_needs_a_scope(noted: Path) -> None:
    """Asked for by name, it would show what the scope hides: that is said when the database is opened."""
    with pytest.raises(ConfigurationError, match="moods reads notes, which has a scope: give it one too"):
        SQLDatabase(noted, tables=["notes", "moods"], scope={"notes": "owner = 7"})


def test_no_error_tells_of_rows_out_of_scope(noted: Path) -> None:
    """A condition that would fail on another's row is not tried on it: its failing would tell of its values."""
    with SQLDatabase(noted, scope={"notes": "owner = 7"}) as database:
        result = database.query("SELECT id FROM notes WHERE mood = 'wild' AND json_extract(body, '$.x') = 1")
    assert result.rows == ()


def test_using_a_hidden_column(scoped: SQLDatabase) -> None:
    """USING names columns like any other place does."""
    with pytest.raises(SQLRefused, match="customer_id is not available here"):
        scoped.query("SELECT * FROM orders a JOIN orders b USING (customer_id)")


def test_tools_say_the_same(scoped: SQLDatabase) -> None:
    """The tool that describes tables does not deny that a hidden one is there."""
    explore = next(tool for tool in scoped.explorers() if tool.name == "describe_tables")
    function: Any = explore.function
    with pytest.raises(ToolError, match="secrets is not available here"):
        function(names=["secrets"])


def test_one_broken_view_hides_itself_only(noted: Path) -> None:
    """A view over a column that is gone does not keep the others from being asked."""
    with SQLDatabase(noted) as database:
        assert database.query("SELECT COUNT(*) FROM moods").rows == ((2,),)


def test_a_scope_may_read_what_is_hidden(noted: Path) -> None:
    """The condition of a scope may look into tables that a model never sees, and call what a model may not."""
    condition = "id IN (SELECT id FROM keys WHERE hex(secret) = :key)"
    with SQLDatabase(noted, deny=["keys"], scope={"notes": condition}, parameters={"key": "6B"}) as database:
        assert database.query("SELECT id FROM notes").rows == ((1,),)
        with pytest.raises(SQLRefused, match="keys is not available here"):
            database.query("SELECT id FROM keys")


def test_a_view_of_which_nothing_is_known_is_hidden(noted: Path) -> None:
    """Where the database does not tell what a view reads, it may read anything."""
    with SQLDatabase(noted) as database:
        schema = database.schema
    for policy, seen in (
        (Policy(scope={"notes": "owner = 7"}), []),
        (Policy(deny=["keys"]), []),
        (Policy(), ["bodies", "calm", "hints", "moods"]),
        (Policy(deny=["keys"], tables=["notes", "hints"]), ["hints"]),
    ):
        shown, _ = policy.apply(schema, {})
        assert sorted(table.name for table in shown.tables if table.is_view) == seen


@pytest.mark.parametrize("sign", [" + ", " || ", " AND ", " OR "])
def test_long_chains_over_a_scoped_table(noted: Path, sign: str) -> None:
    """A chain of some length runs; one that is too long to be written for the database is refused."""
    with SQLDatabase(noted, scope={"notes": "owner = 7"}) as database:
        assert len(database.query(f"SELECT {sign.join(['id'] * 150)} FROM notes").rows) == 1
        for count in (300, 450, 900):
            with contextlib.suppress(SQLError):
                database.query(f"SELECT {sign.join(['id'] * count)} FROM notes")
