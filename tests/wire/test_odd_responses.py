"""Responses streams and objects as gateways and newer servers send them, and what goes back to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jigwork import Agent, IncompleteError, ModelConnectionError, RefusalError, ServerError, Settings
from jigwork.agent.items import Item

USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 12,
}


def message(text: str, id: str = "msg_z", **more: Any) -> Item:
    part: Item = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part],
        **more,
    }


def call(id: str, call_id: str, city: str = "Rome", **more: Any) -> Item:
    arguments = json.dumps({"city": city})
    return {"id": id, "type": "function_call", "call_id": call_id, "name": "weather", "arguments": arguments, "status": "completed", **more}  # fmt: skip


def ended(*output: Item, status: str = "completed", id: str = "resp_1", **more: Any) -> dict[str, Any]:
    body = {
        "id": id,
        "object": "response",
        "model": "m",
        "status": status,
        "output": list(output),
        "usage": USAGE,
        **more,
    }
    return {"type": f"response.{status}", "response": body}


def done(index: int | None, item: Item) -> dict[str, Any]:
    place = {} if index is None else {"output_index": index}
    return {"type": "response.output_item.done", **place, "item": item}


def added(index: int | None, item: Item) -> dict[str, Any]:
    begun: Item = {**item, **({"arguments": ""} if "arguments" in item else {"content": []})}
    place = {} if index is None else {"output_index": index}
    return {"type": "response.output_item.added", **place, "item": begun}


def wrote(text: str, **place: Any) -> dict[str, Any]:
    return {"type": "response.function_call_arguments.delta", "delta": text, **place}


A, B = call("fc_a", "call_a", "Rome"), call("fc_b", "call_b", "Bonn")
ROME, BONN = ("weather", {"city": "Rome", "unit": "C"}), ("weather", {"city": "Bonn", "unit": "C"})

CALLS: dict[str, list[Any]] = {
    "usual": [added(0, A), done(0, A), added(1, B), done(1, B), ended(A, B)],
    "index always 0": [added(0, A), done(0, A), added(0, B), done(0, B), ended(A, B)],
    "index always 0, output empty at the end": [added(0, A), done(0, A), added(0, B), done(0, B), ended()],
    "index always 0, both begun first": [added(0, A), added(0, B), done(0, A), done(0, B), ended()],
    "no index": [added(None, A), done(None, A), added(None, B), done(None, B), ended()],
    "no index, interleaved": [added(None, A), added(None, B), wrote('{"city": "Rome"}', item_id="fc_a"), wrote('{"city": "Bonn"}', item_id="fc_b"), done(None, B), done(None, A), ended()],
    "only at the end": [ended(A, B)],
    "only added and deltas": [added(0, A), wrote('{"city": "Rome"}', output_index=0), added(1, B), wrote('{"city": "Bonn"}', output_index=1), ended()],
    "arguments only in arguments.done": [
        added(0, A), {"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "fc_a", "arguments": A["arguments"]}, done(0, {**A, "arguments": ""}),
        added(1, B), {"type": "response.function_call_arguments.done", "output_index": 1, "item_id": "fc_b", "arguments": B["arguments"]}, done(1, {**B, "arguments": None}), ended(),
    ],
    "objects as arguments": [done(0, {**A, "arguments": {"city": "Rome"}}), done(1, {**B, "arguments": {"city": "Bonn"}}), ended()],
    "name only when added": [added(0, A), done(0, {k: v for k, v in A.items() if k != "name"}), added(1, B), done(1, {**B, "name": ""}), ended()],
    "same item id twice": [added(0, A), done(0, A), added(1, {**B, "id": "fc_a"}), done(1, {**B, "id": "fc_a"}), ended(A, {**B, "id": "fc_a"})],
    "empty item ids": [added(0, {**A, "id": ""}), done(0, {**A, "id": ""}), added(1, {**B, "id": ""}), done(1, {**B, "id": ""}), ended({**A, "id": ""}, {**B, "id": ""})],
    "empty item ids, only at the end": [ended({**A, "id": ""}, {**B, "id": ""})],
    "same call id": [done(0, A), done(1, {**B, "call_id": "call_a"}), ended()],
    "no call id": [done(0, {**A, "call_id": None}), done(1, {k: v for k, v in B.items() if k != "call_id"}), ended()],
    "indexes with gaps": [done(3, A), done(7, B), ended()],
    "done twice": [added(0, A), done(0, A), done(0, A), added(1, B), done(1, B), done(1, B), ended(A, B)],
    "output null": [done(0, A), done(1, B), {"type": "response.completed", "response": {"id": "r", "output": None}}],
    "unknown events": [{"type": "response.made_up", "x": [1]}, done(0, A), {"type": "response.weird.delta", "delta": {}}, done(1, B), {"type": "keepalive", "sequence_number": 3}, ended(A, B)],
    "done marker": [done(0, A), done(1, B), ended(A, B), "[DONE]"],
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls_in_odd_streams(raw: Any, kit: Any, name: str) -> None:
    """Each call reaches its tool once, has an id of its own, and is answered with it in the next request."""
    raw.replies = [kit.Reply.sse(*CALLS[name]), kit.Reply.sse(done(0, message("ok")), ended(message("ok")))]
    desk = kit.Desk()
    run = kit.play(Agent(raw.model(), tools=desk.pick("weather")), "stream", "go", desk)
    assert run.error is None
    assert sorted(desk.calls, key=str) == [BONN, ROME]
    assert run.result.output == run.text == "ok"
    sent = raw.bodies[1]["input"]
    assert [i["type"] for i in sent[1:]] == ["function_call"] * 2 + ["function_call_output"] * 2
    assert [i["name"] for i in sent[1:3]] == ["weather", "weather"]
    ids = [i["call_id"] for i in sent[1:3]]
    assert len(set(ids)) == 2 and [i["call_id"] for i in sent[3:]] == ids
    assert len({i["id"] for i in sent[1:3] if "id" in i}) == len([i for i in sent[1:3] if "id" in i])
    assert [json.loads(i["arguments"]) for i in sent[1:3]] == [{"city": "Rome"}, {"city": "Bonn"}]


THOUGHT: Item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "E1"}
UNKNOWN: list[Item] = [
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
    {"id": "ci_1", "type": "code_interpreter_call", "status": "completed", "code": "1", "container_id": "c", "outputs": None},
    {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "s", "tools": [{"name": "t", "input_schema": {"type": "object"}}]},
    {"id": "mcp_1", "type": "mcp_call", "server_label": "s", "name": "t", "arguments": "{}", "output": "o", "error": None},
    {"id": "cmp_1", "type": "compaction", "encrypted_content": "C1"},
    {"id": "x_1", "type": "weird_call", "payload": {"deep": [1, {"a": None}]}},
    {"id": "sh_1", "type": "shell_call", "call_id": "s1", "status": "completed", "action": {"commands": ["ls"]}, "environment": {"type": "container_reference", "container_id": "c"}},
    {"id": "sho_1", "type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
]  # fmt: skip


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("last", ["message", "shell_call_output"])
def test_items_that_nobody_here_runs_are_kept_whole_and_in_order(
    raw: Any, kit: Any, mode: str, last: str
) -> None:
    """Server-run, compaction and unknown items stay in the history as they are and go back as they are."""
    answer = message("done", phase="final_answer")
    output = (
        [THOUGHT, *UNKNOWN, answer] if last == "message" else [THOUGHT, *UNKNOWN[:-1], answer, UNKNOWN[-1]]
    )
    if mode == "plain":
        raw.replies = [
            kit.Reply.json(ended(*output)["response"]),
            kit.Reply.json(ended(message("bye"))["response"]),
        ]
    else:
        events = [event for n, item in enumerate(output) for event in (done(n, item),)]
        raw.replies = [
            kit.Reply.sse(*events, ended(*output)),
            kit.Reply.sse(done(0, message("bye")), ended()),
        ]
    agent = Agent(raw.model())
    first = kit.play(agent, mode, "go")
    assert first.error is None
    assert first.result.output == "done"
    assert len(raw.requests) == 1
    assert first.items[1:] == output
    second = kit.play(agent, mode, "and?", state=first.result.state)
    assert second.error is None
    assert raw.bodies[1]["input"][1:-1] == output
    assert raw.bodies[0]["include"] == raw.bodies[1]["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_grammar_calls_and_images_as_outputs(raw: Any, kit: Any, mode: str) -> None:
    """A custom call has its raw text and its own kind of output; images go back inside the output."""
    move = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_m", "name": "move", "input": "left 3"}
    look = {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_l",
        "name": "look",
        "arguments": '{"place":"x"}',
        "status": "completed",
    }
    first = ended(THOUGHT, move, look)
    if mode == "plain":
        raw.replies = [kit.Reply.json(first["response"]), kit.Reply.json(ended(message("ok"))["response"])]
    else:
        raw.replies = [
            kit.Reply.sse(
                done(0, THOUGHT),
                {"type": "response.output_item.added", "output_index": 1, "item": {**move, "input": ""}},
                {
                    "type": "response.custom_tool_call_input.delta",
                    "output_index": 1,
                    "item_id": "ctc_1",
                    "delta": "left ",
                },
                {
                    "type": "response.custom_tool_call_input.delta",
                    "output_index": 1,
                    "item_id": "ctc_1",
                    "delta": "3",
                },
                {
                    "type": "response.custom_tool_call_input.done",
                    "output_index": 1,
                    "item_id": "ctc_1",
                    "input": "left 3",
                },
                done(1, move),
                done(2, look),
                first,
            ),
            kit.Reply.sse(ended(message("ok"))),
        ]
    desk = kit.Desk()
    run = kit.play(Agent(raw.model(), tools=desk.tools), mode, "go", desk)
    assert run.error is None
    assert sorted(desk.calls, key=str) == [("look", {"place": "x"}), ("move", "left 3")]
    picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}
    assert raw.bodies[1]["input"][1:] == [
        THOUGHT,
        move,
        look,
        {"type": "custom_tool_call_output", "call_id": "call_m", "output": "moved left 3"},
        {"type": "function_call_output", "call_id": "call_l", "output": [{"type": "input_text", "text": "seen: x"}, picture]},
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter", "steered", None])
def test_incomplete_answers(raw: Any, kit: Any, mode: str, reason: str | None) -> None:
    """An answer that was cut is an error with the server's reason; what came of it is in the state, with its cost."""
    half = message("half an", status="incomplete")
    details = None if reason is None else {"reason": reason}
    end = ended(half, status="incomplete", incomplete_details=details)
    delta = {
        "type": "response.output_text.delta",
        "output_index": 0,
        "content_index": 0,
        "item_id": "msg_z",
        "delta": "half an",
    }
    stream = kit.Reply.sse(added(0, half), delta, end)
    raw.replies = [stream if mode == "stream" else kit.Reply.json(end["response"])]
    run = kit.play(Agent(raw.model()), mode, "go")
    assert isinstance(run.error, IncompleteError)
    assert run.error.reason == (reason or "unknown")
    assert run.items[1] == half
    assert run.error.state.usage.total_tokens == 12


