"""Templates written out: the body of one with the arguments of a use in the places of its parameters."""

from __future__ import annotations

from .nodes import Alias, Call, Document, Literal, Name, Node, Pattern, Span, walk
from .writer import write_node

__all__ = ["expansion"]

_LONGEST = 4000  # characters: templates that use each other twice grow without end


def expansion(document: Document, call: Call) -> str | None:
    """What a use of a template stands for, between parentheses; None where it cannot be written out.

    The use may not stand in a template itself: it is written out where that template is used.
    """
    known = {d.name: d for d in document.definitions if d.parameters is not None}
    template = known.get(call.name)
    if template is None or template.parameters is None or len(template.parameters) != len(call.arguments):
        return None
    if any(node is call for d in known.values() for node in walk(d.body)) or _circular(document, call.name):
        return None
    arguments = {name: _tight(given) for name, given in zip(template.parameters, call.arguments, strict=True)}

    def given(node: Node) -> str | None:
        if isinstance(node, Alias):  # has no place within a group
            return write_node(node.item, given)
        return arguments.get(node.name) if isinstance(node, Name) else None

    text = write_node(template.body, given)
    return f"({text})" if len(text) <= _LONGEST else None


def _tight(node: Node) -> str:
    text = write_node(node)
    return text if isinstance(node, (Name, Literal, Pattern, Span, Call)) else f"({text})"


def _circular(document: Document, name: str) -> bool:
    """Whether a template comes to use itself."""
    uses: dict[str, set[str]] = {}
    for definition in document.definitions:
        if definition.parameters is not None:
            uses[definition.name] = {n.name for n in walk(definition.body) if isinstance(n, Call)}
    reached: set[str] = set()
    stack = [name]
    while stack:
        for other in uses.get(stack.pop(), ()):
            if other == name:
                return True
            if other not in reached:
                reached.add(other)
                stack.append(other)
    return False
