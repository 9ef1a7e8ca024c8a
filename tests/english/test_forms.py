"""The same question in other words: every form reads as the plain one, and its rows are those of hand-written SQL."""

from __future__ import annotations

import sqlite3
from datetime import date

import pytest

from jigwork.grammars.english import AmbiguousQuestion, English, NotUnderstood
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table


def column(name: str, kind: str = "text", values: tuple[str, ...] | None = None) -> Column:
    """A nullable column."""
    return Column(name, kind=kind, values=values)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


KEY = Column("id", kind="integer", nullable=False)
SCHEMA = Schema(
    (
        Table(
            "members",
            (KEY, column("name"), column("town", values=("Oslo", "Graz")), column("age", "integer"),
             column("joined", "date"), column("active", "boolean"), column("sponsor_id", "integer")),
            ("id",),
            (ForeignKey(("sponsor_id",), "members", ("id",)),),
        ),
        Table("bills", (KEY, column("total", "number")), ("id",)),
        Table("books", (KEY, column("title"), column("genre", values=("crime", "poetry")), column("pages", "integer"),
                        column("printed", "date"), column("binder's mark")), ("id",)),
        Table(
            "loans",
            (KEY, column("member_id", "integer"), column("book_id", "integer"), column("taken", "date"),
             column("fee", "number")),
            ("id",),
            (ForeignKey(("member_id",), "members", ("id",)), ForeignKey(("book_id",), "books", ("id",))),
        ),
    )
)  # fmt: skip
ROWS = """
CREATE TABLE members (id, name, town, age, joined, active, sponsor_id);
CREATE TABLE books (id, title, genre, pages, printed, "binder's mark");
CREATE TABLE loans (id, member_id, book_id, taken, fee);
INSERT INTO members VALUES (1,'Ada','Oslo',30,'2020-01-05',1,NULL),(2,'Bo','Graz',41,'2021-06-30',0,1),
    (3,'Cy',NULL,NULL,NULL,1,1),(4,'Di','Oslo',41,'2021-12-31',NULL,2);
INSERT INTO books VALUES (1,'Ice','crime',90,'1999-04-01',NULL),(2,'Elms','poetry',250,'2004-12-31','x'),
    (3,'Nil',NULL,250,NULL,NULL);
INSERT INTO loans VALUES (1,1,1,'2022-02-01',1.5),(2,1,2,'2022-02-28',2),(3,1,1,'2023-01-01',NULL),
    (4,2,2,'2022-03-01',4),(5,NULL,2,NULL,8);
"""

