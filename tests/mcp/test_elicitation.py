"""What an MCP server asks the person is a question of its call: the run pauses, and goes on with the answer."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from jigwork import Agent, Answer, Approval, MCPToolset, RunState, StateError
from jigwork.testing import ScriptedModel


def agent(toolset: MCPToolset, **options: Any) -> Agent[Any, Any]:
    calls: list[dict[str, Any]] = [{"name": "order"}, {"name": "add", "arguments": {"a": 1, "b": 2}}]
    return Agent(ScriptedModel([calls, "Done"]), tools=[toolset], **options)


def ended(result: Any) -> list[tuple[str, str] | None]:
    return [(c.outcome.status, str(c.outcome.output)) if c.outcome else None for c in result.calls]


def test_a_run_pauses_and_goes_on_in_another_process(running: str) -> None:
    """The question has the server's schema; siblings run; the answer is checked, and reaches the server."""
    asking = agent(MCPToolset.http(running, name="ground"))
    paused = asking.run_sync("go")
    assert paused.status == "paused" and (question := paused.approvals[0].question) is not None
    assert question.text == "Which size? (asked by ground)" and "size" in question.expected
    assert [e is not None and e[0] for e in ended(paused)] == [False, "ok"]
    state = RunState.from_json(paused.state.to_json())
    with pytest.raises(StateError, match="/size: expected an integer"):
        state.answer("call_1", {"size": "big"})
    state.answer("call_1", {"size": 42})
    result = asking.run_sync(state=RunState.from_json(state.to_json()))
    said = ended(result)[0]
    assert said is not None and said[0] == "ok" and "accept 42" in said[1] and result.output == "Done"


def test_a_callback_answers_in_the_process(running: str) -> None:
    """The same one that decides about calls."""

    def answer(approval: Approval) -> Answer:
        return Answer({"size": 7})

    result = agent(MCPToolset.http(running), on_approval=answer).run_sync("go")
    assert "accept 7" in str(ended(result)[0])


def test_no_answer_is_told_to_the_model(running: str) -> None:
    """The call is not made again."""
    asking = agent(MCPToolset.http(running))
    state = asking.run_sync("go").state
    state.deny("call_1", "she is on holiday")
    result = asking.run_sync(state=state)
    said = ended(result)[0]
    assert said is not None and said[0] == "denied" and "on holiday" in said[1] and result.output == "Done"


def test_a_server_of_an_older_protocol_is_told_that_nobody_is_there(script: str) -> None:
    """It asks beside its calls, so that nobody can know for which; the call fails in words, and the run goes on."""
    old = MCPToolset.stdio(sys.executable, script, "stdio", protocol="legacy")
    result = agent(old).run_sync("go")
    said = ended(result)[0]
    assert said is not None and said[0] in ("failed", "ok") and result.status == "finished"
    assert "accept" not in said[1]
