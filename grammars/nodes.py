"""The syntax tree of a grammar text: what `reader` builds and every other module walks.

`at` is always the offset of the node's first character in the text that was read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as Lit
from typing import TypeAlias

__all__ = [
    "Alias",
    "All",
    "Call",
    "Choice",
    "Definition",
    "Document",
    "Embedded",
    "Import",
    "Literal",
    "Name",
    "Node",
    "Not",
    "Pattern",
    "Reference",
    "Repeat",
    "Sequence",
    "Source",
    "Span",
    "Special",
    "children",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted string, its escapes resolved. `fold` is the `i` flag."""

    value: str
    fold: bool
    at: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression between slashes, as written."""

    pattern: str
    flags: str
    at: int


@dataclass(frozen=True, slots=True)
class Span:
    """`"a".."z"`: one character between two, both included."""

    first: str
    last: str
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A rule or a terminal, by name. `argument` is what follows `::` in a parametric rule."""

    name: str
    at: int
    argument: str = ""

    @property
    def terminal(self) -> bool:
        """Whether the name is spelled as a terminal is."""
        return self.name.lstrip("_")[:1].isupper()


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items one after the other; empty matches the empty text."""

    items: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the options."""

    options: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times (`high` None: without end). `sign` is how it was written: `?`, `*`, `+`, `[`, `~`, `{`."""

    item: Node
    low: int
    high: int | None
    sign: str
    at: int


@dataclass(frozen=True, slots=True)
class Alias:
    """An option with a name for its branch of the tree: `"a" b -> name`."""

    item: Node
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the items matches the same text (`&`, llguidance only)."""

    items: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever the item does not match (`~` before an item, llguidance only)."""

    item: Node
    at: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """`%json {...}`, `%regex {...}`, `%lark {...}` or `%if ...`; `text` is what stands after the keyword."""

    kind: Lit["json", "regex", "lark", "if"]
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Special:
    """A special token of the model, `<|name|>`."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Reference:
    """`@name`: another grammar of the same request."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A template in use: `name{a, b}`."""

    name: str
    arguments: tuple[Node, ...]
    at: int


Node: TypeAlias = (
    Literal
    | Pattern
    | Span
    | Name
    | Sequence
    | Choice
    | Repeat
    | Alias
    | All
    | Not
    | Embedded
    | Special
    | Reference
    | Call
)


@dataclass(frozen=True, slots=True)
class Definition:
    """`name: body`. `modifiers` are the signs before the name, `attributes` the words between brackets after it."""

    name: str
    body: Node
    at: int
    modifiers: str = ""
    priority: str | None = None
    parameters: tuple[str, ...] | None = None
    attributes: tuple[str, ...] = ()
    parametric: bool = False

    @property
    def terminal(self) -> bool:
        """Whether this defines a terminal."""
        return self.name.lstrip("_")[:1].isupper()


@dataclass(frozen=True, slots=True)
class Import:
    """`%import path -> alias`; a list of names becomes one Import each."""

    path: str
    alias: str
    at: int


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where its lines begin."""

    text: str
    _starts: list[int] = field(init=False, repr=False, compare=False, default_factory=list[int])

    def __post_init__(self) -> None:
        self._starts.append(0)
        self._starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1; the end of the text where there is no such line."""
        if line > len(self._starts):
            return len(self.text)
        return min(self._starts[line - 1] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Document:
    """A whole grammar text. `statements` are the refused ones: (keyword, rest of the line, offset)."""

    source: Source
    definitions: tuple[Definition, ...]
    ignores: tuple[Node, ...] = ()
    imports: tuple[Import, ...] = ()
    statements: tuple[tuple[str, str, int], ...] = ()
    options: tuple[str, ...] = ()

    def definition(self, name: str) -> Definition | None:
        """The definition of a name, or None."""
        return next((d for d in self.definitions if d.name == name), None)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Sequence(items=items) | All(items=items):
            return items
        case Choice(options=options):
            return options
        case Repeat(item=item) | Alias(item=item) | Not(item=item):
            return (item,)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))
