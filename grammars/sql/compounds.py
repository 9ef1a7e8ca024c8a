"""Write set operations: chains where they fit, derived tables where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from jigwork.errors import SQLRefused

from .bindings import Bound, Output
from .dialects import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Compounds"]


class Statements(Protocol):
    """What set operations need of the writer of statements."""

    bound: Bound
    dialect: Dialect
    sub_pool: list[str]

    def select(
        self, node: exp.Select, names: Sequence[str] | None, one: bool, *, starred: bool = True
    ) -> tuple[str, str]:
        """Write a SELECT without LIMIT: its body, and its ORDER BY."""
        ...

    def query(self, node: Any, *, names: Sequence[str] | None = None) -> str:
        """Write a query; `names` are what its outputs must be called."""
        ...

    def hoist(self, node: exp.Expr) -> None:
        """Write the WITH queries of any query to the top of the statement."""
        ...

    def names_for(self, query: exp.Expr, outputs: Sequence[Output], holder: exp.Expr) -> list[str]:
        """Choose plain, different names for what a query gives."""
        ...

    def refuse(self, what: str, node: exp.Expr) -> SQLRefused:
        """Say that canonical SQL has no form for something."""
        ...


class Compounds:
    """The writers of set operations."""

    def __init__(self, statements: Statements) -> None:
        self.write = statements

    def compound(self, node: exp.SetOperation, names: Sequence[str] | None, one: bool) -> str:
        """Write a chain of set operations, left to right; what does not fit in a chain becomes a derived table."""
        links = self.links(node)
        chain: list[tuple[str, list[tuple[str, Any]]]] = [("", [("", links[0][0].this)])]
        for link, word in links:
            # INTERSECT binds more tightly than the others, but in SQLite all are equal
            if word.startswith("INTERSECT") and self.write.dialect.name != "sqlite":
                chain[-1][1].append((word, link.expression))
            else:
                chain.append((word, [("", link.expression)]))
        if len(chain) == 1:
            return self.run(chain[0][1], names, one)
        if self.write.dialect.name == "sqlite" and any(
            word == self.write.dialect.intersect for word, _ in chain
        ):
            return self.mixed(node, names, one)
        parts = [self.part(chain[0][1], names, one)]
        for word, run in chain[1:]:
            parts.append(f" {word} {self.part(run, None, one)}")
        return "".join(parts)

    def links(self, node: Any) -> list[tuple[Any, str]]:
        """Return the operations of a chain, first to last, each with its words."""
        from sqlglot import exp

        found: list[tuple[Any, str]] = []
        while True:
            word = type(node).__name__.upper()
            if node.args.get("distinct") is False:
                word += " ALL"
            else:
                known = (*self.write.dialect.set_operations, self.write.dialect.intersect)
                word = f"{word} DISTINCT" if f"{word} DISTINCT" in known else word
            if word in ("EXCEPT ALL", "INTERSECT ALL") and not self.write.dialect.set_alls:
                raise self.write.refuse(word, node)
            found.insert(0, (node, word))
            below = node.this
            if not isinstance(below, exp.SetOperation) or any(
                below.args.get(part) for part in ("order", "limit", "offset", "with_")
            ):
                return found
            node = below

    def run(self, run: Sequence[tuple[str, Any]], names: Sequence[str] | None, one: bool) -> str:
        """Write operands with INTERSECT between them."""
        texts = [self.operand(run[0][1], names, one)]
        texts += [f" {word} {self.operand(query, None, one)}" for word, query in run[1:]]
        return "".join(texts)

    def part(self, run: Sequence[tuple[str, Any]], names: Sequence[str] | None, one: bool) -> str:
        """Write one operand of a chain; INTERSECTs beside other operations are read from a derived table."""
        if len(run) == 1:
            return self.operand(run[0][1], names, one)
        columns = names or self.write.names_for(run[0][1], self.write.bound.outputs[id(run[0][1])], run[0][1])
        name = self.write.sub_pool[0]
        body = self.run(run, columns, False)
        items = ", ".join(f"{name}.{column}" for column in columns)
        return f"SELECT {items} FROM ({body}) AS {name}"

    def mixed(self, node: Any, names: Sequence[str] | None, one: bool) -> str:
        """Write a chain that has INTERSECT in it where all set operations bind alike: the last one, then the others."""
        word = self.links(node)[-1][1]
        left = self.operand(node.this, names, one) if word == self.write.dialect.intersect else None
        if left is None:
            left = self.derived(node.this, names, one)
        return f"{left} {word} {self.operand(node.expression, None, one)}"

    def operand(self, node: Any, names: Sequence[str] | None, one: bool) -> str:
        """Write one side of a set operation; one that is sorted, limited or compound is read from a derived table."""
        from sqlglot import exp

        bare = _bare(node)
        if isinstance(bare, exp.Select) and not any(
            bare.args.get(part) for part in ("order", "limit", "offset")
        ):
            self.write.hoist(bare)
            return self.write.select(bare, names, one, starred=False)[0]
        return self.derived(bare, names, one)

    def derived(self, query: Any, names: Sequence[str] | None, one: bool) -> str:
        """Write a SELECT of all that a query gives."""
        inner = names or self.write.names_for(query, self.write.bound.outputs[id(query)], query)
        name = self.write.sub_pool[0]
        body = self.write.query(query, names=inner)
        items = ", ".join(f"{name}.{column}" for column in inner)
        return f"SELECT {items} FROM ({body}) AS {name}"


def _bare(node: Any) -> Any:
    """Take off parentheses that hold nothing but a query."""
    from sqlglot import exp

    while isinstance(node, exp.Subquery) and not any(
        node.args.get(part) for part in ("order", "limit", "offset", "with_", "alias")
    ):
        node = node.this
    return node
