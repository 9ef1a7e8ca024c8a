"""MCP servers written by hand, byte by byte, that answer in ways no library would: each answer is one outcome."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("mcp")

from jigwork import Agent
from jigwork.testing import ScriptedModel
from jigwork.tools import MCPToolset

SERVER = textwrap.dedent('''
    """Answers the call of a tool with the lines that it was started with."""
    import json, sys

    def send(id, **answer):
        print(json.dumps({"jsonrpc": "2.0", "id": id, **answer}), flush=True)

    for line in sys.stdin:
        asked = json.loads(line)
        id, method = asked.get("id"), asked.get("method")
        if id is None:
            continue
        if method == "initialize":
            about = {"capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "1"}}
            send(id, result={"protocolVersion": asked["params"]["protocolVersion"], **about})
        elif method == "tools/list":
            send(id, result={"tools": [{"name": "go", "description": "Go.", "inputSchema": {"type": "object"}}]})
        elif method == "tools/call":
            for answer in json.loads(sys.argv[1]):
                if isinstance(answer, str):
                    print(answer, flush=True)
                else:
                    send(answer.pop("id", id), **answer)
        else:
            send(id, error={"code": -32601, "message": "no such method"})
''')


def text(said: str) -> str:
    return f'{{"result": {{"content": [{{"type": "text", "text": "{said}"}}]}}}}'


CASES = [
    # The code is also the client's own for a connection that was closed; this one is alive.
    ('[{"error": {"code": -32000, "message": "the printer is empty"}}]', "failed", "the printer is empty"),
    ('[{"error": {"code": -32000, "message": ""}}]', "failed", "refused"),
    (f'["no JSON", "{{", {text("after noise")}]', "ok", "after noise"),
    ('[{"result": {"content": "no list"}}]', "failed", "no valid answer"),
    (f'[{{"id": 9999, "result": {{}}}}, {text("the right one")}]', "ok", "the right one"),
    (f"[{text('first')}, {text('second')}]", "ok", "first"),
]


@pytest.mark.parametrize(("answers", "status", "said"), CASES, ids=[case[2] for case in CASES])
def test_what_a_server_answers_is_one_outcome(tmp_path: Path, answers: str, status: str, said: str) -> None:
    """Two calls at once and one after them: each has it, and the connection goes on."""
    (tmp_path / "server.py").write_text(SERVER)
    tools = MCPToolset.stdio(sys.executable, str(tmp_path / "server.py"), answers).with_options(
        timeout=10, approval="never"
    )
    model = ScriptedModel([[{"name": "go"}, {"name": "go"}], [{"name": "go"}], "Done"])
    result = Agent(model, tools=[tools]).run_sync("go")
    ended = [(c.outcome.status, said in str(c.outcome.output)) for c in result.calls if c.outcome]
    assert ended == [(status, True)] * 3
