"""Make the plain JSON schema of a function's parameters (or of a pydantic model) and the validator beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, cast

from jigwork.errors import ToolDefinitionError

from .jsontypes import is_array, is_object
from .signature import MISSING, Parameter
from .typeddicts import portable

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

__all__ = ["ArgumentsSchema", "schema_of_function", "schema_of_model"]


@dataclass(frozen=True, slots=True)
class ArgumentsSchema:
    """A plain JSON schema, the pydantic adapter that validates against it, and defaults that pydantic cannot fill."""

    schema: dict[str, Any]
    adapter: TypeAdapter[Any]
    defaults: dict[str, Callable[[], Any]]
    open: bool = False
    """Some model inside takes keys that it does not declare (`extra="allow"`)."""


def schema_of_function(
    parameters: tuple[Parameter, ...], described: Mapping[str, str], where: str
) -> ArgumentsSchema:
    """Make a closed object schema: types from annotations, texts from `Field(description=)` or the docstring."""
    from typing import NotRequired

    from pydantic import ConfigDict, PydanticUserError, TypeAdapter
    from pydantic.fields import FieldInfo
    from pydantic_core import PydanticUndefined
    from typing_extensions import TypedDict

    fields: dict[str, Any] = {}
    defaults: dict[str, Callable[[], Any]] = {}
    shown: dict[str, Any] = {}
    for parameter in parameters:
        annotation, default = portable(parameter.annotation), parameter.default
        if isinstance(default, FieldInfo):
            info = default
            annotation = Annotated[annotation, info]
            default = MISSING if info.default is PydanticUndefined else info.default
            if info.default_factory is not None:
                defaults[parameter.name] = cast("Callable[[], Any]", info.default_factory)
            elif default is not MISSING:
                defaults[parameter.name] = partial(_itself, default)
        required = default is MISSING and parameter.name not in defaults
        fields[parameter.name] = annotation if required else NotRequired[annotation]
        if default is not MISSING:
            shown[parameter.name] = default
    make: Any = TypedDict
    arguments: Any = make("Arguments", fields)
    arguments.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(arguments)
        schema = _plain(adapter.json_schema(schema_generator=_generator(), ref_template="#/$defs/{model}"))
    except PydanticUserError as error:
        raise ToolDefinitionError(f"{where}: {_culprit(parameters, error)}") from error
    properties: dict[str, dict[str, Any]] = schema.setdefault("properties", {})
    for name, default in shown.items():
        if name in properties:
            _show_default(properties[name], default)
    texts = {p.name: text for p in parameters if (text := _text_beside(p.annotation))}
    for name, text in {**described, **texts}.items():
        if name in properties and "description" not in properties[name]:
            properties[name]["description"] = text
    return ArgumentsSchema(schema, adapter, defaults, _close(schema))


def schema_of_model(model: type[BaseModel]) -> ArgumentsSchema:
    """Take a pydantic model's fields as the arguments."""
    from pydantic import PydanticUserError, TypeAdapter

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(model)
        schema = _plain(adapter.json_schema(schema_generator=_generator(), ref_template="#/$defs/{model}"))
    except PydanticUserError as error:
        raise ToolDefinitionError(f"{model.__name__}: {_first_line(error)}") from error
    schema.pop("description", None)
    if "$ref" not in schema and schema.get("type") != "object":
        raise ToolDefinitionError(
            f"{model.__name__} is no object; a tool's arguments are an object with named fields"
        )
    return ArgumentsSchema(schema, adapter, {}, _close(schema))


def _itself(value: Any) -> Any:
    return value


def _culprit(parameters: tuple[Parameter, ...], error: Exception) -> str:
    """Name the parameter that has no schema, by trying them one by one."""
    from pydantic import PydanticUserError, TypeAdapter

    for parameter in parameters:
        try:
            TypeAdapter(portable(parameter.annotation)).json_schema()
        except PydanticUserError as inner:
            return (
                f"the type of the parameter {parameter.name!r} has no JSON form ({_first_line(inner)});"
                " take a type that has one, or a RunContext for what the program provides"
            )
    return _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")


def _text_beside(annotation: Any) -> str | None:
    """Return the text of `Annotated[int, "how many"]`."""
    metadata: tuple[Any, ...] = getattr(annotation, "__metadata__", ())
    return next((part for part in metadata if isinstance(part, str)), None)


def _close(node: Any) -> bool:
    """Close every object that declares properties, so that no unknown key is lost; True if one is meant to be open."""
    if is_array(node):
        return True in [_close(part) for part in node]
    if not is_object(node):
        return False
    members = node
    if isinstance(members.get("properties"), dict) and members.get("type") == "object":
        members.setdefault("additionalProperties", False)
    is_open = bool(members.get("properties")) and members.get("additionalProperties", False) is not False
    literal = ("enum", "const", "default", "examples")
    inner = [_close(part) for key, part in members.items() if key not in literal]  # all, without stopping
    return is_open or True in inner


def _show_default(part: dict[str, Any], default: Any) -> None:
    """Show a default where JSON can; the function fills it in itself."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        value = to_jsonable_python(default, inf_nan_mode="strings")
    except (PydanticSerializationError, ValueError, TypeError):
        return
    part["default"] = value


@lru_cache(maxsize=1)
def _generator() -> type[GenerateJsonSchema]:
    from pydantic.json_schema import GenerateJsonSchema

    class Plain(GenerateJsonSchema):
        """Without generated titles; decimals as a number or a plain decimal text."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            text = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
            bounds = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
            number: dict[str, Any] = {"type": "number"}
            for name, keyword in bounds.items():
                if schema.get(name) is not None:
                    number[keyword] = float(schema[name])
            return {"anyOf": [number, text]}

    return Plain


_NAMED = re.compile(r"[A-Za-z_]\w*")


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop what says nothing to a model: titles that repeat a class name."""
    return cast("dict[str, Any]", _untitled(schema, named=False))


def _untitled(node: Any, *, named: bool) -> Any:
    """`named`: the keys of this dict are names chosen by the user (properties, definitions)."""
    if is_array(node):
        return [_untitled(part, named=False) for part in node]
    if not is_object(node):
        return node
    members = node
    kept: dict[str, Any] = {}
    for key, part in members.items():
        if not named and key == "title" and isinstance(part, str) and _NAMED.fullmatch(part):
            continue
        if not named and key in ("enum", "const", "default", "examples"):
            kept[key] = part
        else:
            kept[key] = _untitled(part, named=not named and key in ("properties", "$defs"))
    return kept
