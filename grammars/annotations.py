"""What the fields of pydantic models and dataclasses want: names, one value or many, and which classes."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Sequence as AbstractSequence
from typing import Annotated, Any, TypeGuard, Union, cast, get_args, get_origin, get_type_hints

from jigwork.errors import GrammarError

__all__ = ["Wanted", "is_shape", "reachable", "rule_name", "wanted"]

_MANY = (list, tuple, set, frozenset, AbstractSequence, Iterable, Collection)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One field. `names` are what its child may be called, in lower case; `classes` the shapes in its annotation."""

    name: str
    names: tuple[str, ...]
    many: bool
    classes: tuple[type, ...]
    required: bool
    optional: bool
    raw: bool
    """The tree itself is wanted: `lark.Tree`, `Any` or `object`."""


def is_shape(given: object) -> TypeGuard[type]:
    """Whether this is a pydantic model or a dataclass: the class, not an instance."""
    return isinstance(given, type) and (hasattr(given, "model_fields") or dataclasses.is_dataclass(given))


def rule_name(shape: type) -> str:
    """The rule of a class: `OrderLine` is `order_line`."""
    return _HUMP.sub("_", shape.__name__).lower().strip("_")


def wanted(shape: type, known: Mapping[str, type]) -> tuple[Wanted, ...]:
    """The fields that are filled from a tree, in order. `known` are classes that annotations may name."""
    if hasattr(shape, "model_fields"):
        return tuple(
            _wanted(name, field.annotation, required=field.is_required(), alias=field.alias)
            for name, field in cast("Any", shape).model_fields.items()
        )
    try:
        hints = get_type_hints(shape, localns={c.__name__: c for c in known.values()}, include_extras=True)
    except NameError as error:
        raise GrammarError(
            f"the annotations of {shape.__name__} cannot be read: {error}; define its classes at the top of a "
            "module, or give them all as a mapping"
        ) from error
    missing = dataclasses.MISSING
    return tuple(
        _wanted(f.name, hints[f.name], required=f.default is missing and f.default_factory is missing)
        for f in dataclasses.fields(shape)
        if f.init
    )


def reachable(shape: type, known: Mapping[str, type]) -> dict[str, type]:
    """The class and every class that its fields name, by rule name."""
    found: dict[str, type] = {}
    todo = [shape]
    while todo:
        one = todo.pop()
        if rule_name(one) not in found:
            found[rule_name(one)] = one
            todo += [c for field in wanted(one, known) for c in field.classes]
    return found


def _wanted(name: str, annotation: Any, *, required: bool, alias: str | None = None) -> Wanted:
    options = tuple(_options(annotation))
    many = [option for option in options if get_origin(option) in _MANY or option in _MANY]
    items = [item for option in many for item in get_args(option) if item is not ...]
    inner = [part for item in items for part in _options(item)] if many else list(options)
    bare = name.strip("_")
    names = [bare, *([alias] if alias else []), *(_singular(bare) if many else ())]
    return Wanted(
        name,
        tuple(dict.fromkeys(n.lower() for n in names)),
        bool(many),
        tuple(option for option in inner if is_shape(option)),
        required,
        type(None) in options,
        any(option in (Any, object) or getattr(option, "__module__", "") == "lark.tree" for option in inner),
    )


def _options(annotation: Any) -> Iterable[Any]:
    if hasattr(annotation, "__value__"):  # type X = ...
        yield from _options(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _options(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _options(part)
    else:
        yield annotation


def _singular(name: str) -> list[str]:
    found = [name[:-1]] if name.endswith("s") else []
    found += [name[:-2]] if name.endswith("es") else []
    return found + ([name[:-3] + "y"] if name.endswith("ies") else [])
