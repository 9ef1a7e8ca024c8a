"""Tools of our own as an MCP server: `python own.py stdio` or `python own.py http PORT [TOKEN]`."""

from __future__ import annotations

import sys

from jigwork.agent.mcp_server import serve_mcp
from jigwork.tools import RunContext, tool


@tool(read_only=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def count(to: int, context: RunContext[None]) -> dict[str, int]:
    """Count, and say so."""
    for number in range(1, to + 1):
        context.progress(number / to, f"at {number}")
    print("this must not reach the client")
    return {"counted": to}


if __name__ == "__main__":
    if sys.argv[1] == "http":
        serve_mcp(
            [add, count], transport="http", port=int(sys.argv[2]), token=sys.argv[3] if sys.argv[3:] else None
        )
    else:
        serve_mcp([add, count])
