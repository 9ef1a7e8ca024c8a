"""Approvals: who is asked, what a person may change, and what happens when nobody answers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jigwork import Agent, Approval, ConfigurationError, Decision, Limits, RunState, tool
from jigwork.testing import ScriptedModel


def run(calls: list[Any], tools: list[Any], **options: Any) -> Any:
    return Agent(ScriptedModel([calls, "Done"]), tools=tools, **options).run_sync("go")


def statuses(result: Any) -> list[str]:
    return [call.outcome.status for call in result.calls]


@tool(destructive=True)
def delete(path: str) -> str:
    """Delete."""
    return f"deleted {path}"


DELETE = [{"name": "delete", "arguments": {"path": "/tmp/a"}}]


def test_a_destructive_tool_asks_by_default() -> None:
    """Nobody has to think of it."""
    assert run(DELETE, [delete]).status == "paused"
    assert statuses(run(DELETE, [delete.with_options(approval="never")])) == ["ok"]


def test_a_person_may_edit_the_arguments() -> None:
    """They are validated like the model's, and used in their place."""
    agent = Agent(ScriptedModel([DELETE, "Done"]), tools=[delete])
    state = RunState.from_json(agent.run_sync("go").state.to_json())
    state.approve("call_1", arguments={"path": "/tmp/b"})
    assert agent.run_sync(state=state).calls[0].outcome.output == "deleted /tmp/b"  # type: ignore[union-attr]


def test_edited_arguments_that_do_not_fit_are_an_error_for_the_person() -> None:
    """The tool is not called, and the run stays paused."""
    agent = Agent(ScriptedModel([DELETE, "Done"]), tools=[delete])
    state = agent.run_sync("go").state
    state.approve("call_1", arguments={"pth": "/tmp/b"})
    with pytest.raises(ConfigurationError, match="edited arguments for delete"):
        agent.run_sync(state=state)


def test_always_allows_the_tool_for_the_rest_of_the_run() -> None:
    """One decision for this run, none for the next."""
    two = [*DELETE, {"name": "delete", "arguments": {"path": "/tmp/c"}}]
    agent = Agent(ScriptedModel([two, DELETE, "Done", DELETE]), tools=[delete])
    state = agent.run_sync("go").state
    state.approve("call_1", always=True)
    result = agent.run_sync(state=state)
    assert statuses(result) == ["ok", "ok", "ok"]
    assert agent.run_sync("again", state=result.state).status == "paused"


def test_a_callback_decides_in_the_process() -> None:
    """It sees the arguments; what it leaves open pauses the run."""
    asked: list[Approval] = []

    async def decide(approval: Approval) -> Decision | bool | None:
        asked.append(approval)
        answers: dict[str, Decision | bool | None] = {
            "a": True,
            "b": Decision(False, "not that one"),
            "c": None,
        }
        return answers[approval.arguments["path"]]

    calls = [{"name": "delete", "arguments": {"path": p}} for p in "abc"]
    result = Agent(ScriptedModel([calls, "Done"]), tools=[delete], on_approval=decide).run_sync("go")
    assert result.status == "paused" and [a.call_id for a in result.approvals] == ["call_3"]
    assert [c.outcome.status if c.outcome else None for c in result.calls] == ["ok", "denied", None]


def test_an_approval_expires() -> None:
    """Decided too late, a call is denied and the model is told why."""
    agent = Agent(ScriptedModel([DELETE, "Done"]), tools=[delete], limits=Limits(approval_seconds=0.01))
    state = agent.run_sync("go").state
    time.sleep(0.03)
    state.approve("call_1")
    result = agent.run_sync(state=state)
    assert statuses(result) == ["denied"] and "within 0.01 seconds" in str(result.calls[0].outcome.output)  # type: ignore[union-attr]
