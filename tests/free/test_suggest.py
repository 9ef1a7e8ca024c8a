"""Free questions: what is taken without asking is what was meant, and what is not taken says why and leads on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jigwork.grammars.english import English
from jigwork.grammars.english.free.rules import FILLERS, RULES, VERBS
from jigwork.grammars.english.free.spans import words_of
from jigwork.grammars.schema import Column, Schema, Table

SURE: list[tuple[str, str]] = [
    ("What are the names of authors older than 40?", "SELECT name FROM author WHERE age > 40"),
    ("names of all authors younger than 40", "SELECT name FROM author WHERE age < 40"),
    ("List the titles of the books written by Ada Frost.",
     "SELECT title FROM book JOIN author USING (author_id) WHERE name = 'Ada Frost'"),
    ("Which genre has the most books?", "SELECT genre FROM book GROUP BY genre ORDER BY count(*) DESC, genre LIMIT 1"),
    ("What is the most common genre of books?", "SELECT genre FROM book GROUP BY genre ORDER BY count(*) DESC, genre LIMIT 1"),
    ("List the title and genre of books with more than 200 pages, sorted by pages in descending order.",
     "SELECT title, genre FROM book WHERE pages > 200 ORDER BY pages DESC"),
    ("How many loans did each reader make?",
     "SELECT first_name, count(*) FROM loan JOIN reader USING (reader_id) GROUP BY reader_id"),
    ("For each reader, how many loans are there?",
     "SELECT first_name, count(*) FROM loan JOIN reader USING (reader_id) GROUP BY reader_id"),
    ("What is the name of the youngest author from Norway?",
     "SELECT name FROM author WHERE country = 'Norway' ORDER BY age LIMIT 1"),
    ('What is the price of "Maps of Lima"?', "SELECT price FROM book WHERE title = 'Maps of Lima'"),
    ("What is the price of Maps of Lima?", "SELECT price FROM book WHERE title = 'Maps of Lima'"),
    ("Show names of authors who wrote both crime and poetry",
     ("SELECT name FROM author WHERE author_id IN (SELECT author_id FROM book WHERE genre = 'crime') "
     "AND author_id IN (SELECT author_id FROM book WHERE genre = 'poetry')")),
    ("What are the names of branches opened before 2005?", "SELECT branch_name FROM branch WHERE opening_year < 2005"),
    ("Show each country and how many authors it has.", "SELECT country, count(*) FROM author GROUP BY country"),
    ("Which writers come from Ghana?", "SELECT name FROM author WHERE country = 'Ghana'"),
    ("List the titles of books that cost less than the average price.",
     "SELECT title FROM book WHERE price < (SELECT avg(price) FROM book)"),
    ("Which countries have more than 4 authors?", "SELECT country FROM author GROUP BY country HAVING count(*) > 4"),
    ("What are the different countries where authors over age 60 are from?",
     "SELECT DISTINCT country FROM author WHERE age > 60"),
    ("Find the names of authors who never wrote any book.",
     "SELECT name FROM author WHERE author_id NOT IN (SELECT author_id FROM book)"),
    ("Which books are published after 2018? Give me the title and the price.",
     "SELECT title, price FROM book WHERE published_on >= '2019-01-01'"),
    ("Sort author names by their age in descending order.", "SELECT name FROM author ORDER BY age DESC"),
    ("titel of books ordered alphabetically", "SELECT title FROM book ORDER BY title"),
]  # fmt: skip
"""Free questions that are taken, and SQL for the same."""


def rows(path: Path, sql: str, columns: int | None = None) -> list[tuple[object, ...]]:
    """The rows of a query; only the first columns."""
    with sqlite3.connect(path) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return [tuple(row[:columns]) for row in found]


@pytest.mark.parametrize(("question", "sql"), SURE, ids=[question for question, _ in SURE])
def test_what_is_taken_is_right(english: English, library_path: Path, question: str, sql: str) -> None:
    """A question that leaves no doubt gives the rows of its SQL, in its order where there is one."""
    suggestions = english.suggest(question)
    assert suggestions.sure is not None, suggestions
    found = rows(library_path, suggestions.sure.sql, suggestions.sure.columns)
    wanted = rows(library_path, sql)
    assert found == wanted if "ORDER BY" in sql else sorted(found, key=repr) == sorted(wanted, key=repr)


UNSURE: list[tuple[str, str]] = [
    ("What is the size of the tower?", "nothing here is called size, tower"),
    ("Which books did Ada Frost cancel?", "cancel"),
    ("names of authors from Atlantis", "Atlantis"),
    ("the best author", "not in this order"),
    ("Which authors died?", "called died"),
    ("How many readers joined?", "not in this order"),
    ("title of books that expensive 12", "not in this order"),
    ("authors who were born before and after 1950", "not in this order"),
    ("names of readers who have loans after 2023", "once for each"),
    ("title of books that are genre crime and genre poetry", "not in this order"),
    ("drop table author", "drop"),
    ("", "not in this order"),
    ("'; DELETE FROM author; --", "DELETE"),
    ("\x00\ud800 \u202e", "not in this order"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "part"), UNSURE, ids=[repr(question) for question, _ in UNSURE])
def test_doubt_has_a_reason(english: English, question: str, part: str) -> None:
    """What is not plain is not taken, and the reason says why."""
    suggestions = english.suggest(question)
    assert suggestions.sure is None, suggestions.sure
    assert part in (suggestions.reason or ""), suggestions.reason


def test_two_readings_are_both_shown(english: English) -> None:
    """Where another reading is as near, neither is taken, and both are offered."""
    suggestions = english.suggest("What is the name of the author with the fewest books?")
    assert suggestions.sure is None and "it may also mean" in (suggestions.reason or "")
    assert len({proposal.sql for proposal in suggestions.proposals}) >= 2


@pytest.mark.parametrize("question", [question for question, _ in SURE + UNSURE])
def test_proposals_are_questions_of_the_language(english: English, question: str) -> None:
    """There are at most three, all different, and each has one reading: the SQL that it was offered with."""
    suggestions = english.suggest(question)
    assert len(suggestions.proposals) <= 3
    assert len({proposal.sql for proposal in suggestions.proposals}) == len(suggestions.proposals)
    for proposal in suggestions.proposals:
        assert english.read(proposal.question).sql == proposal.sql
    assert english.propose(question) == tuple(proposal.question for proposal in suggestions.proposals)


def test_what_was_assumed(english: English) -> None:
    """Names, values, and verbs that only join are said with what they were taken for."""
    sure = english.suggest("Which writers come from Ghana?").sure
    assert sure is not None
    assert ("writers", "the table author") in sure.assumed
    assert ("Ghana", "a value of author.country") in sure.assumed


def test_what_is_ignored_is_said(english: English) -> None:
    """A proposal that leaves words out says which."""
    first = english.suggest("frobnicated books of Japan by candlelight").proposals[0]
    assert {words for words, meaning in first.assumed if meaning == "ignored"} >= {
        "frobnicated",
        "candlelight",
    }


def test_columns_that_only_sort_come_last(english: English) -> None:
    """`columns` counts what was asked for, though what it is sorted by is shown too."""
    sure = english.suggest("Which genre has the most books?").sure
    assert sure is not None and sure.columns == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ann's 3,200 books?", ["ann", "'s", "3200", "books"]),
        ("readers' names", ["readers", "'s", "names"]),
        ('title "War and Peace".', ["title", "\x00"]),
        ("the 'crime' genre", ["the", "\x00", "genre"]),
        ("since 2024-05-17, or e-mail", ["since", "2024-05-17", ",", "or", "e-mail"]),
    ],
)
def test_words(text: str, said: list[str]) -> None:
    """Quotes, possessives, thousands and dates are words of their own."""
    assert [word.said for word in words_of(text)] == said


def test_rules_and_fillers_agree() -> None:
    """No phrase of the rules has a word that is taken out before they are tried, and verbs are single words."""
    import re

    phrases = [phrase.split() for phrase in re.findall(r'"([^"]+)"', RULES)]
    assert not [phrase for phrase in phrases if FILLERS.intersection(phrase)]
    assert all(verb.isalpha() and verb == verb.lower() for verb in VERBS)


def test_a_large_schema() -> None:
    """Of many tables those that the question is about are looked at, under the user's own words too."""
    noise = [Table(f"ledger_{i}", (Column("id", kind="integer"), Column(f"entry_{i}"))) for i in range(80)]
    captain = Table(
        "captain", (Column("id", kind="integer"), Column("name"), Column("age", kind="integer")), ("id",)
    )
    english = English(Schema((*noise, captain)), aliases={"tables": {"captain": ["skipper"]}})
    sure = english.suggest("What are the names of the skippers who are older than 40?").sure
    assert sure is not None and sure.question == "list name for captains where age > 40"
    assert english.suggest("zyx wvu").reason == "no table or column here is called so"
