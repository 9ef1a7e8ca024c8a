"""The query tool: held to its grammar, read-only, and with errors in words for a model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jigwork.tools import RunContext, Tool
from jigwork.tools.sql import SQLDatabase


def _call(tool: Tool[..., Any], sql: str) -> tuple[bool, str]:
    """Do with one call what a run does: decode, call, and take the text either way."""
    from jigwork.errors import ToolError

    decoded = tool.decode(sql, custom=True)
    if not decoded.ok:
        return False, decoded.error or ""
    try:
        output = tool.render(asyncio.run(tool.call(RunContext(None), decoded)))
        return True, output if isinstance(output, str) else ""
    except ToolError as error:
        return False, str(error)


def test_the_tool_is_read_only_and_knows_its_database(shop: SQLDatabase) -> None:
    """What an agent needs to know of the tool stands on it."""
    tool = shop.tool("ask_shop")
    assert (tool.name, tool.options.read_only, tool.is_async) == ("ask_shop", True, True)
    assert tool.metadata["database"] is shop
    assert tool.grammar == shop.grammar()
    assert tool.definition()["type"] == "custom"


def test_a_canonical_query_gives_json(shop: SQLDatabase) -> None:
    """The model gets the result as one JSON text."""
    ok, text = _call(shop.tool(), "SELECT COUNT(*) AS n FROM customers LIMIT 1")
    assert ok
    assert json.loads(text) == {
        "columns": ["n"],
        "rows": [[40]],
        "row_count": 1,
        "truncated": False,
        "notes": [],
    }


REWRITTEN = [
    (
        "SELECT id FROM orders WHERE total > 400",
        "SELECT orders.id FROM orders WHERE orders.total > 400 LIMIT 1000",
    ),
    (
        "select name from customers where id = 3",
        "SELECT customers.name FROM customers WHERE customers.id = 3 LIMIT 1000",
    ),
    (
        "SELECT c.name FROM customers c, orders o WHERE o.customer_id = c.id LIMIT 5",
        "SELECT customers.name FROM customers CROSS JOIN orders WHERE orders.customer_id = customers.id LIMIT 5",
    ),
    (
        'SELECT COUNT(*) FROM customers WHERE country == "Brazil" LIMIT 9999;',
        "SELECT COUNT(*) FROM customers WHERE customers.country = 'Brazil' LIMIT 1000",
    ),
    ("```sql\nSELECT COUNT(*)\nFROM orders\n```", "SELECT COUNT(*) FROM orders LIMIT 1000"),
]


@pytest.mark.parametrize(("written", "canonical"), REWRITTEN)
def test_what_the_grammar_can_say_otherwise_is_rewritten(
    shop: SQLDatabase, written: str, canonical: str
) -> None:
    """A server that holds nobody to the grammar costs no turn; what ran is in the record and in the result."""
    tool = shop.tool()
    decoded = tool.decode(written, custom=True)
    assert tool.grammar is not None and not tool.grammar.accepts(written) and tool.grammar.accepts(canonical)
    assert (decoded.value, decoded.error) == ({"sql": canonical}, None)
    assert canonical in decoded.repairs[-1]
    assert tool.decode(json.dumps({"sql": written})).value == decoded.value
    result = asyncio.run(tool.call(RunContext(None), decoded))
    assert result.sql == canonical
    assert result.rows == shop.query(canonical).rows and result.rows


def test_a_text_of_the_grammar_is_run_as_it_is(shop: SQLDatabase) -> None:
    """Nothing is repaired where nothing has to be."""
    sql = "SELECT COUNT(*) AS n FROM customers LIMIT 1"
    decoded = shop.tool().decode(sql, custom=True)
    assert (decoded.value, decoded.repairs) == ({"sql": sql}, ())


REFUSED = [
    ("SELECT secrets.token FROM secrets LIMIT 1", "secrets is not available here at line 1, column 27"),
    ("SELECT COUNT(*) FROM orders, secrets", "secrets is not available here at line 1, column 30"),
    ("SELECT customers.email FROM customers LIMIT 1", "customers.email is not available here"),
    (
        "SELECT customers.nam FROM customers LIMIT 1",
        "customers has no column nam at line 1, column 18; nearest: name",
    ),
    ("SELECT name FROM custmers", "there is no table custmers here at line 1, column 18; nearest: customers"),
    ("SELECT LOAD_EXTENSION('x')", "the function LOAD_EXTENSION is not available here"),
    ("DELETE FROM orders", "only SELECT statements may be run"),
    ("SELECT id FROM orders; SELECT id FROM customers", "only one statement may be sent"),
    ("", "the query is empty"),
    ("CALL nobody()", "only SELECT statements may be run"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_what_has_no_such_form_is_told_in_a_sentence(shop_path: Path, sql: str, message: str) -> None:
    """The model hears what is wrong, where, and what is near: no list of tokens, and of what is hidden that it is."""
    with SQLDatabase(shop_path, deny=["secrets", "customers.email"]) as shop:
        ok, text = _call(shop.tool(), sql)
    assert not ok
    assert message in text
    assert "Expected" not in text and "Nearest valid text" not in text


@pytest.mark.parametrize(
    ("only", "text", "message"),
    [
        (True, "SELECT COUNT(*) FROM employees", "only these may be asked here: CALL heads(least=<integer>)"),
        (False, "CALL head(least=2)", "this calls no trusted query; nearest: heads"),
        (False, "call heads(2)", "this calls no trusted query"),
        (False, "CALL heads(2)", "write it as CALL heads(least=<integer>)"),
        (False, "CALL heads(least='x')", "least takes a value of the kind integer, not 'x'"),
    ],
)
def test_a_wrong_call_of_a_trusted_query_is_told_in_a_sentence(
    shop_path: Path, tmp_path: Path, only: bool, text: str, message: str
) -> None:
    """How it is written, and that nothing else may be asked."""
    (tmp_path / "heads.sql").write_text(
        "-- :least integer\nSELECT COUNT(*) FROM employees WHERE id >= :least"
    )
    with SQLDatabase(shop_path, trusted=tmp_path, trusted_only=only) as shop:
        ok, said = _call(shop.tool(), text)
        assert not ok and message in said and "Expected" not in said
        ok, said = _call(shop.tool(), " CALL heads(least=2)\n")
        assert ok and json.loads(said)["rows"] == [[2]]
        assert shop.check("CALL heads(least=2)").tables() == ["employees"]


def test_the_options_of_the_grammar_hold_for_what_is_rewritten(shop: SQLDatabase) -> None:
    """A lower limit, tables that are left out and values that are not stored cannot be reached by writing otherwise."""
    decoded = shop.tool(max_limit=7).decode("select id from orders limit 50", custom=True)
    assert decoded.value == {"sql": "SELECT orders.id FROM orders LIMIT 7"}
    narrow = shop.tool(tables=["orders"])
    assert narrow.decode("select id from orders", custom=True).ok
    error = str(narrow.decode("select id from customers", custom=True).error)
    assert "customers cannot be queried now, only orders" in error
    grounded = shop.tool(values=True)
    assert grounded.decode("select id from customers where country = 'Brazil'", custom=True).ok
    error = str(grounded.decode("select id from customers where country = 'Brasil'", custom=True).error)
    assert "It was read as: SELECT customers.id FROM customers WHERE customers.country = 'Brasil'" in error


def test_what_only_the_guard_sees_is_explained(shop: SQLDatabase) -> None:
    """A table that is not in FROM is within the grammar and refused by the guard."""
    ok, text = _call(shop.tool(), "SELECT orders.total FROM customers LIMIT 1")
    assert not ok
    assert text.startswith("orders is not in FROM (FROM has customers)")
