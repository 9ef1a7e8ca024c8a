"""Railroad diagrams of a grammar: one SVG for each rule and terminal, on one page that needs nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from typing import Any

from jigwork.grammars.caret import visible
from jigwork.grammars.nodes import (
    Alias,
    Call,
    Choice,
    Definition,
    Document,
    Embedded,
    Literal,
    Name,
    Node,
    Pattern,
    Reference,
    Repeat,
    Sequence,
    Special,
    walk,
)
from jigwork.grammars.writer import write_node

from .grammar_screen import in_quotes

__all__ = ["railroad_page"]

_WIDEST = 900  # pixels, before a sequence goes on in the next row
_MOST_OPTIONS = 40
_LONGEST = 60  # characters in a box
_DOUBLE_TEXT = re.compile(r"(<text [^>]*>[^<]*</text>)\1")  # the library writes the text of a link twice

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --page: #fff; --line: #57606f; --literal: #dff3e4; --name: #e3ecfb;
  --pattern: #fbf0d9; --faint: #68717f; --wrong: #c62f2f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --page: #14181e; --line: #98a2b3; --literal: #1e4030;
  --name: #22385c; --pattern: #4a3a17; --faint: #98a2b3; --wrong: #ff7b7b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 70rem; margin: 0 auto;
  padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font: bold 1.05rem ui-monospace, monospace; margin: 2rem 0 0; }
h2 a, nav a, p a { color: inherit; } nav a { font-family: ui-monospace, monospace; margin-right: .9rem; white-space: nowrap; }
section { scroll-margin-top: 1rem; } section:target h2 { text-decoration: underline; }
.drawing { overflow-x: auto; } p { color: var(--faint); margin: .2rem 0; }
pre { color: var(--faint); overflow-x: auto; margin: 0; font-size: .85rem; white-space: pre-wrap; }
svg path { stroke-width: 2; stroke: var(--line); fill: none; }
svg rect { stroke-width: 1.5; stroke: var(--line); fill: var(--literal); }
svg .non-terminal rect { fill: var(--name); } svg .pattern rect { fill: var(--pattern); }
svg .missing rect { stroke: var(--wrong); stroke-dasharray: 4 3; } svg rect.group-box { fill: none; stroke-dasharray: 6 4; }
svg text { font: bold 14px ui-monospace, 'DejaVu Sans Mono', monospace; text-anchor: middle; fill: var(--ink); }
svg text.comment { font: italic 12px ui-monospace, 'DejaVu Sans Mono', monospace; fill: var(--faint); }
"""


def railroad_page(title: str, document: Document, note: str = "") -> str:
    """Return the page: HTML without scripts, in which the names are links. `note` is shown as it is, below the title."""
    drawer = _Drawer(document)
    names = [definition.name for definition in document.definitions]
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(visible(title))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{escape(visible(title))}</h1>",
    ]
    if len(names) > 1:
        parts.append(f"<nav>{' '.join(_link(name) for name in names)}</nav>")
    parts += [_section(drawer, definition) for definition in document.definitions]
    if document.ignores:
        ignored = ", ".join(f"<code>{escape(write_node(node))}</code>" for node in document.ignores)
        parts.append(f"<p>Ignored between all terminals: {ignored}</p>")
    if note:
        parts.append(f"<pre>{escape(note)}</pre>")
    return "\n".join([*parts, "</body>\n</html>\n"])


def _link(name: str) -> str:
    return f'<a href="#{escape(name)}">{escape(name)}</a>'


def _section(drawer: _Drawer, definition: Definition) -> str:
    users = drawer.users.get(definition.name, [])
    used = f"<p>used in {', '.join(map(_link, users))}</p>" if users else ""
    source = escape("\n".join(_source(drawer.document, definition)))
    return (
        f'<section id="{escape(definition.name)}">\n<h2>{_link(definition.name)}</h2>\n'
        f'<div class="drawing">{drawer.drawing(definition)}</div>\n<pre>{source}</pre>\n{used}\n</section>'
    )


def _source(document: Document, definition: Definition) -> Iterator[str]:
    """The lines of a definition: the first, and those that go on with it."""
    source = document.source
    number, _ = source.position(definition.at)
    yield visible(source.line(number))
    last, _ = source.position(len(source.text))
    for following in range(number + 1, last + 1):
        line = source.line(following)
        if line[:1] not in (" ", "\t", "|") or not line.strip():
            return
        yield visible(line.replace("\t", "    "))


