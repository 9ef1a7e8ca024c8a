"""Constraints: a grammar for a whole response, in the words of the servers that know such a thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["ResponseGrammar", "constraint"]

ResponseGrammar: TypeAlias = Literal["llamacpp", "sglang", "vllm"]
"""How a server is told: llama.cpp `grammar` (GBNF), vLLM `structured_outputs`, SGLang `ebnf` or `regex`."""


def constraint(grammar: Grammar, server: ResponseGrammar) -> dict[str, Any]:
    """Return what is merged into a request's body; raises GrammarError where the grammar has no such form.

    A form may say more than the grammar does (GBNF has no lexer): what comes back is checked all the same.
    """
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
