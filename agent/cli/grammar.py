"""`jigwork grammar`: the commands for whoever writes a grammar."""

from __future__ import annotations

import click

from .lazy import LazyGroup

__all__ = ["command"]

_COMMANDS = {
    "check": "grammar_check",
    "explain": "grammar_explain",
    "sample": "grammar_sample",
    "show": "grammar_show",
    "repl": "grammar_repl",
    "convert": "grammar_convert",
    "sql": "grammar_sql",
}


@click.group(
    "grammar",
    cls=LazyGroup,
    modules=_COMMANDS,
    invoke_without_command=True,
    short_help="Check, try out, draw and convert grammars.",
    epilog="A GRAMMAR is a .lark file, a .json file with a JSON schema, - for standard input, module:name (a "
    "Grammar, a @tool with a grammar, a pydantic model), or a ready one such as json, cron or semver.",
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check, try out, draw and convert grammars."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
