"""Write the canonical SELECT-only grammar of one schema as Lark text.

Canonical means that there is one way to write a thing: one space, upper-case keywords, every column with its
table. White space lives inside the terminals, so nothing can be glued together (`SELECTname`, `1--1`), an LALR
parser needs no lookahead past it, and a constrained model cannot run away in blanks.

Lexers on model servers take the longest match and never go back, so no terminal may be the beginning of what
another terminal could become at the same place: `users` and `users AS u1` are never two terminals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from jigwork.errors import ConfigurationError
from jigwork.grammars.schema import Schema

from .dialects import Arity, Dialect, dialect_of
from .families import alternatives, quoted
from .names import CTE_NAMES, DERIVED_NAMES, quote_name, string_literal, table_aliases
from .statements import statement_rules
from .terminals import shared_rules
from .trusted import TrustedQuery, call_rules

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["sql_grammar", "sql_grammar_text"]

MERGE_FROM = 30
"""From this number of tables on, tables share terminals: small and fast, at the price of the pairing of a table
with its own aliases, which is then checked on the syntax tree only."""

Values = bool | Mapping[str, Sequence[str]]


def sql_grammar(
    schema: Schema,
    *,
    dialect: str | None = None,
    max_limit: int = 1000,
    functions: Sequence[str] | None = None,
    values: Values = False,
    trusted: Sequence[TrustedQuery] = (),
    trusted_only: bool = False,
    recursive: bool = False,
    name: str = "sql",
) -> Grammar:
    """Build the grammar of the SELECT statements that may be asked of `schema`.

    `dialect` defaults to the schema's. LIMIT is mandatory, from 1 to `max_limit`. `functions` narrows the
    dialect's allow-list (`FUNCTIONS`). `values=True` grounds filters: a column whose stored values the schema
    knows is compared only with those (`=`, `<>`, IN); a mapping `{"table.column": [...]}` names columns and values.
    `trusted` queries may be called instead of writing one; with `trusted_only`, nothing else can be written.
    `recursive` lets WITH queries read themselves.
    Raises ConfigurationError for a schema without tables, an unknown function, column or dialect.
    """
    from jigwork.grammars import Grammar

    text = sql_grammar_text(
        schema,
        dialect=dialect,
        max_limit=max_limit,
        functions=functions,
        values=values,
        trusted=trusted,
        trusted_only=trusted_only,
        recursive=recursive,
    )
    return Grammar.from_lark(text, name=name)


def sql_grammar_text(
    schema: Schema,
    *,
    dialect: str | None = None,
    max_limit: int = 1000,
    functions: Sequence[str] | None = None,
    values: Values = False,
    trusted: Sequence[TrustedQuery] = (),
    trusted_only: bool = False,
    recursive: bool = False,
) -> str:
    """Return the Lark text of `sql_grammar`."""
    rules = dialect_of(dialect or schema.dialect)
    if not any(table.columns for table in schema.tables):
        raise ConfigurationError("this schema has no table with a column, so there is nothing to select")
    if max_limit < 1:
        raise ConfigurationError(f"max_limit must be 1 or more, not {max_limit}")
    if trusted_only:
        if not trusted:
            raise ConfigurationError("trusted_only needs trusted queries")
        return "\n".join(["start: call", *call_rules(trusted, rules.name)]) + "\n"
    allowed = _choose_functions(rules, functions)
    grounds = _grounds(schema, values)
    used = {table.name.casefold() for table in schema.tables if table.columns}
    lines = [
        "start: query | call" if trusted else "start: query",
        *(call_rules(trusted, rules.name) if trusted else ()),
        *statement_rules(
            rules,
            allowed,
            ctes=[name for name in CTE_NAMES if name not in used],
            grounded=len(grounds),
            max_limit=max_limit,
            recursive=recursive,
        ),
        *shared_rules(rules, allowed),
        *_name_rules(schema, rules, grounds),
    ]
    return "\n".join(lines) + "\n"


def _choose_functions(dialect: Dialect, names: Sequence[str] | None) -> Mapping[str, Arity]:
    if names is None:
        return dialect.functions
    wanted = [name.upper() for name in names]
    if unknown := [name for name in wanted if name not in dialect.functions]:
        raise ConfigurationError(
            f"{', '.join(unknown)} cannot be allowed in {dialect.name}: known functions are in FUNCTIONS"
        )
    if not wanted:
        raise ConfigurationError("functions may not be empty; leave it out to allow the dialect's list")
    return {name: dialect.functions[name] for name in wanted}


def _grounds(schema: Schema, values: Values) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return which columns are held to which values."""
    if values is False:
        return {}
    if values is True:
        return {
            (table.name, column.name): column.values
            for table in schema.tables
            for column in table.columns
            if column.values
        }
    known = {
        f"{table.name}.{column.name}": (table.name, column.name)
        for table in schema.tables
        for column in table.columns
    }
    if unknown := sorted(set(values) - set(known)):
        raise ConfigurationError(
            f"values are given for {unknown[0]!r}, which is no column; write table.column"
        )
    return {known[key]: tuple(texts) for key, texts in values.items() if texts}


