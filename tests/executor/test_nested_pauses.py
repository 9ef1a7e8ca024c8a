"""An agent that works for a call may need a person: the outer run pauses, and goes on inside where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from jigwork import (
    Agent,
    Answer,
    Approval,
    ApprovalAsked,
    ConfigurationError,
    FileJournal,
    Limits,
    RunPaused,
    RunState,
    StateError,
    agent_tool,
    ask_human,
    tool,
)
from jigwork.testing import ScriptedModel

done: list[str] = []


@tool
def look(what: str) -> str:
    """Look."""
    done.append(f"look {what}")
    return f"saw {what}"


@tool(approval="always")
def pay(amount: int) -> str:
    """Pay."""
    done.append(f"pay {amount}")
    return f"paid {amount}"


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    done.clear()


def told(request: Any) -> list[str]:
    return [str(item["output"]) for item in request.items if item["type"] == "function_call_output"]


def saying(*calls: dict[str, Any]) -> ScriptedModel:
    """Make the calls, then say what came of them."""
    return ScriptedModel(lambda request: " | ".join(told(request)) if told(request) else list(calls))


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def layered(depth: int, *inner_calls: dict[str, Any], width: int = 1, **options: Any) -> Agent[Any, Any]:
    """Return an agent whose calls are made `depth` agents further in, by `width` agents at once."""
    tools: list[Any] = [look, pay, ask_human(output=int)]
    innermost = Agent(saying(*inner_calls), tools=tools)
    agent: Agent[Any, Any] = innermost
    for level in range(depth):
        count = width if level == depth - 1 else 1
        calls = [call("helper", task=f"task {n}") for n in range(count)]
        own = options if level == depth - 1 else {}
        agent = Agent(
            saying(*calls), tools=[agent_tool(agent, name="helper", description="Helps."), look], **own
        )
    return agent


def again(state: RunState) -> RunState:
    """Return the state as another process reads it."""
    return RunState.from_json(state.to_json())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_outer_run_waits_and_says_for_whom(depth: int) -> None:
    """Which agent, which tool, which arguments; decided on the outer state, in another process, at any depth."""
    agent = layered(depth, call("look", what="x"), call("pay", amount=5))
    paused = agent.run_sync("go")
    way = "/".join(["call_1"] * depth + ["call_2"])
    assert paused.status == "paused" and done == ["look x"]
    (approval,) = paused.approvals
    assert (approval.call_id, approval.agents) == (way, ("helper",) * depth)
    assert (approval.name, approval.arguments) == ("pay", {"amount": 5})
    state = again(paused.state)
    assert [a.call_id for a in state.waiting] == [way] and state.usage == paused.usage
    state.approve(way)
    result = agent.run_sync(state=again(state))
    assert result.output == "saw x | paid 5" and done == ["look x", "pay 5"]
    assert result.usage.requests == 2 * (depth + 1) and result.state.inner == {}


def test_several_wait_at_once_and_each_is_decided_alone() -> None:
    """Three agents in one turn: approved, denied, edited. What is decided goes on, the others wait on."""
    agent = layered(1, call("look", what="x"), call("pay", amount=5), width=3)
    state = again(agent.run_sync("go").state)
    assert [a.call_id for a in state.waiting] == ["call_1/call_2", "call_2/call_2", "call_3/call_2"]
    state.approve("call_2/call_2", arguments={"amount": 7})
    paused = agent.run_sync(state=state)
    assert paused.status == "paused" and done.count("look x") == 3 and done[-1] == "pay 7"
    state = again(paused.state)
    assert [a.call_id for a in state.waiting] == ["call_1/call_2", "call_3/call_2"]
    state.deny("call_1/call_2", "too dear")
    state.approve("call_3/call_2")
    result = agent.run_sync(state=again(state))
    first, second, third = told_by(result)
    assert "too dear" in first and second.endswith("paid 7") and third.endswith("paid 5")
    assert done.count("look x") == 3


def told_by(result: Any) -> list[str]:
    """Return what came of the calls of a run."""
    return [str(record.outcome.output) for record in result.calls]


def test_always_holds_for_the_whole_of_the_outer_run() -> None:
    """One yes allows the tool to this agent wherever it works in the run, now and in a later task."""
    agent = layered(1, call("pay", amount=1), width=2)
    state = agent.run_sync("go").state
    state.approve("call_1/call_1", always=True)
    assert agent.run_sync(state=again(state)).status == "finished" and done == ["pay 1", "pay 1"]
    inner = Agent(saying(call("pay", amount=2)), tools=[pay])
    script: list[Any] = [[call("helper", task="a")], [call("helper", task="b")], "Done"]
    agent = Agent(ScriptedModel(script), tools=[agent_tool(inner, name="helper", description="Helps.")])
    state = agent.run_sync("go").state
    state.approve("call_1/call_1", always=True)
    assert agent.run_sync(state=again(state)).output == "Done"


def test_a_question_inside_is_answered_outside() -> None:
    """With its type; an answer that does not fit is refused at once."""
    agent = layered(2, call("ask_human", question="How many?"))
    state = again(agent.run_sync("go").state)
    (approval,) = state.waiting
    assert approval.question is not None and approval.label == "helper/helper/ask_human"
    with pytest.raises(StateError, match="expected an integer"):
        state.answer(approval.call_id, "many")
    state.answer(approval.call_id, 3)
    assert agent.run_sync(state=state).output == "3"


def test_a_callback_of_the_outer_agent_decides_for_those_inside() -> None:
    """It sees who asks; nothing pauses."""
    asked: list[str] = []

    def decide(approval: Approval) -> Answer | bool:
        asked.append(approval.label)
        return Answer(4) if approval.question else True

    calls = [call("pay", amount=1), call("ask_human", question="How many?")]
    result = layered(2, *calls, on_approval=decide).run_sync("go")
    assert result.output == "paid 1 | 4"
    assert asked == ["helper/helper/pay", "helper/helper/ask_human"]


def test_edited_arguments_inside_are_checked_before_anything_runs() -> None:
    """The error is the person's, not a failed call of the agent's."""
    agent = layered(2, call("pay", amount=1))
    state = agent.run_sync("go").state
    state.approve("call_1/call_1/call_1", arguments={"amount": "much"})
    with pytest.raises(ConfigurationError, match="edited arguments for pay"):
        agent.run_sync(state=again(state))


def test_what_waits_inside_expires() -> None:
    """The outer run's limit holds there too."""
    agent = layered(1, call("pay", amount=1), limits=Limits(approval_seconds=0.01))
    state = agent.run_sync("go").state
    time.sleep(0.03)
    state.approve("call_1/call_1")
    result = agent.run_sync(state=again(state))
    assert "nobody had allowed it within" in result.output and done == []


