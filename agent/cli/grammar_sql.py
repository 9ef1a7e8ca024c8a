"""`jigwork grammar sql`: the grammar of the queries that a live database can be asked."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .documents import print_json
from .escape import clean, one_line
from .extras import need
from .options import db_option, json_option

if TYPE_CHECKING:
    from jigwork.tools.sql.sampled import Sampled

__all__ = ["command"]

_SHOWN = 10


@click.command("sql", short_help="Write the SQL grammar of a database.")
@db_option
@click.option("--dialect", metavar="NAME", help="The SQL to write (default: that of the database).")
@click.option(
    "--max-limit", type=click.IntRange(1), default=1000, show_default=True, help="The largest LIMIT."
)
@click.option(
    "--function", "functions", multiple=True, metavar="NAME", help="Allow only this function; repeatable."
)
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table or view; repeatable.")
@click.option("--deny", multiple=True, metavar="NAME", help="Without this table or table.column; repeatable.")
@click.option(
    "--values", is_flag=True, help="Compare columns of few values only with the values that are stored."
)
@click.option("--question", metavar="TEXT", help="Only the tables that this question is about.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Write no grammar: check N random sentences of it on the database, and say how many are refused for what.",
)
@json_option
def command(db: str, as_json: bool, **options: Any) -> int:
    """Write the grammar of the SELECT statements that a database can be asked: its tables and columns, and no others.

    The database is only read.
    """
    need("sql", "jigwork grammar sql")
    if options["sample"] and options["dialect"]:
        raise click.UsageError("--sample checks on the database itself, in its own SQL: leave --dialect out")
    from jigwork.tools.sql import SQLDatabase
    from jigwork.tools.sql.sampled import check_samples

    tables, deny = options["tables"] or None, options["deny"]
    with SQLDatabase(db, tables=tables, deny=deny, max_rows=options["max_limit"]) as database:
        grammar = database.grammar(
            max_limit=options["max_limit"],
            question=options["question"],
            dialect=options["dialect"],
            functions=options["functions"] or None,
            values=options["values"],
        )
        schema = database.schema
        if options["sample"]:
            return _tell(check_samples(database, grammar, options["sample"]), as_json=as_json)
    if as_json:
        document = {
            "dialect": options["dialect"] or schema.dialect,
            "tables": [t.name for t in schema.tables],
        }
        print_json({**document, "syntax": grammar.syntax, "definition": grammar.definition})
    else:
        text = grammar.definition
        sys.stdout.write(clean(text) if sys.stdout.isatty() else text)
    return 0


def _tell(sampled: Sampled, *, as_json: bool) -> int:
    """Print what became of random sentences."""
    if as_json:
        print_json(asdict(sampled))
        return 0
    share = 100 / sampled.count
    click.echo(f"{sampled.count} sentences: {sampled.passed} pass the check ({sampled.passed * share:.1f} %)")
    for stage in ("guard", "database"):
        number = sampled.refused(stage)
        click.echo(f"refused by the {stage}: {number} ({number * share:.1f} %)")
        for refusal in [refusal for refusal in sampled.refusals if refusal.stage == stage][:_SHOWN]:
            click.echo(f"  {refusal.count:6}  {one_line(refusal.reason)}")
    return 0
