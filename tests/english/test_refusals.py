"""What is not in the language is refused with place, reason and a way on; what has two readings is asked back."""

from __future__ import annotations

import pytest

from jigwork.errors import QuestionError
from jigwork.grammars.english import AmbiguousQuestion, English, NotUnderstood
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table


def column(name: str, kind: str = "text", values: tuple[str, ...] | None = None) -> Column:
    """A nullable column."""
    return Column(name, kind=kind, values=values)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


KEY = Column("id", kind="integer", nullable=False)
SCHEMA = Schema(
    (
        Table("airports", (KEY, column("city"), column("country", values=("Chad", "Peru"))), ("id",)),
        Table("airlines", (KEY, column("name"), column("country", values=("Peru",)), column("founded", "integer")), ("id",)),
        Table(
            "flights",
            (KEY, column("airline_id", "integer"), column("from_id", "integer"), column("to_id", "integer"),
             column("leaves", "datetime"), column("booked", "date"), column("seats", "integer"), column("delayed", "boolean"),
             column("status", values=("open", "full"))),
            ("id",),
            (ForeignKey(("airline_id",), "airlines", ("id",)), ForeignKey(("from_id",), "airports", ("id",)),
             ForeignKey(("to_id",), "airports", ("id",))),
        ),
        Table("bags", (KEY, column("flight_id", "integer"), column("weight", "number"), column("colour")), ("id",),
              (ForeignKey(("flight_id",), "flights", ("id",)),)),
        Table("weather", (KEY, column("sky")), ("id",)),
    )
)  # fmt: skip

REFUSED = [
    # question, where, part of the reason, a suggestion or a proposal (or "")
    ("", "", "no question", ""),
    ("count", "count", "say what to count", ""),
    ("statuses with a larger latest of flight booked than average", "average", "needs numbers", ""),
    ("count flights where seats", "", "missing at the end", ""),
    ("count fligths", "fligths", "is not known", "flights"),
    ("count flights where seets > 5", "seets", "is not known", "seats"),
    ("count flights where seats > many", "many", "cannot stand here", ""),
    ("count flights where status is opn", "opn", "is not known", "open"),
    ("count airports where country is Perru", "Perru", "is not known", "Peru"),
    ("count flights where status is Paris", "Paris", "written in quotes", ""),
    ('count flights where status is "open', '"open', "never closed", ""),
    ("count flights where", "", "missing at the end", ""),
    ("count flights where (seats > 5", "", "missing at the end", ""),
    ("count flights where seats > 5)", ")", "cannot stand here", ""),
    ("count flights where seats > 1,000", "1,000", "without commas", ""),
    ("count flights where seats is lots", "lots", "is not known", ""),
    ('count flights where seats is "5"', '"5"', "without quotes", ""),
    ('count bags where colour > 5', "5", "letter by letter", ""),
    ("count flights where leaves > 5", "5", "dates", ""),
    ("count flights where leaves is 2024-02-30", "2024-02-30", "no such date", ""),
    ("count flights where booked between 2024 and 2023", "2023", "before the first", ""),
    ("count flights where seats after 2020", "after", "for dates", ""),
    ("count flights where delayed > 1", "1", "", ""),
    ("count flights where seats contains 5", "contains", "only a text", ""),
    ("count flights where delayed is 7", "7", "true or false", ""),
    ("count flights where status is Chad", "Chad", "no stored value here", ""),
    ("sum of colour of bags", "", "needs numbers", ""),
    ("count flights where sky is \"blue\"", "sky", "flights have no sky", ""),
    ("count flights with weather", "weather", "no foreign key leads", ""),
    ("list flights per status", "per status", "no groups", ""),
    ("count flights having count > 3", "having count > 3", "needs groups", ""),
    ("count flights sorted by seats", "sorted by seats", "one number", ""),
    ("list flights limit 0", "limit 0", "between 1 and", ""),
    ("top 3 flights by seats limit 5", "", "two limits", ""),
    ("top 3 flights", "top", "by what", ""),
    ("count flights per bag", "bag", "may have many", ""),
    ("list flights booked", "flights booked", "booked of flights", ""),
    ("list id, bag weight for flights", "bag weight", "may have many", ""),
    ("list flight seats, bag weight", "bag weight", "different tables", ""),
    ("list distinct status for flights sorted by seats", "", "different values", ""),
    ("average airline founded of flights", "airline founded", "once", "average founded of airlines"),
    ("list id, number of flights, sum of airline founded of flights for airports", "", "", ""),
    ("count flights where airline name is empty and airline country is Chad", "Chad", "no stored value here", ""),
    ("count airlines with airlines", "airlines", "without saying how", ""),
    ("count bags per status", "", "name the column", "count bags per status of flight"),
    ("count bags where airline name is \"X\" and leaves in 2024", "", "name the column", "leaves of flight"),
    ("delete flights", "delete", "is not known", ""),
    ("count flights; drop table flights", "flights;", "is not known", "flights"),
    ("use calculator with a 1", "calculator", "no tool", ""),
]  # fmt: skip

