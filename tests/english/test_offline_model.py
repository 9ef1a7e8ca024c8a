"""The offline model: calls the query tool with SQL, answers with the read-back and exactly what the rows say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from jigwork.agent.events import ArgumentsDelta, ItemAdded, ModelEvent, ResponseEnded, TextDelta
from jigwork.agent.items import Item, assistant_message, call_output, final_text, user_message
from jigwork.agent.models.base import Model, ModelRequest, OutputFormat
from jigwork.agent.models.offline import OfflineModel
from jigwork.agent.models.settings import Settings
from jigwork.errors import SettingsError
from jigwork.grammars.schema import Column, ForeignKey, Schema, Table

KEY = Column("id", kind="integer", nullable=False)
SCHEMA = Schema(
    (
        Table("customers", (KEY, Column("name"), Column("country", values=("Peru",))), ("id",)),
        Table("orders", (KEY, Column("customer_id", kind="integer"), Column("total", kind="number")), ("id",),
              (ForeignKey(("customer_id",), "customers", ("id",)),)),
    )
)  # fmt: skip


class Database:
    """All that the model wants of a database."""

    schema = SCHEMA


QUERY: dict[str, Any] = {"type": "custom", "name": "query", "description": "", "format": {"type": "text"}}
FUNCTION: dict[str, Any] = {
    "type": "function",
    "name": "query",
    "parameters": {"type": "object", "properties": {"sql": {"type": "string"}}, "required": ["sql"]},
}
ADD: dict[str, Any] = {
    "type": "function",
    "name": "add",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
}


def events(
    model: Model, items: Sequence[Item], tools: Sequence[Mapping[str, Any]], **options: Any
) -> list[ModelEvent]:
    """All events of one request."""

    async def collect() -> list[ModelEvent]:
        return [event async for event in model.stream(ModelRequest(items=items, tools=tools, **options))]

    return asyncio.run(collect())


def item(found: list[ModelEvent]) -> Item:
    """The one item of a response, checked against its deltas and its end."""
    items = [event.item for event in found if isinstance(event, ItemAdded)]
    ended = found[-1]
    assert len(items) == 1 and isinstance(ended, ResponseEnded)
    assert (ended.usage.requests, ended.usage.total_tokens, ended.status) == (1, 0, "completed")
    deltas = "".join(event.text for event in found if isinstance(event, (TextDelta, ArgumentsDelta)))
    assert deltas in (items[0].get("input"), items[0].get("arguments"), final_text(items))
    return items[0]


def ask(
    question: str, output: str | None = None, *, tools: Sequence[Mapping[str, Any]] = (QUERY, ADD)
) -> str:
    """The answer to a question whose tool gives `output`; without one, the answer without any call."""
    model = OfflineModel(Database())
    items: list[Item] = [user_message(question)]
    first = item(events(model, items, tools))
    if output is not None:
        items += [first, call_output(first, output)]
        first = item(events(model, items, tools))
    return final_text([first])


def table(columns: list[str], rows: list[list[Any]], **more: Any) -> str:
    """What the query tool sends."""
    return json.dumps(
        {"columns": columns, "rows": rows, "row_count": len(rows), "truncated": False, "notes": []} | more
    )


def test_it_is_a_model() -> None:
    """It satisfies the protocol and says what it can do."""
    model = OfflineModel()
    assert isinstance(model, Model)
    assert model.name == "offline" and model.profile.custom_tools
    asyncio.run(model.aclose())


@pytest.mark.parametrize("stream", [True, False])
def test_the_call_to_a_custom_tool(stream: bool) -> None:
    """A question becomes one custom call whose input is the SQL."""
    found = item(
        events(OfflineModel(Database()), [user_message("count orders")], [ADD, QUERY], stream=stream)
    )
    assert found == {
        "type": "custom_tool_call",
        "call_id": "call_1",
        "name": "query",
        "input": "SELECT COUNT(*) AS count FROM orders LIMIT 1",
    }


def test_the_call_to_a_function_tool() -> None:
    """A function tool with one text gets the SQL as its argument."""
    found = item(events(OfflineModel(Database()), [user_message("count orders")], [FUNCTION]))
    assert found["type"] == "function_call"
    assert json.loads(found["arguments"]) == {"sql": "SELECT COUNT(*) AS count FROM orders LIMIT 1"}


def test_call_ids_are_new() -> None:
    """A later question of the same history gets a call id that is not taken, and is the one that is answered."""
    old: Item = {"type": "custom_tool_call", "call_id": "call_1", "name": "query", "input": "SELECT 1"}
    items = [
        user_message("count customers"),
        old,
        call_output(old, "{}"),
        assistant_message("..."),
        user_message("count orders"),
    ]
    found = item(events(OfflineModel(Database()), items, [QUERY]))
    assert (found["call_id"], found["input"]) == ("call_2", "SELECT COUNT(*) AS count FROM orders LIMIT 1")


ANSWERS: list[tuple[str, str, list[str], list[str]]] = [
    # question, tool output, what the answer must hold, what it must not hold
    ("count orders", table(["count"], [[7]]), ["Count the orders.", "Answer: 7"], []),
    ("sum of total of orders", table(["sum total"], [[None]]), ["no value"], ["Answer", "None", "null"]),
    ("average and minimum total of orders", table(["a", "m"], [[2.5, None]]), ["a: 2.5", "m: no value"], ["None"]),
    ("sum of total of orders", table(["s"], [[12766.320000000002]]), ["Answer: 12766.32"], ["0000"]),
    ("sum of total of orders", table(["s"], [[1e300]]), ["Answer: 1e+300"], []),
    ("customers", table(["id", "name"], []), ["No rows."], []),
    ("customers", table(["id", "name"], [[1, None]]), ["1 row:", "id  name", "1  -"], ["None"]),
    ("customers", table(["name"], [["a\nb"], ["x" * 90]]), ["2 rows:", "a b", "..."], ["x" * 50]),
    ("customers", table(["id"], [[i] for i in range(50)]), ["The first 30 of 50 rows:"], ["\n35"]),
    ("customers", table(["id"], [[1], [2]], row_count=9, truncated=True), ["The first 2 of 9 rows (the result was cut):"], ["2 rows:"]),
    ("customers", table(["id"], [[1], [2]], truncated=True), ["at least 2 rows", "cut"], ["\n2 rows:"]),
    ("customers", table(["id"], [[1]] * 1000), ["at least 1000", "may be more"], []),
    ("top 3 customers by name", table(["id"], [[1]] * 3), ["3 rows:"], ["may be more"]),
    ("customers", table(["id"], [[1]], notes=["slow"]), ["Note: slow"], []),
    ("customers", json.dumps({"columns": [{"name": "id"}], "rows": [[True]]}), ["1 row:", "id", "true"], []),
    ("count orders", table(["count"], []), ["0 rows where one was expected"], ["Answer"]),
    ("count orders", "the query was refused: no such table", ["gave no result", "the query was refused"], ["Answer"]),
    ("count orders", '{"error": "busy"}', ["gave no result", "busy"], ["Answer"]),
    ("count orders", table(["a", "b"], [[1]]), ["gave no result"], ["Answer"]),
]  # fmt: skip


@pytest.mark.parametrize(("question", "output", "held", "not_held"), ANSWERS)
def test_answers(question: str, output: str, held: list[str], not_held: list[str]) -> None:
    """The answer says what the output says: values, emptiness, cuts, notes, errors."""
    text = ask(question, output)
    assert all(part in text for part in held), text
    assert not any(part in text for part in not_held), text


def test_output_in_parts() -> None:
    """An output that comes as content parts is read as their text."""
    model = OfflineModel(Database())
    items: list[Item] = [user_message([{"type": "input_text", "text": "count orders"}])]
    call = item(events(model, items, [QUERY]))
    output = call_output(call, [{"type": "input_text", "text": table(["count"], [[3]])}])
    assert "Answer: 3" in final_text([item(events(model, [*items, call, output], [QUERY]))])


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("how tall is the tower?", "is not known"),
        ("count custmers", "Did you mean: customers"),
        ("orders where country is Peru", "You can ask: list orders where country of customer is"),
        ("list id", "more than one way"),
        ("", "no question"),
        ("use sub with a 1", "there is no tool 'sub'"),
        ("use query with sql x", "there is no tool"),
    ],
)
def test_explanations(question: str, part: str) -> None:
    """What is not understood is answered with the explanation, without a call."""
    assert part in ask(question)


def test_plain_tools() -> None:
    """`use TOOL with ...` calls a function tool, and its output is passed on as it is."""
    model = OfflineModel()
    call = item(events(model, [user_message("use add with a 5")], [ADD]))
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("function_call", "add", {"a": 5})
    answer = item(events(model, [user_message("use add with a 5"), call, call_output(call, "9")], [ADD]))
    assert final_text([answer]).splitlines() == ["Call the tool add with a = 5.", "9"]


def test_without_database() -> None:
    """Without a database a question is answered with what to do."""
    text = final_text([item(events(OfflineModel(), [user_message("count orders")], [QUERY]))])
    assert "none is connected" in text and "--db" in text


def test_without_query_tool() -> None:
    """Without a tool to run it, the SQL is shown and nothing is claimed."""
    text = ask("count orders", tools=())
    assert "Nothing was run" in text and "SELECT COUNT(*)" in text and "Answer" not in text


def test_tool_choice_none() -> None:
    """Where tools may not be called, none is called."""
    request = {"settings": Settings(tool_choice="none")}
    text = final_text(
        [item(events(OfflineModel(Database()), [user_message("count orders")], [QUERY], **request))]
    )
    assert "may not be called" in text


def test_a_schema_is_refused() -> None:
    """An output type is refused before anything is done."""
    output = OutputFormat("answer", {"type": "object"})
    with pytest.raises(SettingsError, match="plain text"):
        events(OfflineModel(Database()), [user_message("count orders")], [QUERY], output=output)


def test_it_is_deterministic() -> None:
    """The same history gives the same events."""
    items = [user_message("top 2 customers by sum of order total")]
    assert events(OfflineModel(Database()), items, [QUERY]) == events(
        OfflineModel(Database()), items, [QUERY]
    )


def test_the_output_of_another_query_is_no_answer() -> None:
    """Rows of a query that is not the question's are passed on without its read-back."""
    other: Item = {"type": "custom_tool_call", "call_id": "c", "name": "query", "input": "SELECT 1"}
    items = [user_message("count orders"), other, call_output(other, table(["n"], [[1]]))]
    assert "Count the orders" not in final_text([item(events(OfflineModel(Database()), items, [QUERY]))])