SAME = [
    # said, plainly
    ("names of members", "list name for members"),
    ("the names of all the members", "list name for members"),
    ("member names and towns", "list name, town for members"),
    ("title and pages of books without any loans", "list title, pages for books without loans"),
    ("distinct genres of books", "list distinct genre for books"),
    ("name and number of loans for members", "list name, number of loans for members"),
    ("get me all books, please", "list books"),
    ("what's the average pages of books?", "average pages of books"),
    ("which books are there?", "list books"),
    ("show 2 books", "list books limit 2"),
    ("how many members do we have?", "count members"),
    ("what is the total number of loans", "count loans"),
    ("how many different genres of books are there?", "count distinct genre for books"),
    ("how many loans were taken in 2022", "count loans where taken in 2022"),
    ("loans that were taken before 2023", "list loans where taken before 2023"),
    ("books with a pages of at least 100", "list books where pages >= 100"),
    ("books with pages of between 80 and 100", "list books where pages between 80 and 100"),
    ("books where pages is 100 or more", "list books where pages >= 100"),
    ("books where pages from 80 to 100", "list books where pages between 80 and 100"),
    ("members where age is no more than 40", "list members where age <= 40"),
    ("members with age equal to or greater than 41", "list members where age >= 41"),
    ("members where age is not 30", "list members where age <> 30".replace("<>", "is not")),
    ("members whose town is either Oslo or Graz", "list members where town in (Oslo, Graz)"),
    ("members where town is neither Oslo nor Graz", "list members where town not in (Oslo, Graz)"),
    ("members with town Oslo or Graz", "list members where town in (Oslo, Graz)"),
    ("members from town Oslo", "list members where town is Oslo"),
    ("members from Oslo", "list members where town is Oslo"),
    ("Oslo members", "list members where town is Oslo"),
    ("loans of members in Oslo", "list loans with (member where town is Oslo)"),
    ("how many crime books are there", "count books where genre is crime"),
    ('loans of member "Ada"', 'list loans where name of member is "Ada"'),
    ("loans of book 2", "list loans where book id is 2"),
    ('loans where member is "Ada" or "Bo"', 'list loans where name of member is "Ada" or name of member is "Bo"'),
    ('member "Ada"', 'list members where name is "Ada"'),
    ("loan 3", "list loans where id is 3"),
    ('members with books "Ice" and "Elms"',
     'list members with (book of loans where title is "Ice") and with (book of loans where title is "Elms")'),
    ('members with books "Ice" or "Elms"', 'list members with (book of loans where title is "Ice" or title is "Elms")'),
    ('members with more loans than "Bo"',
     'list members where number of loans > (maximum of number of loans across members where name is "Bo")'),
    ("members with more loans than average", "list members where number of loans > (average of number of loans across members)"),
    ('books with more pages than "Ice"', 'list books where pages > (maximum of pages across books where title is "Ice")'),
    ("books with more pages than average", "list books where pages > average pages"),
    ("books with pages above the average of their genre", "list books where pages > (average of pages across books per genre)"),
    ("towns with more than 1 member", "count members per town having count > 1"),
    ("towns with more members than Graz", "count members per town having count > (count across members where town is Graz)"),
    ("towns with more members than average", "count members per town having count > average count"),
    ("months with more loans than the month before", "count loans per month of taken having count > count before"),
    ("share of loans per book", "share of count across loans per book"),
    ("percentage of members with loans", "percentage (with loans) across members"),
    ("running total of fee by month", "running sum of fee across loans per month of taken"),
    ("the latest loan of each member", "list loans sorted by taken descending limit 1 per member"),
    ("top 2 books per genre by pages", "list books sorted by pages descending limit 2 per genre"),
    ("the 3 latest loans", "list loans sorted by taken descending limit 3"),
    ("the latest loan", "list loans sorted by taken descending limit 1"),
    ("loans in the last 30 days", "list loans where taken between 2023-02-16 and 2023-03-17"),
    ("loans last month", "list loans where taken in February 2023"),
    ("how many loans this year", "count loans where taken in 2023"),
    ("loans where taken more than 2 years ago", "list loans where taken before 2021-03-17"),
    ("loans where taken is today or yesterday", "list loans where taken is 2023-03-17 or taken is 2023-03-16"),
    ("loans since last quarter", "list loans where taken since 2022-10-01"),
    ("sum of fee times 2 of loans", "sum of fee * 2 across loans"),
    ("sum of (fee plus 1) times 2 of loans", "sum of (fee + 1) * 2 across loans"),
    ("average days between joined and joined of members", "average days from joined to joined across members"),
    ("titles of books but not names of members", "(list title for books) but not (list name for members)"),
    ("titles of books or names of members", "either (list title for books) or (list name for members)"),
    ("ids of both books and members", "both (list id for books) and (list id for members)"),
    ("count loans per month of loans", "count loans per month of taken"),
    ("count loans per member town", "count loans per town of member"),
    ("sum of fee per book genre", "sum of fee per genre of book"),
    ("books of genre poetry", "list books where genre is poetry"),
    ("members whose name starts with \"A\" or whose name ends with \"i\"",
     'list members where name starts with "A" or name ends with "i"'),
    ("loans taken from January 2022 to February 2022", "list loans where taken between 2022-01 and 2022-02"),
    ("loans from 2022-02-01 to 2022-02-28", "list loans where taken between 2022-02-01 and 2022-02-28"),
    ("loans between 2022-02-01 and 2022-02-28", "list loans where taken between 2022-02-01 and 2022-02-28"),
    ("loans where taken is 2022-03-01 or later", "list loans where taken since 2022-03-01"),
    ("books with no printed date", "list books where printed is empty"),
    ("books where binder's mark is empty", "list books where `binder's mark` is empty"),
    ("members with an age above average", "list members where age > average age"),
    ("members who don't have any loans", "list members without loans"),
    ("which members have no loans", "list members without loans"),
    ("members without a loan", "list members without loans"),
    ("members with 2 or more loans", "list members with at least 2 loans"),
    ("members whose sponsor is empty", "list members without sponsor"),
    ("loans of members where town is Oslo", "list loans with (member where town is Oslo)"),
    ("loans from members whose age is over 40", "list loans with (member where age > 40)"),
    ("loans of members of town Oslo", "list loans with (member where town is Oslo)"),
    ("books of loans of members where town is Oslo but age is not 30",
     "list books with (loans where with (member where town is Oslo and age is not 30))"),
    ("members who had no loans", "list members without loans"),
    ("how many loans of members where town is Oslo", "count loans with (member where town is Oslo)"),
    ("number of loans of members with town Oslo", "count loans with (member where town is Oslo)"),
    ("sum of fee of loans of members where town is Oslo", "sum of fee across loans with (member where town is Oslo)"),
    ("average pages by each genre", "average pages of books per genre"),
    ("books sorted by pages, highest first", "list books sorted by pages descending"),
    ("books sorted by printed, newest first", "list books sorted by printed descending"),
    ("members sorted by name alphabetically", "list members sorted by name"),
    ("books ordered by pages from high to low", "list books sorted by pages descending"),
    ("the 2 books with the lowest pages", "bottom 2 books by pages"),
    ("the book with the highest pages", "top 1 books by pages"),
    ("which member has the most loans?", "top 1 members by number of loans"),
    ("the 2 members with the most loans where fee > 1", "top 2 members by number of loans where fee > 1"),
    ("name of the member with the highest sum of loan fee", "list name for members sorted by sum of loan fee descending limit 1"),
    ("the book with the latest printed date", "top 1 books by printed"),
]  # fmt: skip

