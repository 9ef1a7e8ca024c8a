"""The file of a user's own words: entries are added, kept and removed; conflicts are named; comments give words too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from jigwork.errors import ConfigurationError
from jigwork.grammars.english import English
from jigwork.grammars.english.alias_file import AliasFile
from jigwork.grammars.english.aliases import comment_words
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table

SCHEMA = Schema(
    (
        Table("customers", (Column("id", kind="integer"), Column("cntry_cd", values=("BR", "FR")), Column("name"), Column("note", comment="also: remark, memo")), ("id",), comment="buyers"),
        Table("orders", (Column("id", kind="integer"), Column("customer_id", kind="integer"), Column("status", values=("paid", "open")), Column("amt", kind="number", comment="total")), ("id",),
              (ForeignKey(("customer_id",), "customers", ("id",)),)),
    )
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> AliasFile:
    """A file that does not exist yet."""
    return AliasFile(tmp_path / "words" / "shop.toml", SCHEMA)


def test_words_are_added_and_understood(file: AliasFile) -> None:
    """What is added is in the file, in its documented format, and the language understands it at once."""
    file.add("clients", "Customers")
    file.add("home  country", "customers.CNTRY_CD")
    file.add("settled", "orders.status=PAID")
    data = tomllib.loads(file.path.read_text(encoding="utf-8"))
    assert data == {
        "tables": {"customers": ["clients"]},
        "columns": {"customers.cntry_cd": ["home country"]},
        "values": {"orders.status": {"paid": ["settled"]}},
    }
    english = English(SCHEMA, aliases=file.path)
    assert (
        english.read("count clients where home country is BR").sql
        == English(SCHEMA).read("count customers where cntry cd is BR").sql
    )
    assert (
        english.read("count orders where status is settled").sql
        == English(SCHEMA).read("count orders where status is paid").sql
    )
    assert [entry.meaning for entry in AliasFile(file.path, SCHEMA).entries()] == [
        "customers",
        "customers.cntry_cd",
        "orders.status=paid",
    ]


def test_odd_texts_survive(file: AliasFile, tmp_path: Path) -> None:
    """Quotes, backslashes and other scripts are written so that they are read back."""
    odd = Schema((Table('a "b"', (Column("c\\d", values=('x"y', "ü\t")),)),))
    made = AliasFile(tmp_path / "odd.toml", odd)
    made.add("größe", 'a "b".c\\d')
    made.add("quoted", 'a "b".c\\d=x"y')
    assert {(e.word, e.column, e.value) for e in AliasFile(made.path, odd).entries()} == {
        ("größe", "c\\d", None),
        ("quoted", "c\\d", 'x"y'),
    }


REFUSED: list[tuple[str, str, str]] = [
    ("buyer", "custmers", "did you mean customers"),
    ("country", "customers.country_cd", "did you mean customers.cntry_cd"),
    ("country", "nothing.like.this", "write TABLE, TABLE.COLUMN or TABLE.COLUMN=VALUE"),
    ("settled", "orders.status=payed", "stores no 'payed'; it stores paid"),
    ("settled", "orders=paid", "write orders.COLUMN=paid"),
    ("order", "customers", "already means the table orders"),
    ("names", "customers.cntry_cd", "already means the column customers.name"),
    ("open", "orders.status=paid", "already means the value open"),
    ("where", "customers", "already means something in every question"),
    ("a?b", "customers", "cannot be typed"),
    ("", "customers", "cannot be typed"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "meaning", "part"), REFUSED)
def test_what_is_refused(file: AliasFile, word: str, meaning: str, part: str) -> None:
    """What the schema has not, and a word that means something else, are named, and nothing is written."""
    with pytest.raises(ConfigurationError, match=part.replace(".", r"\.")):
        file.add(word, meaning)
    assert not file.path.exists()


def test_twice_and_by_force(file: AliasFile) -> None:
    """The same twice is refused; a second meaning needs force, and is then asked back."""
    file.add("thing", "orders")
    with pytest.raises(ConfigurationError, match="already stands for orders"):
        file.add("Thing", "orders")
    with pytest.raises(ConfigurationError, match="already means the table orders"):
        file.add("thing", "customers")
    file.add("thing", "customers", force=True)
    assert len(English(SCHEMA, aliases=file.path).means("count things")) == 2


def test_removing(file: AliasFile) -> None:
    """A word goes with all that it stands for, or with one meaning; what is not there is told with the nearest."""
    file.add("worth", "orders.amt")
    file.add("clients", "customers")
    assert [entry.meaning for entry in file.remove("Clients")] == ["customers"]
    with pytest.raises(ConfigurationError, match="no such entry for 'wrth'; did you mean worth"):
        file.remove("wrth")
    with pytest.raises(ConfigurationError, match="no such entry"):
        file.remove("worth", "customers.name")
    file.remove("worth", "orders.amt")
    assert not list(file.entries()) and file.path.exists()


def test_a_file_for_another_database(file: AliasFile, tmp_path: Path) -> None:
    """A file that names what is not there is an error that says so."""
    file.add("clients", "customers")
    with pytest.raises(ConfigurationError, match="there is no table 'customers'"):
        AliasFile(file.path, Schema((Table("planets", (Column("id"),)),)))


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("also: nation, land", ["nation", "land"]),
        ("ISO code (aka country code)", ["country code"]),
        ("Synonyms: fee/charge or cost.", ["fee", "charge", "cost"]),
        ("home country", ["home country"]),
        ("Total.", ["Total"]),
        ("The country that the customer lives in, two letters", []),
        ("also: of, the", []),
        ("1..5", []),
        (None, []),
    ],
)
def test_words_of_comments(comment: str | None, words: list[str]) -> None:
    """Synonyms that a comment lists, or a comment that is only a name; sentences give nothing."""
    assert comment_words(comment) == words


def test_comments_are_understood_unless_taken() -> None:
    """Comments of tables and columns give names; a word that names something else stays what it is."""
    english = English(SCHEMA)
    assert english.read("count buyers").sql == english.read("count customers").sql
    assert english.read("list memo of customers").sql == english.read("list note of customers").sql
    assert english.read("sum of total of orders").sql == english.read("sum of amt of orders").sql
    taken = Schema((Table("a", (Column("x", comment="y"), Column("y"))),))
    assert "a.y" in English(taken).read("list y of a").sql
