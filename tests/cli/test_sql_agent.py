"""SQLAgent: an agent over one database, by the offline engine or by a model that writes SQL under its grammar."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jigwork import Agent, ConfigurationError, ScriptedModel, SQLAgent, SQLDatabase, tool
from jigwork.tools.sql.result import QueryResult

SQL = "SELECT stores.country, COUNT(*) AS n FROM stores GROUP BY stores.country ORDER BY stores.country ASC LIMIT 3"


def rows(shop: Path, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query, without us."""
    connection = sqlite3.connect(shop)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_offline_is_the_default(shop: Path) -> None:
    """Without a key the offline engine answers, connected to the database."""
    result = SQLAgent(shop).run_sync("count customers where country is Brazil")
    (count,) = rows(shop, "SELECT COUNT(*) FROM customers WHERE country = 'Brazil'")[0]
    assert str(count) in result.output
    assert [call.name for call in result.calls] == ["query"]


def test_the_result_is_kept_typed(shop: Path) -> None:
    """The outcome's value is the QueryResult, the model gets its JSON."""
    with SQLDatabase(shop) as database:
        result = SQLAgent(database, ScriptedModel([[{"name": "query", "input": SQL}], "Done."])).run_sync(
            "where?"
        )
    outcome = result.calls[0].outcome
    assert outcome is not None and isinstance(outcome.value, QueryResult)
    assert list(outcome.value.rows) == rows(shop, SQL)
    assert '"columns":["country","n"]' in str(outcome.output)


def test_model_is_told_what_there_is(shop: Path) -> None:
    """The instructions have the tables and the user's own words; the tool is held to the grammar of the schema."""
    model = ScriptedModel(["fine"])
    with SQLDatabase(shop) as database:
        agent = SQLAgent(database, model, instructions="Amounts are in euros.")
        agent.run_sync("anything")
        assert database.prompt().strip() in str(model.requests[0].instructions)
    assert "Amounts are in euros." in str(model.requests[0].instructions)
    definition = model.requests[0].tools[0]
    assert (definition["type"], definition["name"]) == ("custom", "query")
    assert "order lines" in definition["format"]["definition"]


@pytest.mark.parametrize(
    "sql", ["DELETE FROM stores", "SELECT stores.nothing FROM stores LIMIT 1", "SELECT 1; SELECT 2"]
)
def test_what_the_grammar_does_not_allow_is_not_run(shop: Path, sql: str) -> None:
    """A query outside the grammar is explained to the model and never reaches the database."""
    model = ScriptedModel([[{"name": "query", "input": sql}], "I see."])
    with SQLDatabase(shop) as database:
        result = SQLAgent(database, model).run_sync("go")
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.status == "invalid_arguments"


def test_other_tools_stand_beside_the_query(shop: Path) -> None:
    """Tools of one's own are offered too; it is an agent like any other."""

    @tool
    def note(text: str) -> str:
        """Note something."""
        return f"noted {text}"

    model = ScriptedModel(
        [[{"name": "query", "input": SQL}, {"name": "note", "arguments": {"text": "x"}}], "Done."]
    )
    with SQLDatabase(shop) as database:
        agent = SQLAgent(database, model, tools=[note])
        assert isinstance(agent, Agent) and list(agent.tools) == ["query", "note"]
        result = agent.run_sync("go")
    assert [call.outcome.status for call in result.calls if call.outcome] == ["ok", "ok"]


def test_aliases_for_the_offline_engine(shop: Path) -> None:
    """Aliases reach the offline engine, and are checked against the schema at once."""
    agent = SQLAgent(shop, "offline", aliases={"tables": {"customers": ["client"]}})
    (count,) = rows(shop, "SELECT COUNT(*) FROM customers")[0]
    assert str(count) in agent.run_sync("count clients").output
    with pytest.raises(ConfigurationError, match="customers"):
        SQLAgent(shop, "offline", aliases={"tables": {"customer": ["client"]}})


def test_aliases_for_any_model(shop: Path) -> None:
    """Other models read the aliases in their instructions."""
    model = ScriptedModel(["fine"])
    aliases = {
        "tables": {"customers": ["client"]},
        "columns": {"orders.total": ["turnover", "revenue"]},
        "values": {"orders.status": {"paid": ["settled"]}},
    }
    with SQLDatabase(shop) as database:
        SQLAgent(database, model, aliases=aliases).run_sync("go")
    told = str(model.requests[0].instructions)
    for line in (
        '- "client": the table customers',
        '- "turnover", "revenue": orders.total',
        "- \"settled\": the value 'paid' of orders.status",
    ):
        assert line in told


def test_rows_fetched_and_rows_asked_for(shop: Path) -> None:
    """`max_limit` is what a query may ask for; the database's own limit is what is fetched."""
    sql = "SELECT orders.id FROM orders LIMIT 500"
    with SQLDatabase(shop, max_rows=10) as database:
        model = ScriptedModel([[{"name": "query", "input": sql}], "Done."])
        result = SQLAgent(database, model, max_limit=500).run_sync("go")
        over = ScriptedModel([[{"name": "query", "input": sql.replace("500", "501")}], "Done."])
        lowered = SQLAgent(database, over, max_limit=500).run_sync("go")
    outcome, other = result.calls[0].outcome, lowered.calls[0].outcome
    assert outcome is not None and len(outcome.value.rows) == 10 and outcome.value.truncated
    assert other is not None and other.value.sql == sql and sql in other.repairs[0]
    assert "LIMIT 500 was reached, the most that may be asked for" in str(other.value.notes)
