"""The file of a user's own words for one database: entries are added, listed and removed; `aliases` says its format.

The file is TOML and may be edited by hand; what is written here keeps all entries, and no comments but its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jigwork.errors import ConfigurationError
from jigwork.grammars.inflection import number_forms
from jigwork.grammars.schema import Schema

from .aliases import Aliases, load_aliases
from .joins import Joins
from .names import Lexicon
from .tokens import BARE_WORD
from .words import nearest

__all__ = ["AliasFile", "Entry", "meaning_of"]

_HEAD = "# Words of our own, for `jigwork ask` (see `jigwork alias --help`).\n"
_SECTIONS = ("tables", "columns", "values")


@dataclass(frozen=True, slots=True)
class Entry:
    """`word` stands for a table, a column of it, or a value that this column stores."""

    word: str
    table: str
    column: str | None = None
    value: str | None = None

    @property
    def meaning(self) -> str:
        """The meaning as it is typed: `orders`, `orders.status`, `orders.status=paid`."""
        text = self.table if self.column is None else f"{self.table}.{self.column}"
        return text if self.value is None else f"{text}={self.value}"


def meaning_of(text: str, schema: Schema) -> tuple[str, str | None, str | None]:
    """Read `table`, `table.column` or `table.column=value`; raises ConfigurationError with the nearest right one."""
    named, equals, value = text.partition("=")
    places = {table.name.lower(): (table.name, None) for table in schema.tables} | {
        f"{table.name}.{column.name}".lower(): (table.name, column.name)
        for table in schema.tables
        for column in table.columns
    }
    place = places.get(named.strip().lower())
    if place is None:
        near = nearest(named.strip(), [t if c is None else f"{t}.{c}" for t, c in places.values()])
        hint = (
            f"; did you mean {' or '.join(near)}?"
            if near
            else " (write TABLE, TABLE.COLUMN or TABLE.COLUMN=VALUE)"
        )
        raise ConfigurationError(f"there is no {named.strip()!r} here{hint}")
    table, column = place
    if not equals:
        return table, column, None
    if column is None:
        raise ConfigurationError(f"a value belongs to a column: write {table}.COLUMN={value.strip()}")
    return table, column, _stored(value.strip(), table, column, schema)


def _stored(value: str, table: str, column: str, schema: Schema) -> str:
    """Return the value as it is stored, where the stored values are known."""
    known = schema.table(table).column(column).values
    if known is None or value in known:
        return value
    same = [each for each in known if each.lower() == value.lower()]
    if len(same) == 1:
        return same[0]
    near = nearest(value, known) or list(known)[:5]
    raise ConfigurationError(f"{table}.{column} stores no {value!r}; it stores {', '.join(near)}")


class AliasFile:
    """The aliases in one file, checked against one schema. A file that does not exist has none.

    Raises ConfigurationError for what the file says and the schema has not.
    """

    def __init__(self, path: str | os.PathLike[str], schema: Schema) -> None:
        self.path = Path(path)
        self._schema = schema
        self._aliases = load_aliases(self.path, schema, comments=False) if self.path.exists() else Aliases()

    def entries(self) -> Iterator[Entry]:
        """Yield all entries of the file."""
        for table, words in self._aliases.tables.items():
            yield from (Entry(word, table) for word in words)
        for (table, column), words in self._aliases.columns.items():
            yield from (Entry(word, table, column) for word in words)
        for (table, column), values in self._aliases.values.items():
            for value, words in values.items():
                yield from (Entry(word, table, column, value) for word in words)

    def add(self, word: str, meaning: str, *, force: bool = False) -> Entry:
        """Add an entry and write the file; raises ConfigurationError where the word has another meaning already.

        With `force` it is added all the same: questions with the word are then asked back.
        """
        word = " ".join(word.split())
        entry = Entry(word, *meaning_of(meaning, self._schema))
        parts = word.lower().split()
        if not parts or not all(BARE_WORD.fullmatch(part) for part in parts):
            raise ConfigurationError(f"{word!r} cannot be typed in a question: use letters, digits, - and _")
        if any(_same(each, entry) for each in self.entries()):
            raise ConfigurationError(f"{word!r} already stands for {entry.meaning}")
        taken = None if force else self._taken(entry)
        if taken is not None:
            raise ConfigurationError(
                f"{word!r} already means {taken}; choose another word, or add it with --force"
            )
        self._write([*self.entries(), entry])
        return entry

    def remove(self, word: str, meaning: str | None = None) -> list[Entry]:
        """Take out what a word stands for (only `meaning`, if given) and return it; raises ConfigurationError for nothing."""
        place = None if meaning is None else meaning_of(meaning, self._schema)
        gone = [
            each
            for each in self.entries()
            if each.word.lower() == " ".join(word.lower().split())
            and place in (None, (each.table, each.column, each.value))
        ]
        if not gone:
            near = nearest(word, [each.word for each in self.entries()])
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ConfigurationError(f"{self.path} has no such entry for {word!r}{hint}")
        self._write([each for each in self.entries() if each not in gone])
        return gone

    def _taken(self, entry: Entry) -> str | None:
        """Say what the word means already, of the same sort of thing."""
        from .engine import load_rules
        from .hints import phrases_of
        from .rules import RULES

        form = tuple(entry.word.lower().split())
        if any(phrase.words == form for body in load_rules(RULES).values() for phrase in phrases_of(body)):
            return "something in every question"
        lexicon = Lexicon(self._schema, Joins(self._schema), self._aliases)
        forms = number_forms(form)
        if entry.column is None:
            tables = {name for each in forms for name in lexicon.tables.entries.get(each, {})}
            return next((f"the table {name}" for name in sorted(tables) if name != entry.table), None)
        if entry.value is None:
            columns = {name for each in forms for name in lexicon.own[entry.table].entries.get(each, {})}
            return next(
                (f"the column {entry.table}.{name}" for name in sorted(columns) if name != entry.column), None
            )
        stored = [each for each in lexicon.values.entries.get(form, {}) if each.column == entry.column]
        other = [each for each in stored if each.table == entry.table and each.value != entry.value]
        return f"the value {other[0].value} of {other[0].table}.{other[0].column}" if other else None

    def _write(self, entries: list[Entry]) -> None:
        tables: dict[str, list[str]] = {}
        columns: dict[str, list[str]] = {}
        values: dict[str, dict[str, list[str]]] = {}
        for each in entries:
            place = each.table if each.column is None else f"{each.table}.{each.column}"
            if each.column is None:
                tables.setdefault(place, []).append(each.word)
            elif each.value is None:
                columns.setdefault(place, []).append(each.word)
            else:
                values.setdefault(place, {}).setdefault(each.value, []).append(each.word)
        parts = [_HEAD, *_section("tables", tables), *_section("columns", columns)]
        for place, stored in values.items():
            parts.extend(_section(f"values.{_toml(place)}", stored))
        text = "\n".join(parts)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = self.path.with_name(self.path.name + ".new")
            new.write_text(text, encoding="utf-8")
            new.replace(self.path)
        except OSError as error:
            raise ConfigurationError(
                f"the file of aliases cannot be written: {self.path} ({error.strerror})"
            ) from error
        self._aliases = load_aliases(self.path, self._schema, comments=False)


def _same(one: Entry, other: Entry) -> bool:
    return (one.word.lower(), one.meaning) == (other.word.lower(), other.meaning)


def _section(name: str, words: Mapping[str, list[str]]) -> list[str]:
    if not words:
        return []
    lines = [f"{_toml(key)} = [{', '.join(_toml(word) for word in said)}]" for key, said in words.items()]
    return ["\n".join([f"[{name}]", *lines, ""])]


def _toml(text: Any) -> str:
    """Write a basic string of TOML; JSON's differs from it in nothing but DEL."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
