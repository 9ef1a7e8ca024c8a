"""A query that gives only the first of its columns: what rows are sorted by comes last, and was perhaps not asked for."""

from __future__ import annotations

from jigwork.errors import SQLRefused
from jigwork.grammars.schema import Schema

from .canonical import canonicalize
from .parse import parse_select

__all__ = ["first_columns"]


def first_columns(sql: str, count: int, schema: Schema) -> str:
    """Return canonical SQL for the first `count` columns of a query's result: the same rows in the same order.

    Returns `sql` itself where it has no more columns, or where the others decide which rows there are.
    """
    from sqlglot import exp

    tree, _ = parse_select(sql, schema.dialect)
    if not isinstance(tree, exp.Select) or len(tree.expressions) <= count or tree.args.get("distinct"):
        return sql
    dropped = {item.alias: item.this for item in tree.expressions[count:] if isinstance(item, exp.Alias)}
    order = tree.args.get("order")
    for key in order.expressions if order is not None else ():
        if isinstance(key.this, exp.Literal):
            return sql
        if isinstance(key.this, exp.Column) and not key.this.table and key.this.name in dropped:
            key.set("this", dropped[key.this.name].copy())
    tree.set("expressions", tree.expressions[:count])
    try:
        return canonicalize(tree.sql(dialect=schema.dialect), schema).sql
    except SQLRefused:
        return sql
