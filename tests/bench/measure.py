"""What is measured: every function here returns rows, one figure each, of contenders that take turns in one process.

CPU is that of this process with all its threads (`time.process_time`); the server is another process. A figure is the
median over interleaved rounds, so that whatever else the machine does meets all contenders alike.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contenders import CONTENDERS, Case, Contender
from wire_server import ANSWER

HERE = Path(__file__).resolve().parent
MATRIX = ("T1C1", "T10C1", "T1C32", "T50C4")
ENDPOINTS = ("responses", "chat")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `value` in `unit`, of `who`, measured in `section` at `case`."""

    section: str
    case: str
    who: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure. `budget` is seconds of CPU per contender and round."""

    rounds: int
    budget: float
    long_turns: tuple[int, ...]
    crowd: int

    @classmethod
    def full(cls) -> Effort:
        """About three minutes."""
        return cls(rounds=5, budget=0.15, long_turns=(10, 50, 100, 200), crowd=100)

    @classmethod
    def quick(cls) -> Effort:
        """About half a minute."""
        return cls(rounds=2, budget=0.03, long_turns=(10, 50), crowd=20)


@contextmanager
def server() -> Generator[str]:
    """Run the model server in its own process; yields its base URL."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "wire_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(timeout=10)


def in_turns(names: list[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, name) so that everybody goes first equally often."""
    for number in range(rounds):
        shift = number % len(names)
        yield from ((number, name) for name in names[shift:] + names[:shift])


async def cpu_of(contender: Contender, runs: int) -> float:
    """Return the seconds of CPU of so many runs, one after the other."""
    gc.collect()
    start = time.process_time()
    for _ in range(runs):
        await contender.run()
    return time.process_time() - start


async def check(base: str, names: list[str]) -> None:
    """Make sure that all contenders do the same work: the same calls, the same last text."""
    for endpoint in ENDPOINTS:
        for stream in (False, True):
            for name in names:
                case = Case(base, "T3C2N2", endpoint, stream)
                contender = CONTENDERS[name](case)
                text = await contender.run()
                await contender.aclose()
                if text != ANSWER or len(case.ticks) != case.calls:
                    what = f"{len(case.ticks)} of {case.calls} calls, last text {text[:60]!r}"
                    raise RuntimeError(f"{name} does not do the work: {endpoint}, stream={stream}: {what}")


async def matrix(base: str, effort: Effort, names: list[str]) -> list[Row]:
    """CPU per model request and per tool call of every shape of conversation."""
    rows: list[Row] = []
    for endpoint in ENDPOINTS:
        for stream in (False, True):
            for shape in MATRIX:
                case = Case(base, f"{shape}N{4 if shape == 'T50C4' else 1}", endpoint, stream)
                label = f"{endpoint} {'stream' if stream else 'plain'} {shape}"
                hurried = effort.rounds < 3 and stream and shape == "T50C4"
                rows += await _cell(
                    case, label, effort, [n for n in names if n != "raw"] if hurried else names
                )
    return rows


async def _cell(case: Case, label: str, effort: Effort, names: list[str]) -> list[Row]:
    contenders = {name: CONTENDERS[name](case) for name in names}
    first = {name: await cpu_of(contender, 1) for name, contender in contenders.items()}
    slow = {name for name in names if first[name] > 1}  # so many requests that fewer rounds say enough
    seconds = {name: [first[name]] if name in slow else [] for name in names}
    once = {name: await cpu_of(contenders[name], 1) for name in names if name not in slow}  # now warm
    for number, name in in_turns(names, effort.rounds):
        if name in slow and number < effort.rounds // 2 - 1:
            seconds[name].append(await cpu_of(contenders[name], 1))
        elif name not in slow:
            runs = max(1, round(effort.budget / once[name]))
            seconds[name].append(await cpu_of(contenders[name], runs) / runs)
    for contender in contenders.values():
        await contender.aclose()
    figures = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    rows = [Row("cpu per request", label, name, ms / case.requests, "ms") for name, ms in figures.items()]
    return rows + [Row("cpu per call", label, name, ms / case.calls, "ms") for name, ms in figures.items()]


async def long_run(base: str, effort: Effort, names: list[str]) -> list[Row]:
    """CPU of a late turn of one long run: from one tool call to the next, the median of seven around it."""
    rows: list[Row] = []
    for endpoint in ENDPOINTS:
        ticks: dict[str, list[list[float]]] = {name: [] for name in names}
        for number, name in in_turns(names, 3):
            if name == "raw" and number:
                continue
            case = Case(base, f"T{effort.long_turns[-1] + 4}C1N1", endpoint, stream=False)
            contender = CONTENDERS[name](case)
            gc.collect()
            await contender.run()
            await contender.aclose()
            ticks[name].append(case.ticks)
        for turn in effort.long_turns:
            for name, runs in ticks.items():
                costs = [run[i] - run[i - 1] for run in runs for i in range(turn - 3, turn + 4)]
                ms = 1000 * statistics.median(costs)
                rows.append(Row("cpu of a late turn", f"{endpoint} turn {turn}", name, ms, "ms"))
    return rows


async def crowd(base: str, effort: Effort, names: list[str]) -> list[Row]:
    """Turns per second of many runs at once in one process."""
    rows: list[Row] = []
    for endpoint in ENDPOINTS:
        case = Case(base, "T10C1N1", endpoint, stream=False)
        contenders = {name: CONTENDERS[name](case) for name in names}
        speeds: dict[str, list[float]] = {name: [] for name in names}
        for contender in contenders.values():
            await asyncio.gather(*(contender.run() for _ in range(effort.crowd // 4)))
        for number, name in in_turns(names, 3):
            if name == "raw" and number:
                continue
            gc.collect()
            start = time.perf_counter()
            await asyncio.gather(*(contenders[name].run() for _ in range(effort.crowd)))
            speeds[name].append(effort.crowd * case.requests / (time.perf_counter() - start))
        for name, contender in contenders.items():
            await contender.aclose()
            label = f"{endpoint} {effort.crowd} runs"
            rows.append(Row("many runs at once", label, name, statistics.median(speeds[name]), "turns/s"))
    return rows


async def sync_tools(base: str, names: list[str]) -> list[Row]:
    """Wall-clock time from the start of the first to the end of the last of 32 sync tools that sleep 50 ms."""
    return [Row("sync tools", "32 x 50 ms", name, await _span(base, name), "ms") for name in names]


async def _span(base: str, name: str) -> float:
    spans: list[tuple[float, float]] = []

    def stock(sku: str, warehouse: str, quantity: int, urgent: bool) -> str:
        """Look up how many pieces of an article a warehouse holds."""
        start = time.perf_counter()
        time.sleep(0.05)
        spans.append((start, time.perf_counter()))
        return "412"

    contender = CONTENDERS[name](Case(base, "T1C32N1", "responses", stream=False, tool=stock))
    walls: list[float] = []
    for _ in range(4):
        spans.clear()
        await contender.run()
        walls.append(1000 * (max(end for _, end in spans) - min(start for start, _ in spans)))
    await contender.aclose()
    return statistics.median(walls[1:])  # the first one starts the threads
