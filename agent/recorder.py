"""The recorder writes what happens: into the state, the journal, and to whoever listens."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from jigwork.tools.executor import Call
from jigwork.tools.outcome import Outcome

from .events import (
    ApprovalAsked,
    AttemptDiscarded,
    CallProgress,
    CallSettled,
    CallStarted,
    Event,
    ItemAdded,
    ResponseEnded,
    TurnFinished,
    UsageUpdated,
)
from .items import Item, call_id, call_output, is_call, user_message
from .journal import Journal
from .records import Approval, Decision, RequestRecord
from .state import Entry, RunState, decision_entry
from .usage import Usage

__all__ = ["Emit", "OnApproval", "Recorder"]

Emit: TypeAlias = Callable[[Event], Awaitable[None]]

OnApproval: TypeAlias = Callable[[Approval], "Decision | bool | Awaitable[Decision | bool | None] | None"]
"""Decides about a waiting call in this process; None leaves it waiting, and the run pauses."""


class Recorder:
    """The one way from the loop to the state. It is also the executor's ledger.

    An entry is in the state before anything is awaited, so that a cancellation at any await loses nothing.
    """

    def __init__(self, state: RunState, journal: Journal | None, emit: Emit) -> None:
        self.state = state
        self.emit = emit
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._background: set[asyncio.Task[None]] = set()

    async def append(self, entry: Entry) -> None:
        """Change the state, and write the change down."""
        self.state.append(entry)
        if self._journal is not None:
            await self._journal.record(self.state.run_id, entry)

    async def open_journal(self) -> None:
        """Begin the journal with the state as it is, so that it can be read alone."""
        if self._journal is not None:
            await self._journal.record(self.state.run_id, {"kind": "state", "state": self.state.to_dict()})

    # --- items ---

    async def feedback(self, item: Item) -> None:
        """Add what we tell the model about its last answer."""
        await self.append({"kind": "retry"})
        await self.append({"kind": "item", "item": item, "feedback": True})
        await self.emit(ItemAdded(item))

    async def deliver_inbox(self) -> None:
        """Move the waiting messages into the history."""
        waiting = list(self.state.inbox)
        if waiting:
            await self.append({"kind": "delivered"})
            for item in waiting:
                await self.emit(ItemAdded(item))

    async def response(self, items: Sequence[Item], ended: ResponseEnded, model: str) -> None:
        """Add a whole response: its items, its cost."""
        record = RequestRecord.of(ended, model)
        await self.append({"kind": "response", "items": list(items), "request": record})
        await self.emit(UsageUpdated(ended.usage, self.state.usage))
        await self.emit(TurnFinished(self.state.turns, sum(map(is_call, items))))

    async def cut(self, name: str, explanation: str, model: str) -> None:
        """Keep nothing of a response that left its grammar but what it cost, and tell the model where it did."""
        await self.append({"kind": "cut"})
        ended = ResponseEnded(Usage(requests=1, unreported=1), "cut", f"{name} left its grammar", model=model)
        await self.response([], ended, model)
        text = f"Your call of {name} was stopped while you wrote it. {explanation}\nMake the call again, corrected."
        item = user_message(text)
        await self.append({"kind": "item", "item": item, "feedback": True})
        await self.emit(AttemptDiscarded(f"the text for {name} left its grammar: {explanation}", 1))
        await self.emit(ItemAdded(item))

    async def outputs(self, calls: Sequence[Item]) -> None:
        """Add the output items of the calls that have an outcome, in the model's order."""
        for call in calls:
            outcome = self.state.outcomes.get(call_id(call))
            if outcome is not None:
                item = call_output(call, outcome.output)
                await self.append({"kind": "item", "item": item})
                await self.emit(ItemAdded(item))

    async def cancel_open_calls(self) -> None:
        """Settle what a cancelled run leaves open, but for what waits for a person."""
        calls = [c for c in self.state.open_calls if call_id(c) not in self.state.approvals]
        for item in calls:
            if call_id(item) not in self.state.outcomes:
                call = Call(call_id(item), str(item.get("name")), "")
                await self.settled(
                    call, Outcome("cancelled", "Cancelled before it started; nothing was done.")
                )
        await self.outputs(calls)

    async def forget(self, call_ids: Sequence[str]) -> None:
        """Take back what was noted of calls that began while their response was written, and came to nothing."""
        if call_ids:
            await self.append({"kind": "forgotten", "call_ids": list(call_ids)})

    async def ask(self, on_approval: OnApproval | None, ids: Sequence[str]) -> bool:
        """Put the waiting calls to whoever decides in this process; tell whether anything was decided."""
        if on_approval is None:
            return False
        decided = False
        for id in ids:
            answer = on_approval(self.state.approvals[id])
            decision = await answer if inspect.isawaitable(answer) else answer
            if decision is None:
                continue
            if isinstance(decision, bool):
                decision = Decision(decision)
            if self.state.approvals[id].approved is None:  # else `always` has just decided it
                await self.append(decision_entry(id, decision))
            decided = True
        return decided

    # --- the executor's ledger ---

    async def started(self, call: Call) -> None:
        """Write down that a tool is about to run."""
        await self.append({"kind": "started", "call_id": call.id})
        await self.emit(CallStarted(call.id, call.name, call.text))

    async def settled(self, call: Call, outcome: Outcome) -> None:
        """Write down how a call ended."""
        await self.append({"kind": "settled", "call_id": call.id, "outcome": outcome})
        await self.emit(CallSettled(call.id, call.name, outcome))

    async def waiting(self, call: Call, arguments: Any) -> None:
        """Write down that a call waits for a person."""
        asked = {"call_id": call.id, "name": call.name, "arguments": arguments, "asked_at": time.time()}
        await self.append({"kind": "waiting", **asked})
        await self.emit(ApprovalAsked(call.id, call.name, arguments))

    def progress(self, call: Call, fraction: float | None, message: str) -> None:
        """Pass progress on, from whichever thread it comes. It is an event only, no part of the state."""
        event = CallProgress(call.id, call.name, fraction, message)
        self._loop.call_soon_threadsafe(self._emit_soon, event)

    def late(self, call: Call, error: BaseException | None) -> None:
        """Write down that a tool nobody could stop has ended after all. Its result is not used."""
        self.state.append({"kind": "late", "call_id": call.id, "failed": error is not None})

    def _emit_soon(self, event: CallProgress) -> None:
        async def send() -> None:
            await self.emit(event)

        task = self._loop.create_task(send())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
