"""What a turn costs, beside two loops written by hand on the same SDK: `make bench`.

    python tests/bench/run.py [--quick] [--json FILE] [--only SECTION ...] [--strict]

`raw` uses the SDK's typed `create`, `post` its plain `post` with dicts and no validation. No network: a model server
of our own runs in another process on this machine. Calls alone are measured beside a bare `asyncio.gather`, grammars
beside llguidance and Lark, called directly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

import call_costs
import fresh
import grammar_costs
import measure
import sql_costs
from contenders import CONTENDERS
from goals import goals, table, verdicts

WIRE = ("matrix", "late", "crowd", "sync")
ALONE = {
    "build": fresh.builds,
    "import": fresh.imports,
    "calls": call_costs.costs,
    "grammars": grammar_costs.costs,
    "sql": sql_costs.costs,
}
SECTIONS = (*WIRE, *ALONE)


async def on_the_wire(sections: list[str], effort: measure.Effort, names: list[str]) -> list[measure.Row]:
    """Measure everything that talks to the server, printing each table as it is done."""
    rows: list[measure.Row] = []
    with measure.server() as base:
        await measure.check(base, names)
        for name, work in {
            "matrix": lambda: measure.matrix(base, effort, names),
            "late": lambda: measure.long_run(base, effort, names),
            "crowd": lambda: measure.crowd(base, effort, names),
            "sync": lambda: measure.sync_tools(base, names),
        }.items():
            if name in sections:
                new = await work()
                show(new)
                rows += new
    return rows


def show(rows: list[measure.Row]) -> None:
    """Print the tables of these rows."""
    for section in dict.fromkeys(row.section for row in rows):
        print(table(section, rows) + "\n", flush=True)


def main() -> int:
    """Measure, print, and say which goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter runs: half a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and goals there as well")
    parser.add_argument(
        "--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="measure only these"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "JIGWORK_"))]:
        del os.environ[name]
    start = time.perf_counter()
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
    names = list(CONTENDERS)
    effort = measure.Effort.quick() if options.quick else measure.Effort.full()
    wire = set(WIRE) & set(options.only)
    rows = asyncio.run(on_the_wire(options.only, effort, names)) if wire else []
    for section, work in ALONE.items():
        if section in options.only:
            new = work(2 if options.quick else 7)
            show(new)
            rows += new
    found = [goal for goal in goals(rows) if goal.value is not None or set(options.only) == set(SECTIONS)]
    if found:
        print(verdicts(found))
    print(f"{time.perf_counter() - start:.0f} s")
    if options.json:
        data = [asdict(goal) | {"met": goal.met} for goal in found]
        options.json.write_text(
            json.dumps({"rows": [asdict(row) for row in rows], "goals": data}, indent=1) + "\n"
        )
    return int(options.strict and any(goal.met is False for goal in found))


if __name__ == "__main__":
    sys.exit(main())
