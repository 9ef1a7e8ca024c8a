"""Names: splitting, singular and plural, roles, aliases, and completion as one types."""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jigwork.errors import ConfigurationError
from jigwork.grammars.english import AmbiguousQuestion, English, NotUnderstood
from jigwork.grammars.english.words import nearest, plural, singular, split_name
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table

NUMBERS = [
    ("city", "cities"), ("box", "boxes"), ("person", "people"), ("child", "children"), ("man", "men"), ("woman", "women"),
    ("status", "statuses"), ("address", "addresses"), ("day", "days"), ("index", "indices"), ("analysis", "analyses"),
    ("series", "series"), ("species", "species"), ("movie", "movies"), ("bus", "buses"), ("quiz", "quizzes"), ("match", "matches"),
    ("salesman", "salesmen"), ("datum", "data"), ("medium", "media"), ("hero", "heroes"), ("photo", "photos"), ("house", "houses"),
    ("course", "courses"), ("cache", "caches"), ("wolf", "wolves"), ("leaf", "leaves"), ("tax", "taxes"), ("employee", "employees"),
]  # fmt: skip

SPLITS = [
    ("OrderLine", ("order", "line")), ("order_lines", ("order", "lines")), ("TVSeries", ("tv", "series")), ("unit price ($)", ("unit", "price")),
    ("orderID", ("order", "id")), ("Größe", ("größe",)), ("e-mail", ("e", "mail")), ("HTTPServer2", ("http", "server2")), ("__x__", ("x",)),
]  # fmt: skip

KEY = Column("id", kind="integer", nullable=False)
SCHEMA = Schema(
    (
        Table("tblCust", (KEY, Column("cust_nm"), Column("stat", values=("A", "I")), Column("lvl", kind="integer")), ("id",)),
        Table("OrderLines", (KEY, Column("customerId", kind="integer"), Column("qty", kind="integer")), ("id",),
              (ForeignKey(("customerId",), "tblCust", ("id",)),)),
        Table("countrylanguage", (KEY, Column("language"), Column("country")), ("id",)),
    )
)  # fmt: skip

ALIASES = """
[tables]
tblCust = ["customer", "key account"]
[columns]
"tblCust.cust_nm" = ["name", "full name"]
[values."tblCust.stat"]
A = ["active"]
I = ["inactive", "gone away"]
[values."tblCust.lvl"]
3 = ["gold"]
"""

ALIASED = [
    ("count customers", "SELECT COUNT(*) AS count FROM tblCust LIMIT 1"),
    ("count key accounts where stat is active", "SELECT COUNT(*) AS count FROM tblCust WHERE tblCust.stat = 'A' LIMIT 1"),
    ("count customers where stat is gone away", "SELECT COUNT(*) AS count FROM tblCust WHERE tblCust.stat = 'I' LIMIT 1"),
    ("count customers where lvl is gold", "SELECT COUNT(*) AS count FROM tblCust WHERE tblCust.lvl = 3 LIMIT 1"),
    ("list full names of customers", "SELECT tblCust.cust_nm FROM tblCust ORDER BY tblCust.id ASC LIMIT 1000"),
    ("count order lines where customer name is \"X\"",
     "SELECT COUNT(*) AS count FROM OrderLines LEFT JOIN tblCust ON tblCust.id = OrderLines.customerId WHERE tblCust.cust_nm = 'X' LIMIT 1"),
]  # fmt: skip

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"table": {}}, "not 'table'"),
    ({"tables": {"tblCusts": ["x"]}}, "there is tblCust"),
    ({"columns": {"cust_nm": ["x"]}}, "write table.column"),
    ({"columns": {"tblCust.name": ["x"]}}, "there is no column"),
    ({"tables": {"tblCust": [1]}}, "list of words"),
    ({"tables": {"tblCust": []}}, "list of words"),
    ({"values": {"tblCust.stat": ["A"]}}, "is a table of names"),
]