@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_a_cut_call_does_not_run_and_its_siblings_do(raw: Any, kit: Any, mode: str) -> None:
    """A call whose arguments were cut is answered without being run, even where the half of it is valid."""
    cut = {**B, "status": "incomplete", "arguments": '{"city": "Bonn"}'}
    end = ended(A, cut, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    good = ended(message("ok"))
    if mode == "stream":
        raw.replies = [
            kit.Reply.sse(done(0, A), added(1, cut), wrote(cut["arguments"], output_index=1), end),
            kit.Reply.sse(good),
        ]
    else:
        raw.replies = [kit.Reply.json(end["response"]), kit.Reply.json(good["response"])]
    desk = kit.Desk()
    run = kit.play(Agent(raw.model(), tools=desk.pick("weather")), mode, "go", desk)
    assert run.error is None
    assert desk.calls == [ROME]
    assert [i["call_id"] for i in raw.bodies[1]["input"][3:]] == ["call_a", "call_b"]
    assert "cut off" in raw.bodies[1]["input"][4]["output"]


@pytest.mark.parametrize("mode", ["plain", "stream"])
def test_refusals(raw: Any, kit: Any, mode: str) -> None:
    """A refusal is its own error, with the words of the model."""
    item = {**message(""), "content": [{"type": "refusal", "refusal": "I can't."}]}
    deltas = [
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": d}
        for d in ("I ", "can't.")
    ]
    stream = kit.Reply.sse(added(0, item), *deltas, done(0, item), ended(item))
    raw.replies = [stream if mode == "stream" else kit.Reply.json(ended(item)["response"])]
    run = kit.play(Agent(raw.model()), mode, "go")
    assert isinstance(run.error, RefusalError)
    assert run.error.refusal == "I can't."
    assert run.items[1] == item


LOST = {
    "not found": (400, {"message": "Previous response with id 'resp_1' not found.", "type": "invalid_request_error", "param": "previous_response_id", "code": "previous_response_not_found"}),
    "404": (404, {"message": "Response with id 'resp_1' not found.", "type": "invalid_request_error", "param": None, "code": None}),
    "not supported": (400, {"message": "Unsupported parameter: 'previous_response_id'", "type": "invalid_request_error", "param": "previous_response_id", "code": "unsupported_parameter"}),
    "zero retention": (400, {"message": "Previous response cannot be used for this organization due to Zero Data Retention.", "type": "invalid_request_error", "param": "previous_response_id", "code": "unsupported_parameter"}),
    "wrong form": (400, {"message": "Invalid 'previous_response_id': 'resp_1'. Expected an ID that begins with 'resp'.", "type": "invalid_request_error", "param": "previous_response_id", "code": "invalid_value"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_a_lost_chain_sends_the_whole_history(raw: Any, kit: Any, name: str) -> None:
    """Where the server has nothing to go on from, it is given everything: no message is ever lost."""
    status, error = LOST[name]
    raw.replies = [
        kit.Reply.json(ended(A)["response"]),
        kit.Reply.json({"error": error}, f"{status} Bad"),
        kit.Reply.json(ended(message("ok"), id="resp_2")["response"]),
        kit.Reply.json(ended(message("bye"), id="resp_3")["response"]),
    ]
    desk = kit.Desk()
    agent = Agent(raw.model(), tools=desk.pick("weather"), settings=Settings(chain=True))
    run = kit.play(agent, "plain", "go", desk)
    assert run.error is None
    assert raw.bodies[1]["previous_response_id"] == "resp_1"
    assert [i["type"] for i in raw.bodies[1]["input"]] == ["function_call_output"]
    assert "previous_response_id" not in raw.bodies[2]
    assert [i.get("type") for i in raw.bodies[2]["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    later = kit.play(agent, "plain", "more", desk, state=run.result.state)
    assert later.result.output == "bye"
    last = raw.bodies[3]
    whole = len(last["input"]) == 5 and "previous_response_id" not in last
    assert whole or (last["previous_response_id"] == "resp_2" and len(last["input"]) == 1)


FOREIGN = [
    (404, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
    (400, "The encrypted content E1... could not be verified."),
    (400, "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
]


@pytest.mark.parametrize(("status", "text"), FOREIGN)
@pytest.mark.parametrize("id", [{"id": "rs_1"}, {}])
def test_reasoning_of_another_server_is_left_out(
    raw: Any, kit: Any, status: int, text: str, id: dict[str, str]
) -> None:
    """A server that cannot read the reasoning of a history gets the history without it, calls and outputs whole."""
    thought: Item = {k: v for k, v in THOUGHT.items() if k != "id"} | id
    history: list[Item] = [
        {"type": "message", "role": "user", "content": "go"},
        thought,
        A,
        {"type": "function_call_output", "call_id": "call_a", "output": "x"},
    ]
    raw.replies = [
        kit.Reply.json(
            {"error": {"message": text, "type": "invalid_request_error", "param": "input", "code": None}},
            f"{status} Bad",
        ),
        kit.Reply.json(ended(message("ok"))["response"]),
    ]
    run = kit.play(Agent(raw.model()), "plain", history)
    assert run.error is None
    assert [i["type"] for i in raw.bodies[1]["input"]] == ["message", "function_call", "function_call_output"]
    assert run.items[1] == thought


def test_private_fields_of_chat_servers_stay_away_from_responses(raw: Any, kit: Any) -> None:
    """What a chat provider wants back is nothing for another server."""
    signed = {
        "provider_data": {"gemini": {"call": {"extra_content": {"google": {"thought_signature": "S"}}}}}
    }
    history: list[Item] = [
        {"type": "message", "role": "user", "content": "go"},
        {
            "type": "reasoning",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "t"}],
            "provider_data": {"gemini": {}},
        },
        {**{k: v for k, v in A.items() if k not in ("id", "status")}, **signed},
        {"type": "function_call_output", "call_id": "call_a", "output": "x"},
    ]
    raw.replies = [kit.Reply.json(ended(message("ok"))["response"])]
    kit.play(Agent(raw.model()), "plain", history)
    assert raw.bodies[0]["input"] == [
        history[0],
        {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": A["arguments"]},
        history[3],
    ]


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("include", "Encrypted content is not supported with this model."),
        ("verbosity", "Unsupported parameter: 'verbosity' is not supported with this model."),
        ("text.verbosity", "Unsupported value: 'high' is not supported with the 'm' model."),
        ("temperature", "Unsupported parameter: 'temperature' is not supported with this model."),
        ("parallel_tool_calls", "parallel_tool_calls is not supported"),
    ],
)
def test_refused_parameters_go_and_the_rest_stays(raw: Any, kit: Any, param: str, said: str) -> None:
    """A parameter that the server does not take is left out, once and for all, and the run says so."""
    head = param.split(".")[0]
    body = {
        "error": {
            "message": said,
            "type": "invalid_request_error",
            "param": param,
            "code": "unsupported_parameter" if said.startswith("Uns") else None,
        }
    }
    good = kit.Reply.json(ended(message("ok"))["response"])
    raw.replies = [kit.Reply.json(body, "400 Bad Request"), good, good]
    extra = {"verbosity": "high"} if param == "verbosity" else {}
    settings = Settings(
        temperature=0.5, store=False, parallel_tool_calls=True, verbosity="high", extra_body=extra
    )
    desk = kit.Desk()
    agent = Agent(raw.model("some-model"), tools=desk.pick("weather"), settings=settings)
    run = kit.play(agent, "plain", "go")
    assert run.error is None
    kit.play(agent, "plain", "again")
    for later in raw.bodies[1:]:
        missing = {k for k in raw.bodies[0] if k not in later}
        assert missing == {head}
    assert run.result.requests[0].dropped == (param,)
    assert len(raw.requests) == 3


def test_a_call_of_an_attempt_that_broke_is_not_made_twice(raw: Any, kit: Any) -> None:
    """A tool that acts waits for the whole response: a call that came before a break is made once, of the next."""
    raw.replies = [
        kit.Reply.sse(added(0, A), done(0, A), kit.Reset()),
        kit.Reply.sse(done(0, {**A, "call_id": "call_2"}), ended(A)),
        kit.Reply.sse(ended(message("ok"))),
    ]
    desk = kit.Desk()
    run = kit.play(Agent(raw.model(), tools=desk.pick("weather")), "stream", "go", desk)
    assert run.error is None
    assert desk.calls == [ROME]
    assert [i["call_id"] for i in raw.bodies[2]["input"][1:]] == ["call_2", "call_2"]


def test_a_chain_whose_server_repeats_call_ids(raw: Any, kit: Any) -> None:
    """The id that is made up for a repeated one is unknown to the server: then it gets the whole history."""
    unknown = {
        "error": {
            "message": "No tool call found for function call output with call_id call_x.",
            "param": "input",
        }
    }
    raw.replies = [
        kit.Reply.json(ended(A, id="resp_1")["response"]),
        kit.Reply.json(ended({**B, "call_id": "call_a"}, id="resp_2")["response"]),
        kit.Reply.json(unknown, "400 Bad Request"),
        kit.Reply.json(ended(message("ok"), id="resp_3")["response"]),
    ]
    desk = kit.Desk()
    run = kit.play(
        Agent(raw.model(), tools=desk.pick("weather"), settings=Settings(chain=True)), "plain", "go", desk
    )
    assert run.error is None
    assert desk.calls == [ROME, BONN]
    assert len(raw.bodies[3]["input"]) == 5
    assert "previous_response_id" not in raw.bodies[3]


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled"])
def test_a_response_that_is_not_there_yet_is_an_error(raw: Any, kit: Any, mode: str, status: str) -> None:
    """A status that is no answer is never taken for one."""
    body = ended(status=status)["response"]
    events = [
        {"type": "response.created", "response": body},
        {"type": f"response.{status}", "response": body},
    ]
    raw.replies = [kit.Reply.json(body) if mode == "plain" else kit.Reply.sse(*events)]
    run = kit.play(Agent(raw.model(), settings=Settings(retries=0)), mode, "go")
    assert isinstance(run.error, ServerError | ModelConnectionError)
