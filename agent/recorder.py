"""The recorder writes what happens: into the state, the journal, and to whoever listens."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from jigwork.tools.asking import Answer, Asked
from jigwork.tools.deadline import seen
from jigwork.tools.executor import Call
from jigwork.tools.outcome import Outcome
from jigwork.tools.wording import developer_text

from .decisions import Entry, as_decision, decision_entry
from .estimates import bytes_per_token, estimated_usage, tokens_of
from .events import (
    ApprovalAsked,
    AttemptDiscarded,
    CallLate,
    CallProgress,
    CallSettled,
    CallStarted,
    Event,
    ItemAdded,
    ResponseEnded,
    TurnFinished,
    UsageUpdated,
)
from .items import Item, call_id, call_name, call_output, is_call, user_message
from .journal import Journal
from .models.base import ModelRequest
from .records import Approval, Cut, Decision, RequestRecord
from .state import RunState
from .usage import Usage
from .watch import Left

__all__ = ["Emit", "OnApproval", "Recorder"]

Emit: TypeAlias = Callable[[Event], Awaitable[None]]

OnApproval: TypeAlias = Callable[
    [Approval], "Decision | Answer | bool | Awaitable[Decision | Answer | bool | None] | None"
]
"""Decides about a waiting call in this process: `True`, `False` or a `Decision`; an `Answer` where the approval has a
`question`. None leaves it waiting, and the run pauses."""

_MOST_REPORTS = 10_000
"""Reports of progress that wait for a slow consumer; older ones are dropped."""


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
        self._reports: deque[CallProgress] = deque(maxlen=_MOST_REPORTS)
        self._reporting = asyncio.Lock()
        self._announced: set[str] = set()
        self._finished = False
        state.cancelled_by(lambda id: self._from_any_thread(self.cancel_call, id))
        self.cancel_running: Callable[[str], bool] = lambda id: False

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

    async def response(
        self, items: Sequence[Item], ended: ResponseEnded, model: str, *, enforcement: str | None = None
    ) -> None:
        """Add a whole response: its items, its cost, and who held its text to the output's grammar."""
        record = RequestRecord.of(ended, model, enforcement)
        await self.append({"kind": "response", "items": list(items), "request": record})
        await self.emit(UsageUpdated(ended.usage, self.state.usage))
        await self.emit(TurnFinished(self.state.turns, sum(map(is_call, items))))

    async def cut(self, left: Left, request: ModelRequest, model: str) -> None:
        """Keep nothing of a response that left its grammar but what it cost, and tell the model where it did."""
        await self.append({"kind": "cut"})
        usage = estimated_usage(self.state, request, left.received)
        what = "the answer" if left.answer else f"the text for {left.name}"
        record = RequestRecord(
            model, usage, "cut", f"{what} left its grammar", cut=Cut(left.name, left.written)
        )
        await self.append({"kind": "response", "items": [], "request": record})
        written = (
            f"Your {'answer' if left.answer else f'call of {left.name}'} was stopped while you wrote it."
        )
        again = "Answer again, corrected." if left.answer else "Make the call again, corrected."
        item = user_message(f"{written} {left.explanation}\n{again}")
        await self.append({"kind": "item", "item": item, "feedback": True})
        spent = f"after about {usage.estimated_output_tokens} tokens"
        await self.emit(AttemptDiscarded(f"{what} left its grammar {spent}: {left.explanation}", 1))
        await self.emit(UsageUpdated(usage, self.state.usage))
        await self.emit(TurnFinished(self.state.turns, 0))
        await self.emit(ItemAdded(item))

    async def accepted(self, name: str, text: str) -> None:
        """Write down what the cuts of texts for this tool have saved, now that there is one that was accepted."""
        waiting = [
            number
            for number, record in enumerate(self.state.requests)
            if record.cut is not None and record.cut.name == name and record.cut.saved_tokens is None
        ]
        per_token = bytes_per_token(self.state) if waiting else 1.0
        for number in waiting:
            cut = self.state.requests[number].cut
            beyond = len(text.encode("utf-8", "replace")) - (cut.written_bytes if cut else 0)
            tokens = tokens_of(max(beyond, 0), per_token)
            await self.append({"kind": "saved", "request": number, "tokens": tokens})
            await self.emit(UsageUpdated(Usage(saved_tokens=tokens), self.state.usage))

    async def outputs(self) -> None:
        """Add the output items of the calls that have an outcome, in the model's order, up to one that has none."""
        for call in self.state.open_calls:
            outcome = self.state.outcomes.get(call_id(call))
            if outcome is None:
                return
            item = call_output(call, outcome.output, status=outcome.status)
            await self.append({"kind": "item", "item": item})
            await self.emit(ItemAdded(item))

    async def cancel_open_calls(self) -> None:
        """Settle what a cancelled run leaves open, but for what waits for a person."""
        kept = {*self.state.approvals, *self.state.inner}
        calls = [c for c in self.state.open_calls if call_id(c) not in kept]
        for item in calls:
            if call_id(item) not in self.state.outcomes:
                call = Call(call_id(item), call_name(item), "")
                await self.settled(
                    call, Outcome("cancelled", "Cancelled before it started; nothing was done.")
                )
        await self.outputs()

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
            approval = self.state.asked(id)
            if approval is None:  # `always` has just decided it, or it was cancelled
                decided = True
                continue
            said = on_approval(approval)
            decision = await said if inspect.isawaitable(said) else said
            if decision is not None and self.state.asked(id) is not None:
                await self.append(decision_entry(id, as_decision(decision, approval)))
            decided = decided or decision is not None or self.state.asked(id) is None
        return decided

    # --- one call ---

    def cancel_call(self, id: str) -> None:
        """Cancel a call of this run: the executor stops what runs, what waits for a person settles here."""
        if self.cancel_running(id) or id in self.state.outcomes:
            return
        outcome = Outcome("cancelled", "Cancelled by a person before it came to an end.")
        entry: Entry = {"kind": "settled", "call_id": id, "outcome": outcome}
        name = next((call_name(c) for c in self.state.open_calls if call_id(c) == id), "")
        self.state.append(entry)
        if not self._finished:
            self._soon(self._tell(entry, CallSettled(id, name, outcome)))

    # --- the executor's ledger ---

    async def started(self, call: Call) -> None:
        """Write down that a tool is about to run."""
        await self.append({"kind": "started", "call_id": call.id})
        await self.emit(CallStarted(call.id, call.name, call.text))

    async def settled(self, call: Call, outcome: Outcome) -> None:
        """Write down how a call ended."""
        await self.append({"kind": "settled", "call_id": call.id, "outcome": outcome})
        await self._deliver_reports()
        await self.emit(CallSettled(call.id, call.name, outcome))
        if self.state.cuts and outcome.status in ("ok", "failed", "timed_out"):
            await self.accepted(call.name, call.text)

    async def waiting(self, call: Call, arguments: Any, asked: Asked | None = None) -> None:
        """Write down that a call waits for a person, to allow it or to answer."""
        entry: Entry = {
            "call_id": call.id,
            "name": call.name,
            "arguments": arguments,
            "asked_at": time.time(),
        }
        if asked is not None:
            entry |= {"question": asked.question.to_dict(), "kept": asked.kept}
        await self.append({"kind": "waiting", **entry})
        question = asked.question if asked is not None else None
        await self.emit(ApprovalAsked(call.id, call.name, arguments, question))

    async def paused(self, call: Call) -> None:
        """Tell what is asked by those who work for a call. It is in their own states."""
        for asked in self.state.waiting:
            if asked.call_id.startswith(f"{call.id}/") and asked.call_id not in self._announced:
                self._announced.add(asked.call_id)
                event = ApprovalAsked(
                    asked.call_id, asked.name, asked.arguments, asked.question, asked.agents
                )
                await self.emit(event)

    def progress(self, call: Call, fraction: float | None, message: str) -> None:
        """Pass progress on, from whichever thread it comes. It is an event only, no part of the state."""
        if self._finished or call.id in self.state.outcomes:
            return
        self._reports.append(CallProgress(call.id, call.name, fraction, message))
        self._from_any_thread(self._report_soon)

    def late(self, call: Call, error: BaseException | None) -> None:
        """Write down that a tool nobody could stop has ended after all. Its result is not used."""
        entry: Entry = {"kind": "late", "call_id": call.id, "failed": error is not None}
        self.state.append(entry)
        if not self._finished:
            said = None if error is None else developer_text(error)
            self._soon(self._tell(entry, CallLate(call.id, call.name, said)))

    # --- beside the run ---

    async def finish(self) -> None:
        """Wait for what is still being told. What comes later is only noted in the state."""
        await self._deliver_reports()
        self._finished = True
        if self._background:
            await asyncio.wait(self._background)

    async def note_inner(self, call_id: str, entry: Entry) -> None:
        """Write down what has changed in the state of an agent that works for a call: there it has changed already."""
        if self._journal is not None:
            inner: Entry = {"kind": "inner_entry", "call_id": call_id, "entry": entry}
            await self._journal.record(self.state.run_id, inner)

    async def _tell(self, entry: Entry, event: Event) -> None:
        if self._journal is not None:
            await self._journal.record(self.state.run_id, entry)
        await self.emit(event)

    async def _deliver_reports(self) -> None:
        """Tell the progress that was reported until now, in order, before anything that comes after it."""
        if self._reports:
            async with self._reporting:
                while self._reports:
                    await self.emit(self._reports.popleft())

    def _report_soon(self) -> None:
        if self._reports and not self._reporting.locked() and not self._finished:
            self._soon(self._deliver_reports())

    def _soon(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(seen)
        task.add_done_callback(self._background.discard)

    def _from_any_thread(self, function: Callable[..., None], *given: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(function, *given)
