"""Hosted tools over the wire: what each is sent as, what comes back, what is run here, and what is played back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jigwork import Agent, RunResult, RunState, ScriptedModel, Settings
from jigwork.agent.events import ApprovalAsked, CallSettled, Event
from jigwork.agent.mcp_server import served_tools
from jigwork.agent.models.openai_model import OpenAIModel
from jigwork.agent.models.profiles import Profile
from jigwork.agent.server import LocalServer
from jigwork.agent.testing import Reply
from jigwork.errors import ConfigurationError, ModelError, SettingsError, StateError, ToolDefinitionError
from jigwork.tools import (
    HostedTool,
    Toolset,
    apply_patch,
    hosted_mcp,
    hosted_shell,
    local_shell,
    web_search,
)
from jigwork.tools.box import read_output
from jigwork.tools.box.confined import can_confine

pytestmark = pytest.mark.skipif(not can_confine(), reason="needs Linux with Landlock")

Item = dict[str, Any]
Through = Callable[..., tuple[RunResult[Any], list[Event]]]


def shell_call(*commands: str, **action: Any) -> Item:
    return {
        "type": "shell_call",
        "id": "sh_1",
        "call_id": "call_sh",
        "status": "completed",
        "environment": {"type": "local"},
        "action": {"commands": list(commands), "timeout_ms": None, "max_output_length": None, **action},
    }


def patch_call(kind: str, path: str, diff: str | None = None) -> Item:
    operation = {"type": kind, "path": path, **({} if diff is None else {"diff": diff})}
    return {
        "type": "apply_patch_call",
        "id": "ap_1",
        "call_id": "call_ap",
        "status": "completed",
        "operation": operation,
    }


def exec_call(*command: str, **action: Any) -> Item:
    given: Item = {"type": "exec", "command": list(command), "env": {}, **action}
    return {
        "type": "local_shell_call",
        "id": "lsh_1",
        "call_id": "call_ls",
        "status": "completed",
        "action": given,
    }


ASKS: Item = {
    "type": "mcp_approval_request",
    "id": "mcpr_1",
    "server_label": "docs",
    "name": "delete",
    "arguments": '{"page": 1}',
}

DOORS = (
    "run",
    "stream",
    pytest.param("run_sync", marks=pytest.mark.slow),
    pytest.param("stream_sync", marks=pytest.mark.slow),
)


def served(server: LocalServer) -> OpenAIModel:
    return OpenAIModel("gpt-5.4", base_url=server.base_url, api_key="test", endpoint="responses")


def agent_for(model: Any, folder: Path, **options: Any) -> Agent[None, str]:
    tools = [
        hosted_shell(folder),
        local_shell(folder),
        apply_patch(folder),
        hosted_mcp("docs", "https://x.y/mcp", approval="always"),
    ]
    return Agent(model, tools=tools, **options)


Check = Callable[[Item, Path], None]


def stdout_is(text: str, code: int = 0) -> Check:
    def check(item: Item, folder: Path) -> None:
        (entry,) = item["output"]
        assert f"\n{text}\n" in entry["stdout"] and 'source="output of' in entry["stdout"]
        assert entry["outcome"] == {"type": "exit", "exit_code": code}

    return check


def refused(words: str) -> Check:
    def check(item: Item, folder: Path) -> None:
        assert item["status"] == "failed" and words in item["output"]

    return check


def _two_commands(item: Item, folder: Path) -> None:
    first, second, third = item["output"]
    assert (first["outcome"], second["outcome"]["exit_code"]) == ({"type": "exit", "exit_code": 3}, 0)
    assert "away" in first["stderr"] and "stayed" in second["stdout"]
    assert third["outcome"] == {"type": "timeout"} and item["max_output_length"] == 1000


def _local(item: Item, folder: Path) -> None:
    said = json.loads(item["output"])
    assert (item["id"], said["exit_code"]) == ("call_ls", 0) and "hello" in said["stdout"]
    assert "call_id" not in item


def _made(item: Item, folder: Path) -> None:
    assert item["status"] == "completed" and (folder / "a" / "b.txt").read_text() == "one\ntwo\n"


def _changed(item: Item, folder: Path) -> None:
    assert item["status"] == "completed" and (folder / "old.txt").read_text() == "1\nII\n3\n"


def _gone(item: Item, folder: Path) -> None:
    assert item["status"] == "completed" and not (folder / "old.txt").exists()


def _allowed(item: Item, folder: Path) -> None:
    assert item == {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}


RUN_HERE: dict[str, tuple[Item, str, Check]] = {
    "a command": (shell_call("echo hi | tr h H"), "shell_call_output", stdout_is("Hi")),
    "commands": (
        shell_call("echo away >&2; exit 3", "echo stayed", "sleep 9", timeout_ms=900, max_output_length=1000),
        "shell_call_output",
        _two_commands,
    ),
    "a program": (exec_call("echo", "hello; true"), "local_shell_call_output", _local),
    "a new file": (patch_call("create_file", "a/b.txt", "+one\n+two"), "apply_patch_call_output", _made),
    "a change": (
        patch_call("update_file", "old.txt", "@@\n 1\n-2\n+II\n 3"),
        "apply_patch_call_output",
        _changed,
    ),
    "a removal": (patch_call("delete_file", "old.txt"), "apply_patch_call_output", _gone),
    "a path out": (
        patch_call("create_file", "../x.txt", "+x"),
        "apply_patch_call_output",
        refused("leads out of the folder"),
    ),
    "a diff that does not fit": (
        patch_call("update_file", "old.txt", "@@\n-7\n+8"),
        "apply_patch_call_output",
        refused("old.txt was not changed. These lines are not in the file"),
    ),
    "an operation of tomorrow": (
        patch_call("rename_file", "old.txt"),
        "apply_patch_call_output",
        refused("create_file"),
    ),
    "a call of an MCP server": (ASKS, "mcp_approval_response", _allowed),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", RUN_HERE)
def test_what_is_asked_for_is_run_here(name: str, door: str, tmp_path: Path, through: Through) -> None:
    """It waits for a person, days and processes later it is run, and its output has the type that the API wants."""
    call, output_type, check = RUN_HERE[name]
    (tmp_path / "old.txt").write_text("1\n2\n3\n")
    invalid = name == "an operation of tomorrow"
    script: list[Any] = [Reply(items=(call,)), "done"]
    with LocalServer(script, strict=not invalid) as server:
        agent = agent_for(served(server), tmp_path)
        result, events = through(door, agent, "go")
        if not invalid:
            assert result.status == "paused"
            assert (tmp_path / "old.txt").read_text() == "1\n2\n3\n"
            (waiting,) = result.approvals
            if door.startswith("stream"):
                assert [e.call_id for e in events if isinstance(e, ApprovalAsked)] == [waiting.call_id]
            state = RunState.from_json(result.state.to_json())
            state.approve(waiting.call_id)
            result, events = through(door, agent, None, state=state)
        assert result.output == "done"
        if door.startswith("stream") and not invalid:
            assert len([e for e in events if isinstance(e, CallSettled)]) == 1
        sent = server.bodies[1]["input"]
        assert call in sent
        (answer,) = [item for item in sent if item["type"] == output_type]
        check(answer, tmp_path)


@pytest.mark.parametrize(
    "call", [shell_call("touch x"), exec_call("touch", "x"), patch_call("create_file", "x", "+"), ASKS]
)
def test_refused(call: Item, tmp_path: Path) -> None:
    """What a person refuses is not run, and the model is told so in the field that it reads."""
    with LocalServer([Reply(items=(call,)), "done"]) as server:
        agent = agent_for(served(server), tmp_path)
        state = agent.run_sync("go").state
        state.deny(agent.run_sync(state=state).approvals[0].call_id, "not today")
        agent.run_sync(state=state)
        assert "not today" in json.dumps(server.bodies[1]["input"][-1])
        assert not (tmp_path / "x").exists()


def test_edited(tmp_path: Path) -> None:
    """A person may change the commands; what a hosted MCP server is asked cannot be changed, and counts as refused."""
    model = ScriptedModel([Reply(items=(shell_call("echo bad"), ASKS)), "done"])
    agent = agent_for(model, tmp_path)
    state = agent.run_sync("go").state
    state.approve("call_sh", arguments={"commands": ["echo good"]})
    state.approve("mcpr_1", arguments={"page": 2})
    items = agent.run_sync(state=state).items
    assert "good" in items[-3]["output"][0]["stdout"]
    assert items[-2]["approve"] is False and '{"page": 2}' in items[-2]["reason"]


def test_always_for_one_tool_of_a_server(tmp_path: Path) -> None:
    """Always allows further calls of that tool of the MCP server, not of its others."""
    others = [{**ASKS, "id": f"mcpr_{n}", "name": name} for n, name in ((2, "delete"), (3, "purge"))]
    model = ScriptedModel([Reply(items=(ASKS,)), Reply(items=tuple(others)), "done"])
    agent = agent_for(model, tmp_path)
    state = agent.run_sync("go").state
    state.approve("mcpr_1", always=True)
    assert [a.name for a in agent.run_sync(state=state).approvals] == ["docs.purge"]


def test_policy(tmp_path: Path) -> None:
    """Options are those of every tool: a predicate over the arguments decides who is asked."""
    shell = hosted_shell(tmp_path).with_options(approval=lambda a: any("rm" in c for c in a["commands"]))
    calls = [shell_call("ls"), {**shell_call("rm x"), "id": "sh_2", "call_id": "call_2"}]
    agent = Agent(ScriptedModel([Reply(items=tuple(calls)), "done"]), tools=[shell])
    assert [a.call_id for a in agent.run_sync("go").approvals] == ["call_2"]


def test_nobody_runs_it(tmp_path: Path) -> None:
    """A call of a hosted tool that the agent does not have is answered like one of an unknown tool."""
    with LocalServer([Reply(items=(shell_call("ls"),)), "done"]) as server:
        result = Agent(served(server), tools=[apply_patch(tmp_path)]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["unknown_tool"]
    assert "no tool named 'shell'" in result.items[-2]["output"][0]["stderr"]


def test_gone_this_turn(tmp_path: Path) -> None:
    """A hosted tool of a toolset that has it no more is not allowed, though it stays in the list."""
    shell = hosted_shell(tmp_path).with_options(approval="never")
    toolset = Toolset([shell]).filtered(lambda context, one: context.turn == 1)
    profile = Profile(allowed_tools=True, endpoints=("responses",))
    model = ScriptedModel([Reply(items=(shell_call("ls"),)), "x"], profile=profile)
    Agent(model, tools=[toolset, web_search()]).run_sync("go")
    choice: Any = model.requests[1].settings.tool_choice
    assert choice["tools"] == [{"type": "web_search"}]
    assert model.requests[1].tools == model.requests[0].tools


def test_the_other_calls_of_the_turn(tmp_path: Path) -> None:
    """A hosted call settles beside functions, each with one output, in the model's order."""

    def where() -> str:
        """Tell where."""
        return "here"

    function = {"type": "function_call", "call_id": "f1", "name": "where", "arguments": "{}"}
    model = ScriptedModel(
        [Reply(items=(shell_call("sleep 0.2"), function, patch_call("delete_file", "no"))), "done"]
    )
    tools = [
        hosted_shell(tmp_path).with_options(approval="never"),
        apply_patch(tmp_path).with_options(approval="never"),
        where,
    ]
    result = Agent(model, tools=tools).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["ok", "ok", "failed"]
    assert [i["type"] for i in result.items if i["type"].endswith("_output")] == [
        "shell_call_output", "function_call_output", "apply_patch_call_output",
    ]  # fmt: skip


