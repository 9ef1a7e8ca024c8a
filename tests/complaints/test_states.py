"""What users of other frameworks report about states and resuming: each complaint is a test, named after it."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from jigwork import Agent, FileJournal, RunContext, RunState, agent_tool, tool
from jigwork.testing import ScriptedModel


@dataclasses.dataclass
class Bank:
    """What the tools of a run share."""

    paid: list[int] = dataclasses.field(default_factory=list[int])


@dataclasses.dataclass
class Receipt:
    """The answer of a run."""

    total: int


@tool(approval="always")
def pay(ctx: RunContext[Bank], amount: int) -> str:
    """Pay."""
    ctx.deps.paid.append(amount)
    return "paid"


def test_an_approval_holds_on_resume_with_dependencies_and_with_an_output_type() -> None:
    """The checkpoint is JSON, another agent object of another process resumes it, and each decision is kept."""

    def agent(replies: list[Any]) -> Agent[Bank, Receipt]:
        return Agent(ScriptedModel(replies), tools=[pay], deps_type=Bank, output=Receipt)

    calls = [{"name": "pay", "arguments": {"amount": n}} for n in (5, 6)]
    text = agent([calls]).run_sync("go", deps=Bank()).state.to_json()
    state = RunState.from_json(text)
    state.approve("call_1")
    state.deny("call_2")
    state = RunState.from_json(state.to_json())  # decided here, resumed elsewhere
    bank = Bank()
    result = agent(['{"total": "five"}', '{"total": 5}']).run_sync(state=state, deps=bank)
    assert bank.paid == [5] and result.output == Receipt(5)
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "denied"]


def test_the_state_of_a_nested_agent_survives_json() -> None:
    """The outer state holds the inner one; what is decided on the outer one reaches the inner call, once."""

    def agent(inner_replies: list[Any], outer_replies: list[Any]) -> Agent[Bank, str]:
        inner = Agent(ScriptedModel(inner_replies), tools=[pay], deps_type=Bank)
        clerk = agent_tool(inner, name="clerk", description="Pays.")
        return Agent(ScriptedModel(outer_replies), tools=[clerk], deps_type=Bank)

    calls = [{"name": "pay", "arguments": {"amount": n}} for n in (9, 10)]
    first = agent([calls], [[{"name": "clerk", "arguments": {"task": "pay"}}]])
    state = RunState.from_json(first.run_sync("go", deps=Bank()).state.to_json())
    assert [(a.agents, a.name, a.arguments) for a in state.waiting] == [
        (("clerk",), "pay", {"amount": 9}),
        (("clerk",), "pay", {"amount": 10}),
    ]
    state.approve("call_1/call_1")
    state.deny("call_1/call_2")
    bank = Bank()
    second = agent(["Paid one of two"], ["Done"])
    result = second.run_sync(state=RunState.from_json(state.to_json()), deps=bank)
    assert bank.paid == [9] and result.output == "Done"
    assert [c.outcome.output for c in result.calls if c.outcome] == ["Paid one of two"]


PROGRAM = textwrap.dedent('''
    """A run that is killed while it waits for its model: nobody has asked for an approval."""
    import sys, time
    from pathlib import Path
    from jigwork import Agent, FileJournal, tool
    from jigwork.testing import ScriptedModel

    folder = Path(sys.argv[1])

    @tool
    def charge() -> str:
        """Charge."""
        with open(folder / "charges", "a") as file:
            file.write("charged\\n")
        return "charged"

    def reply(request):
        if len(request.items) == 1:
            return [{"name": "charge"}]
        (folder / "waiting").touch()
        time.sleep(60)

    Agent(ScriptedModel(reply), tools=[charge], journal=FileJournal(folder / "run.jsonl")).run_sync("go")
''')


def test_a_process_that_dies_in_the_middle_of_a_run_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL while the model is being asked, far from any approval: the tool's work is kept and not repeated."""
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, str(tmp_path / "program.py"), str(tmp_path)])
    until = time.monotonic() + 30
    while not (tmp_path / "waiting").exists() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    @tool
    def charge() -> str:
        """Charge."""
        raise AssertionError("charged twice")

    state = FileJournal(tmp_path / "run.jsonl").load()
    result = Agent(ScriptedModel(["Done"]), tools=[charge]).run_sync(state=state)
    assert result.output == "Done" and (tmp_path / "charges").read_text() == "charged\n"
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok"]