def _name_rules(
    schema: Schema, dialect: Dialect, grounds: Mapping[tuple[str, str], tuple[str, ...]]
) -> Iterator[str]:
    tables = [table for table in schema.tables if table.columns]
    used = {table.name.casefold() for table in tables}
    ctes = [name for name in CTE_NAMES if name not in used]
    derived = [name for name in DERIVED_NAMES if name not in used]
    aliases = table_aliases(schema)
    opening, closing = (re.escape(mark) for mark in dialect.quotes)
    plain = "[a-z_][a-z0-9_]{0,62}" if dialect.folds == "lower" else "[A-Za-z_][A-Za-z0-9_]{0,62}"
    yield f"OUT: /{plain}|{opening}[^{closing}\\\\\\x00-\\x1f\\x7f]{{1,63}}{closing}/"
    for terminal, names in (("CTE", ctes), ("SUB", derived)):
        yield f"{terminal}: {alternatives(names)}"
        yield f'Q{terminal}: ({alternatives(names)}) "." /[a-z_][a-z0-9_]{{0,62}}/'
    yield "colx: col | QCTE"
    groups: list[tuple[str, list[str], list[str], list[str]]] = []
    for number, table in enumerate(tables):
        written = quote_name(table.name, dialect.name)
        columns = [
            quote_name(column.name, dialect.name)
            for column in table.columns
            if (table.name, column.name) not in grounds
        ]
        groups.append((str(number), [written], list(aliases[table.name]), columns))
    if len(tables) < MERGE_FROM:
        yield from _separate(groups)
    else:
        yield from _merged(groups)
    if grounds:
        for mark in ("", "x"):
            yield f'vother{mark}: col{mark} | vcol | "(" scalar{mark} ")"'
        yield "vcol: " + " | ".join(f"VCOL_{index}" for index in range(len(grounds)))
    for index, ((table_name, column_name), texts) in enumerate(grounds.items()):
        qualifiers = [quote_name(table_name, dialect.name), *aliases[table_name]]
        column = quote_name(column_name, dialect.name)
        yield f'VCOL_{index}: ({alternatives(qualifiers)}) "." {quoted(column)}'
        yield f"VALUE_{index}: {alternatives(_literals(texts, dialect))}"


def _literals(texts: Sequence[str], dialect: Dialect) -> list[str]:
    written: list[str] = []
    for text in dict.fromkeys(texts):
        try:
            written.append(string_literal(text, dialect.name))
        except ValueError:
            continue  # too long or with control characters: no literal of the grammar can hold it
    return written or ["''"]


def _separate(groups: Sequence[tuple[str, list[str], list[str], list[str]]]) -> Iterator[str]:
    """Yield a terminal per table: a table pairs only with its own aliases."""
    shapes = (f'TABLE_{number} (" AS " ALIAS_{number})?' for number, *_ in groups)
    yield f"table: {' | '.join(shapes)}"
    columns = [f"COLUMN_{number}" for number, _, _, columns in groups if columns]
    yield from _columns(" | ".join(columns))
    for number, table, aliases, columns in groups:
        yield f"TABLE_{number}: {alternatives(table)}"
        yield f"ALIAS_{number}: {alternatives(aliases)}"
        if columns:
            yield f'COLUMN_{number}: ({alternatives([*table, *aliases])}) "." ({alternatives(columns)})'


def _columns(own: str) -> Iterator[str]:
    """Yield what a column may be: of a table, or of a sub-query in FROM or WITH."""
    yield f"col: {own} | QSUB" if own else "col: QSUB"


def _merged(groups: Sequence[tuple[str, list[str], list[str], list[str]]]) -> Iterator[str]:
    """Yield one terminal for all tables, one for all aliases, one for all columns."""
    yield 'table: TABLE (" AS " ALIAS)?'
    yield from _columns("COLUMN")
    yield f"TABLE: {alternatives(name for _, table, _, _ in groups for name in table)}"
    yield f"ALIAS: {alternatives(name for _, _, aliases, _ in groups for name in aliases)}"
    columns = [
        f'({alternatives([*table, *aliases])}) "." ({alternatives(columns)})'
        for _, table, aliases, columns in groups
        if columns
    ]
    yield f"COLUMN: {' | '.join(columns)}"
