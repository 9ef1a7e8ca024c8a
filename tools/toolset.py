"""Toolsets: groups of tools, as values that can be joined, narrowed, renamed and wrapped.

An agent takes them among its tools. What they hold may differ from turn to turn, and may need to be opened first.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from weakref import WeakKeyDictionary

from typing_extensions import Unpack

from jigwork.errors import ToolDefinitionError

from .context import RunContext
from .definition import Tool, as_tool
from .names import nearest
from .toolset_around import Around

if TYPE_CHECKING:
    from .options import OptionKeywords

__all__ = ["Derived", "Keep", "ToolFunction", "Toolset", "require_distinct"]

Keep: TypeAlias = Callable[[RunContext[Any], Tool[..., Any]], bool | Awaitable[bool]]
"""Says whether a tool is there this turn."""

ToolFunction: TypeAlias = Callable[[RunContext[Any]], Iterable[Any] | Awaitable[Iterable[Any]]]
"""Says which tools are there this turn: functions, models, Tools, toolsets."""


class Toolset:
    """A group of tools and other toolsets: `Toolset([search, fetch, github.prefixed("gh")], name="web")`.

    Every method returns another toolset and leaves this one as it is. `name` is for messages. A subclass overrides
    `tools`, and `__aenter__` and `__aexit__` where there is something to open. A run opens what it uses and closes
    it at its end; what the user has opened before stays open (entering counts, so runs may share a toolset).
    """

    def __init__(self, tools: Iterable[Any] = (), *, name: str | None = None) -> None:
        """Group tools; raises ToolDefinitionError for what is no tool, and for two tools of one name."""
        self.name = name or type(self).__name__
        self._members = tuple(x if isinstance(x, Toolset) else as_tool(x) for x in tools)
        if (known := self.known) is not None:
            require_distinct([(tool, self.name) for tool in known])

    # --- what is in it ---

    @property
    def known(self) -> tuple[Tool[..., Any], ...] | None:
        """The tools, where they are always the same and nothing has to be opened; else None."""
        kind = type(self)
        if kind.tools is not Toolset.tools or kind.__aenter__ is not Toolset.__aenter__:
            return None
        tools: list[Tool[..., Any]] = []
        for member in self._members:
            if isinstance(member, Tool):
                tools.append(member)
            elif (inner := member.known) is None:
                return None
            else:
                tools += inner
        return tuple(tools)

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        """Return the tools that are there now; asked before every model request, and quick."""
        tools: list[Tool[..., Any]] = []
        for member in self._members:
            tools += [member] if isinstance(member, Tool) else await member.tools(context)
        return tools

    async def __aenter__(self) -> Self:
        """Open every toolset in it; where one fails, those that were opened are closed again."""
        async with AsyncExitStack() as stack:
            for member in self._members:
                if isinstance(member, Toolset):
                    await stack.enter_async_context(member)
            stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every toolset in it, the last one first."""
        async with AsyncExitStack() as stack:
            for member in self._members:
                if isinstance(member, Toolset):
                    stack.push_async_exit(member.__aexit__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    # --- others made of it ---

    def __add__(self, other: Toolset) -> Toolset:
        """Return both together."""
        return Toolset([self, other], name=f"{self.name}+{other.name}")

    @staticmethod
    def dynamic(function: ToolFunction, *, name: str | None = None) -> Toolset:
        """Make a toolset of a function of the RunContext that returns the tools of this turn, sync or async.

        Give it tools that were made before (`@tool`), not plain functions: those would be read anew at every turn.
        """
        return _Dynamic(function, name or str(getattr(function, "__name__", "dynamic")))

    @staticmethod
    def from_object(thing: object, *, name: str | None = None) -> Toolset:
        """Make a toolset of the public methods of an object, in the order in which its class defines them.

        What the object's state is when a method is called is what the calls before have left: methods that are no
        coroutines are called one at a time, in the model's order (`Tool.receiver`). `only`, `without` and `prefixed`
        choose and name. Raises ToolDefinitionError for a class, for an object without such methods, and for a
        method that can be no tool.
        """
        kind = type(thing).__name__
        if isinstance(thing, type):
            raise ToolDefinitionError(
                f"{thing.__name__} is a class; give an object of it: {thing.__name__}(...)"
            )
        tools = [as_tool(getattr(thing, label)) for label in _public_methods(type(thing))]
        if not tools:
            raise ToolDefinitionError(f"a {kind} has no public methods to make tools of")
        return Toolset(tools, name=name or kind)

    def prefixed(self, prefix: str) -> Toolset:
        """Return the tools with `prefix_` before their names."""
        return _Changed(self, lambda tool: tool.rename(f"{prefix}_{tool.label}"), f"{prefix}_{self.name}")

    def renamed(self, names: Mapping[str, str] | Callable[[str], str]) -> Toolset:
        """Return the tools under other names: a dict from old to new, or a function of the old one."""
        if not callable(names):
            self._require_names(names)

        def rename(tool: Tool[..., Any]) -> Tool[..., Any]:
            name = names(tool.label) if callable(names) else names.get(tool.label, tool.label)
            return tool if name == tool.label else tool.rename(name)

        return _Changed(self, rename)

    def only(self, *names: str) -> Toolset:
        """Return just the tools of these names."""
        self._require_names(names)
        return _Changed(self, lambda tool: tool if tool.label in names else None)

    def without(self, *names: str) -> Toolset:
        """Return all but the tools of these names."""
        self._require_names(names)
        return _Changed(self, lambda tool: None if tool.label in names else tool)

    def filtered(self, keep: Keep) -> Toolset:
        """Return a toolset that holds, each turn, the tools for which `keep(context, tool)` is true, sync or async.

        What is not there this turn cannot be called. Where the model allows it, the tool list that is sent stays
        as it is, so that the prompt cache holds.
        """
        return _Filtered(self, keep)

    def wrapped(self, around: Around) -> Toolset:
        """Return the tools with `async def around(context, arguments, call)` standing around every call."""
        return _Changed(self, lambda tool: tool.wrapped(around))

    def with_options(self, **changes: Unpack[OptionKeywords]) -> Toolset:
        """Return the tools with some options changed: `toolset.with_options(timeout=10, approval="always")`."""
        return _Changed(self, lambda tool: tool.with_options(**changes))

    def _require_names(self, names: Iterable[str]) -> None:
        """Raise ToolDefinitionError for a name that is not in here, as far as that can be known."""
        known = self.known
        labels = [tool.label for tool in known or ()]
        for name in names:
            if known is not None and name not in labels:
                near = nearest(name, labels)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(labels) or 'none'}"
                raise ToolDefinitionError(f"{self.name} has no tool {name!r}: {hint}")


