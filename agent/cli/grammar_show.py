"""`jigwork grammar show`: the railroad diagrams of a grammar as one HTML page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .documents import print_json
from .escape import clean, one_line
from .extras import is_installed, need
from .grammar_file import GrammarFile, open_grammar
from .options import json_option

__all__ = ["command"]


@click.command("show", short_help="Draw a grammar: railroad diagrams on one HTML page.")
@click.argument("file", metavar="GRAMMAR")
@click.option("-o", "--output", metavar="FILE", help="Where to write the page (default: standard output).")
@click.option("--open", "opened", is_flag=True, help="Open the page in a browser; needs -o.")
@json_option
def command(file: str, output: str | None, opened: bool, as_json: bool) -> int:
    """Draw a grammar: railroad diagrams on one HTML page, which needs no network and no scripts.

    A grammar that `check` complains about can be drawn too, if it can be read; what it does not define is dashed.
    """
    from jigwork.errors import MissingExtraError

    need("cli", "jigwork grammar show")
    if not is_installed("railroad"):
        raise MissingExtraError("jigwork grammar show", "cli")
    given = open_grammar(file)
    if output is None and sys.stdout.isatty() and not as_json:
        raise click.UsageError(f"the page is HTML: name a file for it, such as -o {given.stem}.html")
    if opened and output is None:
        raise click.UsageError("--open needs -o FILE")
    page, names = _page(given)
    if output is not None:
        try:
            Path(output).write_text(page, encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"{output} cannot be written: {error.strerror}") from error
    if as_json:
        print_json(
            {"name": given.name, "definitions": names, "file": output, "html": None if output else page}
        )
    elif output is None:
        sys.stdout.write(page)
    else:
        count = f"{len(names)} diagram{'' if len(names) == 1 else 's'}"
        click.echo(f"{one_line(output)}: {count} of {clean(given.name)}")
    if opened and output is not None:
        click.launch(output)
    return 0


def _page(given: GrammarFile) -> tuple[str, list[str]]:
    """The page and the names of what is drawn. Raises GrammarError where the text cannot be read."""
    from jigwork.errors import GrammarError
    from jigwork.grammars.reader import read

    from .grammar_railroad import railroad_page

    note = ""
    if given.kind == "lark":
        text = given.text
    else:
        grammar = given.grammar()
        text = grammar.definition
        if given.kind == "json":
            note = json.dumps(json.loads(given.text), ensure_ascii=False, indent=2)
        else:
            text = "start: /" + (text if "\\/" in text else text.replace("/", "\\/")) + "/\n"
    try:
        document = read(text)
        if given.kind == "json":
            from jigwork.grammars.json_lifting import lifted

            document = lifted(document)  # its rules are for machines: the schema below says it all
    except GrammarError:
        given.grammar()  # says the same, with the name of the file
        raise
    return railroad_page(Path(given.name).name, document, note), [d.name for d in document.definitions]
