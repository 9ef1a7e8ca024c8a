"""What a question means: frozen values between the words and the SQL.

The resolver makes a `Query`; the SQL compiler, the read-back and the phrasing each read it on their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from jigwork.grammars.schema import Kind

__all__ = [
    "RECURRING",
    "Agg",
    "AllOf",
    "Also",
    "Among",
    "AnyOf",
    "Arith",
    "Before",
    "Between",
    "Calc",
    "Compare",
    "Cond",
    "Const",
    "Empty",
    "Func",
    "Key",
    "Match",
    "Not",
    "OneOf",
    "Op",
    "Operand",
    "Order",
    "Part",
    "Path",
    "Percent",
    "Period",
    "Query",
    "Ref",
    "Related",
    "Right",
    "Running",
    "Scalar",
    "Share",
    "Step",
    "Unit",
    "Value",
]

Value: TypeAlias = str | int | Decimal | bool
Op = Literal["=", "<>", "<", "<=", ">", ">="]
Func = Literal["count", "sum", "avg", "min", "max"]
Unit = Literal["year", "quarter", "month", "week", "day", "weekday", "hour"]
RECURRING: tuple[Unit, ...] = ("weekday", "hour")
"""Units that come again and again: numbers, not periods."""
Arith = Literal["+", "-", "*", "/", "days"]


@dataclass(frozen=True, slots=True)
class Step:
    """One hop along a foreign key. `many` says whether a source row may meet several target rows.

    `forward` is from the table that holds the key to the table it points at.
    """

    source: str
    source_columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    forward: bool
    many: bool
    optional: bool = True


Path: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of the noun itself (empty path) or of the one row that a path of single steps leads to."""

    table: str
    column: str
    kind: Kind = "text"
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a date falls in: year `2023`, quarter `2023-Q2`, month `2023-05`, day `2023-05-17`, week by its Monday.

    A weekday is 1 (Monday) to 7, an hour 0 to 23.
    """

    ref: Ref
    unit: Unit


@dataclass(frozen=True, slots=True)
class Agg:
    """An aggregate over the rows that `path` leads to, each once; of the rows of the group when it is empty.

    `ref` is relative to those rows; None counts them. count(ref) is always of distinct values. Over the rows of the
    question itself, `ref` may be an aggregate over rows related to each (`average of number of orders`).
    """

    func: Func
    path: Path
    ref: Ref | Calc | Agg | None = None
    where: Cond | None = None


@dataclass(frozen=True, slots=True)
class Const:
    """A value written in the question."""

    value: Value


@dataclass(frozen=True, slots=True)
class Calc:
    """Arithmetic within one row; empty where a side is empty, or where it divides by 0. A division is never of whole
    numbers. `days` are those from the date `right` to the date `left`."""

    op: Arith
    left: Ref | Agg | Calc | Const
    right: Ref | Agg | Calc | Const


@dataclass(frozen=True, slots=True)
class Share:
    """What a group has of the whole, in percent: its measure over that of all rows of the question."""

    of: Agg


@dataclass(frozen=True, slots=True)
class Running:
    """The sum of a measure over the groups up to this one, in the order of the last key, within the other keys."""

    of: Agg


@dataclass(frozen=True, slots=True)
class Percent:
    """How many of the rows of a group fulfil a condition, in percent; empty of no rows."""

    where: Cond


Operand: TypeAlias = Ref | Part | Agg | Calc | Share | Running | Percent


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number over all rows of a table (of those of `where`), as in `price > average price`; `of` None counts.

    `same`: only over rows that have the same values there as the row that is compared.
    """

    func: Func
    of: Ref | Agg | Calc | None
    table: str
    where: Cond | None = None
    same: tuple[Ref | Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Among:
    """One number over the groups of the question: of their measures."""

    func: Func
    of: Agg


@dataclass(frozen=True, slots=True)
class Before:
    """The measure of the group before, in the order of the last key, within the other keys."""

    of: Agg


Right: TypeAlias = "Const | Ref | Agg | Calc | Scalar | Among | Before"
"""What may stand on the right of a comparison."""


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`; never true where either side is empty."""

    left: Operand
    op: Op
    right: Right


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends included."""

    left: Operand
    low: Value
    high: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of the values (or, negated, to none; an empty left side is in neither)."""

    left: Operand
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A text that contains, starts or ends with another, without regard to the case of A to Z.

    `like` is a pattern of the whole, where `%` is any text and `_` any one character.
    """

    left: Ref
    how: Literal["contains", "starts", "ends", "like"]
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """Has no value (NULL)."""

    left: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """`start <= date < end`; None leaves a side open. Ends are ISO dates."""

    left: Ref
    start: str | None
    end: str | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """How many rows the path leads to (each once, and only those of `where`): `op count`."""

    path: Path
    op: Op
    count: int
    where: Cond | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of an unknown it stays unknown, as in SQL."""

    cond: Cond


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them."""

    conds: tuple[Cond, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them."""

    conds: tuple[Cond, ...]


Cond: TypeAlias = Compare | Between | OneOf | Match | Empty | Period | Related | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Key:
    """One group key. For a row (`per customer`) `refs` are what identifies it, then its name."""

    refs: tuple[Ref | Part, ...]
    entity: Path | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key; empty values come last in both directions."""

    by: Operand
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Also:
    """A second list, whose different values are added to, kept of, or taken from those of the first."""

    how: Literal["or", "and", "not"]
    query: Query


@dataclass(frozen=True, slots=True)
class Query:
    """A whole question. One of: rows (`items`, empty for all columns), or `measures` over all rows or per `keys`.

    `each`: the limit is for the rows of each of these groups. `also` combines two lists of different values. `skip` are
    the first rows in order that are left out: the second highest is one row after one.
    """

    table: str
    items: tuple[Operand, ...] = ()
    measures: tuple[Operand, ...] = ()
    keys: tuple[Key, ...] = ()
    where: Cond | None = None
    having: Cond | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
    each: tuple[Key, ...] = ()
    also: Also | None = None
    skip: int = 0
