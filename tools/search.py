"""`tool_search`: many tools behind one, which finds them by name and description and adds what it found.

Where the model has a search of its own (Responses API, GPT-5.4 and later) the tools are sent deferred, and the server
finds and loads them. Elsewhere the search is local (BM25 over words). What was found is read back from the history, so
that a run that is taken up later, or forked, has it too; the tool list only ever grows at its end.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

import orjson

from jigwork.errors import SettingsError, ToolDefinitionError, ToolError

from .context import RunContext
from .definition import Tool
from .hosted_call import HostedCall
from .names import nearest, safe_name
from .options import ToolOptions
from .toolset import Derived, Toolset

__all__ = ["DEFERRED", "rank_tools", "server_searches", "tool_search"]

_MOST = 20
_DESCRIPTION = 200
"""Characters of a description in a list of what was found; the definition has all of it."""
_NAME_WEIGHT = 3
_K, _B = 1.2, 0.6
_WORD = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STOP = frozenset("a an and are as at by for from in is it of on or that the this to with".split())


def tool_search(
    tools: Toolset | Iterable[Any],
    *,
    limit: int = 5,
    always: Sequence[str] = (),
    name: str = "tool_search",
    hosted: bool | None = None,
) -> Toolset:
    """Return a toolset that shows only a search tool, the tools named in `always`, and what was found in this run.

    The model's profile chooses who searches: its server, which then is sent all tools with `defer_loading` and shows
    them to the model as they are found, or this process. `hosted=False` always searches here; `hosted=True` raises
    SettingsError where the model has no search of its own. `limit` is how many tools one local search adds at most (1
    to 20). Prefix and rename the tools, not what is returned:
    `tool_search(github.prefixed("gh") + slack.prefixed("slack"))`.
    """
    if not 1 <= limit <= _MOST:
        raise ToolDefinitionError(f"limit={limit} is out of range: 1 to {_MOST}")
    inner = tools if isinstance(tools, Toolset) else Toolset(tools, name="tools")
    return _Searched(inner, limit, always, name=name, hosted=hosted)


server_searches: ContextVar[bool] = ContextVar("jigwork_server_searches", default=False)
"""Whether the model that the tools are asked for has a search of its own; set around `Toolset.tools`."""

DEFERRED = "defer_loading"
"""Key of a tool's metadata: its definition is sent, and shown to the model only when a search has found it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The result of a search."""

    tools: tuple[Tool[..., Any], ...]

    def for_model(self) -> str:
        found = [{"name": t.name, "description": _shortened(t.description)} for t in self.tools]
        answer: dict[str, Any] = {"found": found}
        answer["next"] = (
            "these can be called now"
            if found
            else "nothing fits; search again with other words, or go on without"
        )
        return orjson.dumps(answer).decode()


