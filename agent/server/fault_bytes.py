"""Faults in how bytes arrive: cut, stalled, split, slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .delivery import Delivery, Step
from .fault_events import DEFAULT_AFTER
from .faults import Faults

__all__ = ["edit_bytes", "interrupt"]

_TRICKLE_SIZE = 16


def interrupt(frames: Sequence[Step], faults: Faults) -> tuple[list[Step], bool]:
    """Return the frames of a stream as far as they come, and whether the connection then breaks."""
    after = int(faults.get("after", DEFAULT_AFTER))
    if "drop" in faults:
        return list(frames[:after]), True
    if "stall" in faults and after < len(frames):
        wait, data = frames[after]
        return [*frames[:after], (wait + float(faults.get("stall")), data), *frames[after + 1 :]], False
    return list(frames), False


def edit_bytes(delivery: Delivery, faults: Faults, *, stream: bool) -> Delivery:
    """Return the delivery with its headers, waits and writes as the script asks."""
    wait = delivery.wait + float(faults.get("before", 0.0))
    if not stream:
        wait += float(faults.get("stall", 0.0))
        if "drop" in faults:
            body = delivery.steps[0][1]
            delivery = replace(delivery, steps=[(0.0, body[: len(body) // 2])], cut=True)
    if "split" in faults or "trickle" in faults:
        size = int(faults.get("split", _TRICKLE_SIZE))
        delivery = replace(delivery, steps=_split(delivery.steps, size, float(faults.get("trickle", 0.0))))
    return replace(delivery, wait=wait, headers={**delivery.headers, **faults.headers})


def _split(steps: Sequence[Step], size: int, pause: float) -> list[Step]:
    return [
        (wait if at == 0 else pause, data[at : at + size])
        for wait, data in steps
        for at in range(0, len(data), max(1, size))
    ]
