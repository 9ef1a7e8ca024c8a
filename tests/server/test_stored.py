"""Stored responses: retrieved, listed, deleted, chained, run in the background; and what an id may stand for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from jigwork.agent.pytest_plugin import ServerFactory
from jigwork.agent.replies import Reply, ScriptedCall
from jigwork.agent.server import ApiError, LocalServer, ServedRequest

Sdk = Callable[[LocalServer], openai.OpenAI]
Post = Callable[..., httpx2.Response]


def test_life_of_a_response(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A response is kept, its input can be listed, and it can be deleted."""
    client = sdk(jigwork_server(["Hello"]))
    made = client.responses.create(model="gpt-5.2", input=[{"role": "user", "content": "Hi"}])
    assert client.responses.retrieve(made.id).output_text == "Hello"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
        client.responses.retrieve(made.id)


def test_input_items_in_pages(jigwork_server: ServerFactory, http: httpx2.Client, post: Post) -> None:
    """The input is listed newest first by default, in pages that say whether more follow."""
    server = jigwork_server(["Hello"])
    sent = [{"role": "user", "content": str(number)} for number in range(5)]
    made = post(server, "/responses", input=sent).json()
    url = f"{server.base_url}/responses/{made['id']}/input_items"
    page = http.get(url, params={"limit": "2"}).json()
    assert [item["content"] for item in page["data"]] == ["4", "3"] and page["has_more"] is True
    page = http.get(url, params={"order": "asc", "after": page["last_id"]}).json()
    assert [item["content"] for item in page["data"]] == ["4"] and page["has_more"] is False
    for bad in ({"order": "up"}, {"limit": "0"}, {"limit": "many"}):
        assert http.get(url, params=bad).status_code == 400


def test_unstored_response(jigwork_server: ServerFactory, post: Post, http: httpx2.Client) -> None:
    """With `store` false nothing is kept, so nothing can be continued."""
    server = jigwork_server(["Hello"])
    made = post(server, "/responses", store=False).json()
    assert http.get(f"{server.base_url}/responses/{made['id']}").status_code == 404
    refused = post(server, "/responses", previous_response_id=made["id"]).json()["error"]
    assert refused["code"] == "previous_response_not_found"


def test_chaining(jigwork_server: ServerFactory, post: Post) -> None:
    """`previous_response_id` brings the whole conversation, and its open calls must be answered."""
    seen: list[ServedRequest] = []

    def respond(request: ServedRequest) -> Reply:
        seen.append(request)
        if request.outputs:
            return Reply(text=str(request.outputs[0]["output"]))
        return Reply(reasoning="hm", calls=(ScriptedCall(name="f", call_id="call_1"),))

    server = jigwork_server(respond)
    first = post(server, "/responses", input="Go").json()
    unanswered = post(server, "/responses", input="And?", previous_response_id=first["id"])
    assert unanswered.json()["error"]["message"] == "No tool output found for function call call_1."
    output = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
    second = post(server, "/responses", input=[output], previous_response_id=first["id"]).json()
    assert second["output"][0]["content"][0]["text"] == "done"
    third = post(server, "/responses", input="Thanks", previous_response_id=second["id"]).json()
    assert third["previous_response_id"] == second["id"]
    kinds = [item["type"] for item in seen[-1].items]
    assert kinds == ["message", "reasoning", "function_call", "function_call_output", "message", "message"]
    assert [item["content"] for item in seen[-1].sent] == ["Thanks"]


def test_reasoning_by_its_id(jigwork_server: ServerFactory, post: Post) -> None:
    """A stored reasoning item may be named by its id; one that was not stored may not, and the error says why."""
    server = jigwork_server([Reply(reasoning="hm", text="Hello")] * 4)
    user = {"role": "user", "content": "Hi"}
    stored = post(server, "/responses").json()["output"]
    assert post(server, "/responses", input=[*stored, user]).status_code == 200
    references = [{"type": "item_reference", "id": item["id"]} for item in stored]
    assert post(server, "/responses", input=[*references, user]).status_code == 200
    lost = post(server, "/responses", store=False).json()["output"]
    refused = post(server, "/responses", input=[*lost, user], store=False)
    assert refused.status_code == 404
    message = refused.json()["error"]["message"]
    assert f"Item with id '{lost[0]['id']}' not found. Items are not persisted" in message


