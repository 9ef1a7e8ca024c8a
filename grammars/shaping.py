"""Trees to pydantic models and dataclasses whose names match the rules of the grammar.

A class fills from the tree of the rule of its name (`OrderLine` from `order_line`, an alias counts as a rule), a field
from the children of its name: a rule, a terminal in any case, or for lists also their singular. Where no child has the
name of a field, those take part whose rules belong to the classes of its annotation. Texts become what the annotation
says by pydantic's conversions.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import GrammarError, TextRejectedError

from .annotations import Wanted, is_shape, reachable, rule_name, wanted
from .children import Rules
from .json_lifting import lifted
from .nodes import Embedded
from .reader import read
from .tree import parse

if TYPE_CHECKING:
    import lark

__all__ = ["parsed"]

_REGEX = "start: TEXT\nTEXT: /x/\n"  # what the tree of a regular expression looks like


def parsed(syntax: str, definition: str, text: str, transform: Any) -> Any:
    """What a transform makes of an accepted text. Raises GrammarError and TextRejectedError."""
    shape = _shape_of(syntax, definition, transform)
    if shape is not None and (whole := shape.whole()):
        return _filled(whole, json.loads(text), "start", text)
    tree = parse(syntax, definition, text)
    if shape is not None:
        return shape.of(tree, text)
    return transform.transform(tree) if hasattr(transform, "transform") else transform(tree)


def _shape_of(syntax: str, definition: str, given: object) -> Shape | None:
    """The shape that a class, a mapping from rules to classes, or a module of classes describes; None for others.

    Raises GrammarError where names do not fit the grammar.
    """
    root: type | None = None
    named: Mapping[str, Any] = {}
    if is_shape(given):
        root = given
    elif isinstance(given, Mapping):
        named = cast("Mapping[str, Any]", given)
        if wrong := [rule for rule, shape in named.items() if not is_shape(shape)]:
            raise GrammarError(f"{wrong[0]}: a transform maps rules to pydantic models and dataclasses only")
    elif isinstance(given, ModuleType):
        named = {rule_name(shape): shape for shape in vars(given).values() if is_shape(shape)}
    else:
        return None
    return _shape(syntax, definition, root, tuple(named.items()), strict=isinstance(given, Mapping))


@lru_cache(maxsize=64)
def _shape(
    syntax: str, definition: str, root: type | None, named: tuple[tuple[str, type], ...], *, strict: bool
) -> Shape:
    rules = Rules(lifted(read(definition if syntax == "lark" else _REGEX)))
    trees = rules.names()
    known = dict(named)
    for rule in known:
        if strict and rule not in trees:
            raise GrammarError(f"no rule or alias is called {rule}{_near(rule, trees)}")
    for one in [root, *known.values()]:
        if one is not None:
            known = {**reachable(one, known), **known}
    made = Shape(rules, root, {rule: shape for rule, shape in known.items() if rule in trees})
    made.check()
    return made


@dataclass(frozen=True, slots=True)
class _Slot:
    """A field and the children that go into it; with `inside`, their children."""

    field: Wanted
    names: frozenset[str]
    classes: frozenset[str]
    inside: bool
    shape: type | None
    """The class of a child that has the name of the field, where no rule has the name of the class."""


@dataclass(slots=True)
class Shape:
    """Classes for the rules of a grammar, and the way from a tree to them."""

    rules: Rules
    root: type | None
    classes: dict[str, type]
    _slots: dict[tuple[type, str], tuple[_Slot, ...]] = field(
        default_factory=dict[tuple[type, str], tuple[_Slot, ...]]
    )

    def check(self) -> None:
        """Raise GrammarError where a field has no child or a child no field."""
        for rule, shape in self.classes.items():
            self._plan(shape, rule)
        if self.root is not None and not self._renamed(self.root):
            self._plan(self.root, "start")

    def whole(self) -> type | None:
        """The class of the whole text where that is a JSON schema and nothing else."""
        return (self.root or self.classes.get("start")) if self._is_json("start") else None

    def of(self, tree: lark.Tree[Any], text: str) -> Any:
        """What the tree of a text becomes."""
        name = str(tree.data)
        if self.root is not None and not (name != "start" and self._renamed(self.root)):
            inner = self._only_child(tree, rule_name(self.root)) if self._renamed(self.root) else None
            return self._build(inner or tree, self.root, text)
        shape = self.classes.get(name)
        if shape is not None:
            return self._build(tree, shape, text)
        below = [child for child in tree.children if hasattr(child, "data")]
        if len(below) != 1:
            raise GrammarError(
                f"no class is given for {name}, and it has {len(below)} rules below; add one for it"
            )
        return self.of(below[0], text)

    def _renamed(self, root: type) -> bool:
        """Whether the class belongs to a rule below `start`."""
        return rule_name(root) != "start" and self.classes.get(rule_name(root)) is root

    def _only_child(self, tree: lark.Tree[Any], name: str) -> lark.Tree[Any] | None:
        while str(tree.data) != name:
            below = [child for child in tree.children if hasattr(child, "data")]
            if len(below) != 1:
                return None
            tree = below[0]
        return tree

    def _is_json(self, rule: str) -> bool:
        definition = self.rules.document.definition(rule)
        return (
            definition is not None
            and isinstance(definition.body, Embedded)
            and definition.body.kind == "json"
        )

    # names

    def _plan(self, shape: type, rule: str) -> tuple[_Slot, ...]:
        if (shape, rule) not in self._slots:
            self._slots[shape, rule] = self._slots_of(shape, rule)
        return self._slots[shape, rule]

    def _slots_of(self, shape: type, rule: str) -> tuple[_Slot, ...]:
        if self._is_json(rule):
            return ()
        children = self.rules.children(rule)
        slots: list[_Slot] = []
        for one in wanted(shape, self.classes):
            classes = frozenset(
                name for name, given in self.classes.items() if issubclass(given, one.classes)
            )
            own = next((c for name in one.names for c in children if c.lower() == name), None)
            names = frozenset({own} if own else classes & children.keys())
            if not names and one.required:
                raise GrammarError(
                    f"{shape.__name__}.{one.name} fits nothing in the rule {rule}"
                    f"{_near(one.name, children)}; the children of {rule} are {_list(children)}"
                )
            inside = own is not None and one.many and not children[own] and own == one.names[0] not in classes
            lone = one.classes[0] if own and not classes and len(one.classes) == 1 else None
            slots.append(_Slot(one, names, classes, inside, lone if is_shape(lone) else None))
        taken = {name for slot in slots for name in slot.names}
        for name in children:
            if name not in taken and not name.isupper():
                raise GrammarError(
                    f"{rule} has the child {name}, and {shape.__name__} has no field for it: add one, or hide the rule "
                    f"by calling it _{name}"
                )
        return tuple(slots)

    # values

    def _build(self, tree: lark.Tree[Any], shape: type, text: str) -> Any:
        rule = str(tree.data)
        if self._is_json(rule):
            return _filled(shape, json.loads(_text(tree, text)), rule, text)
        values: dict[str, Any] = {}
        left = list(tree.children)
        for slot in self._plan(shape, rule):
            found = [child for child in left if _name(child) in slot.names]
            if not slot.field.many:
                found = found[:1]
            left = [child for child in left if not any(child is one for one in found)]
            if slot.field.many and (found or slot.field.required):
                values[slot.field.name] = [self._value(c, slot, text) for c in self._items(found, slot)]
            elif found:
                values[slot.field.name] = self._value(found[0], slot, text)
            elif slot.field.required:
                if not slot.field.optional:
                    raise GrammarError(
                        f"this text has nothing for {shape.__name__}.{slot.field.name}; give it a default"
                    )
                values[slot.field.name] = None
        for child in left:
            if hasattr(child, "data") and not self._is_json(rule):
                raise GrammarError(
                    f"{rule} has one more child {_name(child)} than {shape.__name__} has fields for; make it a list"
                )
        return _filled(shape, values, rule, _text(tree, text))

    def _items(self, found: list[Any], slot: _Slot) -> list[Any]:
        if not slot.inside or not found or self._is_json(_name(found[0])):
            return found
        inner: list[Any] = found[0].children
        if not slot.classes:
            return inner
        fitting = [child for child in inner if _name(child) in slot.classes]
        return fitting if len(fitting) == sum(hasattr(child, "data") for child in inner) else found

    def _value(self, child: Any, slot: _Slot, text: str) -> Any:
        name = _name(child)
        if not hasattr(child, "data"):
            return str(child)
        if self._is_json(name):
            return json.loads(_text(child, text))
        if name in slot.classes:
            return self._build(child, self.classes[name], text)
        if slot.shape is not None:
            return self._build(child, slot.shape, text)
        if slot.classes:
            return self._inner(child, slot, text)
        if slot.field.raw:
            return self._build(child, self.classes[name], text) if name in self.classes else child
        return _text(child, text)

    def _inner(self, tree: lark.Tree[Any], slot: _Slot, text: str) -> Any:
        """A field has the name of the child, and its class another one."""
        fitting = [child for child in tree.children if _name(child) in slot.classes]
        if len(fitting) == 1:
            return self._value(fitting[0], slot, text)
        return _text(tree, text)


def _filled(shape: type, values: Any, rule: str, text: str) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(shape).validate_python(values, by_name=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join([rule, *(str(part) for part in first["loc"])])
        raise TextRejectedError(f"{place}: {first['msg']} ({text[:80]!r})") from error


@lru_cache(maxsize=256)
def _adapter(shape: type) -> Any:
    from pydantic import PydanticUserError, TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation

    try:
        return TypeAdapter(shape)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise GrammarError(
            f"{shape.__name__} cannot be filled: {str(error).partition(chr(10))[0]}"
        ) from error


def _name(child: Any) -> str:
    return str(child.data if hasattr(child, "data") else child.type)


def _text(tree: lark.Tree[Any], text: str) -> str:
    """The text of a tree, with what its anonymous tokens said."""
    return "" if tree.meta.empty else text[tree.meta.start_pos : tree.meta.end_pos]


def _near(name: str, names: Any) -> str:
    close = difflib.get_close_matches(name.lower(), {n.lower(): n for n in names}, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _list(names: Any) -> str:
    return ", ".join(names) or "none that stays in the tree"
