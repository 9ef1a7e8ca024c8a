"""Resume after a crash: a run with a journal is killed (SIGKILL) in the middle of its tools, and goes on.

What had finished is not done again; what was under way is repeated only where that is safe (`read_only`,
`idempotent`), and reported to the model as unknown otherwise.

    python examples/resume.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jigwork import Agent, FileJournal, tool
from jigwork.testing import ScriptedModel


@tool
def reserve(seats: int) -> str:
    """Reserve seats."""
    return f"{seats} seats reserved"


@tool
def charge(amount: int) -> str:
    """Charge the card."""
    if "--crash" in sys.argv:
        time.sleep(0.3)  # the other calls finish meanwhile
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{amount} charged"


@tool(read_only=True)
def weather(city: str) -> str:
    """Look up the weather."""
    if "--crash" in sys.argv:
        time.sleep(60)
    return f"{city}: clear"


CALLS = [
    {"name": "reserve", "arguments": {"seats": 2}},
    {"name": "charge", "arguments": {"amount": 40}},
    {"name": "weather", "arguments": {"city": "Oslo"}},
]


def first_life(journal: Path) -> None:
    """Run until the kill."""
    model = ScriptedModel([CALLS])
    Agent(model, tools=[reserve, charge, weather], journal=FileJournal(journal)).run_sync(
        "Two seats, please."
    )


def second_life(journal: Path) -> None:
    """Take up what the journal has."""
    state = FileJournal(journal).load()
    print(f"The journal has {len(state.items)} items and {len(state.open_calls)} calls without an output.")
    model = ScriptedModel(["Your seats are reserved; I will check the payment before I try it again."])
    result = Agent(model, tools=[reserve, charge, weather], journal=FileJournal(journal)).run_sync(
        state=state
    )
    for call in result.calls:
        assert call.outcome is not None
        print(f"  {call.name}: {call.outcome.status}: {call.outcome.output}")
    print(result.output)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "run.jsonl"
        crashed = subprocess.run([sys.executable, __file__, "--crash", str(journal)], check=False)
        print(f"The first process ended with signal {-crashed.returncode}.")
        second_life(journal)


if __name__ == "__main__":
    if "--crash" in sys.argv:
        first_life(Path(sys.argv[-1]))
    else:
        main()
