"""`@tool`: make a Tool of a function, method or pydantic model where it is defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

from typing_extensions import Unpack

from jigwork.errors import ToolDefinitionError

from .body import is_model
from .definition import Tool
from .options import OptionKeywords, ToolOptions

if TYPE_CHECKING:
    from pydantic import BaseModel

    from jigwork.grammars import Grammar

__all__ = ["ToolKeywords", "tool"]

P = ParamSpec("P")
R = TypeVar("R")


class ToolKeywords(OptionKeywords, total=False):
    """Everything that `@tool(...)` takes: the options and what the constructors take."""

    name: str | None
    description: str | None
    grammar: Grammar | None
    transform: Any
    rewrite: Callable[[str], str] | None
    options: ToolOptions | None
    output_type: Any
    metadata: Mapping[str, Any] | None


class ToolDecorator(Protocol):
    """What `@tool(...)` with options returns."""

    @overload
    def __call__(self, function: type[BaseModel], /) -> Tool[..., Any]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Tool[P, R]: ...


_OPTIONS = frozenset(OptionKeywords.__annotations__)


@overload
def tool(function: type[BaseModel], /) -> Tool[..., Any]: ...
@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(**keywords: Unpack[ToolKeywords]) -> ToolDecorator: ...
def tool(function: Any = None, /, **keywords: Any) -> Any:
    """Make a tool; the decorated function stays callable, and its signature visible.

    Bare (`@tool`) or with options (`@tool(read_only=True, timeout=5)`), on functions, async functions, methods and
    pydantic models. `grammar=` makes it a grammar tool, `transform=` turns the tree into the argument, `rewrite=` a
    text that is not in the grammar into one that is (see `Tool.from_function`).
    Raises ToolDefinitionError, with the fix, for what cannot be a tool.
    """
    if function is not None:
        return _make(function, keywords)

    def decorate(wrapped: Any) -> Tool[..., Any]:
        return _make(wrapped, keywords)

    return decorate


def _make(function: Any, keywords: dict[str, Any]) -> Tool[..., Any]:
    settings = dict(keywords)
    given = {name: settings.pop(name) for name in _OPTIONS & settings.keys()}
    if given and settings.get("options") is not None:
        raise ToolDefinitionError(f"give options=ToolOptions(...) or {min(given)}=, not both")
    if given:
        settings["options"] = ToolOptions(**given)
    if isinstance(function, Tool):
        raise ToolDefinitionError(
            f"{function.label} is a tool already; use its .with_options(...) or .rename(...)"
        )
    if isinstance(function, classmethod):
        raise ToolDefinitionError("write @classmethod above @tool, so that the tool is bound to the class")
    if isinstance(function, staticmethod):
        function = cast("Any", function).__func__
    if is_model(function):
        for refused in ("grammar", "transform", "rewrite"):
            if settings.pop(refused, None) is not None:
                raise ToolDefinitionError(f"{refused}= needs a function with one parameter, not a model")
        return Tool.from_model(function, **settings)
    if isinstance(function, type) or not callable(function):
        raise ToolDefinitionError(f"@tool goes on a function or a pydantic model, not on {function!r:.60}")
    return Tool.from_function(function, **settings)
