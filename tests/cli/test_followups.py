"""Follow-up questions offline: offered in full, never run by themselves."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.cli.followups import in_full
from jigwork.grammars.english import English
from jigwork.tools.sql import SQLDatabase


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> English:
    """The language of a small library."""
    path = tmp_path_factory.mktemp("library") / "library.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE readers (id INTEGER PRIMARY KEY, name TEXT, town TEXT);"
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, reader_id INTEGER REFERENCES readers (id), taken DATE, fee REAL);"
        "INSERT INTO readers VALUES (1, 'Ann', 'Oslo'), (2, 'Bo', 'Bergen');"
        "INSERT INTO loans VALUES (1, 1, '2023-01-02', 1.5), (2, 2, '2024-01-02', 0.5);"
    )
    connection.close()
    with SQLDatabase(path) as database:
        return English(database.schema)


@pytest.mark.parametrize(
    ("previous", "question", "full"),
    [
        ("count loans per year", "and by month?", "count loans per year and month"),
        ("count loans", "by reader town", "count loans per reader town"),
        ("count loans", "only in 2024", "count loans in 2024"),
        ("count loans in 2023", "and in 2024?", "count loans in 2024"),
        ("count readers where town is Oslo", "what about Bergen?", "count readers where town is Bergen"),
        ("list loans", "where fee > 1", "list loans where fee > 1"),
        ("list readers", "sorted by name", "list readers sorted by name"),
        (
            "count loans per reader town",
            "which of these is the largest?",
            "count loans per reader town sorted by count descending limit 1",
        ),
        (
            "sum of loans fee per reader town",
            "and the lowest 3?",
            "sum of loans fee per reader town sorted by sum of loans fee ascending limit 3",
        ),
        (
            "count loans per year sorted by count descending limit 1",
            "the smallest",
            "count loans per year sorted by count ascending limit 1",
        ),
    ],
)
def test_a_follow_up_is_offered_in_full(english: English, previous: str, question: str, full: str) -> None:
    """What the follow-up leaves out comes from the question before it; each offer has one reading."""
    found = in_full(english, previous, question)
    assert found[0] == full
    assert all(len(english.means(each)) == 1 for each in found)


@pytest.mark.parametrize(
    "question", ["list readers", "how is the weather", "and", "", "why?", "the same again"]
)
def test_other_questions_are_none(english: English, question: str) -> None:
    """What does not go on with anything gets no offer."""
    assert in_full(english, "count loans", question) == ()


def test_both_values_are_never_asked_for_at_once(english: English) -> None:
    """A value that takes another's place is not added to it."""
    found = in_full(english, "count readers where town is Oslo", "what about Bergen?")
    assert not [each for each in found if "Oslo" in each]


def test_the_command_line_offers_it(cli: Callable[..., Any], shop: Path) -> None:
    """A line that goes on with the one before is not run; the question in full is named."""
    done = cli("ask", "--db", shop, "--json", stdin="count orders per status\nwhere total > 100\n")
    first, second = (json.loads(line) for line in done.out.splitlines())
    assert first["row_count"] > 0
    assert second["error"]["proposals"] == ["count orders per status where total > 100"]
    assert "goes on with the last" in second["error"]["reason"]


def test_a_chat_about_a_database_goes_on(cli: Callable[..., Any], shop: Path) -> None:
    """In `chat --db` a follow-up that can mean one thing is asked in full; one that can mean two is offered."""
    done = cli("chat", "--db", shop, stdin="count customers\nonly in Brazil\n")
    assert done.code == 0 and "count customers in Brazil" in done.out and "country = 'Brazil'" in done.out
    done = cli("chat", "--db", shop, stdin="count orders per status\nonly in 2024\ncount stores\n")
    assert done.code == 1 and "count orders where ordered in 2024 per status" in done.err
    assert "FROM stores" in done.out


def test_a_chat_about_a_database_with_tools(cli: Callable[..., Any], shop: Path, tmp_path: Path) -> None:
    """Tools of one's own stand beside the query."""
    file = tmp_path / "mine.py"
    file.write_text('def double(number: int) -> int:\n    """Double a number."""\n    return 2 * number\n')
    done = cli("chat", "--db", shop, "--tools", file, stdin="use double with number 21\ncount stores\n")
    assert done.code == 0 and "42" in done.out and "FROM stores" in done.out