@pytest.mark.parametrize(("one", "many"), NUMBERS)
def test_numbers(one: str, many: str) -> None:
    """Singular and plural are found from each other."""
    assert (plural(one), singular(many), singular(one)) == (many, one, one)


@pytest.mark.parametrize(("name", "words"), SPLITS)
def test_splits(name: str, words: tuple[str, ...]) -> None:
    """A name is read as its words, whatever joins them."""
    assert split_name(name)[0] == words


def test_nearest() -> None:
    """The nearest spelling comes first; nothing near is nothing."""
    assert nearest("Costumer", ["customer", "order", "custom"])[0] == "customer"
    assert nearest("zebra", ["customer", "order"]) == []


@pytest.mark.parametrize(
    "said", ["OrderLines", "orderlines", "order lines", "Order Line", "order line", "`OrderLines`"]
)
def test_every_form_of_a_name(said: str) -> None:
    """A table answers to its name as it is, to its words, and to both numbers."""
    assert English(SCHEMA).read(f"count {said}").sql == "SELECT COUNT(*) AS count FROM OrderLines LIMIT 1"


def test_a_word_of_two_known_words() -> None:
    """`countrylanguage` is `country language` where both words are known."""
    assert English(SCHEMA).read("count country languages").tables == ("countrylanguage",)


@pytest.mark.parametrize(("question", "sql"), ALIASED)
def test_aliases(tmp_path: Path, question: str, sql: str) -> None:
    """Aliases of tables, columns and stored values are understood in both numbers, from a file as from a mapping."""
    path = tmp_path / "words.toml"
    path.write_text(ALIASES, encoding="utf-8")
    assert English(SCHEMA, aliases=path).read(question).sql == sql
    assert English(SCHEMA, aliases=str(path)).read(question).sql == sql


@pytest.mark.parametrize(("aliases", "message"), WRONG)
def test_wrong_aliases(aliases: dict[str, Any], message: str) -> None:
    """An alias for what is not there is an error that names what is."""
    with pytest.raises(ConfigurationError, match=message.replace(".", r"\.")):
        English(SCHEMA, aliases=aliases)


