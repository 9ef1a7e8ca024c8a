"""The state of a run: one value that can be written as JSON, opened, edited, and run again.

A state is what its entries have made of it: `append` is the only way to change one, a journal is the list of
entries, and resuming is reading them back. See `RunState.to_json` for the file.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from jigwork.errors import StateError
from jigwork.tools.outcome import Outcome

from .decisions import Entry, decided, decision_entry
from .items import Item, call_id, call_name, input_items, is_call, is_call_output
from .records import Answer, Approval, Decision, RequestRecord
from .relay import Relay
from .serial import dump_json, load_json
from .usage import Usage

__all__ = ["Entry", "RunState"]

VERSION = "1.0"

_CONTAINERS = (
    "items", "requests", "outcomes", "approvals", "inbox", "feedback", "late", "delegated", "allowed", "_open",
    "_started",
)  # fmt: skip


class RunState:
    """Everything that a run is, beside the code of its agent. Not to be shared by two runs at once.

    `items` is the whole history, `requests` what was sent and what it cost, `outcomes` how each call ended. All are
    for reading; to change a state by hand edit its JSON, or use `inject`, `approve`, `deny`, `answer` and
    `cancel_call`. `inner` holds the states of agents that work for open calls of this run, by call id.
    """

    def __init__(self, items: Sequence[Mapping[str, Any]] = (), *, run_id: str | None = None) -> None:
        """Start from a history of Responses items; raises StateError where outputs do not fit their calls."""
        self.run_id = run_id or f"run_{uuid.uuid4().hex[:16]}"
        self.items: list[Item] = []
        self.requests: list[RequestRecord] = []
        self.outcomes: dict[str, Outcome] = {}
        self.approvals: dict[str, Approval] = {}
        self.inbox: list[Item] = []
        self.feedback: list[int] = []
        self.late: list[dict[str, Any]] = []
        self.delegated: list[dict[str, Any]] = []
        self.inner: dict[str, RunState] = {}
        self.allowed: set[str] = set()
        self.relay = Relay()
        self.turns = 0
        self.output_retries = 0
        self.cuts = 0
        self.seconds = 0.0
        self._first_item = 0
        self._first_request = 0
        self._open: dict[str, Item] = {}
        self._started: set[str] = set()
        self._usage = Usage()
        self._busy = False
        self._cancel: Callable[[str], None] | None = None
        for item in items:
            self.append({"kind": "item", "item": dict(item)})

    # --- reading ---

    @property
    def open_calls(self) -> list[Item]:
        """The calls that have no output item yet, in the model's order."""
        return list(self._open.values())

    @property
    def usage(self) -> Usage:
        """What this run has cost so far, over all its requests and those of agents that work for it."""
        return sum((inner.usage for inner in self.inner.values()), self._usage)

    @property
    def calls_made(self) -> int:
        """How many calls this run has made so far, and agents that work for it."""
        own = sum(1 for _ in self.run_calls())
        done = sum(int(entry.get("tool_calls", 0)) for entry in self.delegated)
        return own + done + sum(inner.calls_made for inner in self.inner.values())

    @property
    def waiting(self) -> list[Approval]:
        """What waits for a person, in the model's order; what agents ask that work for this run included."""
        found: list[Approval] = []
        for id, call in self._open.items():
            approval, inner = self.approvals.get(id), self.inner.get(id)
            if id in self.outcomes:
                continue
            if approval is not None and approval.approved is None:
                found.append(approval)
            elif inner is not None:
                name = call_name(call)
                found += (
                    replace(a, call_id=f"{id}/{a.call_id}", agents=(name, *a.agents)) for a in inner.waiting
                )
        return found

    def asked(self, id: str) -> Approval | None:
        """Return what a person is to decide under that id; None where nothing waits there (any more)."""
        approval = self.approvals.get(id)
        if approval is None:
            outer, rest = self._way(id)
            found = self.inner[outer].asked(rest) if outer else None
            name = call_name(self._open[outer]) if outer else ""
            return found and replace(found, call_id=id, agents=(name, *found.agents))
        ended = id in self.outcomes or id not in self._open
        return None if ended or approval.approved is not None else approval

    def _way(self, id: str) -> tuple[str, str]:
        """Split the way to a call of an agent inside: the call of this run, and the rest; empty where it is none."""
        outer = next((own for own in self.inner if id.startswith(f"{own}/") and own in self._open), "")
        return outer, id[len(outer) + 1 :] if outer else ""

    def waits(self, id: str) -> bool:
        """Tell whether this call cannot go on before a person has decided."""
        if id in self.outcomes:
            return False
        approval, inner = self.approvals.get(id), self.inner.get(id)
        if approval is not None and approval.approved is None:
            return True
        if inner is None:
            return False
        unsettled = [own for own in inner._open if own not in inner.outcomes]
        return bool(unsettled) and all(map(inner.waits, unsettled))

    @property
    def run_items(self) -> list[Item]:
        """The items of this run: its input and everything after it."""
        return self.items[self._first_item :]

    @property
    def run_requests(self) -> list[RequestRecord]:
        """The requests of this run."""
        return self.requests[self._first_request :]

    def was_started(self, id: str) -> bool:
        """Tell whether this call began to run and has no outcome."""
        return id in self._started

    def run_calls(self) -> Iterator[Item]:
        """The calls of this run, in the model's order."""
        return (item for item in self.items[self._first_item :] if is_call(item))

    def copy(self) -> RunState:
        """Fork: a state with the same history and a life (and run id) of its own."""
        fork = copy(self)
        fork.run_id = f"run_{uuid.uuid4().hex[:16]}"
        fork._busy = False
        fork._cancel = None
        for name in _CONTAINERS:
            setattr(fork, name, copy(getattr(self, name)))
        fork.inner = {id: inner.copy() for id, inner in self.inner.items()}
        return fork

    # --- changing ---

    def inject(self, x: str | Sequence[Mapping[str, Any]]) -> None:
        """Add a message before the next request: a text, content parts, or items."""
        self.append({"kind": "inbox", "items": input_items(x)})

    def approve(self, id: str, *, arguments: Mapping[str, Any] | None = None, always: bool = False) -> None:
        """Let the call of that id run when the run is resumed; raises StateError where none waits.

        `arguments` replaces what the model wrote; `always` allows every call of this tool in this run.
        """
        self.append(decision_entry(id, Decision(True, arguments=arguments, always=always)))

    def deny(self, id: str, reason: str | None = None) -> None:
        """Refuse the call of that id; the model is told the reason. Raises StateError where none waits."""
        self.append(decision_entry(id, Decision(False, reason)))

    def answer(self, id: str, value: Any) -> None:
        """Answer the question that the call of that id asks; `value` is JSON data, or a value of its output type.

        Raises StateError where no question waits there, and where the answer does not fit what was asked for.
        """
        self.append(decision_entry(id, Answer(value)))

    def cancel_call(self, id: str) -> bool:
        """Cancel one call, running or waiting: it settles as `cancelled`, its siblings go on, the model is told.

        May be called from any thread while the run goes on, and on a state that rests. `id` may be the way to a call of
        an agent that works for this run (`call_1/call_7`). Return False where the call has ended already; raises
        StateError where no call has that id.
        """
        outer, rest = self._way(id)
        if outer and id not in self._open:
            return self.inner[outer].cancel_call(rest)
        if id in self.outcomes:
            return False
        if id not in self._open and id not in self._started:
            raise StateError(f"no open call {id!r} (open: {', '.join(self._open) or 'none'})")
        if self._cancel is not None:
            self._cancel(id)
        else:
            told = Outcome("cancelled", "Cancelled by a person before it came to an end.")
            self.append({"kind": "settled", "call_id": id, "outcome": told})
        return True

    def append(self, entry: Entry) -> None:
        """Apply one entry: the only writer of a state. Raises StateError for an entry that cannot be."""
        handler = getattr(self, f"_on_{entry.get('kind')}", None)
        if handler is None:
            raise StateError(
                f"unknown entry of kind {entry.get('kind')!r}; was it written by a newer version?"
            )
        handler(entry)

    def _on_run(self, entry: Entry) -> None:
        """A new input begins a new run: its own limits, its own usage."""
        self.inbox.extend(entry["items"])
        self.turns = self.output_retries = self.cuts = 0
        self.seconds = 0.0
        self.allowed.clear()
        self.delegated.clear()
        self._first_item = len(self.items)
        self._first_request = len(self.requests)
        self._usage = Usage()

    def _on_inbox(self, entry: Entry) -> None:
        self.inbox.extend(entry["items"])

    def _on_delivered(self, entry: Entry) -> None:
        """The messages that waited for the next request join the history."""
        waiting, self.inbox = self.inbox, []
        for item in waiting:
            self._add(item)

    def _on_item(self, entry: Entry) -> None:
        if entry.get("feedback"):
            self.feedback.append(len(self.items))
        self._add(entry["item"])

    def _on_response(self, entry: Entry) -> None:
        """A response came back whole: its items and its cost at once, so that no half response is ever kept."""
        first = len(self.items)
        for item in entry["items"]:
            self._add(item)
        record = entry["request"]
        if not isinstance(record, RequestRecord):
            record = RequestRecord.from_dict(record)
        self.requests.append(replace(record, first_item=first, end_item=len(self.items)))
        self._usage += record.usage
        self.turns += 1

    def _on_retry(self, entry: Entry) -> None:
        self.output_retries += 1

    def _on_cut(self, entry: Entry) -> None:
        """A response was ended by us, because a text in it had left its grammar."""
        self.cuts += 1

    def _on_saved(self, entry: Entry) -> None:
        """A text was accepted in the place of one that was cut: now it can be said what the cut saved."""
        number, tokens = int(entry["request"]), int(entry["tokens"])
        record = self.requests[number]
        if record.cut is None or record.cut.saved_tokens is not None:
            return
        cut = replace(record.cut, saved_tokens=tokens)
        usage = record.usage + Usage(saved_tokens=tokens)
        self.requests[number] = replace(record, cut=cut, usage=usage)
        if number >= self._first_request:
            self._usage += Usage(saved_tokens=tokens)

    def _on_seconds(self, entry: Entry) -> None:
        self.seconds += float(entry["seconds"])

    def _on_started(self, entry: Entry) -> None:
        self._started.add(entry["call_id"])

    def _on_settled(self, entry: Entry) -> None:
        outcome = entry["outcome"]
        self.outcomes[entry["call_id"]] = (
            outcome if isinstance(outcome, Outcome) else Outcome.from_dict(outcome)
        )
        self._started.discard(entry["call_id"])
        self._leave(entry["call_id"])

    def _leave(self, id: str) -> None:
        """What worked for a call does so no longer: what it has cost is part of what this run costs."""
        inner = self.inner.pop(id, None)
        if inner is not None:
            usage = inner.usage
            self._usage += usage
            self.delegated.append({"call_id": id, "usage": usage.to_dict(), "tool_calls": inner.calls_made})

    def _on_inner(self, entry: Entry) -> None:
        """An agent works for a call of this run; `state` is its own, which lives on in here."""
        id, inner = entry["call_id"], entry["state"]
        if self.inner.get(id) is inner:
            return
        if not isinstance(inner, RunState):
            inner = RunState.from_dict(inner)
        if id in self.inner and self.inner[id].run_id != inner.run_id:  # the call is tried again
            self._leave(id)
        self.inner[id] = inner

    def _on_inner_entry(self, entry: Entry) -> None:
        """What has changed in the state of such an agent: a journal says so, in memory it has changed already."""
        self.inner[entry["call_id"]].append(entry["entry"])

    def _on_handoff(self, entry: Entry) -> None:
        self.relay = self.relay.applied(entry, len(self.items))

    def _on_forgotten(self, entry: Entry) -> None:
        """Calls that were begun early belong to a response that never came to its end."""
        for id in entry["call_ids"]:
            self.outcomes.pop(id, None)
            self.approvals.pop(id, None)
            self._started.discard(id)
            self._leave(id)

    def _on_late(self, entry: Entry) -> None:
        """A tool that could not be stopped came to its end after its call was settled."""
        self.late.append({"call_id": entry["call_id"], "failed": bool(entry.get("failed"))})

    def _on_waiting(self, entry: Entry) -> None:
        self.approvals[entry["call_id"]] = Approval.from_dict(entry)
        self._started.discard(entry["call_id"])  # it asked before it acted

    def _on_decision(self, entry: Entry) -> None:
        label = self._decide(entry["call_id"], entry)
        if label is None:
            listed = ", ".join(a.call_id for a in self.waiting) or "none"
            raise StateError(f"no call {entry['call_id']!r} waits for a person (waiting: {listed})")
        if entry.get("always") and entry["approved"]:
            for other in self.waiting:
                if other.label == label and other.question is None:
                    self._decide(other.call_id, {"approved": True})

    def _decide(self, id: str, entry: Entry) -> str | None:
        """Write a decision where it belongs, here or further in; return the label of the call, None without one."""
        waiting = self.approvals.get(id)
        if waiting is None or id not in self._open or id in self.outcomes:
            outer, rest = self._way(id)
            label = self.inner[outer]._decide(rest, entry) if outer else None
            if label is not None:
                label = f"{call_name(self._open[outer])}/{label}"
        else:
            label = waiting.name
            self.approvals[id] = decided(waiting, entry)
        if label is not None and entry.get("always") and entry["approved"]:
            self.allowed.add(label)
        return label

    def _add(self, item: Item) -> None:
        if is_call(item):
            if not item.get("id" if item.get("type") == "mcp_approval_request" else "call_id"):
                raise StateError(f"a call of {call_name(item)!r} has no call_id")
            self._open[call_id(item)] = item
        elif (
            is_call_output(item)
            and self._open.pop(call_id(item), None) is None
            and item.get("type") != "shell_call_output"  # of a container: the server's own call
        ):
            raise StateError(f"the output for call {item.get('call_id')!r} answers no open call")
        self.items.append(item)

    # --- one run at a time ---

    def acquire(self) -> None:
        """Mark the state as being run; raises StateError where it already is."""
        if self._busy:
            raise StateError("this state is being run already; run a fork instead: state.copy()")
        self._busy = True

    def release(self) -> None:
        """Mark the state as free."""
        self._busy = False
        self._cancel = None

    def cancelled_by(self, cancel: Callable[[str], None]) -> None:
        """Say who cancels a call while the state is being run; `cancel` is called from any thread."""
        self._cancel = cancel

    # --- JSON ---

    def to_dict(self) -> dict[str, Any]:
        """Return the state as plain JSON data; see `to_json`."""
        return {
            "jigwork": VERSION,
            "run_id": self.run_id,
            "saved_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "turns": self.turns,
            "output_retries": self.output_retries,
            "cuts": self.cuts,
            "seconds": round(self.seconds, 3),
            "first_item": self._first_item,
            "first_request": self._first_request,
            "items": list(self.items),
            "inbox": list(self.inbox),
            "feedback": list(self.feedback),
            "started": sorted(self._started),
            "late": list(self.late),
            "delegated": list(self.delegated),
            "inner": {id: inner.to_dict() for id, inner in self.inner.items()},
            "allowed": sorted(self.allowed),
            **self.relay.to_dict(),
            "outcomes": {id: outcome.to_dict() for id, outcome in self.outcomes.items()},
            "approvals": [approval.to_dict() for approval in self.approvals.values()],
            "requests": [record.to_dict() for record in self.requests],
        }

    def to_json(self) -> str:
        """Write the state as indented JSON.

            {"jigwork": "1.0",            version: a reader takes any file of its own major version
             "run_id": "run_...",
             "items": [...],              the history, Responses items exactly as sent and received
             "inbox": [...],              messages that wait for the next request
             "started": ["call_2"],       calls that began to run and have no outcome
             "late": [...],               calls whose tool ended after they had been settled without it
             "delegated": [...],          what other agents used that worked for calls of this run
             "inner": {"call_4": {...}},  the states of agents that work for open calls, each like this one
             "outcomes": {"call_1": {"status": "ok", "output": "..."}},
             "approvals": [{"call_id": "call_3", "name": "pay", "arguments": {}, "approved": null, "question": null}],
             "requests": [{"model": "gpt-5.2", "usage": {...}, "status": "completed", ...}],
             "turns": 1, ...}             what this run has used of its limits

        Only `items` is needed: any list of items is a state. Keys that are not known are ignored.
        """
        return dump_json(self.to_dict(), indent=True)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunState:
        """Read what `to_dict` wrote, or any dict with `items`; raises StateError that says what is wrong."""
        version = str(data.get("jigwork", VERSION))
        if version.split(".")[0] != VERSION.split(".")[0]:
            raise StateError(
                f"this state was written by version {version}, which this one ({VERSION}) cannot read"
            )
        try:
            state = cls(data["items"], run_id=data.get("run_id"))
            state.inbox = [dict(item) for item in data.get("inbox", ())]
            state.feedback = [int(i) for i in data.get("feedback", ())]
            state.late = [dict(entry) for entry in data.get("late", ())]
            state.delegated = [dict(entry) for entry in data.get("delegated", ())]
            inner = cast("Mapping[str, Mapping[str, Any]]", data.get("inner", {}))
            state.inner = {id: cls.from_dict(of) for id, of in inner.items()}
            state.allowed = set(data.get("allowed", ()))
            state.relay = Relay.from_dict(data)
            state.turns = int(data.get("turns", 0))
            state.output_retries = int(data.get("output_retries", 0))
            state.cuts = int(data.get("cuts", 0))
            state.seconds = float(data.get("seconds", 0.0))
            state._first_item = int(data.get("first_item", 0))
            state._first_request = int(data.get("first_request", 0))
            state._started = set(data.get("started", ()))
            outcomes = cast("Mapping[str, Mapping[str, Any]]", data.get("outcomes", {}))
            state.outcomes = {id: Outcome.from_dict(outcome) for id, outcome in outcomes.items()}
            state.approvals = {a["call_id"]: Approval.from_dict(a) for a in data.get("approvals", ())}
            state.requests = [RequestRecord.from_dict(r) for r in data.get("requests", ())]
            own = [r.usage for r in state.run_requests]
            state._usage = sum((Usage.from_dict(d["usage"]) for d in state.delegated), sum(own, Usage()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, StateError):
                raise
            raise StateError(f"not a run state: {type(error).__name__}: {error}") from error
        return state

    @classmethod
    def from_json(cls, text: str | bytes) -> RunState:
        """Read what `to_json` wrote; raises StateError that says what is wrong."""
        data = load_json(text)
        if not isinstance(data, dict):
            raise StateError("not a run state: the JSON is no object")
        return cls.from_dict(cast("dict[str, Any]", data))

    def save(self, path: str | Path) -> None:
        """Write the state to a file, whole or not at all (a temporary file is renamed)."""
        target = Path(path)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        draft.write_text(self.to_json(), encoding="utf-8")
        draft.replace(target)

    @classmethod
    def load(cls, path: str | Path) -> RunState:
        """Read a state file; raises StateError that names the file."""
        try:
            return cls.from_json(Path(path).read_bytes())
        except OSError as error:
            raise StateError(f"cannot read the state file {path}: {error.strerror}") from error
