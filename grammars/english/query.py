"""What a question means: frozen values between the words and the SQL.

The resolver makes a `Query`; the SQL compiler, the read-back and the phrasing each read it on their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from jigwork.grammars.schema import Kind

__all__ = [
    "Agg",
    "AllOf",
    "AnyOf",
    "Between",
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
    "Period",
    "Query",
    "Ref",
    "Related",
    "Scalar",
    "Step",
    "Unit",
    "Value",
]

Value: TypeAlias = str | int | Decimal | bool
Op = Literal["=", "<>", "<", "<=", ">", ">="]
Func = Literal["count", "sum", "avg", "min", "max"]
Unit = Literal["year", "month", "day"]


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
    """The year (`2023`), month (`2023-05`) or day (`2023-05-17`) that a date falls in."""

    ref: Ref
    unit: Unit


@dataclass(frozen=True, slots=True)
class Agg:
    """An aggregate over the rows that `path` leads to, each once; of the rows of the group when it is empty.

    `ref` is relative to those rows; None counts them. count(ref) is always of distinct values.
    """

    func: Func
    path: Path
    ref: Ref | None = None
    where: Cond | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number over all rows of a table, as in `price > average price`."""

    func: Func
    ref: Ref


Operand: TypeAlias = Ref | Part | Agg


@dataclass(frozen=True, slots=True)
class Const:
    """A value written in the question."""

    value: Value


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`; never true where either side is empty."""

    left: Operand
    op: Op
    right: Const | Ref | Scalar


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
    """A text that contains, starts or ends with another, without regard to the case of A to Z."""

    left: Ref
    how: Literal["contains", "starts", "ends"]
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
class Query:
    """A whole question. One of: rows (`items`, empty for all columns), or `measures` over all rows or per `keys`."""

    table: str
    items: tuple[Operand, ...] = ()
    measures: tuple[Agg, ...] = ()
    keys: tuple[Key, ...] = ()
    where: Cond | None = None
    having: Cond | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
