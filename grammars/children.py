"""Which named children the tree of a rule may have: what the shapes of `shaping` are held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from .nodes import Alias, Choice, Document, Embedded, Name, Node, Repeat, Sequence, walk

__all__ = ["Children", "Rules"]

Children = dict[str, bool]
"""The name of a child as it stands in the tree, and whether there may be more than one."""


@dataclass(slots=True)
class Rules:
    """The rules of a grammar, by the names that their trees carry."""

    document: Document
    _open: set[str] = field(default_factory=set[str])

    def names(self) -> set[str]:
        """Every name that a tree may carry: rules that are not inlined, and aliases."""
        found: set[str] = set()
        for definition in self.document.definitions:
            if not definition.terminal:
                found |= self._trees(definition.name)
        return found

    def children(self, tree: str) -> Children:
        """The children of a tree of this name."""
        found: Children = {}
        for definition in self.document.definitions:
            if definition.terminal:
                continue
            for option in _options(definition.body):
                if (option.name if isinstance(option, Alias) else definition.name) == tree:
                    found = _either(found, self._of(option))
        return found

    def _trees(self, rule: str) -> set[str]:
        definition = self.document.definition(rule)
        if definition is None or rule.startswith("_"):
            return set()
        found: set[str] = set()
        for option in _options(definition.body):
            if isinstance(option, Alias):
                found.add(option.name)
            elif "?" not in definition.modifiers or self._count(option) != (1, 1):
                found.add(rule)
        return found

    def _count(self, node: Node) -> tuple[int, int]:
        """The least and the greatest number of children that a node gives; 2 is any number from there."""
        match node:
            case Sequence(items=items):
                counts = [self._count(item) for item in items]
                return min(2, sum(low for low, _ in counts)), min(2, sum(high for _, high in counts))
            case Choice(options=options):
                counts = [self._count(option) for option in options]
                return min(low for low, _ in counts), max(high for _, high in counts)
            case Repeat(item=item, low=low, high=high):
                least, most = self._count(item)
                return min(2, low * least), min(2, most * (2 if high is None else high))
            case Alias(item=item):
                return self._count(item)
            case Name(name=name) if not name.startswith("_"):
                return 1, 1
            case Name(name=name) if not node.terminal and (rule := self.document.definition(name)):
                if name in self._open:
                    return 0, 2
                self._open.add(name)
                found = self._count(rule.body)
                self._open.discard(name)
                return found
            case Embedded():
                return 1, 1
            case _:
                return 0, 0

    def _of(self, node: Node) -> Children:
        match node:
            case Sequence(items=items):
                found: Children = {}
                for item in items:
                    more = self._of(item)
                    found |= {name: many or name in found for name, many in more.items()}
                return found
            case Choice(options=options):
                found = {}
                for option in options:
                    found = _either(found, self._of(option))
                return found
            case Repeat(item=item, high=high):
                return {name: many or high is None or high > 1 for name, many in self._of(item).items()}
            case Alias(item=item):
                return self._of(item)
            case Name():
                return self._named(node)
            case _:
                return {}

    def _named(self, node: Name) -> Children:
        definition = self.document.definition(node.name)
        name = node.name.replace("-", "_")
        hidden = name.startswith("_")
        if node.terminal or definition is None:
            return {} if hidden else {name if node.terminal else name.upper(): False}
        if not hidden and "?" not in definition.modifiers:
            return dict.fromkeys(self._trees(node.name), False)
        if node.name in self._open:  # an inlined rule inside of itself repeats whatever it holds
            return {}
        self._open.add(node.name)
        options = [
            option
            for option in _options(definition.body)
            if hidden or (not isinstance(option, Alias) and self._count(option)[0] < 2)
        ]
        inner = self._of(Choice(tuple(options), 0))
        self._open.discard(node.name)
        if hidden:
            again = any(isinstance(n, Name) and n.name == node.name for n in walk(definition.body))
            return dict.fromkeys(inner, True) if again else inner
        return _either(dict.fromkeys(self._trees(node.name), False), inner)


def _options(body: Node) -> tuple[Node, ...]:
    return body.options if isinstance(body, Choice) else (body,)


def _either(one: Children, other: Children) -> Children:
    return {name: one.get(name, False) or other.get(name, False) for name in {**one, **other}}
