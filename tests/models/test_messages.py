"""Histories as chat messages, and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.content import file, image, text
from jigwork.agent.events import ItemAdded
from jigwork.agent.items import Item, assistant_message, user_message
from jigwork.agent.models.chat_reader import ChatReader
from jigwork.agent.models.history import written
from jigwork.agent.models.messages import MessageWriter, system_messages
from jigwork.agent.models.profiles import Profile
from jigwork.agent.models.reader import CallIds
from jigwork.agent.models.responses import InputWriter
from jigwork.errors import ConfigurationError

CUSTOM = Profile(custom_tools=True)
PNG = b"\x89PNG\r\n\x1a\n0000"


def call(id: str, name: str = "f", arguments: str = "{}") -> Item:
    """A function call."""
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def output(id: str, value: Any = "done") -> Item:
    """Its output."""
    return {"type": "function_call_output", "call_id": id, "output": value}


def sent(id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    """The same call in a chat message."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def assistant(content: str | None = None, *calls: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An assistant message."""
    message: dict[str, Any] = {"role": "assistant", "content": content, **fields}
    return {**message, "tool_calls": list(calls)} if calls else message


def tool(id: str, content: str = "done") -> dict[str, Any]:
    """A tool message."""
    return {"role": "tool", "tool_call_id": id, "content": content}


def user(content: Any) -> dict[str, Any]:
    """A user message."""
    return {"role": "user", "content": content}


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
IMAGE_SENT = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}

HISTORIES: dict[str, tuple[list[Item], list[dict[str, Any]]]] = {
    "text": ([user_message("a"), assistant_message("b")], [user("a"), assistant("b")]),
    "no type": ([{"role": "user", "content": "a"}], [user("a")]),
    "roles": (
        [{"role": "developer", "content": "a"}, {"type": "message", "role": "system", "content": "b"}],
        [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}],
    ),
    "text and parallel calls": (
        [assistant_message("see"), call("1"), call("2"), output("1"), output("2")],
        [assistant("see", sent("1"), sent("2")), tool("1"), tool("2")],
    ),
    "one call after another": (
        [call("1"), output("1"), call("2"), output("2"), assistant_message("end")],
        [assistant(None, sent("1")), tool("1"), assistant(None, sent("2")), tool("2"), assistant("end")],
    ),
    "text after the call": (
        [assistant_message("a"), call("1"), assistant_message("b"), output("1")],
        [assistant("a\n\nb", sent("1")), tool("1")],
    ),
    "empty arguments": ([call("1", arguments="")], [assistant(None, sent("1"))]),
    "refusal": (
        [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
        [assistant(None, refusal="no")],
    ),
    "grammar call": (
        [
            {"type": "custom_tool_call", "call_id": "1", "name": "sql", "input": "SELECT 1"},
            {"type": "custom_tool_call_output", "call_id": "1", "output": "1"},
        ],
        [
            assistant(None, {"id": "1", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}),
            tool("1", "1"),
        ],
    ),
    "images among outputs": (
        [
            call("1"),
            call("2"),
            output("1", [{"type": "input_text", "text": "chart"}, IMAGE]),
            output("2", [IMAGE]),
            user_message("so?"),
        ],
        [
            assistant(None, sent("1"), sent("2")),
            tool("1", "chart"),
            tool("2", "The output is in the next message."),
            user(
                [
                    {"type": "text", "text": "Output of call 1:"},
                    IMAGE_SENT,
                    {"type": "text", "text": "Output of call 2:"},
                    IMAGE_SENT,
                ]
            ),
            user("so?"),
        ],
    ),
    "parts": (
        [user_message([text("what is it?"), IMAGE])],
        [user([{"type": "text", "text": "what is it?"}, IMAGE_SENT])],
    ),
    "one text part": ([user_message([text("hi")])], [user("hi")]),
    "only Responses knows": (
        [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            assistant_message("b"),
        ],
        [assistant("b")],
    ),
}


def _messages(items: list[Item], profile: Profile = CUSTOM) -> list[dict[str, Any]]:
    writer = MessageWriter(profile, "p")
    for item in items:
        writer.add(item)
    return writer.messages()


@pytest.mark.parametrize(("items", "expected"), HISTORIES.values(), ids=HISTORIES.keys())
def test_items_become_messages(items: list[Item], expected: list[dict[str, Any]]) -> None:
    """Each history has one form as chat messages."""
    assert _messages(items) == expected


