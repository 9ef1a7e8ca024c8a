"""`jigwork alias`: words of one's own for tables, columns and stored values, which `jigwork ask` then understands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .alias_place import default_place
from .documents import print_json
from .extras import need
from .options import json_option

if TYPE_CHECKING:
    from jigwork.grammars.english.alias_file import AliasFile, Entry
    from jigwork.tools.sql import SQLDatabase

__all__ = ["command"]

F = TypeVar("F", bound=Callable[..., Any])

_MEANING = "TABLE, TABLE.COLUMN or TABLE.COLUMN=VALUE"


def _places(function: F) -> F:
    """`--db` and `--aliases`."""
    named = click.option(
        "--aliases",
        metavar="FILE",
        help="The file (default: beside a SQLite file as FILE.aliases.toml, else in ~/.config/jigwork/aliases).",
    )
    db = click.option("--db", required=True, metavar="FILE|URL", envvar="JIGWORK_DB", help="The database.")
    return db(named(function))


@click.group("alias", short_help="Teach `ask` your own words for tables, columns and values.")
def command() -> None:
    """Teach `ask` your own words for tables, columns and values.

    They are kept in a TOML file that may be edited by hand, and are checked against the database. `ask` uses the file
    at once. Comments of columns in the database give words too; `list` shows them.
    """
    need("cli", "jigwork alias")
    need("sql", "jigwork alias")


@command.command("add", short_help="Let a word stand for a table, a column or a value.")
@click.argument("word")
@click.argument("meaning")
@_places
@click.option("--force", is_flag=True, help="Also where the word means something already.")
@json_option
def add(word: str, meaning: str, *, db: str, aliases: str | None, force: bool, as_json: bool) -> int:
    """Let WORD stand for MEANING: TABLE, TABLE.COLUMN or TABLE.COLUMN=VALUE.

    Several words are quoted: jigwork alias add "sold for" orders.total --db shop.db
    """
    with closing(_open(db)) as database:
        file = _file(database, db, aliases, meaning)
        entry = file.add(word, meaning, force=force)
    _say([entry], file, "stands for", as_json=as_json)
    return 0


@command.command("remove", short_help="Take a word out again.")
@click.argument("word")
@click.argument("meaning", required=False)
@_places
@json_option
def remove(word: str, meaning: str | None, *, db: str, aliases: str | None, as_json: bool) -> int:
    """Take out what WORD stands for; only MEANING, where it is given."""
    with closing(_open(db)) as database:
        file = _file(database, db, aliases)
        gone = file.remove(word, meaning)
    _say(gone, file, "no longer stands for", as_json=as_json)
    return 0


@command.command("list", short_help="Show the words and what they stand for.")
@_places
@json_option
def show(*, db: str, aliases: str | None, as_json: bool) -> int:
    """Show the words and what they stand for, those of the database's comments too."""
    from jigwork.grammars.english.alias_file import Entry
    from jigwork.grammars.english.aliases import load_aliases

    with closing(_open(db)) as database:
        file = _file(database, db, aliases)
        given = load_aliases(None, database.schema)
    noted = [Entry(word, table) for table, words in given.tables.items() for word in words]
    noted += [Entry(word, *place) for place, words in given.columns.items() for word in words]
    rows = [(each, "file") for each in file.entries()] + [(each, "comment") for each in noted]
    if as_json:
        print_json(
            {"file": str(file.path), "aliases": [_row(each) | {"from": source} for each, source in rows]}
        )
        return 0
    from .screen import Screen
    from .tables import show_rows

    screen = Screen()
    if not rows:
        screen.line(f"No words yet. Add one: jigwork alias add WORD MEANING --db ...  ({_MEANING})")
        return 0
    show_rows(
        screen, ["word", "stands for", "from"], [[each.word, each.meaning, source] for each, source in rows]
    )
    screen.line(f"file: {file.path}", "dim")
    return 0


def _open(db: str) -> SQLDatabase:
    from jigwork.tools.sql import SQLDatabase

    return SQLDatabase(db)


def _file(database: SQLDatabase, db: str, named: str | None, meaning: str = "") -> AliasFile:
    """Open the file; a value in `meaning` is looked up, so that it can be checked."""
    from jigwork.grammars.english.alias_file import AliasFile

    value = meaning.partition("=")[2].strip()
    schema = database.schema_for(f'"{value}"') if value else database.schema
    return AliasFile(named or default_place(db), schema)


def _say(entries: list[Entry], file: AliasFile, what: str, *, as_json: bool) -> None:
    from .escape import one_line

    if as_json:
        print_json({"file": str(file.path), "aliases": [_row(each) for each in entries]})
        return
    for each in entries:
        click.echo(one_line(f"{each.word} {what} {each.meaning}"))
    click.echo(one_line(f"file: {file.path}"), err=True)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "word": entry.word, "meaning": entry.meaning, "table": entry.table, "column": entry.column, "value": entry.value,
    }  # fmt: skip
