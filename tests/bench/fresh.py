"""What is measured in interpreters of their own: import time, memory, and how long an agent takes to build."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from measure import Row

IMPORT = """
import json, sys, time
cpu = time.process_time()
import {module}
cpu = time.process_time() - cpu
print(json.dumps([cpu * 1000, {memory}]))
"""
RSS = "int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20 if sys.platform == 'linux' else 0"

BUILD = '''
import asyncio, json, sys, time
from jigwork import Agent, ScriptedModel

SOURCE = """
def find_{n}(city: str, kinds: list[str], order: Literal["price", "name"] = "name", limit: int | None = None) -> str:
    \\"\\"\\"Find the shops of a city.

    Args:
        city: The name of the city, as on the map.
        kinds: What they sell.
        order: How to sort them.
        limit: How many at most.
    \\"\\"\\"
    return city
"""

def tools(count):
    namespace = {"__name__": "shops"}
    exec("from typing import Literal\\n" + "".join(SOURCE.replace("{n}", str(n)) for n in range(count)), namespace)
    return [namespace[f"find_{n}"] for n in range(count)]

async def ready(count):
    """CPU until the agent exists, and until it has answered once."""
    functions = tools(count)
    start = time.process_time()
    agent = Agent(ScriptedModel(["done"]), tools=functions)
    built = time.process_time()
    await agent.run("Hello")
    return (built - start) * 1000, (time.process_time() - start) * 1000

async def main():
    await ready(1)  # imports
    print(json.dumps([await ready(1), await ready(50), MEMORY]))

asyncio.run(main())
'''.replace("MEMORY", RSS)


def run(program: str) -> list[float]:
    """Run a program that prints one JSON list."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


def imports(rounds: int) -> list[Row]:
    """CPU and resident memory after importing, in a fresh interpreter each time."""
    rows: list[Row] = []
    modules = {"nothing": "sys", "jigwork": "jigwork", "openai": "openai"}
    figures: dict[str, list[list[float]]] = {name: [] for name in modules}
    for _ in range(rounds):
        for name, module in modules.items():
            figures[name].append(run(IMPORT.format(module=module, memory=RSS)))
    for name, runs in figures.items():
        rows.append(Row("import", "cpu", name, statistics.median(run[0] for run in runs), "ms"))
        rows.append(Row("import", "memory", name, statistics.median(run[1] for run in runs), "MB"))
    return rows


def builds(rounds: int) -> list[Row]:
    """CPU to build an agent with new functions, and to build it and answer once."""
    runs = [json.loads(json.dumps(run(BUILD))) for _ in range(rounds)]
    rows: list[Row] = []
    for at, count in ((0, "1 tool"), (1, "50 tools")):
        rows.append(
            Row("agent", f"{count}, built", "jigwork", statistics.median(r[at][0] for r in runs), "ms")
        )
        ready = statistics.median(r[at][1] for r in runs)
        rows.append(Row("agent", f"{count}, first answer", "jigwork", ready, "ms"))
    rows.append(Row("agent", "memory with 50 tools", "jigwork", statistics.median(r[2] for r in runs), "MB"))
    return rows