AMBIGUOUS = [
    ("count flights in Peru", ["country of airline", "country of from", "country of to"]),
    # question, the readings
    ("count flights where airport city is \"Lima\"", ["city of from is", "city of to is"]),
    ("count flights per airport city", ["city of from", "city of to"]),
    ("count airports with flights", ["flights via `from_id`", "flights via `to_id`"]),
    ("list country", ["for airlines", "for airports"]),
    ("count flights in 2024", ["leaves in 2024", "booked in 2024"]),
    ("count flights per year", ["year of leaves", "year of booked"]),
    ("last 3 flights", ["id descending", "leaves descending", "booked descending"]),
    ("count flights where bag weight > 20 and bag colour is \"red\"", ["with (bags where weight > 20 and", ") and with (bags where"]),
    ("count flights where bag colour is not \"red\"", ["with (bags where colour is not", "without (bags where colour is"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def english() -> English:
    """The language of the airports."""
    return English(SCHEMA)


@pytest.mark.parametrize(("question", "found", "reason", "offered"), REFUSED, ids=lambda text: str(text)[:50])
def test_refused(english: English, question: str, found: str, reason: str, offered: str) -> None:
    """The error marks the place, says why, and offers what is near."""
    with pytest.raises(NotUnderstood) as caught:
        english.read(question)
    error = caught.value
    assert isinstance(error, QuestionError)
    assert reason in error.reason
    if found:
        assert error.found == found
    everything = " | ".join([*error.suggestions, *error.proposals])
    assert offered in everything
    for proposal in error.proposals:
        assert english.read(proposal).sql
    assert "^" in str(error)
    assert "Error" not in str(error) and "Traceback" not in str(error)


@pytest.mark.parametrize(("question", "readings"), AMBIGUOUS, ids=lambda text: str(text)[:50])
def test_ambiguous(english: English, question: str, readings: list[str]) -> None:
    """Every reading is listed as a question that has exactly one reading, with its read-back."""
    with pytest.raises(AmbiguousQuestion) as caught:
        english.read(question)
    error = caught.value
    assert len(error.readings) == len(readings) == len(error.explanations)
    for part in readings:
        assert sum(part in reading for reading in error.readings) >= 1, error.readings
    found = {english.read(reading).sql for reading in error.readings}
    assert len(found) == len(readings)
    assert all(reading in str(error) for reading in error.readings)


def test_a_word_put_right_is_proposed(english: English) -> None:
    """A misspelt word gives the whole question with the word put right; a strange question gives a beginning."""
    with pytest.raises(NotUnderstood) as caught:
        english.read("count fligths where seats > 5")
    assert caught.value.proposal == "count flights where seats > 5"
    with pytest.raises(NotUnderstood) as caught:
        english.read("what is love?")
    assert caught.value.proposals and english.read(str(caught.value.proposal)).sql


def test_a_name_of_two_nouns_is_asked_back() -> None:
    """A condition that fits both nouns before it is not given to one of them."""
    tables = (
        Table("teams", (KEY, column("city")), ("id",)),
        Table("players", (KEY, column("city"), column("team_id", "integer")), ("id",),
              (ForeignKey(("team_id",), "teams", ("id",)),)),
    )  # fmt: skip
    english = English(Schema(tables))
    with pytest.raises(AmbiguousQuestion) as caught:
        english.read('count teams with players where city is "Rome"')
    assert set(caught.value.readings) == {
        'count teams with players and city is "Rome"',
        'count teams with (players where city is "Rome")',
    }


def test_two_paths_are_asked_back() -> None:
    """Two ways over different tables are two readings; a direct key is preferred to a way round."""
    key = (KEY, column("name"))
    tables = (
        Table("regions", key, ("id",)),
        Table("shops", (*key, column("region_id", "integer")), ("id",), (ForeignKey(("region_id",), "regions", ("id",)),)),
        Table("clients", (*key, column("region_id", "integer")), ("id",), (ForeignKey(("region_id",), "regions", ("id",)),)),
        Table("sales", (KEY, column("shop_id", "integer"), column("client_id", "integer")), ("id",),
              (ForeignKey(("shop_id",), "shops", ("id",)), ForeignKey(("client_id",), "clients", ("id",)))),
    )  # fmt: skip
    english = English(Schema(tables))
    with pytest.raises(AmbiguousQuestion) as caught:
        english.read("count sales per region")
    assert set(caught.value.readings) == {
        "count sales per region of shop",
        "count sales per region of client",
    }
    direct = Table("sales", (*tables[3].columns, column("region_id", "integer")), ("id",),
                   (*tables[3].foreign_keys, ForeignKey(("region_id",), "regions", ("id",))))  # fmt: skip
    reading = English(Schema((*tables[:3], direct))).read("count sales per region")
    assert "sales.region_id" in reading.sql and "shops" not in reading.sql
    assert "Joined by sales.region_id = regions.id." in reading.readback


def test_a_value_in_two_columns_is_asked_back() -> None:
    """`in VALUE` is about the one column that holds the value; of several each is offered."""
    rome = ("Rome", "Bari")
    table = Table("trips", (KEY, column("start", values=rome), column("goal", values=("Rome",))), ("id",))
    english = English(Schema((table,)))
    with pytest.raises(AmbiguousQuestion) as two:
        english.read("count trips from Rome")
    assert set(two.value.readings) == {
        'count trips where start is "Rome"',
        'count trips where goal is "Rome"',
    }
    assert english.read("count trips from Bari").question == 'count trips where start is "Bari"'
    assert english.read("count Bari trips").question == 'count trips where start is "Bari"'


def test_a_name_shared_by_two_tables_is_not_taken_apart() -> None:
    """`item type code` is a column of two tables, and not the `type code` of one of them."""
    code = column("item_type_code")
    tables = (Table("item_types", (code,), ("item_type_code",)), Table("items", (KEY, code), ("id",)))
    with pytest.raises(AmbiguousQuestion):
        English(Schema(tables)).read("list distinct item type codes")
    assert English(Schema(tables)).read("list type code of items").tables == ("items",)


def test_a_value_that_differs_in_case_only() -> None:
    """Of values that differ in case the one as written is meant; neither as written is asked back."""
    table = Table("jobs", (KEY, column("state", values=("Open", "open", "OPEN"))), ("id",))
    english = English(Schema((table,)))
    assert "= 'Open'" in english.read("count jobs where state is Open").sql
    with pytest.raises(AmbiguousQuestion):
        english.read("count jobs where state is oPEN")


def test_names_of_the_language_as_names_of_the_schema() -> None:
    """Tables and columns may be called like words of the language; backquotes make any name plain."""
    table = Table("order", (KEY, column("where"), column("count", "integer"), column("group")), ("id",))
    english = English(Schema((table,)))
    assert english.read("list `count` of orders where count > 5").sql == (
        'SELECT "order".count FROM "order" WHERE "order".count > 5 ORDER BY "order".id ASC LIMIT 1000'
    )
    assert 'GROUP BY "order"."group"' in english.read("count `order` per `group`").sql


def test_the_question_is_only_read() -> None:
    """Text of a question reaches SQL as a literal, whatever it holds."""
    english = English(SCHEMA)
    sql = english.read("""count bags where colour is "x'; DROP TABLE bags; --" """).sql
    assert sql == "SELECT COUNT(*) AS count FROM bags WHERE bags.colour = 'x''; DROP TABLE bags; --' LIMIT 1"


def test_keys_that_lead_both_ways() -> None:
    """A country has cities, and one as its capital: plural nouns mean the many, a singular one is asked back."""
    tables = (
        Table("countries", (KEY, column("name"), column("capital_id", "integer")), ("id",),
              (ForeignKey(("capital_id",), "cities", ("id",)),)),
        Table("cities", (KEY, column("name"), column("country_id", "integer"), column("people", "integer")), ("id",),
              (ForeignKey(("country_id",), "countries", ("id",)),)),
    )  # fmt: skip
    english = English(Schema(tables))
    many = english.read("countries with more than 3 cities").sql
    assert "countries.id = cities.country_id" in many and "capital_id =" not in many
    assert "country_id" in english.read("list name, number of cities for countries").sql
    assert "capital_id" in english.read('countries where capital is "Rome"').sql
    assert "cities.country_id" in english.read("count cities per country").sql
    with pytest.raises(AmbiguousQuestion) as caught:
        english.read("countries with a city where people > 5")
    statements = [english.read(each).sql for each in caught.value.readings]
    assert {"cities.country_id" in sql for sql in statements} == {True, False}
