"""Calls whose text is written alone, under a mask: those of grammar tools, and those that the request forces.

A model in this process says in its own form that it calls a tool. From the name on the call is ours: its text is asked
for by a request of its own that differs from the first only at its end, so that nothing is read twice, and that can
hold nothing but a text of the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jigwork.errors import GrammarError

from ..items import Item, user_message
from .base import ModelRequest
from .jsondata import decode
from .settings import Settings

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["Draft", "as_custom", "as_functions", "drafts_of", "forced_draft", "schema_grammar"]

_PARAMETER = "input"
"""Name of the text in the function form of a custom tool; histories are written with the same one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """How the text of a call of one tool is written: as raw input (`custom`) or as JSON, in this grammar."""

    name: str
    grammar: Grammar
    custom: bool

    def request(self, request: ModelRequest, said: Sequence[Item], settings: Settings) -> ModelRequest:
        """Return the request for the text alone, after what the response has said so far."""
        what = "text, in the language of its grammar" if self.custom else "JSON object of its arguments"
        ask = f"Call {self.name} now. Write the {what}, and nothing before or after it."
        return replace(
            request,
            items=[*request.items, *said, user_message(ask)],
            output=None,
            constraint=self.grammar,
            settings=replace(settings, tool_choice="none" if request.tools else None, stop=None),
            scratch={},
        )

    def item(self, call_id: str, text: str, *, cut: bool) -> Item:
        """Return the call."""
        kind, key = ("custom_tool_call", "input") if self.custom else ("function_call", "arguments")
        item: Item = {"type": kind, "call_id": call_id, "name": self.name, key: text}
        return {**item, "status": "incomplete"} if cut else item


def drafts_of(tools: Sequence[Mapping[str, Any]]) -> dict[str, Draft]:
    """Return, by name, how calls of the grammar tools among these definitions are written."""
    found: dict[str, Draft] = {}
    for tool in tools:
        form: Any = tool.get("format")
        if tool.get("type") == "custom" and form and form.get("type") == "grammar":
            found[str(tool["name"])] = Draft(str(tool["name"]), _grammar(form), custom=True)
    return found


def forced_draft(
    settings: Settings, tools: Sequence[Mapping[str, Any]], drafts: Mapping[str, Draft]
) -> Draft | None:
    """Return how the one call is written that the settings force; None where there is a choice left."""
    choice = settings.tool_choice
    if isinstance(choice, Mapping):
        name: Any = choice.get("name")
    elif choice == "required":
        name = tools[0].get("name") if len(tools) == 1 else None
    else:
        name = choice if isinstance(choice, str) and choice not in ("auto", "none") else None
    tool = next((tool for tool in tools if tool.get("name") == name), None)
    if tool is None or name is None:
        return None
    if name in drafts or tool.get("type") != "function":
        return drafts.get(name)
    grammar = schema_grammar(tool.get("parameters") or {"type": "object", "properties": {}})
    return None if grammar is None else Draft(str(name), grammar, custom=False)


def as_functions(tools: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the definitions with custom tools as functions of one string, which is what llama.cpp takes."""
    return tuple(_as_function(tool) if tool.get("type") == "custom" else tool for tool in tools)


def as_custom(item: Item, tools: Sequence[Mapping[str, Any]]) -> Item:
    """Turn a call of a custom tool, which was sent as a function, back into what it is; other items stay."""
    name = item.get("name")
    if item.get("type") != "function_call" or not any(
        tool.get("name") == name and tool.get("type") == "custom" for tool in tools
    ):
        return item
    written = str(item.get("arguments") or "")
    try:
        arguments: Any = decode(written.encode())
        text = str(arguments[_PARAMETER])
    except (ValueError, TypeError, KeyError):
        text = written
    return {"type": "custom_tool_call", "call_id": item["call_id"], "name": name, "input": text}


def schema_grammar(schema: Mapping[str, Any]) -> Grammar | None:
    """Return the grammar of the JSON of a schema; None where there is none that says the same."""
    from jigwork.grammars import Grammar

    try:
        return Grammar.from_json_schema(dict(schema))
    except GrammarError:
        return None


def _grammar(form: Mapping[str, Any]) -> Grammar:
    from jigwork.grammars import Grammar

    make = Grammar.from_regex if form.get("syntax") == "regex" else Grammar.from_lark
    return make(str(form["definition"]))


def _as_function(tool: Mapping[str, Any]) -> dict[str, Any]:
    description = str(tool.get("description") or "")
    form: Any = tool.get("format")
    if form and form.get("type") == "grammar":
        kind = "regular expression" if form.get("syntax") == "regex" else "Lark grammar"
        description += (
            f"\n\n`{_PARAMETER}` must be a text of this {kind}, exactly and as a whole:\n{form['definition']}"
        )
    properties = {_PARAMETER: {"type": "string", "description": "The text."}}
    return {
        "type": "function",
        "name": tool["name"],
        "description": description.lstrip(),
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": [_PARAMETER],
            "additionalProperties": False,
        },
    }
