"""Words of one's own for tables, columns and stored values: a mapping, or a TOML file of the same shape.

[tables]
order_lines = ["item", "position"]          # singular or plural, both are then understood

[columns]
"customers.cntry_cd" = ["country"]

[values."orders.status"]
paid = ["settled", "closed"]                # stored value = what one may write for it, without quotes
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from jigwork.errors import ConfigurationError
from jigwork.grammars.schema import Schema

from .shapes import is_list, is_mapping
from .words import nearest

__all__ = ["AliasSource", "Aliases", "load_aliases"]

AliasSource: TypeAlias = Mapping[str, Any] | str | Path
"""A mapping with the keys tables, columns and values, or the path of a TOML file."""


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


def load_aliases(source: AliasSource | None, schema: Schema) -> Aliases:
    """Read and check aliases; raises ConfigurationError that names the entry and the nearest right one."""
    if source is None:
        return Aliases()
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
