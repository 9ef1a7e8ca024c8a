"""The query tool: held to its grammar, read-only, and with errors in words for a model."""

from __future__ import annotations

import asyncio
import json
from typing import Any

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


def test_what_the_grammar_does_not_say_is_explained(shop: SQLDatabase) -> None:
    """A text outside the grammar never reaches the database; the model hears where it left the path."""
    ok, text = _call(shop.tool(), "SELECT customers.nam FROM customers LIMIT 1")
    assert not ok
    assert "column 21" in text


def test_what_only_the_guard_sees_is_explained(shop: SQLDatabase) -> None:
    """A table that is not in FROM is within the grammar and refused by the guard."""
    ok, text = _call(shop.tool(), "SELECT orders.total FROM customers LIMIT 1")
    assert not ok
    assert text.startswith("orders is not in FROM (FROM has customers)")
