"""A schema that is too large to be read whole: it is explored, and `query` covers what the conversation has come to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jigwork import OfflineModel, RunState, ScriptedModel, SQLAgent, SQLDatabase

PLANETS = "SELECT planets.name FROM planets ORDER BY planets.name ASC LIMIT 5"
COMETS = "SELECT comets.title FROM comets LIMIT 5"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLDatabase]:
    """A database of three hundred tables, two of which have rows."""
    path: Path = tmp_path_factory.mktemp("large") / "large.db"
    connection = sqlite3.connect(path)
    with connection:
        for number in range(300):
            columns = ", ".join(f"measure_{number}_{place} TEXT" for place in range(10))
            connection.execute(f"CREATE TABLE ledger_{number} (id INTEGER PRIMARY KEY, {columns})")
        connection.execute("CREATE TABLE planets (id INTEGER PRIMARY KEY, name TEXT, moons INTEGER)")
        connection.execute("CREATE TABLE comets (id INTEGER PRIMARY KEY, title TEXT)")
        connection.execute("INSERT INTO planets VALUES (1, 'Earth', 1), (2, 'Mars', 2)")
        connection.execute("INSERT INTO comets VALUES (1, 'Halley')")
    connection.close()
    with SQLDatabase(path, notes=False, values=0) as database:
        yield database


def query(sql: str) -> list[dict[str, Any]]:
    """A turn that queries."""
    return [{"name": "query", "input": sql}]


def test_the_question_chooses_the_tables(large: SQLDatabase) -> None:
    """The instructions describe what the question names and list the rest; the tool's grammar is as narrow."""
    model = ScriptedModel([query(PLANETS), "Two."])
    result = SQLAgent(large, model).run_sync("Which planets are there?")
    request = model.requests[0]
    assert [tool["name"] for tool in request.tools] == [
        "find_schema",
        "describe_tables",
        "find_values",
        "query",
    ]
    assert "planets (" in str(request.instructions) and "ledger_299" in str(request.instructions)
    assert "measure_299_1" not in str(request.instructions)
    grammar = str(request.tools[-1])
    assert "planets" in grammar and "ledger_7" not in grammar
    assert [call.outcome and call.outcome.status for call in result.calls] == ["ok"]


def test_a_table_that_is_described_can_be_queried(large: SQLDatabase) -> None:
    """Before, its name cannot be written; the model is told how to get at it, and a run resumed keeps it."""
    describe = [{"name": "describe_tables", "arguments": {"names": ["comets"]}}]
    model = ScriptedModel([query(COMETS), describe, query(COMETS), "Halley."])
    result = SQLAgent(large, model).run_sync("Which planets are there?")
    assert [call.outcome and call.outcome.status for call in result.calls] == [
        "invalid_arguments",
        "ok",
        "ok",
    ]
    assert "describe_tables" in str(model.requests[0].tools[-1]["description"])
    refused = result.calls[0].outcome
    assert refused is not None
    assert "comets cannot be queried now, only planets; have it described first" in str(refused.output)
    again = ScriptedModel([query(COMETS), "Halley still."])
    state = RunState.from_json(result.state.to_json())
    more = SQLAgent(large, again).run_sync("And once more?", state=state)
    assert "Halley" in str(more.calls[-1].outcome and more.calls[-1].outcome.output)


def test_a_query_in_other_words_is_held_to_the_same_tables(large: SQLDatabase) -> None:
    """What is not in the narrow grammar is rewritten into it, or it is told what the whole schema has."""
    said = [
        "select name from planets p order by name",
        "SELECT c.title FROM comets c",
        "select titel from comets",
    ]
    model = ScriptedModel([*map(query, said), "Two."])
    result = SQLAgent(large, model).run_sync("Which planets are there?")
    outcomes = [call.outcome for call in result.calls if call.outcome]
    assert [outcome.status for outcome in outcomes] == ["ok", "invalid_arguments", "invalid_arguments"]
    assert "Earth" in str(outcomes[0].output)
    assert "ORDER BY planets.name LIMIT 1000" in outcomes[0].repairs[0]
    assert "have it described first (describe_tables)" in str(outcomes[1].output)
    assert "no column titel in comets at line 1, column 8; nearest: title" in str(outcomes[2].output)


def test_a_table_that_is_found_can_be_queried(large: SQLDatabase) -> None:
    """What `find_schema` was asked about counts like a question."""
    find = [{"name": "find_schema", "arguments": {"words": "comet titles"}}]
    model = ScriptedModel([find, query(COMETS), "Halley."])
    result = SQLAgent(large, model).run_sync("Which planets are there?")
    assert [call.outcome and call.outcome.status for call in result.calls] == ["ok", "ok"]


def test_a_conversation_keeps_its_tables(large: SQLDatabase) -> None:
    """A question that names nothing goes on with the tables of those before it."""
    model = ScriptedModel([query(PLANETS), "Two.", query(PLANETS), "As before."])
    agent = SQLAgent(large, model)
    first = agent.run_sync("Which planets are there?")
    second = agent.run_sync("Please repeat that.", state=first.state)
    assert [call.outcome and call.outcome.status for call in second.calls] == ["ok"]
    assert model.requests[-1].tools == model.requests[0].tools


def test_the_offline_engine_has_the_whole_schema(large: SQLDatabase) -> None:
    """It reads no instructions, so nothing is narrowed for it."""
    agent = SQLAgent(large, OfflineModel(large))
    assert list(agent.tools) == ["query"]
    assert "2" in agent.run_sync("count planets").output


def test_a_question_that_names_nothing_leaves_the_schema_to_be_explored(large: SQLDatabase) -> None:
    """The names of all tables are there; `query` can be offered all the same."""
    model = ScriptedModel(["What do you mean?"])
    assert SQLAgent(large, model).run_sync("zyx?").output == "What do you mean?"
    assert "comets" in str(model.requests[0].instructions)
    assert len(str(model.requests[0].tools)) < 22_000  # the grammar of one table is most of it
