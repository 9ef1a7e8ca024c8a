"""Notes on texts that a query compares a column with, and that are not stored there: a filter that filters nothing.

Wherever such a text stands: in WHERE, ON, HAVING, CASE or FILTER, compared as it is or through LOWER and the like, or
as the pattern of a LIKE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jigwork.grammars.schema import Column
from jigwork.grammars.sql.bindings import AliasUse, Bound, ColumnUse, Scope
from jigwork.grammars.sql.names import nearest_names, quote_name, string_literal

from .joins import conjuncts, own_nodes
from .noting import Noting

__all__ = ["value_notes"]

_FOLDING = frozenset({"LOWER", "UPPER", "TRIM", "LTRIM", "RTRIM"})
_MOST_TEXTS = 20
"""How many texts of one SELECT are looked for."""
_MOST_VALUES = 3000
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Compared:
    """One comparison: the column, the functions around it (outermost first), and the text.

    `operator` is =, LIKE or ILIKE; `negative`: it holds where the text is not met.
    """

    node: Any
    use: ColumnUse
    column: Column
    functions: tuple[str, ...]
    text: str
    operator: str
    negative: bool
    escape: str | None = None


def value_notes(
    bound: Bound,
    scope: Scope,
    sources: Mapping[str, str],
    rows: Callable[[str], list[tuple[Any, ...]]],
    *,
    empty: bool,
    rowed: bool,
) -> Iterator[str]:
    """Yield the notes on one SELECT. `rows` runs a statement of ours; a table that `sources` does not have is not looked into.

    `empty` says that the result holds nothing; `rowed` that each row of it stands for rows that met the conditions of
    this SELECT, so that what they ask for is there.
    """
    found = _ValueNotes(bound, scope, sources, rows)
    met = {id(node) for node in conjuncts(scope) if _is_for_all(node)} if rowed else set[int]()
    looked = 0
    for compared in found.compared():
        table, stored = compared.use.source.table, compared.column.values
        if table is None or table.name not in sources or looked >= _MOST_TEXTS:
            continue
        if compared.operator == "=" and not compared.functions and stored is not None:
            doubtful = compared.text not in stored
        else:
            doubtful = empty or (compared.column.kind == "text" and id(compared.node) not in met)
        if doubtful:
            looked += 1
            yield from found.note(compared)


class _ValueNotes(Noting):
    # What is compared with what

    def compared(self) -> Iterator[_Compared]:
        """Yield the comparisons of columns with texts, in this SELECT alone."""
        from sqlglot import exp

        for node in own_nodes(self.scope.node, (exp.EQ, exp.NEQ, exp.In, exp.Like, exp.ILike, exp.Case)):
            for operand, text in _pairs(node):
                found, written = self.column(operand), _text(text)
                if found is None or written is None:
                    continue
                use, functions = found
                assert use.source.table is not None
                column = use.source.table.column(use.column)
                operator = (
                    "LIKE" if isinstance(node, exp.Like) else "ILIKE" if isinstance(node, exp.ILike) else "="
                )
                escape = node.parent.expression.name if isinstance(node.parent, exp.Escape) else None
                yield _Compared(node, use, column, functions, written, operator, _is_negative(node), escape)

    def column(self, node: Any) -> tuple[ColumnUse, tuple[str, ...]] | None:
        """Return the table's column that an expression is, and the functions around it."""
        from sqlglot import exp

        functions: list[str] = []
        while True:
            if isinstance(node, exp.Paren):
                node = node.this
            elif (
                isinstance(node, exp.Anonymous)
                and str(node.this).upper() in _FOLDING
                and len(node.expressions) == 1
            ):
                functions.append(str(node.this).upper())
                node = node.expressions[0]
            else:
                break
        use = self.bound.uses.get(id(node))
        if isinstance(use, AliasUse):
            use = use.output.use
        use = self.stored(use) if isinstance(use, ColumnUse) else None
        return None if use is None else (use, tuple(functions))

    def stored(self, use: ColumnUse) -> ColumnUse | None:
        """Follow a column of a WITH query or derived table to the table that it is read from."""
        from sqlglot import exp

        seen: set[int] = set()
        while use.source.table is None:
            query = use.source.query
            if not isinstance(query, exp.Select) or id(query) in seen or use.column not in use.source.columns:
                return None
            seen.add(id(query))
            outputs = self.bound.outputs.get(id(query), [])
            place = use.source.columns.index(use.column)
            inner = outputs[place].use if place < len(outputs) else None
            if inner is None:
                return None
            use = inner
        return use

    # Whether it is stored

    def note(self, compared: _Compared) -> Iterator[str]:
        """Look for the text where it should be, and for those like it."""
        table = compared.use.source.table
        assert table is not None
        source = self.sources[table.name]
        name = quote_name(compared.column.name, self.dialect)
        shown = f"{table.name}.{compared.column.name}"
        for function in reversed(compared.functions):
            name, shown = f"{function}({name})", f"{function}({shown})"
        try:
            literal = string_literal(compared.text, self.dialect)
        except ValueError:
            return
        escape = f" ESCAPE {string_literal(compared.escape, self.dialect)}" if compared.escape else ""
        if self.exists(f"{source} WHERE {name} {compared.operator} {literal}{escape}") is not False:
            return
        if compared.operator == "LIKE" and not set("%_") & set(compared.text):
            if not compared.negative:
                yield f"LIKE {compared.text!r} has no % or _, so it finds nothing but {compared.text!r} itself"
            return
        minds_case = compared.operator == "LIKE" and self.dialect == "postgres"
        if minds_case and self.exists(f"{source} WHERE {name} ILIKE {literal}{escape}"):
            yield f"{shown} has {compared.text!r} in another case only: LIKE minds it, ILIKE does not"
            return
        near = self.near(compared, source, name)
        if compared.negative and not near:
            return  # it keeps out what may come one day
        hint = f"; nearest: {', '.join(repr(value) for value in near)}" if near else ""
        if compared.operator == "=":
            yield f"{shown} never is {compared.text!r}{hint}"
        else:
            yield f"no {shown} is like {compared.text!r}{hint}"

    def exists(self, condition: str) -> bool | None:
        """Tell whether a table has such a row; None where looking took too long."""
        found = self.rows(f"SELECT EXISTS (SELECT 1 FROM {condition})")
        return bool(found[0][0]) if found else None

    def near(self, compared: _Compared, source: str, name: str) -> list[str]:
        values = compared.column.values if not compared.functions else None
        if values is None:
            rows = self.rows(
                f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL LIMIT {_MOST_VALUES}"
            )
            values = tuple(row[0] for row in rows if isinstance(row[0], str))
        if compared.operator == "=":
            return nearest_names(compared.text, values)
        said = max(re.split(r"[%_]+", compared.text), key=len)
        holding: dict[str, str] = {}
        for value in values:
            for word in (value, *_WORD.findall(value)):
                holding.setdefault(word.casefold(), value)
        words = nearest_names(said, list(holding)[:_MOST_VALUES])
        return list(dict.fromkeys(holding[word] for word in words))


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what is compared, and with what."""
    from sqlglot import exp

    if isinstance(node, exp.In):
        yield from ((node.this, text) for text in node.expressions)
    elif isinstance(node, exp.Case):
        if node.this is not None:
            yield from ((node.this, branch.this) for branch in node.args["ifs"])
    else:
        yield node.this, node.expression
        if isinstance(node, (exp.EQ, exp.NEQ)):
            yield node.expression, node.this


def _text(node: Any) -> str | None:
    """Return the text that a literal, or LOWER or UPPER of one, is."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
        inner, function = _text(node.expressions[0]), str(node.this).upper()
        if inner is not None and inner.isascii() and function in ("LOWER", "UPPER"):
            return inner.lower() if function == "LOWER" else inner.upper()
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def _is_for_all(node: Any) -> bool:
    """Tell whether a row that meets a condition has the text that it asks for."""
    from sqlglot import exp

    return isinstance(node, (exp.EQ, exp.Like, exp.ILike)) and not node.args.get("negate")


def _is_negative(node: Any) -> bool:
    from sqlglot import exp

    outer = node.parent
    while isinstance(outer, (exp.Paren, exp.Escape)):
        outer = outer.parent
    return isinstance(node, exp.NEQ) or bool(node.args.get("negate")) or isinstance(outer, exp.Not)