class _Dynamic(Toolset):
    """Tools that a function chooses at every turn."""

    def __init__(self, function: ToolFunction, name: str) -> None:
        self._function = function
        super().__init__(name=name)

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        chosen = self._function(context)
        group = Toolset(await chosen if inspect.isawaitable(chosen) else chosen, name=self.name)
        if group.known is None:
            raise ToolDefinitionError(
                f"{self.name} returned a toolset that has to be opened or asked; give that one to the agent itself,"
                " and choose among its tools with toolset.filtered(...)"
            )
        return group.known


class Derived(Toolset):
    """A toolset made of another one."""

    def __init__(self, inner: Toolset, name: str) -> None:
        self._inner = inner
        super().__init__(name=name)

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._inner.__aexit__(kind, error, trace)


class _Changed(Derived):
    """The same change for every tool; None leaves it out. A tool is changed once, and is the same ever after."""

    def __init__(
        self,
        inner: Toolset,
        change: Callable[[Tool[..., Any]], Tool[..., Any] | None],
        name: str | None = None,
    ) -> None:
        self._change = change
        self._changed: WeakKeyDictionary[Tool[..., Any], Tool[..., Any] | None] = WeakKeyDictionary()
        super().__init__(inner, name or inner.name)

    @property
    def known(self) -> tuple[Tool[..., Any], ...] | None:
        known = self._inner.known
        return None if known is None else self._all(known)

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        return self._all(await self._inner.tools(context))

    def _all(self, tools: Iterable[Tool[..., Any]]) -> tuple[Tool[..., Any], ...]:
        changed = self._changed
        for tool in (tools := tuple(tools)):
            if tool not in changed:
                changed[tool] = self._change(tool)
        return tuple(made for tool in tools if (made := changed[tool]) is not None)


class _Filtered(Derived):
    """The tools that pass this turn."""

    def __init__(self, inner: Toolset, keep: Keep) -> None:
        self._keep = keep
        super().__init__(inner, inner.name)

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        kept: list[Tool[..., Any]] = []
        for tool in await self._inner.tools(context):
            verdict = self._keep(context, tool)
            if await verdict if inspect.isawaitable(verdict) else verdict:
                kept.append(tool)
        return kept


def _public_methods(kind: type) -> list[str]:
    """Return the names of the methods and static methods of a class: those of its bases first, each once."""
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ in ("builtins", "abc", "typing", "pydantic.main"):
            continue
        for label, member in vars(base).items():
            if not label.startswith("_") and (inspect.isroutine(member) or isinstance(member, Tool)):
                names[label] = None
    return list(names)


def require_distinct(tools: Iterable[tuple[Tool[..., Any], str | None]]) -> None:
    """Raise ToolDefinitionError for two tools of one name. Beside each stands its toolset's name, None for none."""
    seen: dict[str, str | None] = {}
    for tool, origin in tools:
        if tool.label not in seen:
            seen[tool.label] = origin
            continue
        first = seen[tool.label]
        where = f" (in {first or 'the agent itself'} and in {origin or 'the agent itself'})"
        fix = (
            "prefix one toolset: toolset.prefixed('...')"
            if first or origin
            else "rename one: tool.rename('...')"
        )
        raise ToolDefinitionError(
            f"two tools are called {tool.label!r}{where if first or origin else ''}; {fix}"
        )
