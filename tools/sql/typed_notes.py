"""Notes on what an operator means to the database where its reader may take it for something else: division, text
compared with numbers, days compared with moments.

Used by `notes`; each is found from the kinds of the columns, and where that leaves a doubt from a look at the data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from jigwork.grammars.sql.bindings import Bound, ColumnUse, Scope
from jigwork.grammars.sql.names import quote_name

from .joins import own_nodes
from .noting import Noting

__all__ = ["typed_notes"]

_WHOLE = frozenset({"COUNT", "LENGTH", "CHAR_LENGTH", "INSTR", "ROW_NUMBER", "RANK", "DENSE_RANK"})
_SAME = frozenset({"SUM", "MIN", "MAX", "ABS"})
_TO_WHOLE = frozenset({"FLOOR", "CEIL", "CEILING", "TRUNC"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def typed_notes(
    bound: Bound,
    scope: Scope,
    sources: Mapping[str, str],
    rows: Callable[[str], list[tuple[Any, ...]]],
) -> Iterator[str]:
    """Yield the notes on one SELECT; `rows` runs a statement of ours."""
    found = _TypedNotes(bound, scope, sources, rows)
    yield from found.divisions()
    yield from found.texts_as_numbers()
    yield from found.days()
    yield from found.nulls()


class _TypedNotes(Noting):
    def kind(self, node: Any) -> tuple[ColumnUse, str] | None:
        """Return a table's column and its kind."""
        use = self.bound.uses.get(id(node))
        if not isinstance(use, ColumnUse) or use.source.table is None:
            return None
        return use, use.source.table.column(use.column).kind

    # Division

    def divisions(self) -> Iterator[str]:
        from sqlglot import exp

        if self.dialect not in ("sqlite", "postgres", "tsql"):
            return
        for node in own_nodes(self.scope.node, exp.Div):
            if self.is_whole(node.this) and self.is_whole(node.expression) and not self.is_wanted(node):
                yield (
                    f"{node.sql(self.dialect)[:60]} divides whole numbers and drops the rest; "
                    "multiply by 1.0 first for a fraction"
                )

    def is_whole(self, node: Any) -> bool:
        """Tell whether an expression is surely a whole number."""
        from sqlglot import exp

        if isinstance(node, exp.Literal):
            return not node.is_string and node.name.isdigit()
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
            items = node.this.expressions
            return len(items) == 1 and self.is_whole(items[0])
        if isinstance(node, (exp.Paren, exp.Neg, exp.Alias)):
            return self.is_whole(node.this)
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
            return self.is_whole(node.this) and self.is_whole(node.expression)
        if isinstance(node, exp.Anonymous):
            name = str(node.this).upper()
            arguments = node.expressions
            return name in _WHOLE or (name in _SAME and len(arguments) == 1 and self.is_whole(arguments[0]))
        found = self.kind(node)
        return found is not None and found[1] == "integer"

    def is_wanted(self, node: Any) -> bool:
        """Tell whether a whole quotient is what is asked for: made whole, or multiplied again (decades)."""
        from sqlglot import exp

        parent = node.parent
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        if isinstance(parent, exp.Anonymous) and str(parent.this).upper() in _TO_WHOLE:
            return True
        return isinstance(parent, exp.Cast) or (
            isinstance(parent, exp.Mul) and node.expression in (parent.this, parent.expression)
        )

    # Text and numbers

    def texts_as_numbers(self) -> Iterator[str]:
        """PostgreSQL refuses these; the others answer something."""
        from sqlglot import exp

        if self.dialect not in ("sqlite", "mysql"):
            return
        # SQLite turns the number into a text for a column of texts, so that equality means what it says.
        kinds = (exp.GT, exp.GTE, exp.LT, exp.LTE, *((exp.EQ, exp.NEQ) if self.dialect == "mysql" else ()))
        for node in own_nodes(self.scope.node, kinds):
            for column, number in ((node.this, node.expression), (node.expression, node.this)):
                found = self.kind(column)
                if not isinstance(number, exp.Literal) or number.is_string or not found or found[1] != "text":
                    continue
                if self.dialect == "mysql" or self.varies(found[0], number.name):
                    how = "as texts, letter by letter" if self.dialect == "sqlite" else "as numbers"
                    yield f"{_name(found[0])} is text; it is compared with the number {number.name} {how}"
        for call in own_nodes(self.scope.node, exp.Anonymous):
            name = str(call.this).upper()
            found = self.kind(call.expressions[0]) if name in ("SUM", "AVG") and call.expressions else None
            if found and found[1] == "text" and self.holds_words(found[0]):
                yield f"{_name(found[0])} is text, of which {name} takes what is no number as 0"

    def varies(self, use: ColumnUse, number: str) -> bool:
        """Tell whether texts are not all as long as the number: only then do letters tell another order."""
        source, name = self._place(use)
        return bool(self.rows(f"SELECT 1 FROM {source} WHERE LENGTH({name}) <> {len(number)} LIMIT 1"))

    def holds_words(self, use: ColumnUse) -> bool:
        source, name = self._place(use)
        test = f"{name} GLOB '*[a-zA-Z]*'" if self.dialect == "sqlite" else f"{name} REGEXP '[a-zA-Z]'"
        return bool(self.rows(f"SELECT 1 FROM {source} WHERE {test} LIMIT 1"))

    # Days and moments

    def days(self) -> Iterator[str]:
        """A day as the end of a range of moments is its first moment: the day itself is not in it."""
        from sqlglot import exp

        where = self.scope.node.args.get("where")
        if where is None:
            return
        for node in own_nodes(where, (exp.Between, exp.LTE, exp.EQ)):
            end = node.args.get("high") if isinstance(node, exp.Between) else node.expression
            found = self.kind(node.this)
            day = _day(end)
            if found is None or found[1] != "datetime" or day is None:
                continue
            source, name = self._place(found[0])
            later = f"{name} > '{day}' AND {name} < '{day + timedelta(days=1)}'"
            counted = self.rows(f"SELECT COUNT(*) FROM {source} WHERE {later}")
            if counted and counted[0][0]:
                rows = f"{counted[0][0]} row{'' if counted[0][0] == 1 else 's'}"
                yield (
                    f"{_name(found[0])} has times, and {day} alone means its midnight: {rows} later on that day "
                    f"{'is' if counted[0][0] == 1 else 'are'} left out; compare with < '{day + timedelta(days=1)}'"
                )

    # NULL

    def nulls(self) -> Iterator[str]:
        """A comparison with NULL is never true, whatever it looks like."""
        from sqlglot import exp

        kinds = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
        for node in own_nodes(self.scope.node, kinds):
            if isinstance(node.this, exp.Null) or isinstance(node.expression, exp.Null):
                word = "IS NOT NULL" if isinstance(node, exp.NEQ) else "IS NULL"
                yield f"{node.sql(self.dialect)[:60]} is never true, since nothing equals NULL; write {word}"

    def _place(self, use: ColumnUse) -> tuple[str, str]:
        """Return what a column's table is read from, and the column, as they are written."""
        assert use.source.table is not None
        return self.sources[use.source.table.name], quote_name(use.column, self.dialect)


def _name(use: ColumnUse) -> str:
    return f"{use.source.table.name if use.source.table else use.source.name}.{use.column}"


def _day(node: Any) -> date | None:
    """Return the day that a literal, or DATE with a literal, is."""
    from sqlglot import exp

    if isinstance(node, exp.Cast) and str(node.to.sql()).upper() == "DATE":
        node = node.this
    if not isinstance(node, exp.Literal) or not node.is_string or not _DAY.fullmatch(node.name):
        return None
    try:
        return date.fromisoformat(node.name)
    except ValueError:
        return None
