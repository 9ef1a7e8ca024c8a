"""Trusted queries: called by name, held to their slots, and told apart from what a model wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jigwork.errors import ConfigurationError, SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql import load_trusted, mark_slots, save_trusted, with_slots
from jigwork.tools.sql import SQLDatabase

SALES = """-- question: How much was sold in a country since a day?
-- author: Ada
-- :since date
-- :country in customers.country
SELECT COUNT(*) AS n, SUM(orders.total) AS total FROM orders JOIN customers ON customers.id = orders.customer_id
WHERE orders.placed >= :since AND customers.country = :country AND orders.status <> ':since'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two trusted queries."""
    (tmp_path / "sold_since.sql").write_text(SALES)
    (tmp_path / "head_count.sql").write_text("SELECT COUNT(*) AS n FROM employees;")
    return tmp_path


CALL = "CALL sold_since(since='2024-03-01', country='Côte d''Ivoire')"


def test_a_call_runs_the_checked_query(shop_path: Path, folder: Path) -> None:
    """The slots are filled, the rows are those of the query, and the result says whose it is."""
    database = SQLDatabase(shop_path, trusted=folder)
    result = database.query(CALL)
    written = result.sql
    assert "orders.placed >= '2024-03-01'" in written
    assert "customers.country = 'Côte d''Ivoire'" in written
    assert "<> ':since'" in written
    assert result.rows == database.query(written).rows
    assert result.trusted == "sold_since by Ada"
    assert json.loads(result.for_model())["trusted"] == "sold_since by Ada"
    assert database.query("SELECT COUNT(*) FROM employees").trusted is None


ACCEPTED = [
    (CALL, True),
    ("CALL head_count()", True),
    ("CALL sold_since(since='2024-13-01', country='France')", False),
    ("CALL sold_since(since='2024-03-01', country='Spain')", False),
    ("CALL sold_since(country='France', since='2024-03-01')", False),
    ("CALL sold_since(since='2024-03-01')", False),
    ("CALL nothing()", False),
    ("CALL head_count(); SELECT 1", False),
    ("CALL sold_since(since='2024-03-01' OR 1=1, country='France')", False),
]


@pytest.mark.parametrize(("text", "accepted"), ACCEPTED)
def test_slots_take_their_kind_only(shop_path: Path, folder: Path, text: str, accepted: bool) -> None:
    """The grammar and the database agree on what may stand in a slot."""
    database = SQLDatabase(shop_path, trusted=folder)
    assert database.grammar().accepts(text) is accepted
    if accepted:
        database.query(text)
    else:
        with pytest.raises(SQLRefused):
            database.query(text)


@pytest.mark.parametrize("day", ["2023-02-30", "2023-04-31", "2023-00-10", "2023-13-01", "0000-01-01"])
def test_a_day_is_one_of_the_calendar(shop_path: Path, folder: Path, day: str) -> None:
    """SQLite compares dates as texts, so a day that there never was would give a figure."""
    assert not SQLDatabase(shop_path, trusted=folder).grammar().accepts(CALL.replace("2024-03-01", day))


def test_leap_days_are_known(shop_path: Path, folder: Path) -> None:
    """No grammar knows leap years: the call is refused in their stead."""
    database = SQLDatabase(shop_path, trusted=folder)
    assert database.query(CALL.replace("2024-03-01", "2024-02-29")).rows
    with pytest.raises(SQLRefused, match="since takes a value of the kind date"):
        database.query(CALL.replace("2024-03-01", "2023-02-29"))


def test_trusted_only(shop_path: Path, folder: Path) -> None:
    """Nothing but the calls can be written, run, or seen in the prompt."""
    database = SQLDatabase(shop_path, trusted=folder, trusted_only=True)
    assert database.grammar().accepts(CALL)
    free = "SELECT COUNT(*) FROM employees LIMIT 1"
    assert not database.grammar().accepts(free)
    with pytest.raises(SQLRefused, match="only these may be asked here: CALL head_count"):
        database.query(free)
    assert (
        database.prompt()
        .splitlines()[1]
        .startswith("CALL sold_since(since=<date>, country=<in customers.country>)")
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("-- :x date\nSELECT 1", "need one line each"),
        ("SELECT id FROM orders WHERE id = :x", "need one line each"),
        ("-- :x colour\nSELECT id FROM orders WHERE id = :x", "use integer, number"),
        ("-- :x in orders.id\nSELECT id FROM orders WHERE id = :x", "no column with few stored values"),
        ("SELECT idd FROM orders", "the trusted query broken cannot run: no column idd"),
        ("DELETE FROM orders", "only SELECT"),
        ("-- question: nothing", "holds a SELECT"),
    ],
)
def test_what_cannot_be_trusted_fails_early(shop_path: Path, tmp_path: Path, sql: str, message: str) -> None:
    """A broken file is an error when the database is opened, not when a model calls it."""
    (tmp_path / "broken.sql").write_text(sql)
    with pytest.raises(ConfigurationError, match=message):
        SQLDatabase(shop_path, trusted=tmp_path)


AWKWARD = [
    "SELECT stores.city FROM stores LIMIT 2",
    "SELECT 'it''s -- no comment', \"größe\" FROM \"Select\" LIMIT 1",
    "SELECT 'two\nlines'\nFROM orders\nLIMIT 1",
]


@pytest.mark.parametrize("sql", AWKWARD)
def test_saved_is_what_is_loaded(tmp_path: Path, sql: str) -> None:
    """A query that is saved is read back with its question and its author, and is never overwritten."""
    schema = Schema(())
    path = save_trusted(
        tmp_path / "new", "cities", sql, schema=schema, question="Which\ncities?", author="Ada"
    )
    (query,) = load_trusted(tmp_path / "new", schema)
    assert (query.name, query.sql, query.question, query.author) == ("cities", sql, "Which cities?", "Ada")
    with pytest.raises(ConfigurationError, match="there already"):
        save_trusted(tmp_path / "new", "cities", sql, schema=schema)
    assert path.name == "cities.sql"


@pytest.mark.parametrize(
    ("name", "sql"),
    [("../x", "SELECT 1"), ("With Space", "SELECT 1"), ("x", "SELECT 'a\n\nb'"), ("x", "SELECT 1 = :me")],
)
def test_what_cannot_be_saved(tmp_path: Path, name: str, sql: str) -> None:
    """A name that is none, and a query that would be read back as another, leave no file."""
    with pytest.raises(ConfigurationError):
        save_trusted(tmp_path, name, sql, schema=Schema(()))
    assert not list(tmp_path.rglob("*.sql"))


BOUGHT = (
    "SELECT COUNT(*) AS n FROM orders JOIN customers ON orders.customer_id = customers.id "
    "WHERE orders.placed >= '2024-03-01' AND customers.country = 'France' AND orders.id > 7 "
    "AND orders.status <> 'France or 7' LIMIT 7"
)


def test_literals_become_slots(shop_path: Path, tmp_path: Path) -> None:
    """Each takes the kind that its value and its column say; what only looks like the value stays, a limit too."""
    with SQLDatabase(shop_path) as database:
        values = {"since": "2024-03-01", "country": "France", "least": "7"}
        sql, kinds = with_slots(database.check(BOUGHT), values)
        assert kinds == {"since": "date", "country": "in customers.country", "least": "integer"}
        question = mark_slots("How many orders from france since 2024-03-01?", values)
        save_trusted(tmp_path, "bought", sql, schema=database.schema, question=question, slots=kinds)
        expected = database.query(BOUGHT).rows
    with SQLDatabase(shop_path, trusted=tmp_path) as database:
        assert "How many orders from :country since :since?" in database.prompt()
        call = "CALL bought(since='2024-03-01', country='France', least=7)"
        assert database.grammar().accepts(call)
        result = database.query(call)
        assert result.rows == expected and result.sql == database.check(BOUGHT).text


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"country": "Spain"}, "its values are: '2024-03-01', 'France', 7, 'France or 7'"),
        ({"Country": "France"}, "plain lower-case letters"),
        ({"a": "France", "b": "France"}, "one slot is enough"),
        ({"a": "Fr\x00"}, "control characters"),
    ],
)
def test_what_can_be_no_slot(shop: SQLDatabase, slots: dict[str, str], message: str) -> None:
    """A value that the query has not, and a name that cannot be one, are errors that say what there is."""
    with pytest.raises(ConfigurationError, match=message):
        with_slots(shop.check(BOUGHT), slots)
