"""`jigwork grammar explain`: is this text in the language, where does it leave it, and what may stand there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from jigwork.errors import GrammarError

from .documents import print_json
from .escape import clean
from .extras import need
from .failures import FAILED, error_document
from .grammar_file import open_grammar
from .options import json_option, read_stdin

if TYPE_CHECKING:
    from jigwork.grammars import Explanation, Grammar

    from .screen import Screen

__all__ = ["command", "explained", "show_explanation"]


@click.command("explain", short_help="Say whether a text is in the language, and why not.")
@click.argument("file", metavar="GRAMMAR")
@click.argument("text", metavar="[TEXT|-]", required=False)
@click.option(
    "--jsonl",
    "rows",
    metavar="TEXTS",
    help="Judge many texts: JSON Lines of strings, or of objects with `text` and `id`, from a file or - (stdin). "
    "One JSON object per row comes out.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.01),
    default=10.0,
    show_default=True,
    help="The longest that one text may take.",
)
@json_option
def command(file: str, text: str | None, as_json: bool, **options: Any) -> int:
    """Say whether TEXT is in the language, where it leaves it, what may stand there, and what was probably meant.

    The exit code is 0 where the text (every text, with --jsonl) is accepted, else 1. A last new line of stdin belongs
    to the text only where the grammar wants it. A TEXT that begins with a - comes after --.
    """
    need("cli", "jigwork grammar explain")
    rows, seconds = options["rows"], options["seconds"]
    if (text is None) == (rows is None):
        raise click.UsageError("give one TEXT (or - for standard input), or --jsonl TEXTS")
    if file == "-" and "-" in (text, rows):
        raise click.UsageError("the grammar and the text cannot both come from standard input")
    lines = None if rows is None else _lines(rows)
    grammar = open_grammar(file).grammar()
    if lines is not None:
        return _explain_all(grammar, lines, seconds)
    found = explained(grammar, text or "", seconds, typed=text == "-")
    if as_json:
        print_json(_document(found))
    else:
        from .screen import Screen

        show_explanation(Screen(), found)
    return 0 if found.accepted else FAILED


def explained(grammar: Grammar, text: str, seconds: float, *, typed: bool = False) -> Explanation:
    """Judge a text; with `typed` it is what stdin has, without a last new line that is not wanted."""
    if not typed:
        return grammar.explain(text, seconds=seconds)
    text = read_stdin()
    if text.endswith("\n") and not grammar.accepts(text, seconds=seconds):
        text = text[:-1]
    return grammar.explain(text, seconds=seconds)


def show_explanation(screen: Screen, found: Explanation) -> None:
    """Write the verdict, the place with its caret, what may stand there and what was probably meant."""
    shown = replace(found, nearest=found.nearest and clean(found.nearest))
    head, *rest = shown.render(width=max(20, min(100, screen.width - 3))).split("\n")
    screen.line(head, "green" if found.accepted else "red")
    for number, line in enumerate(rest):
        screen.line(clean(line), "red" if number == 1 else "")


def _document(found: Explanation) -> dict[str, Any]:
    return {
        **found.to_dict(),
        "unfinished": found.unfinished,
        "found": found.found,
        "message": found.for_model(),
    }


def _lines(rows: str) -> Iterator[bytes]:
    """Open the rows before anything is judged, so that a missing file is a usage error."""
    if rows == "-":
        stdin: Any = getattr(sys.stdin, "buffer", None)
        return iter(stdin) if stdin is not None else iter(read_stdin().encode().splitlines())
    path = Path(rows)
    try:
        file = path.open("rb")
    except OSError as error:
        raise click.UsageError(f"{rows} cannot be read: {error.strerror}") from error
    return iter(file)


def _explain_all(grammar: Grammar, lines: Iterator[bytes], seconds: float) -> int:
    grammar.accepts("", seconds=seconds)  # a grammar that does not compile is one error, not one for each row
    accepted = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(grammar, number, line, seconds)
        accepted &= row.get("accepted", False)
        print_json(row, lines=True)
    return 0 if accepted else FAILED


def _row(grammar: Grammar, number: int, line: bytes, seconds: float) -> dict[str, Any]:
    """The verdict on one row, or what is wrong with it."""
    row: dict[str, Any] = {"row": number}
    try:
        given = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return {**row, "error": {"type": "RowError", "message": f"not JSON: {error}"}}
    if isinstance(given, dict):
        members = cast("dict[str, Any]", given)
        row |= {"id": members["id"]} if "id" in members else {}
        given = members.get("text")
    if not isinstance(given, str):
        message = "a row is a string, or an object with a string as `text`"
        return {**row, "error": {"type": "RowError", "message": message}}
    try:
        return {**row, **_document(grammar.explain(given, seconds=seconds))}
    except GrammarError as error:
        return {**row, **error_document(error)}