def test_wrong_alias_files(tmp_path: Path) -> None:
    """A file that is missing or no TOML is an error with its path."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        English(SCHEMA, aliases=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[tables", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        English(SCHEMA, aliases=tmp_path / "bad.toml")


def test_an_alias_of_two_tables_is_asked_back() -> None:
    """An alias that two tables share does not choose between them."""
    english = English(SCHEMA, aliases={"tables": {"tblCust": ["thing"], "OrderLines": ["thing"]}})
    with pytest.raises(AmbiguousQuestion):
        english.read("count things")


COMPLETIONS = [
    ("", "count"),
    ("count ord", "order lines"),
    ("count order li", "lines"),
    ("count tbl cust wh", "where"),
    ("count tbl cust where st", "stat"),
    ("count tbl cust where stat is ", "A"),
    ("list cust nm of tbl cust sorted by cust nm desc", "descending"),
    ("top 5 tbl cust by ", "number of"),
    ("count order lines per ", "customer"),
]


@pytest.mark.parametrize(("prefix", "offered"), COMPLETIONS)
def test_completions(prefix: str, offered: str) -> None:
    """What may follow is offered, whole phrases and names, cut to what is typed already."""
    assert offered in English(SCHEMA).complete(prefix)


def test_nothing_to_complete() -> None:
    """After a word that cannot stand there, nothing is offered, and nothing is raised."""
    english = English(SCHEMA)
    assert english.complete("count nonsense ") == []
    assert english.complete('count "open ') == []


def test_completion_is_fast() -> None:
    """On 50 tables of 12 columns a completion takes well under 30 ms of CPU, the first one aside."""
    columns = tuple(
        Column(f"{a}_{b}", values=("x y", "z"))
        for a in ("unit", "net", "gross")
        for b in ("price", "rate", "tax", "sum")
    )
    tables = tuple(
        Table(f"table_{i}", (KEY, Column("up", kind="integer"), *columns), ("id",), (ForeignKey(("up",), f"table_{i // 2}", ("id",)),))
        for i in range(50)
    )  # fmt: skip
    english = English(Schema(tables))
    english.complete("")
    worst = 0.0
    for prefix in (
        "",
        "count ",
        "list unit price of table 7 where ",
        "count table 3 where net tax is x y and (gross sum > 5 or unit ",
    ):
        times: list[float] = []
        for _ in range(3):
            start = time.process_time()
            assert english.complete(prefix)
            times.append(time.process_time() - start)
        worst = max(worst, min(times))
    assert worst < 0.03


def test_a_question_that_is_too_long() -> None:
    """Length and nesting are bounded: the answer is an error, quickly."""
    english = English(SCHEMA)
    for text in (
        "(" * 400,
        "count " * 500,
        "count order lines where " + " and ".join(["qty > 1"] * 100),
        "x" * 50_000,
    ):
        start = time.process_time()
        with pytest.raises(NotUnderstood):
            english.read(text)
        assert time.process_time() - start < 2


SAID = Schema(
    (
        Table("cl", (KEY, Column("nm", comment="short name"), Column("c2", comment="Country code; also called nation, home country"),
                     Column("first_name"), Column("last_name"), Column("title")), ("id",), comment="client"),
        Table("sales_orders", (KEY, Column("cl_id", kind="integer"), Column("unit_price", kind="number"), Column("order_date", kind="date"),
                               Column("delivery_date", kind="date"), Column("is_paid", kind="boolean")), ("id",),
              (ForeignKey(("cl_id",), "cl", ("id",)),)),
    )
)  # fmt: skip
READS_AS = [
    ("short names of clients", "list nm for cls"),
    ("nations of clients", "list c2 for cls"),
    ("clients where home country is \"FR\"", 'list cls where c2 is "FR"'),
    ("clients where country code is \"FR\"", 'list cls where c2 is "FR"'),
    ('clients with more sales orders than "Ada Lovelace"',
     'list cls where number of sales orders > (maximum of number of sales orders across cls where first name is "Ada" and last name is "Lovelace")'),
    ("clients who never ordered", "list cls without sales orders"),
    ("clients who bought since 2024-02", "list cls with (sales orders where order date since 2024-02-01)"),
    ("sales orders where price > 5", "list sales orders where unit price > 5"),
    ("sales orders ordered in 2023", "list sales orders where order date in 2023"),
    ("the latest sales order", "list sales orders sorted by order date descending limit 1"),
    ("count sales orders this year", "count sales orders where order date in 2024"),
    ("sales orders of yesterday", "list sales orders where order date is 2024-02-28"),
    ("sales orders in the last 2 months", "list sales orders where order date between 2023-12-30 and 2024-02-29"),
    ("sales orders last quarter", "list sales orders where order date between 2023-10-01 and 2023-12-31"),
    ("sales orders this week", "list sales orders where order date between 2024-02-26 and 2024-03-03"),
    ("sales orders 1 year ago", "list sales orders where order date is 2023-02-28"),
    ("count sales orders where is paid", "count sales orders where is paid is true"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "plainly"), READS_AS, ids=[said for said, _ in READS_AS])
def test_words_of_comments_people_and_days(said: str, plainly: str) -> None:
    """Comments name columns, people have two names, verbs stand for tables, days go by the clock that is given."""
    english = English(SAID, now=date(2024, 2, 29))
    assert english.read(said).sql == english.read(plainly).sql


def test_the_clock_may_run() -> None:
    """`now` may be a function, which is asked for each question; the read-back says the date."""
    today = [datetime(2024, 1, 1, 23, 59)]
    english = English(SAID, now=lambda: today[0])
    assert "is on 2024-01-01" in english.read("count sales orders today").readback
    today[0] = datetime(2025, 3, 1)
    assert "is on 2025-03-01" in english.read("count sales orders today").readback
