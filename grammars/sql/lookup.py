"""How the names of a query are compared with those of a schema, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jigwork.errors import SQLRefused

from .bindings import AliasUse, Bound, Scope
from .dialects import dialect_of
from .names import names_equal, nearest_names, quote_name
from .parse import position

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Names", "implied_name"]


def implied_name(node: exp.Expr) -> str | None:
    """Return what PostgreSQL calls a result column without a name: mostly the column or function it is made of."""
    from sqlglot import exp

    if isinstance(node, exp.Column):
        plain = not node.this.args.get("quoted")
        return (
            None if isinstance(node.this, exp.Star) else node.this.name.lower() if plain else node.this.name
        )
    if isinstance(node, exp.Anonymous):
        return node.name.lower() if isinstance(node.this, str) and node.name[:1].isalpha() else None
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        return (implied_name(default) if default is not None else None) or "case"
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and node.this.expressions:
        item = node.this.expressions[0]
        return item.alias if isinstance(item, exp.Alias) else implied_name(item)
    if isinstance(node, (exp.Cast, exp.Collate, exp.Paren, exp.Filter, exp.Window, exp.WithinGroup)):
        return implied_name(node.this)
    return {"Exists": "exists", "Extract": "extract", "Array": "array", "Tuple": "row"}.get(
        type(node).__name__
    )


class Names:
    """The names that one query may use; `bound` takes what they mean."""

    def __init__(self, bound: Bound, hidden: Sequence[str], quoted_texts: bool, recursive: bool) -> None:
        self.bound = bound
        self.schema = bound.schema
        self.hidden = {name.casefold() for name in hidden}
        self.quoted_texts = quoted_texts and bound.schema.dialect == "sqlite"
        self.recursive = recursive
        self.settled: set[int] = set()
        self.folds = dialect_of(bound.schema.dialect).folds

    def spelled(self, identifier: exp.Expr) -> str:
        """Return the name as the database reads it: unquoted names fold to one case in some."""
        name = identifier.name
        if identifier.args.get("quoted") or not self.folds:
            return name
        return name.lower() if self.folds == "lower" else name.upper()

    def same(self, identifier: exp.Expr, name: str) -> bool:
        spelled = self.spelled(identifier)
        return spelled == name if self.folds else names_equal(spelled, name)

    def refuse(self, what: str, node: exp.Expr, names: Sequence[str] = (), wanted: str = "") -> SQLRefused:
        where = position(node, self.bound.text)
        near = [self.written(name) for name in nearest_names(wanted, names)]
        hint = f"; nearest: {', '.join(near)}" if near else ""
        return SQLRefused(f"{what}{f' at {where}' if where else ''}{hint}")

    def written(self, name: str) -> str:
        """Return a name as it is to be written, in quotes where it needs them."""
        return quote_name(name, self.schema.dialect) if name else name

    def known_database(self, identifier: exp.Expr) -> bool:
        """Tell whether a name before a table's means where the schema is from; PostgreSQL has other schemas beside it."""
        known = {dialect_of(self.schema.dialect).default_schema, self.schema.name}
        if self.schema.dialect == "postgres" and self.schema.name is not None:
            known = {self.schema.name}
        return any(name is not None and self.same(identifier, name) for name in known)

    def alias(self, node: exp.Column, scope: Scope, *, implied: bool = False) -> AliasUse | None:
        for index, output in enumerate(scope.outputs):
            name = output.name or (output.implied if implied else None)
            if name and self.same(node.this, name):
                return AliasUse(output, index)
        return None

    def is_double_quoted(self, identifier: exp.Expr) -> bool:
        start = identifier.meta.get("start")
        return bool(identifier.args.get("quoted")) and start is not None and self.bound.text[start] == '"'

    def unknown(self, node: exp.Column, scope: Scope) -> SQLRefused:
        """Say what is wrong with a name that nothing has, and where it would be found."""
        name = node.name
        tables = [source.table.name if source.table else source.name for source in scope.sources]
        if any(f"{table}.{name}".casefold() in self.hidden for table in tables):
            return self.refuse(f"{name} is not available here", node)
        where = (
            f"no column {name} in {', '.join(tables)}" if tables else f"no column {name}: there is no FROM"
        )
        if self.schema.dialect == "sqlite" and self.is_double_quoted(node.this):
            return self.refuse(f"{where}; a text is written in single quotes: '{name}'", node)
        owners = [
            f"{self.written(table.name)}.{self.written(column.name)}"
            for table in self.schema.tables
            for column in table.columns
            if names_equal(column.name, name)
        ]
        if owners and tables:
            refusal = self.refuse(where, node)
            return SQLRefused(f"{refusal}; it is in {', '.join(owners[:3])}")
        return self.refuse(
            where, node, [column for source in scope.sources for column in source.columns], name
        )

    def bind_aliases(self, having: exp.Expr, scope: Scope) -> None:
        """In MySQL's HAVING a bare name means a result column, unless the query is grouped by a column of that name."""
        from sqlglot import exp

        group = scope.node.args.get("group")
        grouped = list(group.expressions) if group is not None else []
        keys = {str(key.name).casefold() for key in grouped if isinstance(key, exp.Column)}
        stack: list[Any] = [having]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query) or (isinstance(node, exp.Anonymous) and self.aggregates(node)):
                continue
            bare = node if isinstance(node, exp.Column) and node.args.get("table") is None else None
            if bare is not None and bare.name.casefold() not in keys and (use := self.alias(bare, scope)):
                self.bound.uses[id(bare)] = use
                self.settled.add(id(bare))
            stack.extend(node.iter_expressions())

    def aggregates(self, node: exp.Expr) -> bool:
        return node.name.upper() in dialect_of(self.schema.dialect).aggregates