@pytest.mark.parametrize(("items", "expected"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_may_come_in_turns(items: list[Item], expected: list[dict[str, Any]]) -> None:
    """Taken over in any number of turns, the messages are the same, and none that was sent is changed."""
    scratch: dict[str, Any] = {}
    snapshots: list[tuple[list[dict[str, Any]], str]] = []
    for count in range(len(items) + 1):
        writer = written(scratch, "k", items[:count], lambda: MessageWriter(CUSTOM, "p"))
        messages = writer.messages()
        snapshots.append((messages, repr(messages)))
    assert snapshots[-1][0] == expected
    assert all(repr(messages) == before for messages, before in snapshots)


def test_an_edited_history_is_converted_again() -> None:
    """Compaction or editing gives other items: nothing of the old ones stays."""
    scratch: dict[str, Any] = {}
    first = [user_message("a"), assistant_message("b"), user_message("c")]
    for items in (first, [user_message("summary"), first[2]], first[:1], [user_message("a")]):
        writer = written(scratch, "k", items, lambda: MessageWriter(CUSTOM, "p"))
        assert writer.messages() == _messages(items)


def test_a_turn_costs_what_is_new() -> None:
    """The items of earlier turns are not converted again."""

    class Counting:
        added = 0

        def add(self, item: Item) -> None:
            Counting.added += 1

    scratch: dict[str, Any] = {}
    items: list[Item] = []
    for _ in range(50):
        items += [call("1"), output("1")]
        written(scratch, "k", items, Counting)
    assert Counting.added == 100


texts = st.text(min_size=1, max_size=10)
calls = st.tuples(st.booleans(), st.sampled_from(["f", "g"]), texts)


@given(st.lists(st.tuples(st.one_of(st.just(""), texts), st.lists(calls, max_size=3), texts), max_size=4))
def test_items_survive_the_way_through_chat(
    turns: list[tuple[str, list[tuple[bool, str, str]], str]],
) -> None:
    """A law: what chat answers gave, written as messages and read back as answers, is the same items."""
    items: list[Item] = []
    answers: list[list[Item]] = []
    for said, made, reply in turns:
        answer: list[Item] = [assistant_message(said)] if said else []
        for custom, name, body in made:
            kind, key = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
            answer.append(
                {"type": kind, "call_id": f"call_{len(items)}_{len(answer)}", "name": name, key: body}
            )
        outputs: list[Item] = [
            {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": reply}
            for item in answer
            if "call_id" in item
        ]
        if answer:
            answers.append(answer)
        items += [*answer, *outputs, user_message(reply)]
    messages = [message for message in _messages(items) if message["role"] == "assistant"]
    read: list[list[Item]] = []
    for message in messages:
        reader = ChatReader(CallIds(()), provider="p", think_tags=False)
        events = list(reader.whole({"choices": [{"message": message, "finish_reason": "stop"}]}))
        read.append([event.item for event in events if isinstance(event, ItemAdded)])
    assert read == answers


def test_one_system_message_where_the_server_takes_only_one() -> None:
    """Instructions and leading system messages are joined for strict templates, otherwise kept apart."""
    messages = _messages(
        [{"role": "system", "content": "b"}, user_message("c"), {"role": "system", "content": "d"}]
    )
    joined = system_messages(messages, "a", Profile(single_system=True))
    assert [m["content"] for m in joined] == ["a\n\nb", "c", "d"]
    apart = system_messages(messages, "a", Profile(system_role="developer"))
    assert [(m["role"], m["content"]) for m in apart[:2]] == [("developer", "a"), ("system", "b")]
    assert system_messages(messages, None, Profile()) == messages
    assert system_messages([], None, Profile(single_system=True)) == []


def test_empty_content_as_the_server_wants_it() -> None:
    """An assistant message that only calls has null as content, or "" where templates need a text."""
    assert _messages([call("1")], Profile(empty_content="empty"))[0]["content"] == ""
    assert _messages([call("1")])[0]["content"] is None


def test_grammar_calls_become_function_calls_where_only_those_are_known() -> None:
    """A server without custom tools sees the text as an argument."""
    item = {"type": "custom_tool_call", "call_id": "1", "name": "sql", "input": 'say "x"'}
    assert _messages([item], Profile())[0]["tool_calls"] == [sent("1", "sql", '{"input":"say \\"x\\""}')]


def test_what_chat_cannot_say_is_an_error_with_the_fix() -> None:
    """File ids of images and file URLs exist on Responses only."""
    for part in ({"type": "input_image", "file_id": "file-1"}, file("https://x.test/a.pdf")):
        with pytest.raises(ConfigurationError, match="endpoint='responses'"):
            _messages([user_message([part])])


def test_files_and_images_from_path_bytes_and_url(tmp_path: Any) -> None:
    """Parts hold the data itself or the URL, with type, name and detail."""
    path = tmp_path / "shot.bin"
    path.write_bytes(PNG)
    inline = "data:image/png;base64,iVBORw0KGgowMDAw"
    assert image(path) == image(str(path)) == image(PNG) == {"type": "input_image", "image_url": inline}
    assert image("https://x.test/a.png", detail="high")["detail"] == "high"
    pdf = tmp_path / "a report.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    assert file(pdf) == {
        "type": "input_file",
        "filename": "a report.pdf",
        "file_data": "data:application/pdf;base64,JVBERi0xLjc=",
    }
    assert file(b"a,b", filename="t.csv")["file_data"].startswith("data:text/csv;base64,")
    assert file("https://x.test/a.pdf") == {"type": "input_file", "file_url": "https://x.test/a.pdf"}
    assert _messages([user_message([file(pdf)])])[0]["content"][0]["file"]["filename"] == "a report.pdf"


def test_wrong_files_fail_early(tmp_path: Any) -> None:
    """A path that is no file, an empty file, bytes that are no image: an error at once, with the path."""
    with pytest.raises(ConfigurationError, match=r"no image at 'nowhere\.png'"):
        image("nowhere.png")
    with pytest.raises(ConfigurationError, match="cannot read the file"):
        file(tmp_path)
    with pytest.raises(ConfigurationError, match="no PNG, JPEG, GIF or WebP"):
        image(b"%PDF-1.7")
    with pytest.raises(ConfigurationError, match="empty"):
        image(b"")
    with pytest.raises(ConfigurationError, match="needs a name"):
        file(b"x")


def test_responses_input_is_the_items_themselves() -> None:
    """What needs no change is sent as the very same objects, so that nothing is copied at each turn."""
    writer = InputWriter(CUSTOM)
    items = [user_message("a"), call("1"), output("1")]
    for item in items:
        writer.add(item)
    assert all(a is b for a, b in zip(writer.input, items, strict=True))
