"""Where aggregates and windows may stand: what a grammar without context cannot see, and databases tell badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jigwork.errors import SQLRefused

from .bindings import Bound, ColumnUse, Scope
from .dialects import Dialect, dialect_of
from .parse import position

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["check_aggregates", "filters_rows"]


def check_aggregates(bound: Bound) -> None:
    """Refuse aggregates in WHERE, ON and GROUP BY, inside each other, or where nothing is grouped."""
    for scope in bound.scopes.values():
        _Check(bound, scope, dialect_of(bound.schema.dialect)).run()


def filters_rows(bound: Bound, scope: Scope) -> bool:
    """Tell whether HAVING without GROUP BY looks at single rows, as MySQL has it where nothing is aggregated."""
    if bound.schema.dialect != "mysql" or scope.node.args.get("group") is not None:
        return False
    check = _Check(bound, scope, dialect_of(bound.schema.dialect))
    parts = [*scope.node.expressions, scope.node.args.get("having"), scope.node.args.get("order")]
    return all(check.first_call(part) is None for part in parts if part is not None)


class _Check:
    def __init__(self, bound: Bound, scope: Scope, dialect: Dialect) -> None:
        self.bound = bound
        self.scope = scope
        self.node = scope.node
        self.dialect = dialect

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        where = position(node, self.bound.text)
        return SQLRefused(f"{what}{f' at {where}' if where else ''}")

    def run(self) -> None:
        node = self.node
        for join in node.args.get("joins") or ():
            self.plain(join.args.get("on"), "ON")
        where, group = node.args.get("where"), node.args.get("group")
        self.plain(where, "WHERE")
        for key in group.expressions if group is not None else ():
            self.plain(key, "GROUP BY")
            use = self.bound.uses.get(id(key))
            if use is not None and hasattr(use, "output"):
                self.plain(getattr(use, "output").node, "GROUP BY")  # noqa: B009 - one of three kinds of use
        having, order = node.args.get("having"), node.args.get("order")
        grouped = group is not None
        for item in node.expressions:
            grouped = self.walk(item, inside=None, windows=True) or grouped
        in_having = self.walk(having, inside=None, windows=False)
        if filters_rows(self.bound, self.scope):
            self.selected(having)
        elif having is not None and not grouped and (self.dialect.name == "sqlite" or not in_having):
            raise self.refuse("HAVING needs GROUP BY, or an aggregate that is selected,", having)
        for key in order.expressions if order is not None else ():
            if self.walk(key, inside=None, windows=True) and not grouped:
                raise self.refuse(
                    "an aggregate in ORDER BY needs GROUP BY, or an aggregate that is selected,", key
                )

    def selected(self, having: Any) -> None:
        """MySQL's HAVING sees nothing but what is selected."""
        from sqlglot import exp

        shown = [(o.use.source, o.use.column) for o in self.scope.outputs if o.use is not None]
        for column in having.find_all(exp.Column) if having is not None else ():
            use = self.bound.uses.get(id(column))
            own = isinstance(use, ColumnUse) and use.source in self.scope.sources
            if isinstance(use, ColumnUse) and own and (use.source, use.column) not in shown:
                what = f"HAVING without GROUP BY takes what is selected; {column.name} is not,"
                raise self.refuse(what, column)

    def plain(self, part: Any, clause: str) -> None:
        """Refuse any aggregate or window in a part that sees one row at a time."""
        kind = None if part is None else self.first_call(part)
        if kind is not None:
            raise self.refuse(f"{kind.this} may not stand in {clause}", kind)

    def first_call(self, part: Any) -> Any:
        from sqlglot import exp

        stack = [part]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query):
                continue
            if isinstance(node, exp.Anonymous) and (self.is_aggregate(node) or self.is_window(node)):
                return node
            stack.extend(node.iter_expressions())
        return None

    def walk(self, part: Any, *, inside: Any, windows: bool) -> bool:
        """Check one expression; True if it holds an aggregate that is no window."""
        from sqlglot import exp

        if part is None or isinstance(part, exp.Query):
            return False
        if isinstance(part, exp.Window):
            if inside is not None or not windows:
                raise self.refuse("a window may not stand here", part)
            own = part.this.this if isinstance(part.this, exp.Filter) else part.this
            if any(isinstance(child, exp.Distinct) for child in own.expressions):
                raise self.refuse(f"DISTINCT may not stand in {own.this} with OVER", part)
            rest = [child for child in part.iter_expressions() if child is not part.this]
            found = [self.walk(child, inside=None, windows=False) for child in rest]
            found += [self.walk(child, inside=None, windows=False) for child in own.expressions]
            return any(found)
        aggregate = isinstance(part, exp.Anonymous) and self.is_aggregate(part)
        if isinstance(part, exp.Anonymous) and self.is_window(part):
            raise self.refuse(f"{part.this} needs OVER", part)
        if aggregate and inside is not None:
            raise self.refuse(f"{part.this} may not stand inside {inside.this}", part)
        within = part if aggregate else inside
        found = [self.walk(child, inside=within, windows=windows) for child in part.iter_expressions()]
        return aggregate or any(found)

    def is_aggregate(self, node: Any) -> bool:
        name = str(node.this).upper()
        if name in ("MIN", "MAX") and len(node.expressions) > 1:
            return False  # SQLite's scalar functions of the same name
        return name in self.dialect.aggregates or name in self.dialect.ordered_aggregates

    def is_window(self, node: Any) -> bool:
        return str(node.this).upper() in self.dialect.windows
