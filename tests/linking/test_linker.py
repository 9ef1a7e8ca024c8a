"""The linker: which tables, columns and values the words of a question speak of, and why."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.grammars.linking import Linker, join_paths
from jigwork.grammars.linking.similar import stem
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table


def key(column: str, table: str) -> ForeignKey:
    """A key that points at the id of a table."""
    return ForeignKey((column,), table, ("id",))


SCHEMA = Schema(
    (
        Table("Customer", (Column("id"), Column("fullName"), Column("cntry_cd", comment="home country"), Column("birthDate"))),
        Table("SalesOrder", (Column("id"), Column("customer_id"), Column("ordr_qty"), Column("status", values=("in transit", "paid"))),
              foreign_keys=(key("customer_id", "Customer"),)),
        Table("order_line", (Column("order_id"), Column("product_id"), Column("unitPrice")),
              foreign_keys=(key("order_id", "SalesOrder"), key("product_id", "Product"))),
        Table("Product", (Column("id"), Column("title"), Column("prod_category", values=("Toys", "Tools"))), comment="what we sell; articles"),
        Table("countrylanguage", (Column("id"), Column("lang"), Column("isOfficial"))),
        Table("Employee", (Column("id"), Column("name"), Column("mgr_id")), foreign_keys=(key("mgr_id", "Employee"),)),
    )
)  # fmt: skip
LINKER = Linker(
    SCHEMA, tables={"Employee": ["colleague"]}, columns={("Product", "title"): ["what it is called"]}
)

LINKS: list[tuple[str, str, str | None, str | None, str]] = [
    # question, table, column, value, how
    ("how many customers", "Customer", None, None, "plural"),
    ("the sales orders", "SalesOrder", None, None, "plural"),
    ("order lines", "order_line", None, None, "plural"),
    ("each client", "Customer", None, None, "synonym"),
    ("custommers", "Customer", None, None, "spelling"),
    ("our colleagues", "Employee", None, None, "plural"),
    ("names of the workers", "Employee", None, None, "synonym"),
    ("the merchandise", "Product", None, None, "synonym"),
    ("full names", "Customer", "fullName", None, "plural"),
    ("date of birth", "Customer", "birthDate", None, "exact"),
    ("home country", "Customer", "cntry_cd", None, "comment"),
    ("quantity ordered", "SalesOrder", "ordr_qty", None, "short form"),
    ("unit prices", "order_line", "unitPrice", None, "plural"),
    ("what is in transit?", "SalesOrder", "status", "in transit", "value"),
    ("cheap TOYS", "Product", "prod_category", "Toys", "value"),
    ("official languages", "countrylanguage", "isOfficial", None, "exact"),
    ("country language", "countrylanguage", None, None, "exact"),
]


@pytest.mark.parametrize(("question", "table", "column", "value", "how"), LINKS)
def test_links(question: str, table: str, column: str | None, value: str | None, how: str) -> None:
    """Words find names in any form, and it is said how."""
    links = [
        link
        for link in LINKER.link(question).links
        if (link.table, link.column, link.value) == (table, column, value)
    ]
    assert [link.how for link in links] == [how] or (how in {"exact", "spelling"} and links), LINKER.link(
        question
    ).links


def test_the_best_comes_first() -> None:
    """A table that is named comes before one that only shares a word; its keys' neighbours get a little."""
    linked = LINKER.link("total unit price of the order lines per customer")
    ranked = [name for name, _ in linked.tables]
    assert ranked[0] == "order_line" and {"Customer", "SalesOrder"} == set(ranked[1:3])


def test_unknown_words() -> None:
    """Words that nothing accounts for are told; those that only connect are not."""
    assert LINKER.link("which customers bought the frobnicator").unknown == ("bought", "frobnicator")


def test_ways_through_other_tables() -> None:
    """Tables that are not neighbours are joined through those between them; islands are left out."""
    joints = join_paths(SCHEMA, ["Customer", "Product", "countrylanguage"])
    assert {(joint.table, joint.key.table) for joint in joints} == {
        ("SalesOrder", "Customer"), ("order_line", "SalesOrder"), ("order_line", "Product"),
    }  # fmt: skip


def test_a_thousand_tables() -> None:
    """A schema of any size is linked quickly, and the right table is found in it."""
    rng = random.Random(3)
    words = [
        f"{a}{b}"
        for a in ("bar", "cam", "dol", "fen", "gil", "hul")
        for b in ("ton", "mer", "der", "lis", "vok")
    ]
    noise = [
        Table(
            "_".join(rng.sample(words, 2)) + str(i),
            tuple(Column("_".join(rng.sample(words, 2))) for _ in range(10)),
        )
        for i in range(1000)
    ]
    started = time.perf_counter()
    linker = Linker(Schema((*noise, *SCHEMA.tables)))
    built = time.perf_counter()
    linked = linker.link("How many toys has each client ordered?")
    assert {"Product", "Customer"} <= {name for name, _ in linked.tables[:3]}
    assert built - started < 5 and time.perf_counter() - built < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("directed", "director"), ("performance", "performed"), ("nationality", "nation"), ("written", "writer"), ("hired", "hiring"),
     ("evaluated", "evaluation"), ("visitors", "visit"), ("older", "age")],
)  # fmt: skip
def test_stems(one: str, other: str) -> None:
    """Forms of one word share a stem."""
    assert stem(one) == stem(other)


@given(st.text(max_size=80))
def test_any_text(question: str) -> None:
    """Any text is linked: scores are positive and sorted, and every link is to something that exists."""
    linked = LINKER.link(question)
    assert [link.score for link in linked.links] == sorted(
        (link.score for link in linked.links), reverse=True
    )
    for link in linked.links:
        table = SCHEMA.table(link.table)
        assert link.score > 0 and (link.column is None or table.column(link.column))
