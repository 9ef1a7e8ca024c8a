"""The offer: which tools a run shows its model, turn by turn. Only runs with toolsets that may change have one.

What was once sent stays where it was in the list, and new tools come after it, so that the server's prompt cache
holds. A tool that is not there this turn is gated by `allowed_tools`, or left out where the model knows no such thing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from jigwork.errors import SettingsError, ToolDefinitionError
from jigwork.tools import HostedTool, RunContext, Tool, Toolset, as_tool, distinct_tools
from jigwork.tools.names import wire_names
from jigwork.tools.search import DEFERRED, server_searches
from jigwork.tools.toolset import require_distinct

from .models.base import Model
from .models.settings import Settings

__all__ = ["Offer", "ToolSources", "endpoint_of", "require_hosting"]

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolSources:
    """What an agent was given as tools. `fixed` are always there, by the name that the model calls;
    `origins` names the toolset that a fixed tool came from."""

    fixed: Mapping[str, Tool[..., Any]]
    origins: Mapping[str, str]
    toolsets: tuple[Toolset, ...] = ()
    hosted: tuple[HostedTool, ...] = ()

    @property
    def any(self) -> bool:
        """Whether a model may have something to call."""
        return bool(self.fixed or self.toolsets or self.hosted)

    @classmethod
    def of(cls, given: Iterable[Any]) -> ToolSources:
        """Sort them; raises ToolDefinitionError for what is no tool, and for two fixed tools of one name."""
        fixed: list[tuple[Tool[..., Any], str | None]] = []
        toolsets: list[Toolset] = []
        hosted: list[HostedTool] = []
        for x in given:
            if isinstance(x, HostedTool):
                hosted.append(x)
            elif not isinstance(x, Toolset):
                fixed.append((as_tool(x), None))
            elif (known := x.known) is None:
                toolsets.append(x)
            else:
                fixed += [(tool, x.name) for tool in known]
        require_distinct(fixed)
        named = {tool.name: tool for tool in distinct_tools([tool for tool, _ in fixed])}
        origins = {tool.label: origin for tool, origin in fixed if origin is not None}
        return cls(named, origins, tuple(toolsets), tuple(hosted))


def require_hosting(model: Model, definitions: Iterable[Definition]) -> None:
    """Raise SettingsError where the model's endpoint knows no hosted tools, and there are any."""
    hosted = [d["type"] for d in definitions if d["type"] not in ("function", "custom")]
    if not hosted:
        return
    profile = model.profile
    if endpoint_of(model) == "responses":
        return
    fix = (
        "use endpoint='responses'"
        if "responses" in profile.endpoints
        else "use a model with that endpoint (such as 'gpt-5.2'), or a tool that runs here"
    )
    raise SettingsError(
        f"{model.name} is asked on the chat endpoint, and the hosted tool {hosted[0]!r} exists only on the"
        f" Responses endpoint: {fix}"
    )


def endpoint_of(model: Model) -> str:
    """Return the endpoint on which a model is asked."""
    known = getattr(model, "endpoint", None)
    return str(known or ("responses" if "responses" in model.profile.endpoints else "chat"))


