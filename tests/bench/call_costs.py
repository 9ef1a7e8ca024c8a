"""What a tool call costs in the executor, beside doing the same calls by hand with `asyncio.gather`.

Both decode the arguments from JSON and call the same function; the run of an agent without calls is taken off, so
that what is left is what its calls cost: decoding, validation, the gates, the journal's hook, events, outputs.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from measure import Row, in_turns

from jigwork import Agent, ScriptedModel, tool

SIZES = (1, 32, 400)
ARGUMENTS = {"sku": "A-113", "warehouse": "north", "quantity": 3, "urgent": False}
NAP = 0.05


@tool(read_only=False)
async def stock(sku: str, warehouse: str, quantity: int, urgent: bool) -> str:
    """Look up how many pieces of an article a warehouse holds."""
    return "412"


@tool
def shelf(sku: str, warehouse: str, quantity: int, urgent: bool) -> str:
    """The same, without being a coroutine."""
    return "412"


@tool
async def nap(sku: str, warehouse: str, quantity: int, urgent: bool) -> str:
    """Wait as a request to somewhere else would."""
    await asyncio.sleep(NAP)
    return "412"


Work = Callable[[], Awaitable[Any]]


def agent_of(one: Any, count: int) -> Work:
    """A run with one turn of so many calls."""
    turn = [{"name": one.name, "arguments": ARGUMENTS}] * count

    async def run() -> None:
        model = ScriptedModel([turn, "done"] if count else ["done", "done"])
        await Agent(model, tools=[one]).run("go")

    return run


def by_hand(one: Any, count: int) -> Work:
    """The same calls with `asyncio.gather`, and threads where the function is no coroutine."""
    text, function = json.dumps(ARGUMENTS), one.function

    async def call() -> str:
        arguments = json.loads(text)
        if inspect.iscoroutinefunction(function):
            return await function(**arguments)
        return await asyncio.to_thread(function, **arguments)

    async def run() -> None:
        await asyncio.gather(*(call() for _ in range(count)))

    return run


async def cpu_of(work: Work, runs: int) -> float:
    """Milliseconds of CPU of one run, the mean of so many."""
    gc.collect()
    start = time.process_time()
    for _ in range(runs):
        await work()
    return (time.process_time() - start) * 1000 / runs


async def per_call(rounds: int) -> list[Row]:
    """Milliseconds of CPU for one call, of every size of turn."""
    rows: list[Row] = []
    for label, one in (("async", stock), ("thread", shelf)):
        for count in SIZES:
            works = {
                "jigwork": agent_of(one, count),
                "gather": by_hand(one, count),
                "empty": agent_of(one, 0),
            }
            runs = max(1, 200 // count)
            figures: dict[str, list[float]] = {name: [] for name in works}
            for work in works.values():
                await work()
            for _, name in in_turns(list(works), max(3, rounds)):
                figures[name].append(await cpu_of(works[name], runs))
            spent = {name: statistics.median(values) for name, values in figures.items()}
            case = f"{label}, {count} in a turn"
            own = max(0.0, spent["jigwork"] - spent["empty"]) / count
            rows += [
                Row("cpu per call alone", case, "jigwork", own, "ms"),
                Row("cpu per call alone", case, "gather", spent["gather"] / count, "ms"),
            ]
    return rows


async def napping() -> list[Row]:
    """Wall-clock time of a run with 32 calls that wait 50 ms."""
    rows: list[Row] = []
    for name, make in (("jigwork", agent_of), ("gather", by_hand)):
        work, walls = make(nap, 32), list[float]()
        for _ in range(4):
            start = time.perf_counter()
            await work()
            walls.append((time.perf_counter() - start) * 1000)
        rows.append(Row("async tools", "32 x 50 ms", name, statistics.median(walls[1:]), "ms"))
    return rows


def costs(rounds: int) -> list[Row]:
    """Every figure about calls alone."""
    return asyncio.run(per_call(rounds)) + asyncio.run(napping())


if __name__ == "__main__":
    from goals import table

    found = costs(3)
    for section in dict.fromkeys(row.section for row in found):
        print(table(section, found))