CHAT = OpenAIModel("gpt-5.2", base_url="http://127.0.0.1:9/v1", endpoint="chat")


@pytest.mark.parametrize("hidden", [False, True])
def test_refused_on_the_chat_endpoint(tmp_path: Path, hidden: bool) -> None:
    """Before anything is sent, an agent on the chat endpoint says what the tool needs, also in a changing toolset."""
    shell: Any = hosted_shell(tmp_path)
    tools = [Toolset([shell]).filtered(lambda c, t: True)] if hidden else [shell]
    with pytest.raises(SettingsError, match="hosted tool 'shell' exists only on the Responses endpoint: use"):
        Agent(CHAT, tools=tools).run_sync("go")


def _allow(approval: Any) -> bool:
    return True


def test_a_history_moves_to_the_chat_endpoint(tmp_path: Path) -> None:
    """What was run for a hosted tool is shown to another endpoint as calls of functions; what it cannot say is left out."""
    model = ScriptedModel([Reply(items=(shell_call("echo hi"), ASKS)), "done"])
    agent = agent_for(model, tmp_path, on_approval=_allow)
    items = agent.run_sync("go").items
    with LocalServer(["fine"]) as server:
        chat = OpenAIModel("gpt-5.2", base_url=server.base_url, api_key="test", endpoint="chat")
        Agent(chat).run_sync("and now?", state=RunState(items))
        messages = server.bodies[0]["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[1]["tool_calls"][0]["function"]["name"] == "shell"
    assert "hi" in messages[2]["content"]


def _any(x: Any) -> Any:
    return x


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: Agent(ScriptedModel([]), tools=[hosted_shell(folder), hosted_shell(folder)]), "two tools are called 'shell'"),
    (lambda folder: Toolset([apply_patch(folder)]).prefixed("x"), "cannot be renamed"),
    (lambda folder: _any(hosted_mcp)("x", "https://x.y", approval="sometimes"), "approval="),
    (lambda folder: HostedTool("tool_search"), r"use tool_search\(tools\)"),
    (lambda folder: HostedTool("computer"), "write a @tool"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), FAULTS)
