"""`jigwork grammar sql`: the grammar of the queries that a live database can be asked."""

from __future__ import annotations

import sys
from typing import Any

import click

from .documents import print_json
from .escape import clean
from .extras import need
from .options import db_option, json_option

__all__ = ["command"]


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
@json_option
def command(db: str, as_json: bool, **options: Any) -> int:
    """Write the grammar of the SELECT statements that a database can be asked: its tables and columns, and no others.

    The database is only read.
    """
    need("sql", "jigwork grammar sql")
    from jigwork.tools.sql import SQLDatabase

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
