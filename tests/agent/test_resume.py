"""A process may die at any moment: what was done is not done again, what was under way is told honestly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, FileJournal, RunState, SQLiteJournal, StateError, tool
from jigwork.testing import ScriptedModel

PROGRAM = textwrap.dedent('''
    """A run with a journal that is going to be killed while its second tool runs."""
    import sys, time
    from pathlib import Path
    from jigwork import Agent, FileJournal, SQLiteJournal, tool
    from jigwork.testing import ScriptedModel

    kind, folder = sys.argv[1], Path(sys.argv[2])
    journal = FileJournal(folder / "run.jsonl") if kind == "file" else SQLiteJournal(folder / "runs.db")

    @tool
    def charge() -> str:
        """Charge the card."""
        with open(folder / "charges", "a") as file:
            file.write("charged\\n")
        return "charged"

    @tool
    def ship() -> str:
        """Ship, slowly."""
        (folder / "shipping").touch()
        time.sleep(60)
        return "shipped"

    @tool(read_only=True)
    def look() -> str:
        """Look, slowly."""
        (folder / "looking").touch()
        time.sleep(60)
        return "seen"

    model = ScriptedModel([[{"name": "charge"}, {"name": "ship"}, {"name": "look"}], "Done"])
    Agent(model, tools=[charge, ship, look], journal=journal).run_sync("go")
''')


def load(kind: str, folder: Path) -> RunState:
    return (
        FileJournal(folder / "run.jsonl").load()
        if kind == "file"
        else SQLiteJournal(folder / "runs.db").load()
    )


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_killed_run_resumes_without_repeating_itself(kind: str, tmp_path: Path) -> None:
    """SIGKILL in the middle of the tools: finished calls stay, safe ones run again, others are reported unknown."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, str(program), kind, str(tmp_path)])
    deadline = time.monotonic() + 30
    wanted = [tmp_path / "shipping", tmp_path / "looking", tmp_path / "charges"]
    while not all(path.exists() for path in wanted) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.2)  # the first call settles
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    state = load(kind, tmp_path)
    assert len(state.open_calls) == 3 and state.outcomes["call_1"].status == "ok"

    runs: list[str] = []

    @tool
    def charge() -> str:
        """Charge."""
        runs.append("charge")
        return "charged twice"

    @tool
    def ship() -> str:
        """Ship."""
        runs.append("ship")
        return "shipped twice"

    @tool(read_only=True)
    def look() -> str:
        """Look."""
        runs.append("look")
        return "seen"

    model = ScriptedModel(["Done"])
    result = Agent(model, tools=[charge, ship, look]).run_sync(state=state)
    assert result.output == "Done" and runs == ["look"]
    outputs = [i["output"] for i in result.items if i["type"] == "function_call_output"]
    assert outputs[0] == "charged" and "unknown" in outputs[1] and outputs[2] == "seen"
    assert [o.status for o in state.outcomes.values()] == ["ok", "interrupted", "ok"]


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


SCRIPT: list[Any] = [
    [{"name": "add", "arguments": {"a": 1, "b": 1}}, {"name": "add", "arguments": {"a": 2, "b": 2}}],
    "6",
]


def test_a_journal_cut_anywhere_is_a_state_that_resumes(tmp_path: Path) -> None:
    """Whatever the last byte that reached the disk, the run can be taken up and comes to the same end."""
    path = tmp_path / "run.jsonl"
    Agent(ScriptedModel(SCRIPT), tools=[add], journal=FileJournal(path)).run_sync("go")
    data = path.read_bytes()
    begin = data.index(b"\n") + 1
    for cut in range(begin, len(data) + 1, 7):
        path.write_bytes(data[:cut])
        state = FileJournal(path).load()
        rest = SCRIPT if not state.requests else SCRIPT[1:]
        safe = tool(read_only=True)(add)
        result = Agent(ScriptedModel(rest), tools=[safe], journal=FileJournal(path)).run_sync(state=state)
        assert result.output == "6"
        assert [i["output"] for i in result.items if i["type"] == "function_call_output"] == ["2", "4"]
        assert FileJournal(path).load().to_dict()["items"] == result.items


def test_a_journal_says_what_the_state_says() -> None:
    """Reading a journal gives the same state as the run left in memory."""

    class Memory:
        def __init__(self) -> None:
            self.entries: list[Any] = []

        async def record(self, run_id: str, entry: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            self.entries.append(entry)

    memory = Memory()
    result = Agent(ScriptedModel(SCRIPT), tools=[add], journal=memory).run_sync("go")
    state = RunState.from_dict(memory.entries[0]["state"])
    for entry in memory.entries[1:]:
        state.append(entry)
    before, after = result.state.to_dict(), state.to_dict()
    del before["saved_at"], after["saved_at"]
    assert before == after


def test_a_tool_waits_for_the_journal() -> None:
    """The start of a call is on disk before the tool runs."""
    order: list[str] = []

    class Slow:
        async def record(self, run_id: str, entry: dict[str, Any]) -> None:
            await asyncio.sleep(0.01)
            order.append(entry["kind"])

    def note() -> str:
        """Note."""
        order.append("tool")
        return "ok"

    Agent(ScriptedModel([[{"name": "note"}], "Done"]), tools=[note], journal=Slow()).run_sync("go")
    assert order.index("started") + 1 == order.index("tool")


def test_a_state_can_be_written_by_hand() -> None:
    """Any list of items is a state."""
    state = RunState.from_json('{"items": [{"role": "user", "content": "Hi"}]}')
    assert Agent(ScriptedModel(["Hello"])).run_sync(state=state).output == "Hello"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no object"),
        ("{}", "items"),
        ('{"jigwork": "2.0", "items": []}', "version 2.0"),
        (
            '{"items": [{"type": "function_call_output", "call_id": "c", "output": ""}]}',
            "answers no open call",
        ),
        ('{"items": [{"type": "function_call", "name": "f", "arguments": "{}"}]}', "has no call_id"),
        ('{"items": 3}', "not a run state"),
    ],
)
def test_a_state_that_cannot_be_read_says_why(text: str, said: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(StateError, match=said):
        RunState.from_json(text)


def test_unknown_keys_and_items_survive_or_are_ignored() -> None:
    """A newer minor version can be read; an unknown item is kept as it is."""
    item = {"type": "hologram", "id": "h1", "data": [1, {"x": None}]}
    state = RunState.from_json(json.dumps({"jigwork": "1.9", "new": 1, "items": [item]}))
    assert json.loads(state.to_json())["items"] == [item]


def test_odd_text_survives_the_file(tmp_path: Path) -> None:
    """Lone surrogates, NUL and huge integers come back as they were."""
    item = {"type": "message", "role": "user", "content": "a\x00b\ud800", "n": 10**30}
    state = RunState([item])
    state.save(tmp_path / "s.json")
    assert RunState.load(tmp_path / "s.json").items == [item]


def test_a_fork_has_a_life_of_its_own() -> None:
    """What happens to a copy does not happen to the original."""
    state = Agent(ScriptedModel(["Hello"])).run_sync("Hi").state
    fork = state.copy()
    Agent(ScriptedModel(["Again"])).run_sync("More", state=fork)
    assert len(state.items) == 2 and len(fork.items) == 4 and fork.run_id != state.run_id


def test_a_missing_state_file_is_named(tmp_path: Path) -> None:
    """The error says which file."""
    with pytest.raises(StateError, match=r"nope\.json"):
        RunState.load(tmp_path / "nope.json")
    with pytest.raises(StateError, match=r"nope\.jsonl"):
        FileJournal(tmp_path / "nope.jsonl").load()
