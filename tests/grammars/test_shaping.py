"""Texts as pydantic models and dataclasses whose names match the rules."""

from __future__ import annotations

import datetime
import types
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import lark
import pytest
from pydantic import BaseModel, Field

from jigwork.errors import GrammarError, TextRejectedError
from jigwork.grammars import Grammar

ORDERS = Grammar.from_lark(
    """
start: customer (";" order_line)+ [";" due] [";" notes]
customer: /[a-z]+/
order_line: COUNT " " article [" " tags]
article: "tea" | "cake"
tags: "[" TAG ("," TAG)* "]"
due: /[0-9]{4}-[0-9]{2}-[0-9]{2}/
notes: /![a-z ]*/
COUNT: /[0-9]{1,3}/
TAG: /[a-z]+/
"""
)
TEXT = "ann;2 tea [hot,green];30 cake;2026-03-01"


class OrderLine(BaseModel):
    """A rule with a terminal, a rule of literals and an optional list."""

    count: Annotated[int, Field(le=100)]
    article: Literal["tea", "cake"]
    tags: list[str] = []


class Order(BaseModel):
    """The whole text."""

    customer: str
    order_lines: list[OrderLine]
    due: datetime.date | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The same as OrderLine, under another name."""

    count: int
    article: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """The whole text, as a dataclass with lines of another name."""

    customer: str
    order_line: list[Line]
    due: datetime.date | None
    notes: str | None = None


def test_a_text_becomes_a_model() -> None:
    """Rules become nested models, repeated children lists, texts what the annotations say."""
    assert ORDERS.parse(TEXT, transform=Order) == Order(
        customer="ann",
        order_lines=[
            OrderLine(count=2, article="tea", tags=["hot", "green"]),
            OrderLine(count=30, article="cake"),
        ],
        due=datetime.date(2026, 3, 1),
    )
    assert ORDERS.parse("bo;1 tea;!", Order).notes == "!"


def test_a_text_becomes_a_dataclass() -> None:
    """A dataclass needs no rule of its name: where the field has the name of the rule, that is enough."""
    assert ORDERS.parse("ann;2 tea [hot];3 cake", transform=Plain) == Plain(
        "ann", [Line(2, "tea", ("hot",)), Line(3, "cake")], None
    )


def test_a_class_may_stand_for_the_rule_below_start() -> None:
    """The class of the only rule of the text is found below `start`."""
    grammar = Grammar.from_lark(
        'start: order_line\norder_line: COUNT " " article\narticle: "tea"\nCOUNT: /[0-9]/\n'
    )
    assert grammar.parse("3 tea", OrderLine).count == 3


@dataclass(frozen=True)
class Expr:
    """Whatever a sum is made of."""


@dataclass(frozen=True)
class Add(Expr):
    """An alias with two children of the same kind."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Neg(Expr):
    """An alias with one child."""

    of: Expr


@dataclass(frozen=True)
class Num(Expr):
    """An alias over a terminal."""

    number: int


SUMS = Grammar.from_lark(
    """
?start: sum
?sum: sum "+" atom -> add | atom
?atom: NUMBER -> num | "-" atom -> neg | "(" sum ")"
NUMBER: /[0-9]+/
"""
)
SUM = Add(Num(1), Neg(Add(Num(2), Num(3))))


def test_aliases_and_base_classes() -> None:
    """Inlined rules, aliases and fields of a base class: the tree of a sum, from a mapping and from a module."""
    assert SUMS.parse("1+-(2+3)", transform={"add": Add, "neg": Neg, "num": Num}) == SUM
    module = types.ModuleType("sums")
    module.__dict__.update(Add=Add, Neg=Neg, Num=Num, Expr=Expr, other=7)
    assert SUMS.parse("1+-(2+3)", transform=module) == SUM


def test_mappings_rename_rules() -> None:
    """A mapping gives classes to rules of other names, the field keeps the class."""

    @dataclass
    class Whole:
        customer: str
        lines: list[Any] = field(default_factory=list[Any])

    grammar = Grammar.from_lark(
        'start: customer (";" line)*\ncustomer: /[a-z]+/\nline: COUNT\nCOUNT: /[0-9]/\n'
    )

    @dataclass
    class Amount:
        count: int

    made: Any = grammar.parse("ann;1;2", {"start": Whole, "line": Amount})
    assert made == Whole("ann", [Amount(1), Amount(2)])


