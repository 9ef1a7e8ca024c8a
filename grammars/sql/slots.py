"""Slots in a query that was written without: literals are made parameters, with the kind of value that each takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jigwork.errors import ConfigurationError
from jigwork.grammars.schema import Schema

from .bindings import Bound, ColumnUse
from .names import string_literal

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["mark_slots", "with_slots"]

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')|\"(?:[^\"]|\"\")*\"|`[^`]*`|(?:LIMIT|OFFSET)\s+\d+|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w.]))",
    re.IGNORECASE,
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d+(\.\d+)?")


def with_slots(bound: Bound, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Put `:name` in the place of every literal that is one of `values` (name to value), and say each slot's kind.

    A value of a column whose stored values are known makes a slot of that column's values. A limit is never a slot.
    Raises ConfigurationError for a name that cannot be one, a value that the query has not, and a value given twice.
    """
    names: dict[str, str] = {}
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r} is no name of a slot: plain lower-case letters, digits and _")
        for literal in _written(value, bound.schema):
            if literal in names:
                raise ConfigurationError(
                    f"{name} and {names[literal]} are the same value, {value}: one slot is enough"
                )
            names[literal] = name
    found: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        token = match.group("text") or match.group("number")
        name = names.get(token or "")
        if name is None:
            return match.group()
        found[name] = "text" if match.group("text") else "number"
        return f":{name}"

    sql = _TOKEN.sub(replaced, bound.text)
    for name in values:
        if name not in found:
            written = ", ".join(dict.fromkeys(_literals(bound.text))) or "none"
            raise ConfigurationError(
                f"the query has no {values[name]!r} to make {name} of; its values are: {written}"
            )
    return sql, {name: _kind(value, bound, found[name]) for name, value in values.items()}


def mark_slots(question: str, values: Mapping[str, str]) -> str:
    """Write `:name` for the values in a question, so that it says what the query takes."""
    for name, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
        question = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f":{name}", question, flags=re.IGNORECASE)
    return question


def _written(value: str, schema: Schema) -> list[str]:
    """Return the literals of a value; raises ConfigurationError where there are none."""
    try:
        text = string_literal(value, schema.dialect)
    except ValueError as error:
        raise ConfigurationError(f"{value!r} can be no value of a slot: {error}") from error
    return [value, text] if _NUMBER.fullmatch(value) else [text]


def _literals(sql: str) -> Iterator[str]:
    for match in _TOKEN.finditer(sql):
        if token := match.group("text") or match.group("number"):
            yield token


def _kind(value: str, bound: Bound, written: str) -> str:
    column = next(_columns(value, bound), None)
    if column is not None:
        return f"in {column}"
    if written == "number":
        return "number" if "." in value else "integer"
    return "date" if _DATE.fullmatch(value) else "text"


def _columns(value: str, bound: Bound) -> Iterator[str]:
    """Yield the columns, with known values that have this one, that it is compared with."""
    from sqlglot import exp

    for literal in bound.tree.find_all(exp.Literal):
        if not (literal.is_string and literal.this == value and literal.parent is not None):
            continue
        parent = literal.parent
        beside: exp.Expr | None = parent.this if isinstance(parent, exp.In) else None
        if isinstance(parent, (exp.EQ, exp.NEQ)):
            beside = parent.right if parent.left is literal else parent.left
        use = bound.uses.get(id(beside)) if beside is not None else None
        if isinstance(use, ColumnUse) and use.source.table is not None:
            table = use.source.table
            if value in (table.column(use.column).values or ()):
                yield f"{table.name}.{use.column}"