def test_mistakes_are_errors_at_once(make: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    """What cannot work is an error where it is written, with the fix."""
    with pytest.raises(ToolDefinitionError, match=message):
        made = make(tmp_path)
        assert isinstance(made, Toolset)
        _ = made.known


def test_outputs_answer_calls() -> None:
    """A state refuses an answer to nothing; a shell of the server's own needs none."""
    for kind, key in (
        ("apply_patch_call_output", "call_id"),
        ("mcp_approval_response", "approval_request_id"),
    ):
        with pytest.raises(StateError, match="answers no open call"):
            RunState([{"type": kind, key: "x"}])
    assert RunState([{**shell_call("ls"), "environment": {"type": "container_reference"}}]).open_calls == []
    assert len(RunState([shell_call("ls")]).open_calls) == 1


WRONG: list[tuple[Sequence[Mapping[str, Any]], str]] = [
    ([shell_call("ls")], "No tool output found for shell call call_sh"),
    (
        [ASKS, {"type": "mcp_approval_response", "approval_request_id": "z", "approve": True}],
        "MCP approval request",
    ),
    ([{**ASKS, "arguments": {}}], "Invalid type for 'input[1].arguments'"),
    ([{"type": "apply_patch_call_output", "call_id": "c", "status": "done"}], "Invalid value: 'done'"),
    ([patch_call("update_file", "x")], "Missing required parameter: 'input[1].operation.diff'"),
]


@pytest.mark.parametrize(("items", "message"), WRONG)
def test_the_local_server_is_as_strict(items: Sequence[Mapping[str, Any]], message: str) -> None:
    """The local server refuses hosted items that the real one would refuse."""
    user = {"type": "message", "role": "user", "content": "x"}
    with LocalServer(["never"]) as server, pytest.raises(ModelError) as caught:
        import openai

        client = openai.OpenAI(base_url=server.base_url, api_key="x", max_retries=0)
        try:
            client.responses.create(model="gpt-5.4", input=[user, *items])  # type: ignore[list-item] # pyright: ignore
        except openai.BadRequestError as error:
            raise ModelError(str(error)) from error
    assert message in str(caught.value)


def test_profile_is_not_asked_for_known_types() -> None:
    """A model that is reached by Responses takes hosted tools whatever else its profile says."""
    model = ScriptedModel(["x"], profile=Profile(endpoints=("responses",)))
    assert Agent(model, tools=[web_search()]).run_sync("go").output == "x"
    assert sys.platform.startswith("linux")


def test_chained_to_the_servers_own_history(tmp_path: Path) -> None:
    """Where the server keeps the history, only the answers to its hosted calls are sent."""
    calls = (shell_call("echo hi"), patch_call("create_file", "n", "+x"), ASKS)
    with LocalServer([Reply(items=calls), "done"]) as server:
        agent = agent_for(served(server), tmp_path, settings=Settings(chain=True), on_approval=_allow)
        assert agent.run_sync("go").output == "done"
        assert [item["type"] for item in server.bodies[1]["input"]] == [
            "shell_call_output",
            "apply_patch_call_output",
            "mcp_approval_response",
        ]


def test_long_output_can_be_kept_whole(tmp_path: Path) -> None:
    """`read_output` stands around a hosted shell as around any tool."""
    shell = hosted_shell(tmp_path).with_options(approval="never", max_output=1000)
    model = ScriptedModel([Reply(items=(shell_call("seq 1 2000", "echo b"),)), "done"])
    result = Agent(model, tools=[read_output([shell])]).run_sync("go")
    (entry,) = result.items[-2]["output"]
    assert "read_output with output 1" in entry["stdout"]
    model = ScriptedModel([Reply(items=(shell_call("echo a", "echo b"),)), "done"])
    result = Agent(model, tools=[read_output([shell])]).run_sync("go")
    assert [entry["outcome"]["exit_code"] for entry in result.items[-2]["output"]] == [0, 0]


def test_served_over_mcp(tmp_path: Path) -> None:
    """A hosted shell is a tool like any other for clients of MCP; what a model's server calls cannot be served."""
    assert [t.name for t in asyncio.run(served_tools([hosted_shell(tmp_path), apply_patch(tmp_path)]))] == [
        "shell",
        "apply_patch",
    ]
    with pytest.raises(ConfigurationError, match="is called by the model's server"):
        asyncio.run(served_tools([hosted_mcp("docs", "https://x.y", approval="always")]))


MALFORMED: list[Item] = [
    shell_call(),
    {**shell_call("ls"), "action": None},
    {**shell_call("ls"), "action": {"commands": "ls"}},
    {**shell_call("ls"), "action": {"commands": [1]}},
    {**shell_call("ls"), "action": {"commands": ["ls"], "timeout_ms": -1}},
    shell_call("ls\0"),
    {**patch_call("create_file", "x"), "operation": None},
    {**patch_call("create_file", "x"), "operation": "create"},
    patch_call("create_file", "x", "no plus"),
    patch_call("chmod_file", "x"),
    {**exec_call("ls"), "action": {"type": "exec", "command": []}},
    {**exec_call("ls"), "action": {"type": "exec", "command": ["ls"], "env": {"A": 1}}},
    exec_call("ls", user="root"),
    {**ASKS, "arguments": "{"},
    {**ASKS, "arguments": "[]"},
]


@pytest.mark.parametrize("call", MALFORMED)
def test_what_a_server_writes_wrongly_is_answered(call: Item, tmp_path: Path) -> None:
    """A call that makes no sense is settled with an answer of its type that says so; the run goes on."""
    model = ScriptedModel([Reply(items=(call,)), "done"])
    result = agent_for(model, tmp_path, on_approval=_allow).run_sync("go")
    assert result.output == "done"
    (outcome,) = [c.outcome for c in result.calls if c.outcome]
    answer = json.dumps(result.items[-2])
    if outcome.ok:  # of a list of commands, each has an entry that says how it ended
        assert '"exit_code": 126' in answer or '"exit_code": 127' in answer
    else:
        assert outcome.status in ("invalid_arguments", "failed")
        assert '"failed"' in answer or '"approve": false' in answer or "shell_call_output" in answer
    assert not list(tmp_path.iterdir())
