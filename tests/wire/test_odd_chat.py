"""Chat Completions as no specification describes them: chunks and messages that servers were seen to send."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from jigwork import Agent, IncompleteError, OutputError, Settings


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> str:
    choice: dict[str, Any] = {
        "index": 0,
        "delta": delta if delta is not None else {},
        "finish_reason": finish,
    }
    return json.dumps(
        {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}
    )


def calls(*deltas: dict[str, Any]) -> str:
    return chunk({"tool_calls": list(deltas)})


def fn(arguments: Any = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    function = {
        **({} if name is None else {"name": name}),
        **({} if arguments is None else {"arguments": arguments}),
    }
    return {**more, "type": "function", "function": function}


END = [chunk({}, "tool_calls"), "[DONE]"]
ROME, BONN = '{"city":"Rome"}', '{"city":"Bonn"}'


@dataclass(frozen=True)
class Turn:
    """The first turn's stream, and the calls it stands for: (tool, arguments)."""

    id: str
    chunks: list[str]
    calls: list[tuple[str, Any]]


def both(*chunks: str, end: list[str] = END) -> Any:
    return [*chunks, *end]


TWO = [("weather", {"city": "Rome", "unit": "C"}), ("weather", {"city": "Bonn", "unit": "C"})]
ONE = TWO[:1]

TURNS = [
    Turn("same id and index twice", both(calls(fn(ROME, "weather", index=0, id="c")), calls(fn(BONN, "weather", index=0, id="c"))), TWO),
    Turn("same id at two indexes", both(calls(fn(ROME, "weather", index=0, id="c"), fn(BONN, "weather", index=1, id="c"))), TWO),
    Turn("same id, no index", both(calls(fn(ROME, "weather", id="c")), calls(fn(BONN, "weather", id="c"))), TWO),
    Turn("no index, no id", both(calls(fn(ROME, "weather")), calls(fn(BONN, "weather"))), TWO),
    Turn("no index, no id, in pieces", both(calls(fn("", "weather")), calls(fn('{"city":')), calls(fn('"Rome"}')), calls(fn("", "weather")), calls(fn(BONN))), TWO),
    Turn("index null", both(calls(fn(ROME, "weather", index=None, id="")), calls(fn(BONN, "weather", index=None, id=""))), TWO),
    Turn("index from one", both(calls(fn(ROME, "weather", index=1, id="a")), calls(fn(BONN, "weather", index=2, id="b"))), TWO),
    Turn("index as text", both(calls(fn(ROME, "weather", index="0", id="a")), calls(fn(BONN, "weather", index="1", id="b"))), TWO),
    Turn("all in one delta, index 0, no ids", both(calls(fn(ROME, "weather", index=0), fn(BONN, "weather", index=0))), TWO),
    Turn("name repeated with every piece", both(calls(fn('{"city":', "weather", index=0, id="a")), calls(fn('"Rome"}', "weather", index=0, id="a")), calls(fn("", "weather", index=0, id="a"))), ONE),
    Turn("a new id with every piece", both(calls(fn("", "weather", index=0, id="a")), calls(fn('{"city":', index=0, id="b")), calls(fn('"Rome"}', index=0, id="c"))), ONE),
    Turn("interleaved pieces", both(calls(fn("", "weather", index=0, id="a")), calls(fn("", "weather", index=1, id="b")), calls(fn('{"city":"Ro', index=0)), calls(fn('{"city":"Bo', index=1)), calls(fn('me"}', index=0)), calls(fn('nn"}', index=1))), TWO),
    Turn("white space after the arguments", both(calls(fn(ROME, "weather", index=0, id="a")), calls(fn("\n", "weather", index=0, id="a"))), ONE),
    Turn("null arguments for no parameters", both(calls(fn(None, "now", index=0, id="a"), {"index": 1, "id": "b", "function": {"name": "now", "arguments": None}})), [("now", {}), ("now", {})]),
    Turn("an object as arguments", both(calls(fn({"city": "Rome"}, "weather", index=0, id="a"))), ONE),
    Turn("finish stop", both(calls(fn(ROME, "weather", index=0, id="a")), end=[chunk({}, "stop"), "[DONE]"]), ONE),
    Turn("finish eos", both(calls(fn(ROME, "weather", index=0, id="a")), end=[chunk({}, "eos"), "[DONE]"]), ONE),
    Turn("finish null, only done", both(calls(fn(ROME, "weather", index=0, id="a")), end=["[DONE]"]), ONE),
    Turn("finish error with calls", both(calls(fn(ROME, "weather", index=0, id="a")), end=[chunk({}, "error"), "[DONE]"]), ONE),
    Turn("finish function_call", both(chunk({"function_call": {"name": "weather", "arguments": ""}}), chunk({"function_call": {"arguments": ROME}}), end=[chunk({}, "function_call"), "[DONE]"]), ONE),
    Turn("calls after the finish", both(chunk({}, "tool_calls"), calls(fn(ROME, "weather", index=0, id="a")), end=["[DONE]"]), ONE),
    Turn("a custom call", both(calls({"index": 0, "id": "a", "type": "custom", "custom": {"name": "move", "input": ""}}), calls({"index": 0, "custom": {"input": "left "}}), calls({"index": 0, "custom": {"input": "12"}})), [("move", "left 12")]),
    Turn("two custom calls at index 0", both(calls({"index": 0, "id": "a", "type": "custom", "custom": {"name": "move", "input": "left 1"}}), calls({"index": 0, "id": "b", "type": "custom", "custom": {"name": "move", "input": "right 2"}})), [("move", "left 1"), ("move", "right 2")]),
    Turn("content as parts", both(chunk({"content": [{"type": "text", "text": "Wait."}]}), calls(fn(ROME, "weather", index=0, id="a"))), ONE),
    Turn("a second choice", both(json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [fn(ROME, "weather", index=0, id="a")]}}, {"index": 1, "delta": {"tool_calls": [fn(BONN, "weather", index=0, id="z")]}}]})), ONE),
]  # fmt: skip