def test_the_stream_tells_what_is_asked_inside() -> None:
    """Once, by its way; the siblings have run when the run pauses."""
    inner = Agent(saying(call("pay", amount=1)), tools=[pay])
    calls = [call("helper", task="t"), call("look", what="y")]
    agent = Agent(saying(*calls), tools=[agent_tool(inner, name="helper", description="Helps."), look])
    with agent.stream_sync("go") as run:
        events = list(run)
    asked = [(e.call_id, e.name, e.agents) for e in events if isinstance(e, ApprovalAsked)]
    assert asked == [("call_1/call_1", "pay", ("helper",))] and done == ["look y"]
    assert [e.call_ids for e in events if isinstance(e, RunPaused)] == [("call_1/call_1",)]


def test_a_paused_agent_can_be_cancelled_alone() -> None:
    """On a state that rests: the call settles as cancelled, what it has cost is kept, the other goes on."""
    agent = layered(1, call("pay", amount=5), width=2)
    state = again(agent.run_sync("go").state)
    assert state.cancel_call("call_1") and not state.cancel_call("call_1")
    state.approve("call_2/call_1")
    result = agent.run_sync(state=again(state))
    assert [c.outcome.status for c in result.calls if c.outcome] == ["cancelled", "ok"]
    assert result.usage.requests == 5 and done == ["pay 5"]


def test_a_call_inside_can_be_cancelled_alone() -> None:
    """The inner agent is told, and finishes its work."""
    agent = layered(1, call("pay", amount=5), call("look", what="x"))
    state = again(agent.run_sync("go").state)
    assert state.cancel_call("call_1/call_1")
    result = agent.run_sync(state=state)
    assert "Cancelled" in result.output and "saw x" in result.output and done == ["look x"]