def test_trees_are_given_where_they_are_wanted() -> None:
    """A field of type Tree holds the tree."""

    class Kept(BaseModel, arbitrary_types_allowed=True):
        customer: lark.Tree[Any]
        order_line: list[Any]
        due: str = ""
        notes: str = ""

    made = ORDERS.parse("ann;2 tea", Kept)
    assert made.customer.data == "customer"
    assert [tree.data for tree in made.order_line] == ["order_line"]


def test_json_parts_become_what_their_fields_say() -> None:
    """A schema as a whole or as a rule is read as JSON and checked by its class."""
    schema = OrderLine.model_json_schema() | {"additionalProperties": False}
    whole = Grammar.from_json_schema(schema)
    assert whole.parse('{"count":2,"article":"tea","tags":["x"]}', OrderLine).tags == ["x"]

    class Call(BaseModel):
        name: str
        payload: OrderLine

    grammar = Grammar.from_lark(
        'start: name ": " payload\nname: /[a-z]+/\npayload: %json {"type":"object","properties":'
        '{"count":{"type":"integer"},"article":{"enum":["tea"]}},"required":["count","article"]}\n'
    )
    made = grammar.parse('order: {"count":2,"article":"tea"}', Call)
    assert made == Call(name="order", payload=OrderLine(count=2, article="tea"))


def test_values_that_do_not_suit_their_field_are_rejected_texts() -> None:
    """What only the class knows is said like any other rejection, without the words of pydantic."""
    with pytest.raises(TextRejectedError, match=r"order_line.count: .*100 \('101 tea'\)") as caught:
        ORDERS.parse("ann;101 tea", Order)
    assert "pydantic" not in str(caught.value)
    with pytest.raises(TextRejectedError, match="due"):
        ORDERS.parse("ann;1 tea;2026-02-31", Order)


class Typo(BaseModel):
    """A field with a typing mistake."""

    custmer: str


class Less(BaseModel):
    """Too few fields."""

    customer: str
    order_lines: list[OrderLine]


class One(BaseModel):
    """One line only."""

    customer: str
    order_line: OrderLine
    due: str = ""
    notes: str = ""


class Late(BaseModel):
    """An optional child without a default."""

    customer: str
    order_lines: list[OrderLine]
    due: str
    notes: str = ""


MISFITS: list[tuple[Any, str]] = [
    (Typo, r"Typo.custmer fits nothing in the rule start \(did you mean customer\?\)"),
    (Less, r"start has the child due, and Less has no field"),
    (One, r"one more child order_line than One has fields for; make it a list"),
    (Late, r"this text has nothing for Late.due; give it a default"),
    ({"strat": Order}, r"no rule or alias is called strat \(did you mean start\?\)"),
    ({"start": dict}, r"pydantic models and dataclasses only"),
    ({"customer": Typo}, r"Typo.custmer fits nothing in the rule customer"),
]


@pytest.mark.parametrize(("transform", "said"), MISFITS, ids=[said[:25] for _, said in MISFITS])
def test_names_that_do_not_fit_are_said(transform: Any, said: str) -> None:
    """A shape that does not fit its grammar is an error for the developer, with both names."""
    with pytest.raises(GrammarError, match=said):
        ORDERS.parse("ann;1 tea;2 cake", transform)


@dataclass
class Odd(str):
    """A shape below a built-in class."""


def test_built_in_classes_stand_for_themselves() -> None:
    """A field of type str takes a text, whatever else is derived from str."""
    assert issubclass(Odd, str)
    assert ORDERS.parse("ann;1 tea", Order).customer == "ann"


def test_a_regex_has_one_child() -> None:
    """The tree of a regular expression holds the text."""

    @dataclass
    class Number:
        text: int

    assert Grammar.from_regex("[0-9]+").parse("42", Number) == Number(42)
