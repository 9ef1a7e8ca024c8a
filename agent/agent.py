"""The agent: a model, instructions, tools, an output type. Immutable, and safe to share between threads and runs."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, overload

from typing_extensions import TypedDict, TypeForm, TypeVar, Unpack

from jigwork.errors import ConfigurationError, MissingKeyError, ToolDefinitionError
from jigwork.tools import RunContext, Tool
from jigwork.tools.context import DepsT

from .approving import check_decisions
from .handoffs import Handoff, HandoffTarget, Team
from .items import input_items
from .journal import Journal
from .limits import DEFAULT_LIMITS, Limits
from .models.settings import Settings
from .offer import Offer, ToolSources, require_hosting
from .output import FINAL_TOOL, OutputCheck
from .plan import Plan
from .portal import run_in_portal
from .recorder import OnApproval
from .result import OutputT, RunResult
from .run import execute
from .state import RunState
from .stream import RunStream, SyncRunStream

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

    from .models.base import Model

D = TypeVar("D")
O = TypeVar("O")
H = TypeVar("H")

__all__ = ["Agent", "AgentOptions", "Instructions", "RunInput", "RunOptions"]

RunInput: TypeAlias = str | Sequence[Mapping[str, Any]] | None
"""What a run is given: a text, a list of content parts, a list of items, or None to go on with a state."""

Instructions: TypeAlias = str | Callable[[RunContext[DepsT]], str | Awaitable[str]]


class RunOptions(TypedDict, Generic[DepsT], total=False):
    """What every door takes beside its input. `settings` and `limits` are merged over the agent's; `journal` stands in
    the place of the agent's."""

    state: RunState | None
    deps: DepsT
    settings: Settings | None
    limits: Limits | None
    journal: Journal | None


class AgentOptions(TypedDict, total=False):
    """What an agent may be given beside its model, its instructions and its types; see `Agent`."""

    tools: Sequence[Any]
    settings: Settings | None
    limits: Limits | None
    name: str | None
    output_retries: int
    journal: Journal | None
    on_approval: OnApproval | None
    watch: bool


HandoffsTo: TypeAlias = Sequence[HandoffTarget[H]] | Callable[[], Sequence[HandoffTarget[H]]]
"""Agents that a conversation may be handed over to; a function that names them later allows circles."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is the same for all runs of an agent; made at its first run."""

    model: Model
    output: OutputCheck
    tools: Mapping[str, Tool[..., Any]]
    definitions: tuple[Mapping[str, Any], ...]


