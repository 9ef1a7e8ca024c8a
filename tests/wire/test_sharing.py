"""One model object in many hands: runs at once, event loops, clients of one's own, streams that are left, the log."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import Any

import anyio
import httpx2
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from jigwork import Agent, OpenAIModel, Settings
from jigwork.agent.events import TextDelta
from jigwork.agent.items import Item
from jigwork.tools import hosted_mcp

KEY = "sk-wire-0123456789abcdef"


def text_of(kit: Any, endpoint: str, text: str) -> Any:
    """An answer of one text, not streamed."""
    if endpoint == "chat":
        message = {"role": "assistant", "content": text}
        return kit.Reply.json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    part: Item = {"type": "output_text", "text": text, "annotations": []}
    item: Item = {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}
    return kit.Reply.json({"id": "resp_1", "status": "completed", "output": [item]})


def sse_of(kit: Any, *steps: Any) -> Any:
    """A chat stream of these texts; what is no text is a step of the server."""
    sent = [
        {"choices": [{"index": 0, "delta": {"content": step}, "finish_reason": None}]}
        if isinstance(step, str)
        else step
        for step in steps
    ]
    return kit.Reply.sse(*sent, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]")


def echo(kit: Any, endpoint: str) -> Any:
    """Answers the first request of a conversation with a call, the second with what the tool said."""

    def answer(request: Any) -> Any:
        history = request.body.get("input", request.body.get("messages"))
        last = history[-1]
        if endpoint == "chat":
            if last["role"] == "tool":
                return text_of(kit, endpoint, last["content"])
            call = {
                "id": "call_1",
                "type": "function",
                "function": {"name": "twice", "arguments": json.dumps({"text": last["content"]})},
            }
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            return kit.Reply.json(
                {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
            )
        if last["type"] == "function_call_output":
            return text_of(kit, endpoint, last["output"])
        call = {
            "id": "fc_1",
            "type": "function_call",
            "call_id": "call_1",
            "name": "twice",
            "arguments": json.dumps({"text": last["content"]}),
        }
        return kit.Reply.json({"id": "resp_1", "status": "completed", "output": [call]})

    return answer


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_two_hundred_runs_at_once(raw: Any, kit: Any, endpoint: str) -> None:
    """Runs on one model do not meet: each has its own history, calls and answer, although the ids are the same."""
    raw.answer = echo(kit, endpoint)
    seen: list[str] = []

    def twice(text: str) -> str:
        seen.append(text)
        return f"{text}{text}"

    agent = Agent(raw.model(endpoint=endpoint), tools=[twice])

    async def go() -> list[str]:
        results = await asyncio.gather(*(agent.run(f"<{n}>") for n in range(200)))
        await agent.model.aclose()
        return [result.output for result in results]

    assert asyncio.run(go()) == [f"<{n}><{n}>" for n in range(200)]
    assert sorted(seen) == sorted(f"<{n}>" for n in range(200))
    assert len(raw.requests) == 400
    assert raw.wait_closed()


def test_two_event_loops_and_reuse_after_closing(raw: Any, kit: Any) -> None:
    """One model in two threads with a loop each, at the same time; and again after `aclose`."""
    raw.answer = echo(kit, "chat")
    agent = Agent(raw.model(endpoint="chat"), tools=[_twice])
    outputs: list[str] = []

    def life(name: str) -> None:
        async def go() -> None:
            for n in range(5):
                outputs.append((await agent.run(f"{name}{n}")).output)
            await agent.model.aclose()
            outputs.append((await agent.run(f"{name}-again")).output)
            await agent.model.aclose()

        asyncio.run(go())

    threads = [threading.Thread(target=life, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outputs) == sorted(2 * f"{name}{n}" for name in "ab" for n in [*range(5), "-again"])
    assert raw.wait_closed()


def _twice(text: str) -> str:
    return f"{text}{text}"


_twice.__name__ = "twice"


def test_connections_are_kept_between_requests(raw: Any, kit: Any) -> None:
    """A conversation of many turns, streamed and not, uses one connection."""
    raw.replies = [text_of(kit, "chat", "a"), sse_of(kit, "b"), text_of(kit, "chat", "c"), sse_of(kit, "d")]
    agent = Agent(raw.model(endpoint="chat"))

    async def go() -> None:
        for n in range(4):
            if n % 2:
                async with agent.stream("go") as run:
                    await run.wait()
            else:
                await agent.run("go")
        await agent.model.aclose()

    asyncio.run(go())
    assert {request.connection for request in raw.requests} == {1}


@pytest.mark.parametrize("how", ["leave", "cancel", "asyncio", "anyio", "task"])
def test_a_stream_that_is_left_gives_its_connection_back(raw: Any, kit: Any, how: str) -> None:
    """With room for one connection only, the next request works, whichever way the stream was left."""
    gate = threading.Event()
    raw.replies = [sse_of(kit, "one ", kit.Pause(gate=gate), "two"), text_of(kit, "chat", "next")]

    async def go() -> str:
        limits = httpx2.Limits(max_connections=1)
        http = httpx2.AsyncClient(limits=limits, timeout=httpx2.Timeout(2.0, pool=1.0))
        async with http:
            client = AsyncOpenAI(api_key=KEY, base_url=raw.url, http_client=http)
            agent = Agent(OpenAIModel("m", client=client, endpoint="chat"))
            await _left(agent, how)
            return (await asyncio.wait_for(agent.run("again"), 3)).output

    assert asyncio.run(go()) == "next"
    gate.set()
    assert len(raw.requests) == 2


async def _left(agent: Agent[Any, str], how: str) -> None:
    async def watch() -> None:
        async with agent.stream("go") as run:
            async for event in run:
                if isinstance(event, TextDelta):
                    if how == "leave":
                        return
                    if how == "cancel":
                        run.cancel()
                        return
                    begun.set()

    begun = asyncio.Event()
    if how in ("leave", "cancel"):
        await watch()
    elif how == "asyncio":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await watch()
    elif how == "anyio":
        with anyio.move_on_after(0.15):
            await agent.run("go")
    else:
        task = asyncio.create_task(watch())
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


def test_a_cancelled_run_leaves_a_state_that_goes_on(raw: Any, kit: Any) -> None:
    """What a broken answer said is not in the history; the same state is answered afterwards."""
    gate = threading.Event()
    raw.replies = [sse_of(kit, "one ", kit.Pause(gate=gate), "two"), text_of(kit, "chat", "next")]
    agent = Agent(raw.model(endpoint="chat"))

    async def go() -> tuple[list[Any], str]:
        async with agent.stream("go") as run:
            async for event in run:
                if isinstance(event, TextDelta):
                    break
        items = list(run.state.items)
        result = await agent.run(state=run.state)
        await agent.model.aclose()
        return items, result.output

    items, output = asyncio.run(go())
    gate.set()
    assert [item["role"] for item in items] == ["user"]
    assert output == "next"


def test_a_client_of_ones_own(raw: Any, kit: Any) -> None:
    """Its key, headers, query and retries are its own; it stays open, and its retries are not added to ours."""
    raw.replies = [
        kit.Reply.json({"error": {"message": "x"}}, "500 Internal Server Error"),
        text_of(kit, "chat", "ok"),
    ]

    async def go() -> str:
        client = AsyncOpenAI(
            api_key=KEY,
            base_url=raw.url,
            organization="org-1",
            default_headers={"x-team": "blue"},
            default_query={"version": "7"},
            max_retries=5,
        )
        agent = Agent(
            OpenAIModel("m", client=client, endpoint="chat"), settings=Settings(extra_headers={"x-run": "1"})
        )
        output = (await agent.run("go")).output
        await agent.model.aclose()
        assert not client.is_closed()
        await client.close()
        return output

    assert asyncio.run(go()) == "ok"
    request = raw.requests[1]
    assert request.path == "/v1/chat/completions?version=7"
    sent = {
        name: request.headers.get(name)
        for name in ("authorization", "openai-organization", "x-team", "x-run")
    }
    assert sent == {
        "authorization": f"Bearer {KEY}",
        "openai-organization": "org-1",
        "x-team": "blue",
        "x-run": "1",
    }
    assert len(raw.requests) == 2


@pytest.mark.parametrize("deployment", [None, "my-deployment"])
@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_an_azure_client(raw: Any, kit: Any, endpoint: Any, deployment: str | None) -> None:
    """Azure's client knows its own addresses, deployments in the path of chat, and its own key header."""
    raw.replies = [text_of(kit, endpoint, "ok")]

    async def go() -> str:
        options: dict[str, Any] = {} if deployment is None else {"azure_deployment": deployment}
        client = AsyncAzureOpenAI(
            api_key=KEY, azure_endpoint=raw.address, api_version="2026-01-01", **options
        )
        async with client:
            return (await Agent(OpenAIModel("gpt-5.2", client=client, endpoint=endpoint)).run("go")).output

    assert asyncio.run(go()) == "ok"
    where = f"deployments/{deployment or 'gpt-5.2'}/chat/completions" if endpoint == "chat" else "responses"
    assert raw.requests[0].path == f"/openai/{where}?api-version=2026-01-01"
    assert raw.requests[0].headers["api-key"] == KEY
    assert "authorization" not in raw.requests[0].headers


