"""The tools for finding one's way: what tables hold, and where a value is stored."""

from __future__ import annotations

import pytest

from jigwork.errors import ToolError
from jigwork.tools.sql import SQLDatabase


def _call(shop: SQLDatabase, name: str, **arguments: object) -> str:
    tool = next(tool for tool in shop.tools() if tool.name == name)
    decoded = tool.decode(arguments)
    assert decoded.ok, decoded.error
    return str(tool.function(**decoded.arguments))


def test_a_database_gives_four_tools(shop: SQLDatabase) -> None:
    """All of them only read, and `query` is the one with the grammar."""
    tools = shop.tools()
    assert [tool.name for tool in tools] == ["find_schema", "describe_tables", "find_values", "query"]
    assert all(tool.options.read_only for tool in tools)
    assert [tool.grammar is not None for tool in tools] == [False, False, False, True]


def test_tables_are_described(shop: SQLDatabase) -> None:
    """No names gives all names; a name gives its columns; a wrong one the nearest."""
    assert "customers (40 rows)" in _call(shop, "describe_tables", names=[]).splitlines()
    assert "country text ('Brazil'" in _call(shop, "describe_tables", names=["Customers"])
    with pytest.raises(ToolError, match="nearest: customers"):
        _call(shop, "describe_tables", names=["custommers"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("brazil", "customers.country = 'Brazil'"),
        ("Brasil", "customers.country = 'Brazil'"),
        ("customer 1", "customers.name = 'Customer 1'"),
        ("100%", "no text column holds '100%'"),
        ("d'ivoire", 'customers.country = "Côte d\'Ivoire"'),
    ],
)
def test_values_are_found(shop: SQLDatabase, text: str, line: str) -> None:
    """A text is found wherever it stands, in any case, also when it is only nearly right; wildcards are letters."""
    assert line in _call(shop, "find_values", text=text).splitlines()
