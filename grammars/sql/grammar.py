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
from .expressions import alternatives, expression_rules, quoted, shared_rules
from .names import CTE_NAMES, DERIVED_NAMES, quote_name, string_literal, table_aliases
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
    name: str = "sql",
) -> Grammar:
    """Build the grammar of the SELECT statements that may be asked of `schema`.

    `dialect` defaults to the schema's. LIMIT is mandatory, from 1 to `max_limit`. `functions` narrows the
    dialect's allow-list (`FUNCTIONS`). `values=True` grounds filters: a column whose stored values the schema
    knows is compared only with those (`=`, `<>`, IN); a mapping `{"table.column": [...]}` names columns and values.
    `trusted` queries may be called instead of writing one; with `trusted_only`, nothing else can be written.
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
    lines = [
        "start: query | call" if trusted else "start: query",
        *(call_rules(trusted, rules.name) if trusted else ()),
        *_statement_rules(rules, max_limit),
        *(line for level in "saw" for line in expression_rules(level, rules, allowed, len(grounds))),
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


def _statement_rules(dialect: Dialect, max_limit: int) -> Iterator[str]:
    optional = "" if dialect.fetch else "?"
    yield f"query: with? (select order{optional} | compound positions{optional}) limit"
    yield 'with: "WITH " cte (", " cte)* " "'
    yield 'cte: CTE " AS (" subquery ")"'
    if dialect.fetch:
        yield "subquery: (select | compound) | (select order | compound positions) limit"
    else:
        yield "subquery: (select order? | compound positions?) limit?"
    yield f'compound: select (SETOP select)+ | select (" {dialect.intersect} " select)+'
    yield f"SETOP: {alternatives(f' {word} ' for word in dialect.set_operations)}"
    yield 'select: "SELECT " DISTINCT? ("*" from | item (", " item)* from?)'
    yield 'DISTINCT: "DISTINCT "'
    yield 'item: expr_w (" AS " OUT)?'
    sorting = "(order limit)?" if dialect.fetch else "order? limit?"
    yield f"scalar: one {sorting} | one (SETOP one)+"
    yield 'one: "SELECT " DISTINCT? expr_w from?'
    yield 'from: " FROM " source join* (" WHERE " expr_s)? (group | having)?'
    yield 'join: JOIN source " ON " expr_s | " CROSS JOIN " source'
    yield f"JOIN: {alternatives(f' {kind} ' for kind in dialect.joins)}"
    yield 'group: " GROUP BY " expr_s (", " expr_s)* having?'
    yield 'having: " HAVING " expr_a'
    yield 'order: ORDER_BY key (", " key)*'
    yield "key: expr_w DIRECTION?" + (" NULLS?" if dialect.nulls_order else "")
    yield 'positions: ORDER_BY position (", " position)*'
    yield "position: POSITION DIRECTION?" + (" NULLS?" if dialect.nulls_order else "")
    yield 'ORDER_BY: " ORDER BY "'
    yield "POSITION: /[1-9][0-9]?/"
    yield 'DIRECTION: " ASC" | " DESC"'
    if dialect.nulls_order:
        yield 'NULLS: " NULLS FIRST" | " NULLS LAST"'
    if dialect.fetch:
        yield 'limit: " OFFSET " OFFSET " ROWS FETCH NEXT " LIMIT " ROWS ONLY"'
    else:
        yield 'limit: " LIMIT " LIMIT (" OFFSET " OFFSET)?'
    yield f"LIMIT: /{_up_to(max_limit)}/"
    yield "OFFSET: /0|[1-9][0-9]{0,8}/"


def _up_to(maximum: int) -> str:
    """Return a regex for the numbers 1 to `maximum`, without leading zeros; longer alternatives first."""
    digits = str(maximum)
    exact: list[str] = []
    for index, digit in enumerate(digits):
        low = 1 if index == 0 else 0
        rest = len(digits) - index - 1
        if int(digit) > low:
            tail = f"[0-9]{{{rest}}}" if rest else ""
            exact.append(f"{digits[:index]}[{low}-{int(digit) - 1}]{tail}")
    exact.insert(0, digits)
    if len(digits) > 1:
        shorter = f"[1-9][0-9]{{0,{len(digits) - 2}}}" if len(digits) > 2 else "[1-9]"
        exact.append(shorter)
    return "|".join(exact)


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
    yield f"CTE: {alternatives(ctes)}"
    yield f"SUB: {alternatives(derived)}"
    yield f'QCTE: ({alternatives([*ctes, *derived])}) "." /[a-z_][a-z0-9_]{{0,62}}/'
    groups: list[tuple[str, list[str], list[str], list[str]]] = []
    for number, table in enumerate(tables):
        written = quote_name(table.name, dialect.name)
        columns = [
            quote_name(column.name, dialect.name)
            for column in table.columns
            if (table.name, column.name) not in grounds
        ]
        groups.append((str(number), [written], list(aliases[table.name]), columns))
    source = 'CTE (" AS " SUB)? | "(" subquery ")" " AS " SUB'
    if len(tables) < MERGE_FROM:
        yield from _separate(source, groups)
    else:
        yield from _merged(source, groups)
    if grounds:
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


def _separate(source: str, groups: Sequence[tuple[str, list[str], list[str], list[str]]]) -> Iterator[str]:
    """Yield a terminal per table: a table pairs only with its own aliases."""
    named = [f'TABLE_{number} (" AS " ALIAS_{number})?' for number, *_ in groups]
    yield "source: " + " | ".join([*named, source])
    yield "col: " + " | ".join([*(f"COLUMN_{number}" for number, _, _, columns in groups if columns), "QCTE"])
    for number, table, aliases, columns in groups:
        yield f"TABLE_{number}: {alternatives(table)}"
        yield f"ALIAS_{number}: {alternatives(aliases)}"
        if columns:
            yield f'COLUMN_{number}: ({alternatives([*table, *aliases])}) "." ({alternatives(columns)})'


def _merged(source: str, groups: Sequence[tuple[str, list[str], list[str], list[str]]]) -> Iterator[str]:
    """Yield one terminal for all tables, one for all aliases, one for all columns."""
    yield f'source: TABLE (" AS " ALIAS)? | {source}'
    yield "col: COLUMN | QCTE"
    yield f"TABLE: {alternatives(name for _, table, _, _ in groups for name in table)}"
    yield f"ALIAS: {alternatives(name for _, _, aliases, _ in groups for name in aliases)}"
    columns = [
        f'({alternatives([*table, *aliases])}) "." ({alternatives(columns)})'
        for _, table, aliases, columns in groups
        if columns
    ]
    yield f"COLUMN: {' | '.join(columns)}"
