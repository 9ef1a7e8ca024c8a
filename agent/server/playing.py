"""From a reply to a delivery: make the answer, write it for the endpoint, apply the faults that the script asks."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from ..replies import Reply
from .answers import Answer, make_answer
from .chat_wire import completion_chunks, completion_object
from .delivery import Delivery, Step
from .fault_bytes import edit_bytes, interrupt
from .fault_events import edit_body, edit_events
from .fault_items import edit_items
from .faults import Faults
from .json_data import object_of
from .requests import ServedRequest
from .responses_wire import response_events, response_object
from .sse import Framing, frames, is_delta
from .stored import ResponseStore

__all__ = ["play"]


def play(request: ServedRequest, reply: Reply, store: ResponseStore) -> Delivery:
    """Return what is sent for this reply; a response that asks for it is stored, as it was meant."""
    faults = Faults(reply.fault, request)
    if faults.replaces:
        return edit_bytes(faults.delivery(), faults, stream=False)
    answer = make_answer(request, reply, failed=faults.failure())
    if request.endpoint == "responses" and request.body.get("store") is not False:
        store.put(answer, response_object(answer))
    if faults:
        answer = edit_items(answer, faults)
    store.made_types.update(str(item.get("type")) for item in answer.items)
    delivery = _stream(answer, faults) if request.stream else _whole(answer, faults)
    return edit_bytes(delivery, faults, stream=request.stream) if faults else delivery


def _whole(answer: Answer, faults: Faults) -> Delivery:
    responses = answer.request.endpoint == "responses"
    body = response_object(answer) if responses else completion_object(answer)
    raw = orjson.dumps(edit_body(_copy(body), faults, answer) if faults else body)
    return replace(Delivery.whole(raw), wait=answer.reply.delay)


def _stream(answer: Answer, faults: Faults) -> Delivery:
    responses = answer.request.endpoint == "responses"
    events: list[Any] = list(response_events(answer) if responses else completion_chunks(answer))
    if object_of(answer.request.body.get("stream_options")).get("include_obfuscation") is True:
        events = [_obfuscated(event) for event in events]
    if faults:
        events = edit_events(_copy(events), faults, answer)
    timed = _timed(frames(events, _framing(answer, faults)), answer.reply.delay)
    steps, cut = interrupt(timed, faults) if faults else (timed, False)
    return Delivery(_grouped(steps), content_type="text/event-stream; charset=utf-8", cut=cut)


def _obfuscated(event: dict[str, Any]) -> dict[str, Any]:
    """Pad a delta with noise that hides its length from who only sees the size of packets."""
    return (
        {**event, "obfuscation": secrets.token_urlsafe(secrets.randbelow(12))} if is_delta(event) else event
    )


def _copy(data: Any) -> Any:
    """Return a deep copy, as the parts of an answer are shared by its events."""
    return orjson.loads(orjson.dumps(data))


def _framing(answer: Answer, faults: Faults) -> Framing:
    usual = Framing.of(answer.request.endpoint)
    if not faults:
        return usual
    comment = faults.get("keep_alive", None) or None
    ends_early = any(key in faults for key in ("no_terminal", "error_event", "events"))
    return Framing(
        names=usual.names and "no_event_names" not in faults,
        numbers=usual.numbers and "no_sequence" not in faults and "events" not in faults,
        done=bool(faults.get("done", usual.done and not ends_early)),
        keep_alive="keepalive" if comment is True else comment,
        crlf="crlf" in faults,
    )


def _timed(parts: Iterable[tuple[Any, bytes]], delay: float) -> list[Step]:
    return [(delay if delay and is_delta(event) else 0.0, frame) for event, frame in parts]


def _grouped(steps: Sequence[Step]) -> list[Step]:
    """Join frames without a wait between them into one write."""
    groups: list[tuple[float, list[bytes]]] = []
    for wait, frame in steps:
        if wait or not groups:
            groups.append((wait, []))
        groups[-1][1].append(frame)
    return [(wait, b"".join(group)) for wait, group in groups]