@pytest.mark.parametrize("turn", TURNS, ids=lambda t: t.id)
def test_calls_arrive_once_and_are_answered_once(raw: Any, kit: Any, turn: Turn) -> None:
    """Every call reaches its tool once, has an id of its own, and its output follows in the next request."""
    raw.replies = [
        kit.Reply.sse(*turn.chunks),
        kit.Reply.sse(chunk({"content": "ok"}), chunk({}, "stop"), "[DONE]"),
    ]
    desk = kit.Desk()
    agent = Agent(raw.model("gpt-5.2", endpoint="chat"), tools=desk.tools)
    run = kit.play(agent, "stream", "go", desk)
    assert run.error is None
    assert sorted(desk.calls, key=str) == sorted(turn.calls, key=str)
    assert run.result.output == "ok"
    asked = next(m for m in raw.bodies[1]["messages"] if m.get("tool_calls"))
    ids = [call["id"] for call in asked["tool_calls"]]
    assert len(set(ids)) == len(turn.calls) and all(ids)
    after = raw.bodies[1]["messages"][raw.bodies[1]["messages"].index(asked) + 1 :]
    assert [m.get("tool_call_id") for m in after] == ids
    assert [record.outcome.status for record in run.result.calls] == ["ok"] * len(ids)


USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
ANSWERS: dict[str, tuple[list[str], str, tuple[int, int, int]]] = {
    "plain": ([chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"], "Hi", (0, 0, 1)),
    "no done": ([chunk({"content": "Hi"}), chunk({}, "stop")], "Hi", (0, 0, 1)),
    "azure": (
        [
            json.dumps({"id": "", "model": "", "object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
            json.dumps({"id": "c", "model": "gpt-5.2", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "content_filter_results": {}, "finish_reason": None}]}),
            json.dumps({"id": "", "model": "", "choices": [{"index": 0, "content_filter_offsets": {"start_offset": 0}, "content_filter_results": {"hate": {"filtered": False}}, "finish_reason": None}]}),
            chunk({"content": "Hi"}),
            chunk(None, "stop", usage=USAGE),
            "[DONE]",
        ],
        "Hi",
        (5, 2, 0),
    ),
    "moderation": ([chunk({"content": "Hi"}), chunk({}, "stop"), json.dumps({"choices": [], "usage": USAGE}), json.dumps({"choices": [], "moderation": {"input": {"flagged": False}}}), "[DONE]"], "Hi", (5, 2, 0)),
    "finish twice": ([chunk({"content": "Hi"}), chunk({}, "stop"), chunk({}, "stop", usage=USAGE), chunk({}, "stop", usage=USAGE), "[DONE]"], "Hi", (5, 2, 0)),
    "usage then nulls": ([chunk({"content": "Hi"}), chunk({}, "stop", usage=USAGE), json.dumps({"choices": [], "usage": {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}}), "[DONE]"], "Hi", (5, 2, 0)),
    "running usage": ([chunk({"content": "H"}, usage={"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}), chunk({"content": "i"}, "stop", usage=USAGE), "[DONE]"], "Hi", (5, 2, 0)),
    "usage in floats, details as text": (
        [
            chunk({"content": "Hi"}),
            chunk({}, "stop", usage={"prompt_tokens": 5.0, "completion_tokens": 2.0, "prompt_tokens_details": "none"}),
            "[DONE]",
        ],
        "Hi",
        (5, 2, 0),
    ),
    "deltas null": ([json.dumps({"choices": [{"index": 0, "delta": None}]}), json.dumps({"choices": None}), chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"], "Hi", (0, 0, 1)),
    "choice null": ([json.dumps({"choices": [None]}), chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"], "Hi", (0, 0, 1)),
    "choice index null": ([json.dumps({"choices": [{"index": None, "delta": {"content": "H"}}]}), chunk({"content": "i"}), chunk({}, "stop"), "[DONE]"], "Hi", (0, 0, 1)),
    "obfuscation": ([chunk({"content": "Hi"}, obfuscation="abc"), chunk({}, "stop", obfuscation=""), "[DONE]"], "Hi", (0, 0, 1)),
    "pings": (['{"type": "ping"}', "", chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"], "Hi", (0, 0, 1)),
    "a stray angle": ([chunk({"content": "<"}), chunk({"content": "b> Hi"}), chunk({}, "stop"), "[DONE]"], "<b> Hi", (0, 0, 1)),
    "think never closed but text": ([chunk({"content": "<thin"}), chunk({}, "stop"), "[DONE]"], "<thin", (0, 0, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_in_odd_chunks(raw: Any, kit: Any, name: str) -> None:
    """The answer is the text, once, and the usage is what the server said last."""
    chunks, text, (asked, written, unreported) = ANSWERS[name]
    raw.replies = [kit.Reply.sse(*chunks)]
    run = kit.play(Agent(raw.model("m", endpoint="chat")), "stream", "go")
    assert run.error is None
    assert (run.result.output, run.text) == (text, text)
    usage = run.result.usage
    assert (usage.input_tokens, usage.output_tokens, usage.unreported) == (asked, written, unreported)


@pytest.mark.parametrize("ending", ["reset", "hang", "half"])
def test_an_answer_that_has_its_finish_is_whole(raw: Any, kit: Any, ending: str) -> None:
    """What breaks after the finish reason is no reason to ask, and pay, again."""
    last = {"reset": kit.Reset(), "hang": kit.Pause(3), "half": b'data: {"id":"c1","cho'}[ending]
    raw.replies = [kit.Reply.sse(chunk({"content": "Hi"}), chunk({}, "stop"), last)]

    agent = Agent(raw.model("m", endpoint="chat"), settings=Settings(timeout=0.3))
    run = kit.play(agent, "stream", "go")
    assert run.error is None
    assert run.result.output == "Hi"
    assert len(raw.requests) == 1


def test_images_in_outputs_follow_the_tool_messages(raw: Any, kit: Any) -> None:
    """Tool messages stand together directly after their calls; pictures come in a user message behind them."""
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            fn('{"place":"pier"}', "look", id="a"),
            fn(ROME, "weather", id="b"),
            fn('{"place":"hill"}', "look", id="c"),
        ],
    }
    body = {"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    end = {
        "id": "y",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
    }
    raw.replies = [kit.Reply.json(body), kit.Reply.json(end), kit.Reply.json(end)]
    desk = kit.Desk()
    agent = Agent(raw.model("gpt-5.2", endpoint="chat"), tools=desk.tools)
    first = kit.play(agent, "plain", "go", desk)
    kit.play(agent, "plain", "and now?", desk, state=first.result.state)
    for sent in raw.bodies[1:]:
        roles = [m["role"] for m in sent["messages"][:6]]
        assert roles == ["user", "assistant", "tool", "tool", "tool", "user"]
        assert [m["tool_call_id"] for m in sent["messages"][2:5]] == ["a", "b", "c"]
        assert [m["content"] for m in sent["messages"][2:5]] == ["seen: pier", "Rome: 21 C", "seen: hill"]
        pictures = sent["messages"][5]["content"]
        assert [p["type"] for p in pictures] == ["text", "image_url", "text", "image_url"]
        assert pictures[1]["image_url"] == {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}


def test_malformed_arguments_go_back_as_json_to_servers_that_parse_them(raw: Any, kit: Any) -> None:
    """Templates of local servers decode the arguments in a history: broken text there is an error in every turn."""
    broken = fn('{"city": "Ro', "weather", index=0, id="a")
    raw.replies = [
        kit.Reply.sse(calls(broken), *END),
        kit.Reply.sse(calls(fn(ROME, "weather", index=0, id="b")), *END),
        kit.Reply.sse(chunk({"content": "ok"}), chunk({}, "stop"), "[DONE]"),
    ]
    desk = kit.Desk()
    agent = Agent(raw.model("qwen", endpoint="chat", provider="vllm"), tools=desk.pick("weather"))
    run = kit.play(agent, "stream", "go", desk)
    assert run.error is None
    assert desk.calls == ONE
    assert run.items[1]["arguments"] == '{"city": "Ro'
    sent = raw.bodies[1]["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert '{"city": "Ro' in json.loads(sent).values()


@pytest.mark.parametrize("mode", ["plain", "stream"])
@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "max_output_tokens"), ("content_filter", "content_filter"), ("stop", None)],
)
@pytest.mark.parametrize("thought", ["", "Hm"])
def test_an_answer_without_a_word_is_not_asked_for_for_ever(
    raw: Any, kit: Any, mode: str, finish: str, reason: str | None, thought: str
) -> None:
    """Cut before the first word it is an incomplete answer; else the model is told, and asked twice again."""
    told = {"reasoning_content": thought} if thought else {}
    if mode == "plain":
        message = {"role": "assistant", "content": "", **told}
        raw.replies = [
            kit.Reply.json({"choices": [{"index": 0, "message": message, "finish_reason": finish}]})
        ]
    else:
        raw.replies = [kit.Reply.sse(chunk({"content": "", **told}), chunk({}, finish), "[DONE]")]
    raw.repeat = True
    run = kit.play(Agent(raw.model("m", endpoint="chat")), mode, "go")
    if reason is not None:
        assert isinstance(run.error, IncompleteError)
        assert run.error.reason == reason
        assert len(raw.requests) == 1
    else:
        assert isinstance(run.error, OutputError)
        assert len(raw.requests) == 3