ANSWERS = [
    ("title of the book with the lowest pages", "SELECT 'Ice'"),
    ("titles of the 2 books with the highest pages", "VALUES ('Elms'),('Nil')"),
    ("name of the member with the most loans", "SELECT 'Ada', 3"),
    ("how many loans of members where town is Oslo?", "SELECT 3"),
    ("ids of loans of members where age > 40", "SELECT 4"),
    ("names of members without loans", "VALUES ('Cy'),('Di')"),
    ("names of members whose sponsor is empty", "SELECT 'Ada'"),
    ("names of members whose sponsor is not empty and age is above average", "VALUES ('Bo'),('Di')"),
    ("names of members where town is neither Graz nor \"Rome\"", "VALUES ('Ada'),('Di')"),
    ("number of loans per member with 2 or more loans", "SELECT 1, 'Ada', 3"),
    ("titles of books with no binder's mark", "VALUES ('Ice'),('Nil')"),
    ("ids of loans from 2022-02-28 to 2022-12-31", "VALUES (2),(4)"),
    ("sum of fee of loans of books where genre is poetry", "SELECT 14.0"),
]  # fmt: skip

REFUSED = [
    # question, part of the reason, a proposal
    ("name", "of which table", "list name for members"),
    ("members age", "age of members", "list age for members"),
    ("books with the most loans", "say how many", "list books sorted by number of loans descending limit 1"),
    ("books with the highest pages", "say how many", "list books sorted by pages descending limit 5"),
    ("the member with the highest loan fee", "of which", "list members sorted by sum of fee of loans descending limit 1"),
    ("the member with the oldest age", "for dates", ""),
    ("members sorted by age oldest first", "for dates", ""),
    ("members sorted by age alphabetically", "for texts", ""),
    ("the book with the highest title", "only numbers and dates", ""),
    ("latest loans", "say by what", "list loans sorted by taken descending limit 5"),
    ("top 3 members by loans", "by what number", "list members sorted by number of loans descending limit 3"),
    ("books by pages", "no groups", "list books sorted by pages ascending"),
    ("loans per member", "no groups", "count loans per member"),
    ("loans of members", "missing at the end", ""),
    ("number of loans across members", "by themselves", ""),
    ("the most expensive book", "no such column", ""),
    ("members with more than 2 members of books", "back to where", ""),
    ("member names with towns", "say `and ...`", ""),
    ("fees of loans with book titles", "say `and ...`", ""),
    ("total of bills", "add them up", "sum of total across bills"),
    ("the total of bills", "add them up", "list total for bills"),
    # what was understood is kept
    ("which nice members with at least 2 loans joined after 2020", "not known",
     "list members with at least 2 loans and joined since 2021-01-01"),
    ("how many boring books with pages > 100 are there per genre", "not known", "count books where pages > 100 per genre"),
    ("do members in Oslo with loans where fee > 3 pay", "cannot stand", 'list members where town is "Oslo" and with (loans where fee > 3)'),
]  # fmt: skip

