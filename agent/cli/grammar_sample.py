"""`jigwork grammar sample`: texts of a grammar, to see what it really allows."""

from __future__ import annotations

import click

from jigwork.errors import GrammarError

from .documents import print_json
from .extras import need
from .failures import FAILED, report
from .grammar_file import open_grammar
from .options import json_option

__all__ = ["command"]


@click.command("sample", short_help="Write random texts of a grammar.")
@click.argument("file", metavar="GRAMMAR")
@click.option("-n", "count", type=click.IntRange(1), default=10, show_default=True, help="How many texts.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same texts.")
@click.option(
    "--longest",
    type=click.IntRange(0),
    default=400,
    show_default=True,
    help="Characters that a text may have.",
)
@json_option
def command(file: str, count: int, as_json: bool, **options: int) -> int:
    """Write random texts of a grammar, one per line; every alternative comes up where COUNT is large enough.

    Where a text has line breaks or characters that cannot be shown, all are written as JSON strings. The exit code is
    1 where no text was found.
    """
    need("cli", "jigwork grammar sample")
    from .grammar_screen import in_quotes
    from .screen import Screen

    grammar = open_grammar(file).grammar()
    try:
        texts = grammar.sample(count, **options)
    except GrammarError as error:
        report(error, as_json=as_json)
        return FAILED
    if as_json:
        print_json({"seed": options["seed"], "samples": texts})
        return 0
    plain = all(text and text.isprintable() for text in texts)
    screen = Screen()
    for text in texts:
        screen.line(text if plain else in_quotes(text))
    return 0
