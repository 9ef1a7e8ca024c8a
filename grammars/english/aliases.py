"""Words of one's own for tables, columns and stored values: a mapping, or a TOML file of the same shape.

[tables]
order_lines = ["item", "position"]          # singular or plural, both are then understood

[columns]
"customers.cntry_cd" = ["country"]

[values."orders.status"]
paid = ["settled", "closed"]                # stored value = what one may write for it, without quotes

Comments of columns and tables in the database give words too, where the schema does not use them otherwise: `also:
nation, land` (or `aka`, `synonyms:`) anywhere in a comment, and a comment that is nothing but one to three words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError
from jigwork.grammars.inflection import Words, number_forms, split_name
from jigwork.grammars.linking import COMMON
from jigwork.grammars.schema import Schema

from .shapes import is_list, is_mapping
from .words import nearest

__all__ = ["AliasSource", "Aliases", "comment_words", "load_aliases"]

AliasSource: TypeAlias = Mapping[str, Any] | str | Path
"""A mapping with the keys tables, columns and values, or the path of a TOML file."""

_ALSO = re.compile(
    r"(?i)\b(?:also(?: called| known as)?|a\.?k\.?a\.?|synonyms?|alias(?:es)?)\b[:\s]+([^.;()\n]+)"
)
_NAMELESS = COMMON - frozenset("display number order return total".split())
_PLAIN_WORDS = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")


@dataclass(frozen=True, slots=True)
class Aliases:
    """Checked aliases: every table and column exists."""

    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    columns: Mapping[tuple[str, str], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[str, ...]]
    )
    values: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict[tuple[str, str], Mapping[str, tuple[str, ...]]]
    )


def load_aliases(source: AliasSource | Aliases | None, schema: Schema, *, comments: bool = True) -> Aliases:
    """Read and check aliases; raises ConfigurationError that names the entry and the nearest right one.

    With `comments`, those of the schema give words as well. Of `Aliases` that are checked already, those that the
    schema has are kept: it may be a part of the one that they were made for.
    """
    if isinstance(source, Aliases):
        return _within(source, schema)
    made = Aliases() if source is None else _load(source, schema)
    return _with_comments(made, schema) if comments else made


def _within(aliases: Aliases, schema: Schema) -> Aliases:
    places = {(table.name, column.name) for table in schema.tables for column in table.columns}
    return Aliases(
        {name: words for name, words in aliases.tables.items() if any(t.name == name for t in schema.tables)},
        {place: words for place, words in aliases.columns.items() if place in places},
        {place: words for place, words in aliases.values.items() if place in places},
    )


def _load(source: AliasSource, schema: Schema) -> Aliases:
    data = _read(Path(source)) if isinstance(source, (str, Path)) else source
    for key in data:
        if key not in ("tables", "columns", "values"):
            raise ConfigurationError(f"aliases have the keys tables, columns and values, not {key!r}")
    tables = {_table(schema, name): _words(name, words) for name, words in _section(data, "tables")}
    columns = {_column(schema, name): _words(name, words) for name, words in _section(data, "columns")}
    values: dict[tuple[str, str], Mapping[str, tuple[str, ...]]] = {}
    for name, entries in _section(data, "values"):
        stored = _mapping(entries, f"values of {name!r}")
        values[_column(schema, name)] = {str(k): _words(f"{name} {k}", v) for k, v in stored.items()}
    return Aliases(tables, columns, values)


def _with_comments(aliases: Aliases, schema: Schema) -> Aliases:
    """Add the words that comments give for tables and columns; a word that names anything already is left out."""
    tables = {name: [*words] for name, words in aliases.tables.items()}
    columns = {place: [*words] for place, words in aliases.columns.items()}
    taken = {form for table in schema.tables for form in _forms(table.name)}
    taken |= {form for words in tables.values() for word in words for form in _forms(word)}
    for table in schema.tables:
        for word in comment_words(table.comment):
            if not taken & _forms(word):
                tables.setdefault(table.name, []).append(word)
                taken |= _forms(word)
    for table in schema.tables:
        own = {form for column in table.columns for form in _forms(column.name)}
        own |= {
            form
            for (name, _), words in columns.items()
            if name == table.name
            for w in words
            for form in _forms(w)
        }
        for column in table.columns:
            for word in comment_words(column.comment):
                if not (own | taken) & _forms(word):
                    columns.setdefault((table.name, column.name), []).append(word)
                    own |= _forms(word)
    return Aliases(
        {name: tuple(words) for name, words in tables.items()},
        {place: tuple(words) for place, words in columns.items()},
        aliases.values,
    )


def comment_words(comment: str | None) -> list[str]:
    """Return the words that a comment gives for what it stands at."""
    if not comment:
        return []
    listed = _ALSO.search(comment)
    if listed is not None:
        said = [part.strip(" \t\"'`") for part in re.split(r",|/|\bor\b|\band\b", listed.group(1))]
    else:
        said = [comment.strip().rstrip(".")]
    return [
        word for word in said if _PLAIN_WORDS.fullmatch(word) and not _NAMELESS & set(word.lower().split())
    ]


def _forms(name: str) -> frozenset[Words]:
    return frozenset(form for way in split_name(name) for form in number_forms(way))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"the file of aliases cannot be read: {path} ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file of aliases is not TOML: {path}: {error}") from error


def _section(data: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    section = _mapping(data.get(name) or {}, repr(name))
    return [(str(key), value) for key, value in section.items()]


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not is_mapping(value):
        raise ConfigurationError(f"aliases: {what} is a table of names, not {type(value).__name__}")
    return value


def _words(name: str, words: Any) -> tuple[str, ...]:
    given: list[Any] = [words] if isinstance(words, str) else words if is_list(words) else []
    said = tuple(each for each in given if isinstance(each, str) and each.split())
    if not said or len(said) < len(given):
        raise ConfigurationError(f"aliases of {name!r} are a list of words or phrases")
    return said


def _table(schema: Schema, name: str) -> str:
    names = {table.name.lower(): table.name for table in schema.tables}
    if name.lower() in names:
        return names[name.lower()]
    near = nearest(name, list(names.values())) or sorted(names.values())[:5]
    raise ConfigurationError(f"aliases: there is no table {name!r}; there is {', '.join(near)}")


def _column(schema: Schema, name: str) -> tuple[str, str]:
    for table in schema.tables:
        prefix = table.name.lower() + "."
        if name.lower().startswith(prefix):
            for column in table.columns:
                if column.name.lower() == name[len(prefix) :].lower():
                    return table.name, column.name
    known = [f"{table.name}.{column.name}" for table in schema.tables for column in table.columns]
    near = nearest(name, known) or known[:3]
    raise ConfigurationError(
        f"aliases: there is no column {name!r} (write table.column); there is {', '.join(near)}"
    )