class Agent(HandoffTarget[OutputT], Generic[DepsT, OutputT]):
    """A model with tools, asked until it answers in the output type.

        agent = Agent("gpt-5.2", tools=[get_weather], output=Forecast)
        result = agent.run_sync("What is the weather in Paris?")

    `model` is a model string, a `Model`, or None for the default (see `jigwork models`). `tools` are functions,
    pydantic models, `Tool`s, toolsets, and tools that the server runs (`HostedTool`). `instructions` may be a
    function of the `RunContext`, whose `items` end with the question; it is asked once a run. `output` is any type
    with a JSON schema, a `Grammar` (the answer is a text of it), or (grammar, function of its tree). `output_retries`
    is how often an answer that does not fit is explained to the model before `OutputError` is raised. `journal`
    makes runs survive a kill. `handoffs` are agents (or `Handoff`s) that the conversation may be passed to: such an agent
    uses this one's model where it names none, and its output is then the run's; a function of no parameters that
    returns them lets agents hand over to one another in a circle. `on_approval` decides in this process about calls that need a person; without it, and
    where it returns None, the run pauses. `watch` ends a streamed response at once when a text in it leaves its
    grammar (`usage.saved_tokens` estimates what that saved); with False it is written to its end. Raises
    ConfigurationError or ToolDefinitionError for what can never work.
    """

    @overload
    def __init__(
        self,
        model: Model | str | None = None,
        *,
        instructions: Instructions[DepsT] | None = None,
        output: TypeForm[OutputT] = ...,
        deps_type: type[DepsT] = ...,
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[None, str | H],
        model: Model | str | None = None,
        *,
        instructions: Instructions[None] | None = None,
        handoffs: HandoffsTo[H],
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[None, O | H],
        model: Model | str | None = None,
        *,
        instructions: Instructions[None] | None = None,
        output: TypeForm[O],
        handoffs: HandoffsTo[H],
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[D, str | H],
        model: Model | str | None = None,
        *,
        instructions: Instructions[D] | None = None,
        deps_type: type[D],
        handoffs: HandoffsTo[H],
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[D, O | H],
        model: Model | str | None = None,
        *,
        instructions: Instructions[D] | None = None,
        output: TypeForm[O],
        deps_type: type[D],
        handoffs: HandoffsTo[H],
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[None, str],
        model: Model | str | None = None,
        *,
        instructions: Instructions[None] | None = None,
        output: Grammar,
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Agent[D, str],
        model: Model | str | None = None,
        *,
        instructions: Instructions[D] | None = None,
        output: Grammar,
        deps_type: type[D],
        **options: Unpack[AgentOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        model: Model | str | None = None,
        *,
        instructions: Instructions[DepsT] | None = None,
        output: tuple[Grammar, Callable[[Any], OutputT]],
        deps_type: type[DepsT] = ...,
        **options: Unpack[AgentOptions],
    ) -> None: ...

    def __init__(
        self,
        model: Model | str | None = None,
        *,
        instructions: Any = None,
        tools: Sequence[Any] = (),
        output: Any = str,
        deps_type: Any = NoneType,
        settings: Settings | None = None,
        limits: Limits | None = None,
        name: str | None = None,
        output_retries: int = 2,
        journal: Journal | None = None,
        on_approval: OnApproval | None = None,
        watch: bool = True,
        handoffs: HandoffsTo[Any] = (),
    ) -> None:
        if isinstance(model, str):
            _check_name(model)
        self._model = model
        self.name = name
        self.instructions: Instructions[DepsT] | None = instructions
        self._sources = ToolSources.of(tools)
        self.tools: Mapping[str, Tool[..., Any]] = self._sources.fixed
        self.output = output
        self.deps_type = deps_type
        self.settings = settings or Settings()
        self.limits = DEFAULT_LIMITS.merge(limits)
        self.output_retries = output_retries
        self.journal = journal
        self.on_approval = on_approval
        self.watch = watch
        self._handoffs = handoffs
        OutputCheck(output)  # a type that has no schema is an error here, not in the first run
        if not callable(handoffs):
            _ = self.handoffs

    # --- the four doors ---

    async def run(self, x: RunInput = None, **options: Unpack[RunOptions[DepsT]]) -> RunResult[OutputT]:
        """Run to the answer, without asking the server to stream.

        `agent.run(x, state=result.state)` continues a conversation, `agent.run(state=state)` resumes a run.
        Raises `RunError` and `ModelError`, with the state in `error.state`.
        """
        state = self._state(x, options)
        return await self._execute(x, state, options)

    def run_sync(self, x: RunInput = None, **options: Unpack[RunOptions[DepsT]]) -> RunResult[OutputT]:
        """The same from synchronous code, also in a notebook. Ctrl-C cancels the run and settles its calls."""
        state = self._state(x, options)
        return run_in_portal(self._execute(x, state, options))

    def stream(self, x: RunInput = None, **options: Unpack[RunOptions[DepsT]]) -> RunStream[OutputT]:
        """Run and watch: `async with agent.stream(x) as run: async for event in run: ...`, then `run.result`."""
        state = self._state(x, options)
        return RunStream(lambda: self._prepare(x, state, options), state)

    def stream_sync(self, x: RunInput = None, **options: Unpack[RunOptions[DepsT]]) -> SyncRunStream[OutputT]:
        """The same from synchronous code: `with agent.stream_sync(x) as run: for event in run: ...`."""
        return SyncRunStream(self.stream(x, **options))

    # --- behind them ---

    async def _execute(self, x: RunInput, state: RunState, options: RunOptions[DepsT]) -> RunResult[OutputT]:
        plan, state = await self._prepare(x, state, options)
        return await execute(plan, state)

    def _state(self, x: RunInput, options: RunOptions[DepsT]) -> RunState:
        """Return the state that will advance; what cannot run is an error here, at the caller's line."""
        deps = options.get("deps")
        deps_type = self._team.deps_type
        if deps is None and deps_type is not NoneType:
            wanted = getattr(deps_type, "__name__", str(deps_type))
            raise ConfigurationError(
                f"this agent's tools need dependencies: agent.run(..., deps={wanted}(...))"
            )
        state = options.get("state")
        if x is None and (state is None or not (state.items or state.inbox)):
            raise ConfigurationError(
                "there is nothing to answer: agent.run('...'), or agent.run(state=state)"
            )
        return state if state is not None else RunState()

    async def _prepare(
        self, x: RunInput, state: RunState, options: RunOptions[DepsT]
    ) -> tuple[Plan, RunState]:
        agent = self._team.active(state, fresh=x is not None)
        if x is not None:
            state.append({"kind": "run", "items": input_items(x)})
        plan = await agent._plan(state, options, self)
        check_decisions(plan, state)
        return plan, state

    async def _plan(self, state: RunState, options: RunOptions[Any], first: Agent[Any, Any]) -> Plan:
        """Return the plan of this agent's part in a run that `first` began, and whose limits hold."""
        prepared, deps = self._prepared_for(first), options.get("deps")
        offer = self._offer(prepared)
        team = first._team

        async def successor(name: str) -> Plan:
            return await team.member(name)._plan(state, options, first)

        return Plan(
            name=self.name,
            model=prepared.model,
            tools=prepared.tools if offer is None else offer.tools,
            definitions=prepared.definitions,
            offer=offer,
            output=self._output_check(prepared.output, state),
            instructions=_joined(await self._instructions(state, deps), prepared.output.instructions),
            settings=self.settings.merge(options.get("settings")),
            limits=first.limits.merge(options.get("limits")),
            output_retries=self.output_retries,
            deps=deps,
            journal=options.get("journal") or first.journal,
            on_approval=self.on_approval or first.on_approval,
            watch=self.watch,
            successor=successor,
            past=team.past(state),
        )

    def _output_check(self, check: OutputCheck, state: RunState) -> OutputCheck:
        """Return what judges the answers of one run."""
        return check

    def _offer(self, prepared: _Prepared) -> Offer | None:
        """Return what keeps the tools up to date in a run, where toolsets may change; most agents need none."""
        if not self._sources.toolsets:
            return None
        return Offer(self._sources, prepared.tools, prepared.definitions, model=prepared.model)

    async def _instructions(self, state: RunState, deps: Any) -> str | None:
        if self.instructions is None or isinstance(self.instructions, str):
            return self.instructions
        text = self.instructions(RunContext(deps, state.run_id, items=[*state.items, *state.inbox]))
        return await text if inspect.isawaitable(text) else text

    @property
    def model(self) -> Model:
        """The model, resolved from its name at the first run; raises MissingKeyError where it has no key."""
        return self._prepared.model

    # --- handoffs ---

    @cached_property
    def handoffs(self) -> tuple[Handoff[Any], ...]:
        """To whom the conversation may be passed."""
        given = self._handoffs() if callable(self._handoffs) else self._handoffs
        return tuple(Handoff.of(one) for one in given)

    @cached_property
    def _team(self) -> Team:
        return Team(self)

    def _prepared_for(self, first: Agent[Any, Any]) -> _Prepared:
        """Return what was made at the first run; without a model of its own an agent uses that of `first`."""
        if first is self or self._model is not None:
            return self._prepared
        model = first.model
        known = self._lent.get(id(model))
        if known is None:
            known = self._lent[id(model)] = self._prepare_with(model)
        return known

    @cached_property
    def _lent(self) -> dict[int, _Prepared]:
        return {}

    @cached_property
    def _prepared(self) -> _Prepared:
        return self._prepare_with(self._model)

    def _prepare_with(self, chosen: Model | str | None) -> _Prepared:
        from .models.resolve import choose_model

        model = choose_model(chosen)[0] if chosen is None or isinstance(chosen, str) else chosen
        connect = getattr(model, "connect", None)
        if connect is not None:  # an engine that reads the tools' own data, such as the offline one
            model = connect(tuple(self.tools.values()))
        profile = model.profile
        output = OutputCheck(
            self.output,
            native=profile.json_schema
            and (profile.schema_with_tools or not (self._sources.any or self.handoffs)),
            custom=profile.custom_tools,
            constrained=profile.response_grammar is not None,
        )
        tools = dict(self.tools)
        for transfer in (handoff.tool() for handoff in self.handoffs):
            if tools.setdefault(transfer.name, transfer) is not transfer:
                raise ToolDefinitionError(
                    f"a tool named {transfer.name!r} is in the way of a handoff: Handoff(agent, name='...')"
                )
        if output.tool is not None:
            if FINAL_TOOL in tools:
                raise ToolDefinitionError(
                    f"a tool named {FINAL_TOOL!r} is in the way of the final answer: rename it"
                )
            tools[FINAL_TOOL] = output.tool
        definitions = (
            *(tool.definition(custom=profile.custom_tools) for tool in tools.values()),
            *(hosted.definition() for hosted in self._sources.hosted),
        )
        require_hosting(model, definitions)
        return _Prepared(model, output, tools, definitions)


def _joined(*texts: str | None) -> str | None:
    return "\n\n".join(text for text in texts if text) or None


def _check_name(model: str) -> None:
    """Raise UnknownModelError for a string that names nothing. A missing key is an error of the first run: a module
    may define its agents before the program has set one."""
    from .models.resolve import resolve_model

    with suppress(MissingKeyError):
        resolve_model(model)
