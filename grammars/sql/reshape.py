"""Turn what a dialect can say in a way of its own into what every SELECT is made of, before names are bound.

VALUES becomes a UNION ALL of SELECTs; MySQL's units become words, and its DUAL no table; a hint that changes no row
is dropped where it stands in the tree only (what runs is the text as it was written).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jigwork.errors import SQLRefused

from .dialects import dialect_of

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["reshape"]

_MAX_ROWS = 50


def reshape(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Return the tree with VALUES, units and hints rewritten; raises SQLRefused where VALUES has too many rows."""
    from sqlglot import exp

    for values in list(tree.find_all(exp.Values)):
        union = _union(values)
        if values is tree:
            made: exp.Expr = union
            return made
        alias = values.args.get("alias")
        in_query = isinstance(values.parent, (exp.Subquery, exp.CTE, exp.SetOperation, exp.Any, exp.All))
        if alias is None and in_query:
            values.replace(union)
        else:
            values.replace(exp.Subquery(this=union, alias=alias))
    for call in list(tree.find_all(exp.Anonymous)):
        if (
            call.name.upper() == "ALL"
            and len(call.expressions) == 1
            and isinstance(call.expressions[0], exp.Array)
        ):
            call.replace(exp.All(this=call.expressions[0]))  # `<> ALL (ARRAY[1, 2])` was read as a call
    for select in list(tree.find_all(exp.Select)):
        _flatten(select)
    rules = dialect_of(dialect)
    if rules.name == "mysql":
        _mysql(tree)
    if rules.unit_functions:
        _read_units(tree, frozenset(rules.unit_functions))
    return tree


def _union(values: Any) -> Any:
    """Write the rows of VALUES as SELECTs; their columns are called column1, column2, as databases do."""
    from sqlglot import exp

    rows = values.expressions
    if len(rows) > _MAX_ROWS:
        raise SQLRefused(f"VALUES has {len(rows)} rows; at most {_MAX_ROWS} are taken")
    made: Any = None
    for row in rows:
        cells = row.expressions if isinstance(row, exp.Tuple) else [row]
        named = [
            exp.Alias(this=cell, alias=exp.Identifier(this=f"column{number}", quoted=False))
            for number, cell in enumerate(cells, 1)
        ]
        select = exp.Select(expressions=named)
        made = select if made is None else exp.Union(this=made, expression=select, distinct=False)
    return made


def _flatten(select: Any) -> None:
    """Take joins out of parentheses where that changes nothing: at the beginning, and in inner joins."""
    from sqlglot import exp

    from_ = select.args.get("from_")
    joins = list(select.args.get("joins") or ())
    if from_ is not None and (inner := _nested(from_.this)) is not None:
        from_.set("this", inner[0])
        joins = [*inner[1], *joins]
    written: list[Any] = []
    for join in joins:
        inner = _nested(join.this)
        if inner is None:
            written.append(join)
            continue
        plain = not any(part.args.get("side") or part.args.get("using") for part in (join, *inner[1]))
        if not plain or any(part.args.get("method") for part in (join, *inner[1])):
            raise SQLRefused(
                "a join in parentheses is taken beside inner joins with ON only; write it without them"
            )
        condition = join.args.get("on")
        first = exp.Join(this=inner[0], kind="CROSS")
        written += [first, *inner[1]]
        if condition is not None:
            last = written[-1]
            own = last.args.get("on")
            last.set("kind", None)
            last.set(
                "on",
                condition
                if own is None
                else exp.And(this=exp.Paren(this=own), expression=exp.Paren(this=condition)),
            )
    if written != list(select.args.get("joins") or ()):
        select.set("joins", written)


def _nested(node: Any) -> tuple[Any, list[Any]] | None:
    """Return what parentheses in FROM hold: the first table, and the joins to it."""
    from sqlglot import exp

    holder = node.this if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) else node
    if not isinstance(holder, exp.Table) or (holder is node and not holder.args.get("joins")):
        return None
    if holder is not node and node.args.get("alias"):
        return None
    joins = list(holder.args.get("joins") or ())
    holder.set("joins", None)
    return holder, joins


def _mysql(tree: exp.Expr) -> None:
    from sqlglot import exp

    for select in tree.find_all(exp.Select):
        from_ = select.args.get("from_")
        table = from_.this if from_ is not None and not select.args.get("joins") else None
        if (
            isinstance(table, exp.Table)
            and table.name.upper() == "DUAL"
            and not table.this.args.get("quoted")
        ):
            select.set("from_", None)
    for join in tree.find_all(exp.Join):
        if str(join.args.get("kind") or "").upper() == "STRAIGHT_JOIN":
            join.set("kind", None)


def _read_units(tree: exp.Expr, names: frozenset[str]) -> None:
    """Make the unit in `TIMESTAMPDIFF(DAY, a, b)` a word; it was read as the name of a column."""
    from sqlglot import exp

    for call in tree.find_all(exp.Anonymous):
        if call.name.upper() in names and call.expressions and isinstance(call.expressions[0], exp.Column):
            call.expressions[0].replace(exp.Var(this=call.expressions[0].name))