@dataclass
class _Drawer:
    """Draws the definitions of one document."""

    document: Document
    draw: Any = field(default_factory=lambda: import_module("railroad"))
    users: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    given: set[str] = field(default_factory=set[str])  # names that come from outside: imports, parameters

    def __post_init__(self) -> None:
        self.given |= {each.alias for each in self.document.imports}
        for definition in self.document.definitions:
            self.given |= set(definition.parameters or ())
            names = dict.fromkeys(n.name for n in walk(definition.body) if isinstance(n, Name))
            for name in names:
                self.users.setdefault(name, []).append(definition.name)

    def drawing(self, definition: Definition) -> str:
        """Return a definition as SVG."""
        out = io.StringIO()
        self.draw.Diagram(self.item(definition.body), type="complex").format(12).writeSvg(out.write)
        # the prefix xlink is not declared: with it the drawing would be HTML only, not XML
        plain = out.getvalue().replace("<a xlink:href=", "<a href=")
        return _DOUBLE_TEXT.sub(r"\1", plain)

    def item(self, node: Node) -> Any:
        """Return a node as an item of the drawing."""
        match node:
            case Literal(value=""):
                return self.draw.Skip()
            case Literal(value=value, fold=fold):
                return self.box(in_quotes(value) + ("i" if fold else ""), "")
            case Special(text=text):
                return self.box(text, "")
            case Name(name=name, argument=argument):
                return self.name(name, argument)
            case Reference() | Call() | Embedded():
                return self.box(write_node(node), "", self.draw.NonTerminal)
            case Sequence(items=items):
                return self.sequence(items)
            case Choice(options=options):
                return self.choice(options)
            case Repeat(item=item, low=low, high=high):
                return self.repeat(self.item(item), low, high)
            case Alias(item=item, name=name):
                return self.draw.Group(self.item(item), visible(name))
            case _:
                return self.box(write_node(node), "pattern" if isinstance(node, Pattern) else "")

    def box(self, text: str, kind: str, shape: Any = None, **more: Any) -> Any:
        """Return a box as wide as its text, which is cut where it is long; the whole is shown to a pointer."""
        from rich.cells import cell_len

        whole = visible(text)
        shown = whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
        title = whole if shown != whole else None
        made = (shape or self.draw.Terminal)(shown, title=title, cls=kind, **more)
        made.width = max(cell_len(shown), len(shown)) * self.draw.CHAR_WIDTH + 20
        return made

    def name(self, name: str, argument: str) -> Any:
        """Return a box that leads to a definition, or looks wrong where there is none."""
        if self.document.definition(name) is not None:
            shown = f"{name}::{argument}" if argument else name
            return self.box(shown, "", self.draw.NonTerminal, href=f"#{name}")
        return self.box(name, "" if name in self.given else "missing", self.draw.NonTerminal)

    def sequence(self, items: tuple[Node, ...]) -> Any:
        """Return items in a row, or in several where they would be too wide; `a ("," a)*` becomes one loop."""
        drawn: list[Any] = []
        rest = list(items)
        while rest:
            node = rest.pop(0)
            between = _between(node, rest[0]) if rest else None
            if between is None:
                drawn.append(self.item(node))
            else:
                drawn.append(self.draw.OneOrMore(self.item(node), self.sequence(between)))
                rest.pop(0)
        if not drawn:
            return self.draw.Skip()
        rows: list[list[Any]] = [[]]
        for each in drawn:
            if rows[-1] and sum(item.width + 20 for item in rows[-1]) + each.width > _WIDEST:
                rows.append([])
            rows[-1].append(each)
        lines = [row[0] if len(row) == 1 else self.draw.Sequence(*row) for row in rows]
        return lines[0] if len(lines) == 1 else self.draw.Stack(*lines)

    def choice(self, options: tuple[Node, ...]) -> Any:
        """Return branches; of very many only the first."""
        drawn = [self.item(option) for option in options[:_MOST_OPTIONS]]
        if len(options) > _MOST_OPTIONS:
            drawn.append(self.draw.Comment(f"and {len(options) - _MOST_OPTIONS} more"))
        return self.draw.Choice(0, *drawn)

    def repeat(self, item: Any, low: int, high: int | None) -> Any:
        """Return a loop, a way around, or both; counts are written at the way back."""
        if high == 0:
            return self.draw.Skip()
        if (low, high) == (0, 1):
            return self.draw.Optional(item)
        if high == 1:
            return item
        said = None
        if high is not None or low > 1:
            times = (
                f"{low} times"
                if low == high
                else f"{low} to {high} times"
                if high
                else f"at least {low} times"
            )
            said = self.draw.Comment(times)
        loop = self.draw.OneOrMore(item, said)
        return loop if low else self.draw.Optional(loop)


def _between(node: Node, following: Node) -> tuple[Node, ...] | None:
    """What stands between repeated items, where the second node is `(separator item)*`."""
    if not (isinstance(following, Repeat) and (following.low, following.high) == (0, None)):
        return None
    if not isinstance(following.item, Sequence) or len(following.item.items) < 2:
        return None
    *between, last = following.item.items
    return tuple(between) if write_node(last) == write_node(node) else None