def test_unknown_items_come_back(jigwork_server: ServerFactory, post: Post) -> None:
    """An item of a type that the server made up is taken back from whoever keeps histories whole."""
    server = jigwork_server([Reply(reasoning="hm", text="Hello", fault={"unknown_item": True}), "ok"])
    asked = {"include": ["reasoning.encrypted_content"], "store": False}
    output = post(server, "/responses", **asked).json()["output"]
    assert [item["type"] for item in output] == ["weird_call", "reasoning", "message"]
    again = post(server, "/responses", input=[*output, {"role": "user", "content": "?"}], **asked)
    assert again.status_code == 200, again.text


def test_item_without_its_reasoning(jigwork_server: ServerFactory, post: Post) -> None:
    """A stored item that came after reasoning may not be replayed without it."""
    server = jigwork_server([Reply(reasoning="hm", text="Hello")])
    reasoning, message = post(server, "/responses").json()["output"]
    refused = post(server, "/responses", input=[message, {"role": "user", "content": "?"}])
    assert refused.json()["error"]["message"] == (
        f"Item '{message['id']}' of type 'message' was provided without its required 'reasoning' item: "
        f"'{reasoning['id']}'."
    )


def _poll(client: openai.OpenAI, response_id: str) -> str | None:
    for _ in range(200):
        status = client.responses.retrieve(response_id).status
        if status not in ("queued", "in_progress"):
            return status
        time.sleep(0.01)
    raise AssertionError("the response never ended")


def test_background(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A background response is queued, then completed, or failed where the engine or the script fails."""

    def respond(request: ServedRequest) -> Reply:
        if request.text == "fail":
            raise ApiError("no", status=500)
        if request.text == "crash":
            raise KeyError("lost")
        if request.text == "fault":
            return Reply(fault={"failed": "rate_limit_exceeded"})
        return Reply(text="Hello", delay=0.05)

    server = jigwork_server(respond)
    client = sdk(server)
    made = client.responses.create(model="gpt-5.2", input="Hi", background=True)
    assert made.status == "queued" and made.output == []
    assert _poll(client, made.id) == "completed"
    assert client.responses.retrieve(made.id).output_text == "Hello"
    codes = {"fail": "server_error", "crash": "server_error", "fault": "rate_limit_exceeded"}
    for text, code in codes.items():
        failing = client.responses.create(model="gpt-5.2", input=text, background=True)
        assert _poll(client, failing.id) == "failed"
        error = client.responses.retrieve(failing.id).error
        assert error is not None and error.code == code
    assert [type(error) for error in server.errors] == [KeyError]


def test_cancel(jigwork_server: ServerFactory, sdk: Sdk) -> None:
    """A background response can be cancelled and stays so; any other cannot."""
    client = sdk(jigwork_server([Reply(text="Hello", delay=0.1), "there"]))
    made = client.responses.create(model="gpt-5.2", input="Hi", background=True)
    assert client.responses.cancel(made.id).status == "cancelled"
    time.sleep(0.15)
    assert client.responses.retrieve(made.id).status == "cancelled"
    plain = client.responses.create(model="gpt-5.2", input="Hi")
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(plain.id)


def test_count_of_input_tokens(jigwork_server: ServerFactory, sdk: Sdk, post: Post) -> None:
    """Input tokens are counted as `usage` counts them, and grow with what is sent."""
    server = jigwork_server(["Hello"])
    client = sdk(server)
    count = client.responses.input_tokens.count(model="gpt-5.2", input="Hello there")
    assert count.object == "response.input_tokens"
    usage: Any = client.responses.create(model="gpt-5.2", input="Hello there").usage
    assert usage.input_tokens == count.input_tokens
    assert client.responses.input_tokens.count(model="gpt-5.2", input="Hello " * 99).input_tokens > 100
    assert post(server, "/responses/input_tokens", stream=True).json()["error"]["param"] == "stream"