def test_a_fork_of_a_paused_run_is_a_fork_inside_too() -> None:
    """What is decided in one is not decided in the other."""
    agent = layered(1, call("pay", amount=5))
    state = agent.run_sync("go").state
    fork = state.copy()
    fork.deny("call_1/call_1")
    assert [a.call_id for a in state.waiting] == ["call_1/call_1"] and fork.waiting == []


def test_a_journal_holds_what_happens_inside(tmp_path: Path) -> None:
    """Read at any point, it gives the same waiting calls, usage and result as the state in memory."""
    journal = FileJournal(tmp_path / "run.jsonl")
    agent = layered(2, call("look", what="x"), call("pay", amount=5), journal=journal)
    paused = agent.run_sync("go")
    loaded = journal.load()
    assert loaded.waiting == paused.approvals and loaded.usage == paused.usage
    loaded.approve("call_1/call_1/call_2")
    result = agent.run_sync(state=loaded)
    assert result.output == "saw x | paid 5" and done == ["look x", "pay 5"]
    assert journal.load().usage == result.usage


def test_a_journal_cut_anywhere_resumes_inside(tmp_path: Path) -> None:
    """Whatever line was the last, what had ended inside is not run again, and there is an answer."""
    journal = FileJournal(tmp_path / "run.jsonl")
    agent = layered(2, call("look", what="x"), call("look", what="y"), journal=journal)
    assert agent.run_sync("go").output == "saw x | saw y"
    lines = journal.path.read_bytes().splitlines(keepends=True)
    for count in range(2, len(lines) + 1):
        done.clear()
        cut = FileJournal(tmp_path / f"cut{count}.jsonl")
        cut.path.write_bytes(b"".join(lines[:count]))
        state = cut.load()
        text = state.to_json()
        result = agent.run_sync(state=state)
        assert result.status == "finished"
        assert result.output == "saw x | saw y" or "unknown" in result.output
        for what in "xy":
            ended = f'"output": "saw {what}"' in text
            assert done.count(f"look {what}") <= (0 if ended else 1)


PROGRAM = textwrap.dedent('''
    """An agent that works for another and is killed in the middle of its second tool."""
    import sys, time
    from pathlib import Path
    from jigwork import Agent, FileJournal, agent_tool, tool
    from jigwork.testing import ScriptedModel

    folder = Path(sys.argv[1])

    @tool
    def charge() -> str:
        """Charge the card."""
        with open(folder / "charges", "a") as file:
            file.write("charged\\n")
        return "charged"

    @tool(read_only=True)
    def wait() -> str:
        """Wait, slowly in the first life."""
        (folder / "waiting").touch()
        time.sleep(0 if (folder / "again").exists() else 60)
        return "waited"

    def script(*calls):
        def answer(request):
            told = [str(i["output"]) for i in request.items if i["type"] == "function_call_output"]
            if not told:
                (folder / "asked").open("a").write("asked\\n")
            return " | ".join(told) if told else list(calls)
        return ScriptedModel(answer)

    inner = Agent(script({"name": "charge"}, {"name": "wait"}), tools=[charge, wait])
    for _ in range(2):
        helper = agent_tool(inner, name="helper", description="Helps.")
        inner = Agent(script({"name": "helper", "arguments": {"task": "t"}}), tools=[helper],
                      journal=FileJournal(folder / "run.jsonl") if _ else None)
    state = FileJournal(folder / "run.jsonl").load() if (folder / "again").exists() else None
    print(inner.run_sync(None if state else "go", state=state).output)
''')


def test_a_killed_run_goes_on_inside(tmp_path: Path) -> None:
    """SIGKILL two agents further in: the finished call is not run again, nor is any model asked again."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, str(program), str(tmp_path)])
    until = time.monotonic() + 30
    while (
        not ((tmp_path / "waiting").exists() and (tmp_path / "charges").exists()) and time.monotonic() < until
    ):
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (tmp_path / "again").touch()
    command = [sys.executable, str(program), str(tmp_path)]
    second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert second.stdout.strip() == "charged | waited", second.stderr
    assert (tmp_path / "charges").read_text().count("charged") == 1
    assert (tmp_path / "asked").read_text().count("asked") == 3
