"""The loop. `decide` says what follows, `drive` does it, the recorder writes it down; there is no other loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Any

from jigwork.errors import ServerError
from jigwork.tools import RunContext
from jigwork.tools.asking import Answer
from jigwork.tools.definition import Enforcement
from jigwork.tools.executor import Call, Executor

from .decide import CallModel, CallTools, Finish, HandOver, Pause, Stop, decide
from .enclosing import reserved, within_shared_calls
from .events import (
    AttemptDiscarded,
    ItemAdded,
    OutputDelta,
    ResponseEnded,
    TextDelta,
    TurnStarted,
)
from .items import Item, call_id, call_name, call_text, final_text, is_call, tool_key, user_message
from .models.base import ModelRequest
from .models.constraints import is_constrained
from .models.settings import Settings
from .plan import Plan
from .recorder import Recorder
from .relay import told_apart
from .repair import Repair, is_repaired
from .state import RunState
from .watch import GrammarWatch

__all__ = ["drive"]

_MOST_CUTS = 3
"""After so many cut responses a run lets the model finish its text, wrong as it may be."""


async def drive(
    plan: Plan, state: RunState, recorder: Recorder, *, stream: bool = False
) -> Finish | HandOver | Pause:
    """Run until there is an answer, a pause, or an error. Everything that happens is in `state` when it happens."""
    scratch: dict[str, Any] = {}
    executor = _executor(plan, state, recorder)
    recorder.cancel_running = executor.cancel
    try:
        if state.open_calls:  # of an earlier life: they need the tools that there were then
            await _refresh(plan, state, state.turns)
        while True:
            match decide(plan, state):
                case CallTools(calls):
                    within_shared_calls()
                    await call_tools(state, recorder, executor, calls)
                case CallModel(feedback, repair):
                    if feedback is not None:
                        await recorder.feedback(user_message(feedback))
                    await recorder.deliver_inbox()
                    await _refresh(plan, state, state.turns + 1)
                    request = _request(plan, state, scratch, stream)
                    if repair is not None:
                        request = repair.request(request)
                    async with reserved(request):
                        await call_model(plan, recorder, executor, request, repair=repair)
                case Pause(ids) if await recorder.ask(plan.on_approval, ids):
                    continue
                case Stop(error):
                    raise error
                case Finish() | HandOver() | Pause() as ending:
                    if isinstance(ending, Finish) and state.cuts and plan.output.language is not None:
                        await recorder.accepted(plan.output.language.name, final_text(state.items))
                    return ending
    finally:
        await executor.discard()


async def call_tools(state: RunState, recorder: Recorder, executor: Executor, calls: Sequence[Item]) -> None:
    """Run the calls together. Each is settled or waits for a person afterwards, whatever happened, cancellation
    included; its output item stands in the model's order, and so comes after that of a call before it that waits."""
    try:
        await executor.execute([_call(item, state) for item in calls])
    finally:
        await recorder.outputs()


async def call_model(
    plan: Plan, recorder: Recorder, executor: Executor, request: ModelRequest, *, repair: Repair | None = None
) -> None:
    """Make one request, pass on what happens, and keep the response whole or not at all.

    Calls of tools that only read start while the rest of the response is still being written; a text that leaves
    its grammar ends the response there and then.
    """
    items: list[Item] = []
    ids: set[str] = set()
    complete = False
    watch = _watch(plan, recorder.state, request, repair)
    partial = _PartialOutput(plan, request)
    await recorder.emit(TurnStarted(recorder.state.turns + 1))
    events = plan.model.stream(request)
    try:
        async for event in events:
            if repair is not None:
                event = repair.event(event)
            event = told_apart(event, recorder.state, ids)
            if isinstance(event, ResponseEnded):
                complete = True
                held = None if repair is not None else _held_answer(plan, request, event)
                await recorder.response(items, event, plan.model.name, enforcement=held)
                return
            if watch is not None and (left := watch.add(event)) is not None:
                await recorder.cut(left, request, plan.model.name)
                return
            if isinstance(event, AttemptDiscarded):
                items.clear()
                ids.clear()
                partial.clear()
                await recorder.forget(await executor.discard())
            await recorder.emit(event)
            if isinstance(event, ItemAdded):
                items.append(event.item)
                if request.stream and is_call(event.item):
                    executor.offer(_call(event.item, recorder.state))
            if isinstance(event, TextDelta) and (value := partial.add(event.text)) is not None:
                await recorder.emit(OutputDelta(value))
    finally:
        if not complete:
            await recorder.forget(await executor.discard())
        if isinstance(events, AsyncGenerator):
            await events.aclose()  # the connection goes back now, not when the collector comes by
    raise ServerError(f"the model {plan.model.name} ended its answer without saying how it ended")


def _watch(plan: Plan, state: RunState, request: ModelRequest, repair: Repair | None) -> GrammarWatch | None:
    """Watch the texts of grammars while they are written, unless it has been of no use in this run."""
    if not request.stream or not plan.watch or state.cuts >= _MOST_CUTS:
        return None
    # With tools to call, a text may be what is said before a call; without, it can only be the answer.
    answer = None if request.tools or repair is not None else plan.output.language
    if answer is None and not any(tool.grammar is not None for tool in plan.tools.values()):
        return None
    custom = plan.model.profile.custom_tools or repair is not None  # a repair is the text alone
    return GrammarWatch(plan.tools, custom=custom, answer=answer)


