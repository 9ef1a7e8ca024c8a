"""The offline model: controlled English instead of a language model. No key, no network, nothing guessed.

It reads the last user message with `jigwork.grammars.english`, asks the query tool for the rows, and says what they
are; whatever it does not understand, it answers with the explanation. It says only what the rows say.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from jigwork.errors import QuestionError, SettingsError

from ..events import ArgumentsDelta, ItemAdded, ModelEvent, ResponseEnded, TextDelta
from ..items import Item, call_id, is_call, is_call_output, is_message, output_text
from ..usage import Usage
from .offline_answer import answer
from .profiles import Profile

if TYPE_CHECKING:
    from jigwork.grammars.english import English, Reading
    from jigwork.grammars.schema import Schema

    from .base import ModelRequest

__all__ = ["OfflineModel"]

_PROFILE = Profile(
    custom_tools=True, efforts=(), sampling="never", json_schema=False, endpoints=("responses",)
)
_QUERY_NAMES = ("query", "sql", "run_query", "run_sql", "query_database", "execute_sql")
_NO_DATABASE = """\
This is the offline engine: it answers questions in controlled English over a database, and none is connected.
Connect one (`jigwork ask --db FILE`), use a tool by name (`use TOOL with NAME VALUE`), or name a model (`--model`)."""


class _HasSchema(Protocol):
    @property
    def schema(self) -> Schema:
        """The tables that may be asked about."""
        ...


class OfflineModel:
    """A model that understands controlled English over `database`, anything with a `schema`.

    The SQL goes to the custom tool `query`, or to a function tool with one text argument, of the request; plain
    function tools are called by `use TOOL with NAME VALUE`. `aliases` are those of `English`. Deterministic; usage
    is reported as zero tokens. Raises SettingsError where the run wants a structured output.
    """

    def __init__(
        self, database: _HasSchema | None = None, *, aliases: Any = None, name: str = "offline"
    ) -> None:
        self._database = database
        self._aliases = aliases
        self._name = name
        self._english: English | None = None

    def connect(self, tools: Sequence[Any]) -> OfflineModel:
        """Return a model over the database that one of these tools queries, if this one has none of its own."""
        databases = [tool.metadata["database"] for tool in tools if "database" in tool.metadata]
        if self._database is not None or not databases:
            return self
        return OfflineModel(databases[0], aliases=self._aliases, name=self._name)

    @property
    def name(self) -> str:
        """The model's id, as reported in results and logs."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What this model can do: tools of both kinds, and no sampling, reasoning or structured output."""
        return _PROFILE

    @property
    def english(self) -> English | None:
        """The language of the database, or None without one; built on first use."""
        if self._english is None and self._database is not None:
            from jigwork.grammars.english import English

            self._english = English(
                self._database.schema,
                aliases=self._aliases,
                trusted=getattr(self._database, "trusted", ()),
                trusted_only=getattr(self._database, "trusted_only", False),
            )
        return self._english

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield one call or one message for the last user message of the history."""
        if request.output is not None:
            raise SettingsError(
                "the offline model answers in plain text only: name a model for an output type"
            )
        for event in self._events(request):
            yield event
        yield ResponseEnded(Usage(requests=1), id="resp_offline", model=self._name)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _events(self, request: ModelRequest) -> list[ModelEvent]:
        question, since = _last_question(request.items)
        calls = [item for item in since if is_call(item)]
        outputs = {call_id(item): item for item in since if is_call_output(item)}
        if calls and call_id(calls[-1]) in outputs:
            return _message(self._after(question, calls[-1], outputs[call_id(calls[-1])], request))
        try:
            reading = self._read(question, request)
        except QuestionError as error:
            return _message(str(error))
        if isinstance(reading, str):
            return _message(reading)
        call = self._call(reading, request)
        if call is None:
            return _message(_no_tool(reading, request))
        text = str(call.get("input", call.get("arguments")))
        return [ArgumentsDelta(text, 0, call_id(call), str(call["name"])), ItemAdded(call)]

    def _read(self, question: str, request: ModelRequest) -> Reading | str:
        """Return the reading, or what to say instead."""
        from jigwork.grammars.english import read_tool_use

        english = self.english
        tools = [tool for tool in request.tools if tool is not _query_tool(request.tools)]
        use = read_tool_use(question, tools, english)
        if use is not None:
            return use
        if english is None:
            return _NO_DATABASE
        return english.read(question)

    def _call(self, reading: Reading, request: ModelRequest) -> Item | None:
        if request.settings.tool_choice == "none":
            return None
        id = _free_id(request.items)
        if reading.tool is not None:
            arguments = json.dumps(dict(reading.arguments), ensure_ascii=False)
            return {"type": "function_call", "call_id": id, "name": reading.tool, "arguments": arguments}
        tool = _query_tool(request.tools)
        if tool is None:
            return None
        if tool.get("type") == "custom":
            return {"type": "custom_tool_call", "call_id": id, "name": tool["name"], "input": reading.sql}
        arguments = json.dumps({_text_parameter(tool): reading.sql}, ensure_ascii=False)
        return {"type": "function_call", "call_id": id, "name": tool["name"], "arguments": arguments}

    def _after(self, question: str, call: Item, output: Item, request: ModelRequest) -> str:
        """Say what a tool has given back for the question."""
        text = _output_text(output)
        try:
            reading = self._read(question, request)
        except QuestionError:
            return text
        if isinstance(reading, str):
            return text
        sent = str(call.get("input") or call.get("arguments") or "")
        ours = reading.sql in (sent, *_texts(sent)) if reading.sql else reading.tool == call.get("name")
        return answer(reading, text) if ours else text


def _last_question(items: Sequence[Item]) -> tuple[str, Sequence[Item]]:
    """Return the text of the last user message, and what came after it."""
    for i in range(len(items) - 1, -1, -1):
        if is_message(items[i], "user"):
            return output_text(items[i]), items[i + 1 :]
    return "", ()


def _output_text(output: Item) -> str:
    content: Any = output.get("output")
    if isinstance(content, str):
        return content
    parts: Any = content or []
    return "".join(str(part.get("text") or "") for part in parts if hasattr(part, "get"))


def _texts(arguments: str) -> list[str]:
    """The text values in the JSON arguments of a function call."""
    try:
        data: Any = json.loads(arguments)
    except ValueError:
        return []
    return [str(value) for value in cast("dict[str, Any]", data).values()] if isinstance(data, dict) else []


def _free_id(items: Sequence[Item]) -> str:
    used = {call_id(item) for item in items if is_call(item)}
    return next(id for n in itertools.count(1) if (id := f"call_{n}") not in used)


def _query_tool(tools: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The tool that takes the SQL: by a usual name, custom tools first; else the only custom tool there is."""
    custom = [tool for tool in tools if tool.get("type") == "custom"]
    plain = [tool for tool in tools if tool.get("type") == "function" and _text_parameter(tool)]
    for name in _QUERY_NAMES:
        for tool in (*custom, *plain):
            if tool.get("name") == name:
                return tool
    named = [t for t in (*custom, *plain) if any(w in str(t.get("name")).lower() for w in ("query", "sql"))]
    if len(named) == 1:
        return named[0]
    return custom[0] if len(custom) == 1 else None


def _text_parameter(tool: Mapping[str, Any]) -> str | None:
    """The name of the only parameter of a function tool, when it is a text."""
    parameters: Any = tool.get("parameters") or {}
    properties: Any = parameters.get("properties") or {}
    if len(properties) != 1:
        return None
    name, schema = next(iter(properties.items()))
    return str(name) if schema.get("type") == "string" else None


def _no_tool(reading: Reading, request: ModelRequest) -> str:
    if reading.tool is not None:
        return f"{reading.readback}\nTools may not be called now, so nothing was done."
    why = "tools may not be called now" if _query_tool(request.tools) else "there is no tool to run a query"
    return f"{reading.readback}\nNothing was run, because {why}. The query would be:\n{reading.sql}"


def _message(text: str) -> list[ModelEvent]:
    part: Item = {"type": "output_text", "text": text, "annotations": []}
    item: Item = {
        "type": "message",
        "id": "msg_offline",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    return [TextDelta(text, 0), ItemAdded(item)]
