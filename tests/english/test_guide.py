"""The page that people read is true: every question and every condition on it is understood."""

from __future__ import annotations

import re
from datetime import date

import pytest

from jigwork.grammars.english import GUIDE, English
from jigwork.grammars.schema import Column, ForeignKey, Kind, Schema, Table

KEY = Column("id", kind="integer", nullable=False)


def column(name: str, kind: Kind = "text", *values: str) -> Column:
    """A nullable column."""
    return Column(name, kind=kind, values=values or None)


SCHEMA = Schema(
    (
        Table("customers", (KEY, column("name"), column("country", "text", "Brazil", "France", "Costa Rica"), column("email"),
                            column("active", "boolean"), column("born", "date"), column("boss_id", "integer")), ("id",),
              (ForeignKey(("boss_id",), "customers", ("id",)),)),
        Table("suppliers", (KEY, column("name"), column("country", "text", "Brazil")), ("id",)),
        Table("categories", (KEY, column("name", "text", "Toys", "Food")), ("id",)),
        Table("products", (KEY, column("name"), column("price", "number"), column("category_id", "integer")), ("id",),
              (ForeignKey(("category_id",), "categories", ("id",)),)),
        Table("orders", (KEY, column("customer_id", "integer"), column("total", "number"), column("status", "text", "open"),
                         column("order_date", "date"), column("shipped_date", "date")), ("id",),
              (ForeignKey(("customer_id",), "customers", ("id",)),)),
        Table("order_lines", (column("order_id", "integer"), column("product_id", "integer"), column("quantity", "integer"),
                              column("price", "number")), ("order_id", "product_id"),
              (ForeignKey(("order_id",), "orders", ("id",)), ForeignKey(("product_id",), "products", ("id",)))),
    )
)  # fmt: skip
FRAGMENTS = ("Conditions", "Dates")
CLAUSES = {
    "sorted by total descending, name": "list customers sorted by name descending, email",
    "limit 10": "list orders limit 10",
}


def entries() -> list[tuple[str, str]]:
    """Return section and entry of the page, without what only hints at more."""
    found: list[tuple[str, str]] = []
    section = ""
    for line in GUIDE.split("\n\n")[0].splitlines():
        section = line[:14].strip() or section
        parts = [part.strip() for part in re.split(r"  +", line[14:]) if part.strip()]
        found += [(section, part) for part in parts if "..." not in part and not part.startswith("(")]
    return [each for each in found if each[0] != "Tools"]


@pytest.fixture(scope="module")
def english() -> English:
    """The language of the shop that the page speaks of."""
    return English(SCHEMA, now=date(2024, 5, 17))


@pytest.mark.parametrize(("section", "entry"), entries(), ids=lambda text: str(text)[:60])
def test_every_entry_is_understood(english: English, section: str, entry: str) -> None:
    """Whole questions read as they stand, conditions after `where` or after the noun of some table."""
    entry = CLAUSES.get(entry, entry).replace("(not) ", "not ")
    if entry.startswith("customers") or (
        section not in FRAGMENTS and not (section == "Other tables" and " is " in entry[:25])
    ):
        assert english.read(entry).sql
        return
    texts = [
        text
        for table in SCHEMA.tables
        for text in (f"list {table.name} where {entry}", f"list {table.name} {entry}")
    ]
    assert any(len(english.means(text)) == 1 for text in texts), entry


def test_the_page_is_a_page() -> None:
    """It fits on a screen."""
    assert len(GUIDE.splitlines()) < 50
    assert max(map(len, GUIDE.splitlines())) <= 120
