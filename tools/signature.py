"""Look at a function as a tool: its parameters with resolved types, and where a `RunContext` goes."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, cast, get_args, get_origin

from jigwork.errors import ToolDefinitionError

from .context import RunContext

__all__ = ["Parameter", "Signature", "describe_function", "innermost", "is_async_callable", "read_signature"]

MISSING: Any = inspect.Parameter.empty

_CONTEXT = re.compile(r"^['\"]?(?:\w+\.)*(?:Optional\[)?(?:\w+\.)*RunContext\b")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the model fills. `annotation` is resolved and keeps `Annotated`."""

    name: str
    annotation: Any
    default: Any = MISSING
    positional: bool = False

    @property
    def required(self) -> bool:
        """Tell whether it has no default."""
        return self.default is MISSING


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function wants: `parameters` from the model, `context` is the name of its RunContext parameter.

    `positional` are the names that can only be given by position, in order, the context among them.
    `receiver`: the first parameter is `self`, to be bound later.
    """

    parameters: tuple[Parameter, ...]
    context: str | None
    positional: tuple[str, ...] = ()
    receiver: bool = False

    def call(
        self, function: Callable[..., Any], context: RunContext[Any], arguments: Mapping[str, Any]
    ) -> Any:
        """Call `function` with what the model gave and the context where it is wanted."""
        keywords = dict(arguments)
        if self.context is not None:
            keywords[self.context] = context
        if not self.positional:
            return function(**keywords)
        defaults = {parameter.name: parameter.default for parameter in self.parameters}
        given = [keywords.pop(name) if name in keywords else defaults[name] for name in self.positional]
        return function(*given, **keywords)


def is_async_callable(function: Callable[..., Any]) -> bool:
    """Tell whether calling it gives a coroutine: async functions, partials of them, objects with async `__call__`."""
    function = innermost(function)
    if inspect.iscoroutinefunction(function):
        return True
    called = getattr(type(function), "__call__", None)  # noqa: B004 - the method is wanted, not whether it is there
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(called)


def describe_function(function: Callable[..., Any]) -> str:
    """Name a function as a developer would look for it."""
    inner = innermost(function)
    name = getattr(inner, "__qualname__", type(inner).__name__)
    return f"{getattr(inner, '__module__', '?')}.{name}"


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Look through `functools.partial` to the function inside."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = cast("Any", inner).func
    return cast("Callable[..., Any]", inner)


def read_signature(function: Callable[..., Any], *, untyped: bool = False) -> Signature:
    """Read a function; raise ToolDefinitionError, with the fix, for what cannot be a tool.

    With `untyped`, parameters need no annotation (their schema comes from elsewhere).
    """
    where = describe_function(function)
    if getattr(function, "__name__", "") == "<lambda>" and not untyped:
        raise ToolDefinitionError(
            "a lambda has no name, no types and no docstring; write it as `def name(...)`"
        )
    if inspect.isgeneratorfunction(innermost(function)):
        raise ToolDefinitionError(
            f"{where} yields; return a list, or make it `async def` to send it in pieces"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise ToolDefinitionError(
            f"{where} has no readable signature; wrap it in a function with types"
        ) from error
    given: Any = getattr(function, "keywords", None)
    fixed: set[str] = set(given or ())
    named = [parameter for parameter in signature.parameters.values() if parameter.name not in fixed]
    receiver = bool(named) and _is_receiver(function, named[0])
    if receiver:
        named = named[1:]
    hints = _hints(function, where)
    parameters: list[Parameter] = []
    context: str | None = None
    for parameter in named:
        annotation: Any = hints.get(parameter.name, parameter.annotation)
        if annotation is not MISSING and wants_context(annotation):
            if context is not None:
                raise ToolDefinitionError(f"{where} asks for RunContext twice; keep one of them")
            context = parameter.name
            continue
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD) and untyped:
            continue
        parameters.append(_parameter(parameter, annotation, where, untyped=untyped))
    order = tuple(p.name for p in named if p.kind is inspect.Parameter.POSITIONAL_ONLY)
    return Signature(tuple(parameters), context, order, receiver)


def _parameter(parameter: inspect.Parameter, annotation: Any, where: str, *, untyped: bool) -> Parameter:
    name = parameter.name
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        raise ToolDefinitionError(
            f"{where}: *{name} has no name for the model; take `{name}: list[...]` instead"
        )
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        raise ToolDefinitionError(f"{where}: **{name} takes any key; take `{name}: dict[str, ...]` instead")
    if annotation is MISSING and not untyped:
        raise ToolDefinitionError(
            f"{where}: the parameter {name!r} has no type; write `{name}: str` (or `{name}: Any` for any JSON value)"
        )
    positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    return Parameter(name, annotation, parameter.default, positional)


def _is_receiver(function: Callable[..., Any], first: inspect.Parameter) -> bool:
    """Tell whether a function stands in a class body and is not bound yet."""
    qualname: str = getattr(function, "__qualname__", "")
    outer = qualname.rpartition(".")[0]
    in_class = bool(outer) and not outer.endswith("<locals>")
    return in_class and first.name in ("self", "cls") and not inspect.ismethod(function)


def wants_context(annotation: Any) -> bool:
    """Tell whether an annotation is RunContext, RunContext[...], Optional or Annotated of it."""
    if isinstance(annotation, str):
        return _CONTEXT.search(annotation) is not None
    origin = get_origin(annotation)
    if origin is Annotated:
        return wants_context(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return any(wants_context(option) for option in get_args(annotation))
    return annotation is RunContext or origin is RunContext


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    """Resolve annotations, strings too: in the function's module, then in the frames that are defining it."""
    inner = innermost(function)
    if not inspect.isroutine(inner) and not inspect.isclass(inner):
        inner = cast("Any", type(inner)).__call__
    inner = inspect.unwrap(inner)
    inner = getattr(inner, "__func__", inner)
    annotations: dict[str, Any] = dict(getattr(inner, "__annotations__", {}))
    annotations.pop("return", None)
    contexts = {
        name: text for name, text in annotations.items() if isinstance(text, str) and wants_context(text)
    }
    stand_in = types.SimpleNamespace(
        __annotations__={k: v for k, v in annotations.items() if k not in contexts}
    )
    from typing_extensions import get_type_hints

    scope: dict[str, Any] = getattr(inner, "__globals__", {})
    for names in (lambda: None, _visible_names):
        try:
            return {**get_type_hints(stand_in, scope, names(), include_extras=True), **contexts}
        except NameError as error:
            unknown = error
        except TypeError as error:
            raise ToolDefinitionError(f"{where} has annotations that cannot be read: {error}") from error
    raise ToolDefinitionError(
        f"{where}: the name {unknown.name!r} in its annotations is not defined where the tool is made;"
        " import it for real (not under TYPE_CHECKING), or make the tool after the definition"
    ) from unknown


def _visible_names() -> dict[str, Any]:
    """Collect local names of the calling frames outside this package, the nearest first."""
    names: dict[str, Any] = {}
    frame: types.FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if not str(frame.f_globals.get("__name__", "")).startswith("jigwork.tools"):
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names
