"""`jigwork grammar convert`: a grammar in the words of another server, exact, or with what is different."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import GrammarError

from .documents import json_text, print_json
from .escape import clean, one_line
from .failures import FAILED, report
from .grammar_file import open_grammar
from .options import json_option

if TYPE_CHECKING:
    from jigwork.grammars import Export, Grammar
    from jigwork.grammars.grammar import Endpoint

__all__ = ["command"]


def _text(export: Export) -> dict[str, Any]:
    return {"text": export.text, "exact": export.exact, "differences": list(export.differences)}


def _format(value: dict[str, Any]) -> dict[str, Any]:
    return {"format": value, "exact": True, "differences": []}


def _openai(grammar: Grammar, endpoint: Endpoint) -> dict[str, Any]:
    from jigwork.grammars.openai_words import openai_words

    words = openai_words(grammar.syntax, grammar.definition)
    return {
        "format": grammar.to_openai(endpoint),
        "exact": words.exact,
        "differences": list(words.differences),
    }


_FORMS: dict[str, Callable[[Grammar], dict[str, Any]]] = {
    "openai-responses": lambda grammar: _openai(grammar, "responses"),
    "openai-chat": lambda grammar: _openai(grammar, "chat"),
    "llguidance": lambda grammar: _text(grammar.to_llguidance()),
    "gbnf": lambda grammar: _text(grammar.to_gbnf()),
    "ebnf": lambda grammar: _text(grammar.to_ebnf()),
    "regex": lambda grammar: _text(grammar.to_regex()),
    "json-schema": lambda grammar: _format(grammar.to_json_schema()),
}
"""What each form is, as a document. What an OpenAI server is sent, and a schema, are JSON already."""


@click.command("convert", short_help="Write a grammar as another server wants it.")
@click.argument("file", metavar="GRAMMAR")
@click.option("--to", "form", required=True, type=click.Choice(list(_FORMS)), help="What to write.")
@json_option
def command(file: str, form: str, as_json: bool) -> int:
    """Write a grammar as another server wants it: the `format` of an OpenAI custom tool, GBNF, a regular expression...

    Where the language becomes larger, or a server may not know a word, standard error says how. What cannot be said is
    refused with the place, and the exit code is 1.
    """
    opened = open_grammar(file)
    grammar = opened.grammar()
    try:
        document = _FORMS[form](grammar)
    except GrammarError as error:
        message = f"{opened.name} cannot be written as {form}: {error}"
        report(GrammarError(message, line=error.line, column=error.column, rule=error.rule), as_json=as_json)
        return FAILED
    if as_json:
        print_json({"name": opened.name, "to": form, **document})
        return 0
    for difference in document["differences"]:
        click.echo(f"jigwork: not exact: {one_line(difference)}", err=True)
    text = document["text"] if "text" in document else json_text(document["format"], indent=2)
    text = text.removesuffix("\n") + "\n"
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)
    return 0