ASKED = [
    ("members with 2 loans", {"list members with exactly 2 loans", "list members with at least 2 loans"}),
    ("members with active", {"list members where active is not empty", "list members where active is true"}),
    ("the member with the fewest loans", {"list members sorted by number of loans ascending limit 1",
                                          "list members with loans sorted by number of loans ascending limit 1"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def english() -> English:
    """The language of the library, on a day in March."""
    return English(SCHEMA, now=date(2023, 3, 17))


@pytest.mark.parametrize(("said", "plainly"), SAME, ids=[said for said, _ in SAME])
def test_other_words(english: English, said: str, plainly: str) -> None:
    """A form gives the SQL and the read-back of the plain question."""
    reading, plain = english.read(said), english.read(plainly)
    assert (reading.sql, reading.readback) == (plain.sql, plain.readback)


@pytest.mark.parametrize(("question", "expected"), ANSWERS, ids=[question for question, _ in ANSWERS])
def test_rows(english: English, question: str, expected: str) -> None:
    """The rows are those of SQL that a person wrote."""
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(ROWS)
        found = connection.execute(english.read(question).sql).fetchall()
        assert found == connection.execute(expected).fetchall()
    connection.close()


@pytest.mark.parametrize(("question", "reason", "proposal"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(english: English, question: str, reason: str, proposal: str) -> None:
    """What would have to be guessed is refused; what was understood of it is proposed."""
    with pytest.raises(NotUnderstood) as caught:
        english.read(question)
    assert reason in caught.value.reason
    assert not proposal or proposal in caught.value.proposals
    for each in caught.value.proposals:
        assert english.read(each).sql


@pytest.mark.parametrize(("question", "readings"), ASKED, ids=[question for question, _ in ASKED])
def test_asked_back(english: English, question: str, readings: set[str]) -> None:
    """What people mean in two ways is asked back."""
    with pytest.raises(AmbiguousQuestion) as caught:
        english.read(question)
    assert set(caught.value.readings) == readings


def test_a_proposal_never_turns_a_condition_round(english: English) -> None:
    """What follows a negation that is not understood is left out, not proposed without it."""
    for question in (
        "members never from Oslo",
        "members excluding those with loans",
        "members except from Oslo",
    ):
        with pytest.raises(NotUnderstood) as caught:
            english.read(question)
        for proposal in caught.value.proposals:
            kept = "Oslo" in proposal or "with loans" in proposal
            assert not kept or "not" in proposal or "without" in proposal, (question, proposal)


def test_ties_are_said(english: English) -> None:
    """The one row of a superlative may be one of several; the read-back says which is taken."""
    readback = english.read("the member with the most loans").readback
    assert "only the first one" in readback
    assert "Equal ones are taken in the order of id." in readback


def test_an_apostrophe_is_shown_as_it_is_written(english: English) -> None:
    """A name with an apostrophe is said, completed and read back as it stands."""
    assert english.read("binder's mark of books").question == "list binder's mark for books"
    assert "binder's mark" in english.complete("list books where bin")
