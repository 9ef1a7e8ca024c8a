"""Let `typing.TypedDict` be used in tools on Python 3.11, where pydantic takes only that of typing_extensions."""

from __future__ import annotations

import sys
import types
import typing
from typing import Annotated, Any, Union, get_args, get_origin

import typing_extensions

__all__ = ["portable"]

_UNION: Any = Union
_REQUIRED: Any = typing.Required
_NOT_REQUIRED: Any = typing.NotRequired


def portable(annotation: Any) -> Any:
    """Return `annotation` with every `typing.TypedDict` in it made anew; on Python 3.12 or later, as it is."""
    if sys.version_info >= (3, 12):
        return annotation
    return _rebuilt(annotation, ())


def _rebuilt(annotation: Any, inside: tuple[Any, ...]) -> Any:
    if typing.is_typeddict(annotation):
        made_by_typing = type(annotation).__module__ == "typing"
        return _typed_dict(annotation, inside) if made_by_typing and annotation not in inside else annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None or not arguments or origin is typing.Literal:
        return annotation
    if origin is Annotated:
        return Annotated[(_rebuilt(arguments[0], inside), *annotation.__metadata__)]
    rebuilt = tuple(_rebuilt(argument, inside) for argument in arguments)
    if all(new is old for new, old in zip(rebuilt, arguments, strict=True)):
        return annotation
    if origin in (Union, types.UnionType):
        return _UNION[rebuilt]
    return origin[rebuilt]


def _typed_dict(source: Any, inside: tuple[Any, ...]) -> Any:
    fields: dict[str, Any] = {}
    for name, hint in typing_extensions.get_type_hints(source, include_extras=True).items():
        qualifier: Any = get_origin(hint)
        if qualifier is _REQUIRED or qualifier is _NOT_REQUIRED:
            hint = get_args(hint)[0]
        else:
            qualifier = _REQUIRED if name in source.__required_keys__ else _NOT_REQUIRED
        fields[name] = qualifier[_rebuilt(hint, (*inside, source))]
    make: Any = typing_extensions.TypedDict
    made = make(source.__name__, fields)
    made.__doc__ = source.__doc__
    made.__module__ = source.__module__
    return made