def _held_answer(plan: Plan, request: ModelRequest, ended: ResponseEnded) -> Enforcement | None:
    """Say who held a final text to the output's grammar; nobody, where the server has no words for the grammar."""
    if plan.output.language is None:
        return None
    if request.constraint is None or (ended.body is not None and not is_constrained(ended.body)):
        return "checked"
    return "masked" if plan.model.profile.masked else "native"


async def _refresh(plan: Plan, state: RunState, turn: int) -> None:
    """Find out which tools there are this turn, where that may change."""
    if plan.offer is not None:
        await plan.offer.refresh(RunContext(plan.deps, state.run_id, turn, items=state.items))


def _executor(plan: Plan, state: RunState, recorder: Recorder) -> Executor:
    def context(id: str, name: str, progress: Callable[[float | None, str], None]) -> RunContext[Any]:
        return RunContext(plan.deps, state.run_id, state.turns, id, name, state.items, progress)

    limits = plan.limits
    return Executor(
        plan.tools,
        recorder,
        context=context,
        concurrency=limits.concurrency or 64,
        turn_seconds=limits.turn_seconds,
        held=lambda call: _held(plan, call),
    )


def _held(plan: Plan, call: Call) -> Enforcement | None:
    """Say who held a call's text to its grammar, where more than the form of the call is needed to know."""
    if is_repaired(call.id):
        return "native"
    profile = plan.model.profile
    if call.custom:
        return "masked" if profile.masked else None
    return None if profile.strict_tools else "checked"  # a schema that is not sent as strict holds nobody


def _request(plan: Plan, state: RunState, scratch: dict[str, Any], stream: bool) -> ModelRequest:
    settings = plan.settings
    if state.turns > 0 and _forces(settings):  # a forced choice holds once, or the loop would never end
        settings = replace(settings, tool_choice=None)
    if (
        plan.output.tool is not None
        and settings.tool_choice is None
        and plan.model.profile.tool_choice_required
    ):
        settings = replace(settings, tool_choice="required")
    definitions = plan.definitions
    if plan.offer is not None:
        definitions, settings = plan.offer.definitions, plan.offer.gate(settings)
    constraint = plan.output.constraint
    if definitions and not (state.feedback and state.feedback[-1] == len(state.items) - 1):
        constraint = None  # a constrained answer could not call a tool; after a wrong one it need not
    last = state.requests[-1] if state.requests else None
    chained = settings.chain and last is not None and last.id is not None and plan.past is None
    return ModelRequest(
        items=plan.shown(state.items),
        instructions=plan.instructions,
        tools=() if constraint is not None else definitions,
        output=plan.output.format,
        settings=settings,
        stream=stream,
        previous=(last.id, last.end_item) if chained and last and last.id else None,
        constraint=constraint,
        scratch=scratch,
    )


def _forces(settings: Settings) -> bool:
    choice = settings.tool_choice
    if choice is None or choice in ("auto", "none"):
        return False
    if isinstance(choice, str):
        return True
    return not isinstance(choice, Sequence) and choice.get("type") != "allowed_tools"


def _call(item: Item, state: RunState) -> Call:
    id = call_id(item)
    approval = state.approvals.get(id)
    asked = approval is not None and approval.question is not None
    last = state.requests[-1] if state.requests else None
    cut_off = last is not None and last.status == "incomplete" and state.items[last.end_item - 1] is item
    cut_off = cut_off and item.get("status") != "completed"  # the server knows better
    return Call(
        id,
        call_name(item),
        call_text(item),
        tool=tool_key(item),
        custom=item["type"] == "custom_tool_call",
        started=state.was_started(id) and id not in state.inner,
        cut=cut_off or item.get("status") == "incomplete",
        approved=approval.approved if approval else (True if call_name(item) in state.allowed else None),
        reason=approval.reason if approval else None,
        edited=approval.edited if approval else None,
        asked=asked,
        answer=Answer(approval.answer) if approval and asked and approval.approved else None,
        kept=approval.kept if approval else None,
    )


class _PartialOutput:
    """The structured output while it is written. Parsed again when a twentieth has been added, so that a long
    answer costs its length times a constant."""

    def __init__(self, plan: Plan, request: ModelRequest) -> None:
        self._check = plan.output if request.stream and plan.output.format is not None else None
        self._text: list[str] = []
        self._size = 0
        self._next = 0

    def clear(self) -> None:
        """Forget what was written: the request is made again."""
        self._text.clear()
        self._size = self._next = 0

    def add(self, text: str) -> Any:
        """Return the data so far where there is news, else None."""
        if self._check is None:
            return None
        self._text.append(text)
        self._size += len(text)
        if self._size < self._next:
            return None
        self._next = self._size + self._size // 20
        return self._check.partial("".join(self._text))