@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_the_log_shows_everything_but_keys(
    raw: Any, kit: Any, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Request and answer are in the log as they were, and no key of any kind: also where the server repeats one."""
    caplog.set_level(logging.DEBUG)
    hosted = hosted_mcp(
        "docs",
        "https://example.org/mcp",
        authorization="tok-hosted-12345",
        headers={"X-Own": "own-header-12345"},
    )
    told = f"your key is {KEY} and Bearer {KEY}"
    item: Item = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "ok", "annotations": []}],
    }
    good: Item = {"id": "r", "status": "completed", "output": [item]}
    raw.replies = [
        kit.Reply.json({"error": {"message": told}}, "500 Internal Server Error"),
        kit.Reply.json(good)
        if mode == "plain"
        else kit.Reply.sse({"type": "response.completed", "response": good}),
    ]
    settings = Settings(extra_headers={"x-api-key": "second-key-12345"})
    agent = Agent(raw.model("gpt-5.2"), tools=[hosted], settings=settings)
    run = kit.play(agent, mode, "what is in the log?")
    assert run.error is None
    shown = (
        caplog.text + json.dumps(run.result.requests[0].body) + repr(run.events) + run.result.state.to_json()
    )
    assert "what is in the log?" in caplog.text
    for secret in (KEY, "second-key-12345", "tok-hosted-12345", "own-header-12345"):
        assert secret not in shown, secret
    assert raw.bodies[-1]["tools"][0]["authorization"] == "tok-hosted-12345"
