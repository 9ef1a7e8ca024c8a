"""Trusted queries without a model: asked in the words that are kept with them, in Python and at the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from jigwork import SQLAgent, SQLDatabase
from jigwork.errors import QuestionError
from jigwork.grammars.english import English

SOLD = """-- question: orders of :country since :since
-- author: Ada
-- :country in customers.country
-- :since date
SELECT COUNT(*) AS n FROM orders JOIN customers ON customers.id = orders.customer_id
WHERE customers.country = :country AND orders.placed >= :since LIMIT 1
"""
NAMED = """-- question: who is called :name, and where
-- :name text
SELECT customers.name, customers.country FROM customers WHERE customers.name = :name LIMIT 5
"""
SILENT = """-- :n integer
SELECT customers.name FROM customers WHERE customers.id = :n LIMIT 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with two slots, one with a text, one that has no question."""
    (tmp_path / "sold.sql").write_text(SOLD)
    (tmp_path / "named.sql").write_text(NAMED)
    (tmp_path / "silent.sql").write_text(SILENT)
    return tmp_path


def english_of(database: SQLDatabase) -> English:
    """The language that the offline engine reads this database's questions with."""
    return English(database.schema, trusted=database.trusted, trusted_only=database.trusted_only)


CALLS = [
    ("orders of Brazil since 2024-03-01", "CALL sold(country='Brazil', since='2024-03-01')", "sold by Ada"),
    ("Orders  of brazil since 2024-03-01?", "CALL sold(country='Brazil', since='2024-03-01')", "sold by Ada"),
    ('who is called "Customer 7", and where', "CALL named(name='Customer 7')", "named"),
    ("CALL silent(n=3)", "CALL silent(n=3)", "silent"),
]


@pytest.mark.parametrize(("question", "call", "label"), CALLS)
def test_a_question_calls_its_query(
    shop_path: Path, folder: Path, question: str, call: str, label: str
) -> None:
    """The words are found whatever their case; values are spelt as they are stored; name and author are said."""
    with SQLDatabase(shop_path, trusted=folder, trusted_only=True) as database:
        reading = english_of(database).read(question)
        assert (reading.sql, reading.trusted) == (call, label)
        assert label in reading.readback
        result = SQLAgent(database, "offline").run_sync(question)
    assert result.calls[0].arguments == call
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.value.trusted == label
    assert label in result.output


def test_other_questions_stay_what_they_are(shop_path: Path, folder: Path) -> None:
    """Beside trusted queries the language is whole, and what it writes is not called trusted."""
    with SQLDatabase(shop_path, trusted=folder) as database:
        reading = english_of(database).read("count customers")
    assert reading.trusted is None and reading.sql.startswith("SELECT")


REFUSED = [
    ("count customers", "none of the questions that can be asked here"),
    ("orders of Brasil since 2024-03-01", "country never is 'Brasil'; nearest: Brazil"),
    ("orders of Brazil since March", "since takes a value of the kind date"),
    ("CALL nothing()", "this calls no trusted query"),
    ("SELECT 1", "none of the questions that can be asked here"),
]


@pytest.mark.parametrize(("question", "reason"), REFUSED)
def test_nothing_else_may_be_asked(shop_path: Path, folder: Path, question: str, reason: str) -> None:
    """With trusted_only the refusal says why, and names what can be asked; nothing is proposed beside it."""
    with SQLDatabase(shop_path, trusted=folder, trusted_only=True) as database:
        english = english_of(database)
        with pytest.raises(QuestionError, match=reason) as caught:
            english.read(question)
        assert english.propose("customers in france") == ()
        output = SQLAgent(database, "offline").run_sync(question).output
    assert reason in output
    if not question.startswith("CALL"):
        for asked in ("orders of :country since :since", "who is called :name, and where", "CALL silent(n="):
            assert asked in str(caught.value)


COMPLETED: list[tuple[str, list[str]]] = [
    ("orders", ["orders"]),
    ("orders o", ["of"]),
    ("orders of ", ["Brazil", "Côte d'Ivoire", "France"]),
    ("orders of b", ["Brazil"]),
    ("orders of Brazil ", ["since"]),
    ("w", ["who"]),
    ("nothing ", []),
]


@pytest.mark.parametrize(("prefix", "words"), COMPLETED)
def test_the_prompt_completes_them(shop_path: Path, folder: Path, prefix: str, words: list[str]) -> None:
    """While one types, the words of the questions are offered, and the values that a slot takes."""
    with SQLDatabase(shop_path, trusted=folder, trusted_only=True) as database:
        assert english_of(database).complete(prefix) == words
