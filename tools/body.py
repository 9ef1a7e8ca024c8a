"""What is inside a tool: how its arguments are checked, and how the user's code is called with them.

One body per kind: a function, a pydantic model, a function beside a raw JSON schema.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import SchemaError, ToolDefinitionError

from .arguments import Check, ModelCheck, PlainCheck
from .context import RunContext
from .docstrings import read_docstring
from .schema import schema_of_function, schema_of_model
from .signature import Signature, describe_function, innermost, is_async_callable, read_signature

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Body", "function_body", "is_model", "model_body", "schema_body"]


@dataclass(frozen=True, slots=True)
class Body:
    """The inside of a tool. `parameters` is the plain schema; `signature` says how `function` is called.

    `as_model`: the arguments hold one validated model, and `function` is its class.
    """

    function: Callable[..., Any]
    name: str
    description: str
    parameters: dict[str, Any]
    check: Check
    signature: Signature
    is_async: bool
    as_model: bool = False

    def run(self, context: RunContext[Any], arguments: Mapping[str, Any]) -> Any:
        """Call the user's code; the result is awaitable when `is_async`."""
        if not self.as_model:
            return self.signature.call(self.function, context, arguments)
        model: Any = arguments["model"]
        return self.signature.call(model, context, {}) if callable(model) else model

    def bind(self, receiver: object) -> Body:
        """Return the body of a method bound to an object (or a class, for class methods)."""
        bound = functools.partial(self.function, receiver)
        method: Any = getattr(self.function, "__get__", None)
        function = method(receiver, type(receiver)) if method else bound
        return replace(self, function=function, signature=replace(self.signature, receiver=False))


def is_model(x: object) -> bool:
    """Tell whether `x` is a pydantic model class, without importing pydantic."""
    return isinstance(x, type) and hasattr(x, "__pydantic_validator__") and hasattr(x, "model_validate")


def function_body(function: Callable[..., Any]) -> Body:
    """Read a function: name, docstring, parameters, types."""
    signature = read_signature(function)
    described = read_docstring(_docstring(function))
    made = schema_of_function(signature.parameters, described.parameters, describe_function(function))
    return Body(
        function=function,
        name=_name(function),
        description=described.description,
        parameters=made.schema,
        check=ModelCheck(made),
        signature=signature,
        is_async=is_async_callable(function),
    )


def model_body(model: type[BaseModel]) -> Body:
    """Read a pydantic model: its fields are the parameters, its `__call__`, where it has one, is what runs."""
    made = schema_of_model(model)
    called: Any = getattr(model, "__call__", None) if callable(getattr(model, "__call__", None)) else None  # noqa: B004
    own = next((vars(base)["__call__"] for base in model.__mro__ if "__call__" in vars(base)), None)
    signature = Signature((), None)
    if own is not None:
        signature = replace(read_signature(own), receiver=False)
        if extra := [p.name for p in signature.parameters if p.required]:
            raise ToolDefinitionError(
                f"{model.__name__}.__call__ asks for {extra[0]!r}; it may only ask for a RunContext,"
                " everything else is a field of the model"
            )
    return Body(
        function=model,
        name=model.__name__,
        description=inspect.cleandoc(vars(model).get("__doc__") or ""),
        parameters=made.schema,
        check=ModelCheck(made, as_model=True),
        signature=replace(signature, parameters=()),
        is_async=own is not None and inspect.iscoroutinefunction(called),
        as_model=True,
    )


def schema_body(parameters: Mapping[str, Any], function: Callable[..., Any], name: str) -> Body:
    """Take a raw JSON schema for the arguments of `function`, and check that the two fit."""
    check = PlainCheck(parameters)
    try:
        check.schema.require_usable()
    except SchemaError as error:
        raise SchemaError(f"the parameters of {name!r}: {error}") from error
    signature = read_signature(function, untyped=True)
    takes_any = any(
        p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(function).parameters.values()
    )
    declared: Mapping[str, Any] = parameters.get("properties", {})
    named = {parameter.name for parameter in signature.parameters}
    if declared and not takes_any and (unknown := [key for key in declared if key not in named]):
        raise ToolDefinitionError(
            f"the schema of {name!r} declares {unknown[0]!r}, which {describe_function(function)} does not take;"
            " add the parameter or `**arguments`"
        )
    if declared and (
        missing := [p.name for p in signature.parameters if p.required and p.name not in declared]
    ):
        raise ToolDefinitionError(
            f"{describe_function(function)} needs {missing[0]!r}, which the schema of {name!r} does not declare"
        )
    return Body(
        function=function,
        name=name,
        description=read_docstring(_docstring(function)).description,
        parameters=dict(parameters),
        check=check,
        signature=signature,
        is_async=is_async_callable(function),
    )


def _docstring(function: Callable[..., Any]) -> str | None:
    function = innermost(function)
    if inspect.isroutine(function):
        return function.__doc__
    called: str | None = cast("Any", type(function)).__call__.__doc__
    return called or type(function).__doc__


def _name(function: Callable[..., Any]) -> str:
    function = innermost(function)
    return getattr(function, "__name__", type(function).__name__)
