"""Constraints: a grammar for a whole response, in the words of the servers that know such a thing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jigwork.errors import GrammarError

from .wirelog import log

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["ResponseGrammar", "constraint", "is_constrained"]

ResponseGrammar: TypeAlias = Literal["llamacpp", "llguidance", "sglang", "vllm"]
"""How a server is told: llama.cpp `grammar` (in GBNF, or in llguidance's Lark where it was built with it), vLLM
`structured_outputs`, SGLang `ebnf` or `regex`."""

_NO_FORCING = '%llguidance {"no_forcing": true}\n'
"""First line of a grammar for llguidance: without it some grammars keep an engine busy for ever."""


def constraint(grammar: Grammar, server: ResponseGrammar) -> dict[str, Any]:
    """Return what is merged into a request's body; nothing where the grammar has no form that this server takes.

    A form may say more than the grammar does (GBNF has no lexer): what comes back is checked all the same.
    """
    try:
        return _constraint(grammar, server)
    except GrammarError as error:
        log.info("%s: the grammar is not sent, texts are only checked: %s", server, error)
        return {}


@lru_cache(maxsize=32)
def _constraint(grammar: Grammar, server: ResponseGrammar) -> dict[str, Any]:
    if server == "llguidance":
        return {"grammar": _NO_FORCING + grammar.to_llguidance().text.partition("\n")[2]}
    if server == "llamacpp":
        return {"grammar": grammar.to_gbnf().text}
    if grammar.syntax == "regex":
        return (
            {"structured_outputs": {"regex": grammar.definition}}
            if server == "vllm"
            else {"regex": grammar.definition}
        )
    text = grammar.to_ebnf().text
    return {"structured_outputs": {"grammar": text}} if server == "vllm" else {"ebnf": text}


def is_constrained(body: Mapping[str, Any]) -> bool:
    """Tell whether a request's body holds the whole response to a grammar."""
    return not _KEYS.isdisjoint(body)


_KEYS = frozenset({"grammar", "structured_outputs", "ebnf", "regex"})
