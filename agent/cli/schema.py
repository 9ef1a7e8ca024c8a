"""`jigwork schema`: what a function or model looks like to a model: strict schema, plain schema, what is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .documents import print_json
from .extras import need
from .load import load_target
from .options import json_option

if TYPE_CHECKING:
    from jigwork.tools import Tool

    from .screen import Screen

__all__ = ["command"]


@click.command("schema", short_help="Show the strict schema of a tool and what it cannot say.")
@click.argument("target")
@json_option
def command(target: str, as_json: bool) -> int:
    """Show the strict schema of a tool and what it cannot say: module:function or file.py:function.

    TARGET names a function, a @tool or a pydantic model. What the strict subset cannot say is enforced after
    decoding; the loss report names each such place.
    """
    need("cli", "jigwork schema")
    from jigwork.tools import as_tool

    from .screen import Screen

    tool = as_tool(load_target(target))
    if as_json:
        print_json(_document(tool))
    else:
        _show(Screen(), tool)
    return 0


def _document(tool: Tool[..., Any]) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "strict": tool.strict.enabled,
        "lossless": tool.strict.lossless,
        "losses": list(tool.strict.losses),
        "schema": tool.strict.schema,
        "plain": tool.parameters,
        "grammar": None
        if tool.grammar is None
        else {"syntax": tool.grammar.syntax, "definition": tool.grammar.definition},
    }


def _show(screen: Screen, tool: Tool[..., Any]) -> None:
    from .escape import clean

    screen.label("tool", clean(tool.name), "bold")
    screen.label("says", clean(tool.description) or "(nothing: give the function a docstring)")
    strict = tool.strict
    if strict.enabled:
        text = (
            "yes, and the schema says all"
            if strict.lossless
            else "yes; what it cannot say is enforced after decoding:"
        )
    else:
        text = "no:"
    screen.label("strict", text, "green" if strict.enabled else "yellow")
    for loss in strict.losses:
        screen.label("", f"- {clean(loss)}")
    screen.line()
    screen.line("sent to the model", "bold")
    screen.line(clean(json.dumps(strict.schema, ensure_ascii=False, indent=2)))
    if strict.schema != tool.parameters:
        screen.line()
        screen.line("plain", "bold")
        screen.line(clean(json.dumps(tool.parameters, ensure_ascii=False, indent=2)))
    if tool.grammar is not None:
        screen.line()
        screen.line(f"grammar ({tool.grammar.syntax})", "bold")
        screen.line(clean(tool.grammar.definition))
