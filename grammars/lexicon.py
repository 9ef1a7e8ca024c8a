"""What each terminal of a grammar matches: grammar nodes turned into regular expression trees."""

from __future__ import annotations

from collections.abc import Mapping

from .common import COMMON
from .nodes import (
    Alias,
    All,
    Choice,
    Document,
    Literal,
    Name,
    Node,
    Not,
    Pattern,
    Repeat,
    Sequence,
    Span,
)
from .regular import Both, Chars, Complement, Concat, Regular, Times, Union, literal
from .rust_regex import RegexError, read_regex

__all__ = ["Lexicon", "NotRegularError"]


_DEEPEST = 100  # terminals within terminals


class NotRegularError(ValueError):
    """A node that is no regular expression: a rule, an embedded grammar, a special token."""


class Lexicon:
    """The terminals of one document. Trees are built when first asked for and kept; `given` are other ones for some."""

    def __init__(self, document: Document, given: Mapping[str, Regular] | None = None) -> None:
        self._bodies = {d.name: d.body for d in document.definitions if d.terminal}
        self._imported = {i.alias: i.path.removeprefix("common.") for i in document.imports}
        self._built: dict[str, Regular] = dict(given or {})
        self._open: set[str] = set()

    def names(self) -> list[str]:
        """All terminals that are defined or imported."""
        return [*self._bodies, *self._imported]

    def is_terminal(self, name: str) -> bool:
        """Whether the name is a terminal of this document (an import may have a lower-case alias)."""
        return name in self._bodies or name in self._imported

    def body(self, name: str) -> Node | None:
        """The definition of a terminal; None for one that is imported."""
        return self._bodies.get(name)

    def terminal(self, name: str) -> Regular:
        """What a terminal matches. Raises NotRegularError."""
        if name not in self._built:
            if name in self._open or len(self._open) > _DEEPEST:
                raise NotRegularError(f"{name} refers to itself, or is nested too deeply")
            self._open.add(name)
            try:
                self._built[name] = self._define(name)
            finally:
                self._open.discard(name)
        return self._built[name]

    def _define(self, name: str) -> Regular:
        if name in self._bodies:
            return self.regular(self._bodies[name])
        pattern = COMMON.get(self._imported.get(name, ""))
        if pattern is None:
            raise NotRegularError(f"{name} is not a terminal")
        return read_regex(pattern).node

    def regular(self, node: Node) -> Regular:
        """What a node matches, where it is built of terminals only. Raises NotRegularError."""
        match node:
            case Literal(value=value, fold=fold):
                return literal(value, fold=fold)
            case Pattern(pattern=pattern, flags=flags):
                try:
                    return read_regex(pattern, flags).node
                except RegexError as error:
                    raise NotRegularError(str(error)) from error
            case Span(first=first, last=last):
                return Chars(((ord(first), ord(last)),))
            case Name(name=name):
                return self.terminal(name)
            case Sequence(items=items):
                return Concat(tuple(self.regular(item) for item in items))
            case Choice(options=options):
                return Union(tuple(self.regular(option) for option in options))
            case Repeat(item=item, low=low, high=high):
                return Times(self.regular(item), low, high)
            case Alias(item=item):
                return self.regular(item)
            case All(items=items):
                return Both(tuple(self.regular(item) for item in items))
            case Not(item=item):
                return Complement(self.regular(item))
            case _:
                raise NotRegularError("not a regular expression")