class _Searched(Derived):
    """Shows the search tool and what it found."""

    def __init__(
        self, inner: Toolset, limit: int, always: Sequence[str], *, name: str, hosted: bool | None
    ) -> None:
        self._limit = limit
        self._hosted = hosted
        self._deferred: WeakKeyDictionary[Tool[..., Any], Tool[..., Any]] = WeakKeyDictionary()
        self._servers = HostedCall.of(
            {"type": "tool_search"}, _not_here, {"type": "object"}, description="Find tools."
        )
        self._always = frozenset(always)
        known = inner.known
        labels = [tool.label for tool in known or ()]
        if known is not None and (wrong := [label for label in always if label not in labels]):
            near = nearest(wrong[0], labels)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise ToolDefinitionError(f"{inner.name} has no tool {wrong[0]!r}{hint}")
        self._search = Tool.from_function(
            self._find,
            name=name,
            description=_ABOUT,
            options=ToolOptions(read_only=True, max_output=_MOST * (_DESCRIPTION + 200) * 2),
        )
        super().__init__(inner, f"search in {inner.name}")

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        there = await self._inner.tools(context)
        kept = [tool for tool in there if tool.label in self._always]
        if self._hosted and not server_searches.get():
            raise SettingsError(
                f"{self.name}: this model has no tool_search of its own (GPT-5.4 and later on the Responses endpoint"
                " have): leave hosted=True out, and the search is made here"
            )
        if self._hosted is not False and server_searches.get():
            deferred = [self._defer(tool) for tool in there if tool.label not in self._always]
            return [*kept, *deferred, self._servers] if deferred else kept
        by_name = {tool.name: tool for tool in there if tool.label not in self._always}
        found = [by_name[name] for name in self._found(context.items) if name in by_name]
        return [self._search, *kept, *found]

    def _defer(self, tool: Tool[..., Any]) -> Tool[..., Any]:
        made = self._deferred.get(tool)
        if made is None:
            made = self._deferred[tool] = tool.replaced(metadata={**tool.metadata, DEFERRED: True})
        return made

    async def _find(self, context: RunContext[Any], query: str) -> _Found:
        there = await self._inner.tools(context)
        hidden = [tool for tool in there if tool.label not in self._always]
        return _Found(tuple(rank_tools(query, hidden)[: self._limit]))

    def _found(self, items: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the names that searches have found, in the order in which they were found."""
        searches: set[str] = set()
        found: dict[str, None] = {}
        for item in items:
            kind = item.get("type")
            if kind == "function_call" and self._is_search(str(item.get("name"))):
                searches.add(str(item.get("call_id")))
            elif kind == "function_call_output" and item.get("call_id") in searches:
                found.update(dict.fromkeys(_names(item.get("output"))))
            elif kind == "tool_search_output":  # the server's own, before the conversation came to this model
                found.update(dict.fromkeys(_loaded(item.get("tools"))))
        return list(found)

    def _is_search(self, name: str) -> bool:
        own = safe_name(self._search.label)
        return name == own or name.endswith(f"_{own}")


_ABOUT = """Find tools that are not in the list yet. The tools that are found can be called from then on.

Say in a few words what is to be done, such as "send an email" or "weather forecast"; or give a tool's name."""


def _names(output: Any) -> list[str]:
    """Read the names out of a result; of one that was an error there are none."""
    try:
        return [str(entry["name"]) for entry in orjson.loads(output)["found"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []


def _loaded(tools: Any) -> list[str]:
    """Read the names out of what a server has loaded, those in namespaces included."""
    listed: list[Any] = list(cast("Any", tools)) if isinstance(tools, list) else []
    inner = [
        one for tool in listed if isinstance(tool, dict) for one in _loaded(cast("Any", tool).get("tools"))
    ]
    return [*(str(cast("Any", t).get("name")) for t in listed if isinstance(t, dict)), *inner]


async def _not_here(**_: Any) -> str:
    raise ToolError("The model's server searches.")


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _DESCRIPTION else text[: _DESCRIPTION - 1] + "…"


# --- ranking ---

_known: WeakKeyDictionary[Tool[..., Any], Counter[str]] = WeakKeyDictionary()


def rank_tools(query: str, tools: Sequence[Tool[..., Any]]) -> list[Tool[..., Any]]:
    """Return the tools that have a word of the query, the best first; a tool whose name it is comes before all.

    Words count in names (most), descriptions and the names of parameters; rare words count more.
    """
    wanted = set(_words(query))
    documents = [_document(tool) for tool in tools]
    if not documents:
        return []
    average = sum(document.total() for document in documents) / len(documents)
    weight = {word: _rarity(word, documents) for word in wanted}
    scored: list[tuple[float, int]] = []
    for index, (tool, document) in enumerate(zip(tools, documents, strict=True)):
        norm = _K * (1 - _B + _B * document.total() / average)
        score = sum(weight[w] * document[w] * (_K + 1) / (document[w] + norm) for w in wanted)
        if query.strip() in (tool.name, tool.label):
            score += 1000.0
        if score > 0:
            scored.append((-score, index))
    return [tools[index] for _, index in sorted(scored)]


def _rarity(word: str, documents: Sequence[Counter[str]]) -> float:
    holding = sum(word in document for document in documents)
    return math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))


def _document(tool: Tool[..., Any]) -> Counter[str]:
    document = _known.get(tool)
    if document is None:
        document = Counter[str]()
        for word in _words(tool.label):
            document[word] += _NAME_WEIGHT
        document.update(_words(tool.description))
        document.update(_words(" ".join(tool.parameters.get("properties", {}))))
        _known[tool] = document
    return document


def _words(text: str) -> list[str]:
    """Return the words of a text or a name, without their commonest endings."""
    parts = _WORD.findall(_HUMP.sub(" ", text))
    return [_stem(word) for part in parts if (word := part.lower()) not in _STOP]


def _stem(word: str) -> str:
    for ending, rest in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + rest
            break
    if len(word) > 3 and (word[-1] == "e" or word[-1] == word[-2]):  # cancelled, cancel; selling, sell
        word = word[:-1]
    return word