class Offer:
    """The tools of one run. `tools` are those that may be called now, `definitions` what is sent.

    `fixed` are always there. `model` says what can be sent (`allowed_tools`, grammar tools, hosted tools); None: nothing is.
    """

    def __init__(
        self,
        sources: ToolSources,
        fixed: Mapping[str, Tool[..., Any]],
        definitions: tuple[Definition, ...],
        *,
        model: Model | None = None,
    ) -> None:
        self.tools: dict[str, Tool[..., Any]] = dict(fixed)
        self.definitions = definitions
        self._fixed = fixed
        self._fixed_definitions = definitions
        self._sources = sources
        self._model = model
        self._gates = model is not None and model.profile.allowed_tools
        self._custom = model is not None and model.profile.custom_tools
        self._defined: dict[str, Definition] = {}
        self._names: dict[str, str] = {tool.label: name for name, tool in fixed.items()}
        self._named: WeakKeyDictionary[Tool[..., Any], Tool[..., Any]] = WeakKeyDictionary()
        self._hidden = self._gated = False

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Open the toolsets for as long as the run lasts."""
        async with AsyncExitStack() as stack:
            for toolset in self._sources.toolsets:
                await stack.enter_async_context(toolset)
            yield

    async def refresh(self, context: RunContext[Any]) -> None:
        """Ask the toolsets what is there now. Raises ToolDefinitionError where two tools have the same name."""
        found: list[tuple[Tool[..., Any], str | None]] = []
        with self._searching():
            for toolset in self._sources.toolsets:
                found += [(tool, toolset.name) for tool in await toolset.tools(context)]
        fixed = [(tool, self._sources.origins.get(tool.label)) for tool in self._fixed.values()]
        require_distinct([*fixed, *found])
        self._name([tool.label for tool, _ in found])
        available = {made.name: made for tool, _ in found if (made := self._under_its_name(tool))}
        for name, tool in available.items():
            definition = _sent(tool, tool.definition(custom=self._custom))
            if definition != self._defined.get(name):
                if self._model is not None:
                    require_hosting(self._model, [definition])
                self._defined[name] = definition
        self.tools.clear()
        self.tools.update({**self._fixed, **available})
        self._hidden = len(available) < len(self._defined)
        # A choice of allowed tools cannot name a search of the server's.
        self._gated = self._gates and not any(d["type"] == "tool_search" for d in self._defined.values())
        shown = self._defined if self._gated else {n: d for n, d in self._defined.items() if n in available}
        self.definitions = (*self._fixed_definitions, *shown.values())

    @contextmanager
    def _searching(self) -> Generator[None]:
        """Tell searching toolsets whether the model's server can search."""
        model = self._model
        able = model is not None and model.profile.tool_search and endpoint_of(model) == "responses"
        token = server_searches.set(able)
        try:
            yield
        finally:
            server_searches.reset(token)

    def gate(self, settings: Settings) -> Settings:
        """Forbid what is defined and not there this turn; a forced tool or a choice written as a dict stays."""
        if not (self._gated and self._hidden):
            return settings
        choice = settings.tool_choice
        gone = {id(d) for name, d in self._defined.items() if name not in self.tools}
        allowed = [d for d in self.definitions if id(d) not in gone]
        if isinstance(choice, str):
            if choice not in ("auto", "required"):
                return settings
        elif isinstance(choice, Mapping):
            return settings
        elif choice is not None:
            allowed = [d for d in allowed if (d.get("name") or d["type"]) in choice]
        if not allowed:
            return replace(settings, tool_choice="none")
        mode = "required" if choice == "required" else "auto"
        references = [_reference(d) for d in allowed]
        return replace(settings, tool_choice={"type": "allowed_tools", "mode": mode, "tools": references})

    def _name(self, labels: Sequence[str]) -> None:
        """Give names that every server takes; one that was given in this run is never changed."""
        new = [label for label in labels if label not in self._names]
        if not new:
            return
        taken = {name: label for label, name in self._names.items()}
        names = wire_names([*taken, *new])
        for label in new:
            if label in taken:  # it came too late to be told apart: the model has seen the name already
                raise ToolDefinitionError(
                    f"the model knows the tool {taken[label]!r} as {label!r}, and now there is another one of that"
                    " name; prefix one toolset: toolset.prefixed('...')"
                )
            self._names[label] = names[label]

    def _under_its_name(self, tool: Tool[..., Any]) -> Tool[..., Any]:
        name = self._names[tool.label]
        if tool.name == name:
            return tool
        if (made := self._named.get(tool)) is None:
            made = self._named[tool] = tool.replaced(wire_name=name)
        return made


def _sent(tool: Tool[..., Any], definition: Definition) -> Definition:
    if tool.metadata.get(DEFERRED) and definition["type"] in ("function", "custom"):
        return {**definition, "defer_loading": True}
    return definition


def _reference(definition: Definition) -> dict[str, Any]:
    kind = definition["type"]
    keys = {"function": "name", "custom": "name", "mcp": "server_label"}
    return {"type": kind, keys[kind]: definition[keys[kind]]} if kind in keys else {"type": kind}
