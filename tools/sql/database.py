"""A live database as a model may use it: its schema, its grammar, and a read-only `query` under limits."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from jigwork.errors import ConfigurationError, SQLError, SQLRefused, ToolError
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.bindings import Bound
from jigwork.grammars.sql.canonical import Canonical, canonicalize, rewrite
from jigwork.grammars.sql.focus import focus
from jigwork.grammars.sql.trusted import TrustedQuery, expand_call, load_trusted

from .describe import describe
from .engine import Limits, RawRows, Watch
from .explore import Explorer
from .guard import allowed_functions, check
from .joins import check_products
from .notes import notes_on
from .opening import open_engine
from .policy import Policy
from .result import QueryResult, ResultColumn
from .samples import with_samples

if TYPE_CHECKING:
    from jigwork.grammars import Grammar
    from jigwork.grammars.linking import Linker
    from jigwork.tools import Tool

__all__ = ["SQLDatabase"]

_SAMPLING_SECONDS = 5.0


class SQLDatabase:
    """A database that is only read. Safe to share between threads.

    `source` is a path to a SQLite file, or a URL: `sqlite:///shop.db`, `postgresql://user@host/name`,
    `mysql://user@host/name`. A file that does not exist is an error. `schema` names PostgreSQL's schema (public).
    `tables` are the only tables and views that exist for a model (default: all); `deny` takes away tables, and
    columns as `table.column`. `rename` maps tables and `table.column`s to the names a model uses, `describe` to words
    for the prompt. `scope={"orders": "customer_id = :me"}` shows only the rows that meet the condition; the values in
    `parameters` are never shown to a model. A view over a scoped table is hidden unless it has a scope of its own, one
    over what is denied unless `tables` names it. All these names are the database's own.
    `max_rows` and `max_bytes` bound what one result holds, `timeout` is in seconds for one query.
    `trusted` is a folder of checked queries (`jigwork.grammars.sql.trusted`) that may be called as
    `CALL name(slot=value)`; with `trusted_only` nothing else may be asked.
    `notes=False` leaves out the notes on a result, and the short looks at the data that they take.
    `max_cost` refuses what the planner expects to cost more (PostgreSQL's cost units; rows looked at in MySQL).
    `recursive` lets WITH queries read themselves; the time limit is then what ends one that never would.
    `values` is how many different values a text column may have to be listed (0: none are read).
    Raises ConfigurationError when it cannot be opened, or a table is named that is not there.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        *,
        tables: Iterable[str] | None = None,
        deny: Iterable[str] = (),
        max_rows: int = 1000,
        max_bytes: int = 2_000_000,
        timeout: float = 10.0,
        values: int = 20,
        schema: str | None = None,
        max_cost: float | None = None,
        notes: bool = True,
        rename: Mapping[str, str] | None = None,
        describe: Mapping[str, str] | None = None,
        scope: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        trusted: str | os.PathLike[str] | None = None,
        trusted_only: bool = False,
        recursive: bool = False,
    ) -> None:
        if min(max_rows, max_bytes, timeout) <= 0:
            raise ConfigurationError("max_rows, max_bytes and timeout must be more than 0")
        self._engine = open_engine(source, schema=schema, max_cost=max_cost)
        self._everything = self._engine.reflect()
        self._reads: Mapping[str, frozenset[str]] = self._engine.reads() if deny or scope else {}
        self._policy = Policy(
            tables=None if tables is None else tuple(tables),
            deny=tuple(deny),
            rename=dict(rename or {}),
            describe=dict(describe or {}),
            scope=dict(scope or {}),
            parameters=dict(parameters or {}),
        )
        self._limits = Limits(max_rows, max_bytes, timeout)
        self._notes = notes
        self._recursive = recursive
        chosen, looked = self._apply_policy()
        self._check_scopes()
        seconds = min(_SAMPLING_SECONDS, timeout)
        self._schema = with_samples(chosen, self._engine, sources=looked, values=values, seconds=seconds)
        self._trusted = () if trusted is None else load_trusted(os.fspath(trusted), self._schema)
        self._trusted_only = trusted_only
        for query in self._trusted:
            self._check_trusted(query)

    def _apply_policy(self) -> tuple[Schema, dict[str, str | None]]:
        """Work out what a model sees and how it is read; return its schema, and what may be looked into."""
        chosen, views = self._policy.apply(self._everything, self._reads)
        self._hidden = self._policy.hidden(self._everything, views)
        self._views = {view.table.name: view.query for view in views if view.query is not None}
        self._sources = {view.table.name: view.source(chosen.dialect) for view in views}
        access = self._policy.access(self._everything, views, allowed_functions(chosen.dialect))
        self._access = replace(access, recursive=self._recursive)
        self._partial = frozenset(
            view.table.name
            for view in views
            if view.scoped and "".join(self._policy.scope[view.real_name].split()).upper() not in _ALL_ROWS
        )
        # What other people stored must not show in the prompt, so a scoped table is not looked into.
        self._looked: dict[str, str | None] = {
            view.table.name: None if view.scoped else self._sources[view.table.name] for view in views
        }
        return chosen, self._looked

    def _check_scopes(self) -> None:
        """A scope that cannot run is an error when the database is opened, not one that a model reads."""
        before, after = _PLANNED.get(self._everything.dialect, ("EXPLAIN ", ""))
        for name in self._sources.keys() & set(self._policy.rename_all(self._policy.scope)):
            sql = f"{before}SELECT 1 FROM {self._sources[name]}{after}"
            try:
                self._engine.run(sql, self._access, self._limits, Watch(self._limits.seconds), own=sql)
            except SQLError as error:
                raise ConfigurationError(f"the scope of {name} cannot run: {error}") from error

    def with_parameters(self, **values: Any) -> SQLDatabase:
        """Return the same database with other values for the parameters of `scope`: one per user, say. It is quick."""
        other = copy(self)
        other._policy = replace(self._policy, parameters={**self._policy.parameters, **values})
        other._apply_policy()
        return other

    @property
    def schema(self) -> Schema:
        """What a model may see, with row counts and stored values as they were when the database was opened."""
        return self._schema

    @property
    def dialect(self) -> str:
        """sqlglot's name of the dialect: sqlite, postgres, mysql."""
        return self._schema.dialect

    def __repr__(self) -> str:
        return (
            f"SQLDatabase({self._schema.name!r}, dialect={self.dialect!r}, tables={len(self._schema.tables)})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.close()

    def _check_trusted(self, query: TrustedQuery) -> None:
        """A trusted query that the guard would refuse is an error when the database is opened."""
        try:
            check(query.example(self.dialect), self._schema, hidden=self._hidden)
        except SQLRefused as refusal:
            raise ConfigurationError(f"the trusted query {query.name} cannot run: {refusal}") from refusal

    @property
    def trusted(self) -> tuple[TrustedQuery, ...]:
        """The trusted queries that may be called."""
        return self._trusted

    @property
    def trusted_only(self) -> bool:
        """Whether nothing but the trusted queries may be asked."""
        return self._trusted_only

    def check(self, sql: str) -> Bound:
        """Check a query, or a call of a trusted one, without running it: by the guard, then by the database's own planner.

        Raises SQLRefused with what is wrong, where, and the nearest valid thing; SQLLimitReached for a join that would
        make too many rows; SQLError where only the database finds that it cannot run (types, mostly).
        """
        bound = self._guarded(self._expand(sql)[1] if self._is_call(sql) else sql)
        self.prepare(bound)
        return bound

    def _guarded(self, sql: str) -> Bound:
        bound = check(sql, self._schema, hidden=self._hidden, recursive=self._recursive)
        check_products(bound)
        return bound

    def prepare(self, bound: Bound) -> None:
        """Let the database plan a checked query without running it; raises SQLError where it cannot run it."""
        before, after = _PLANNED.get(self.dialect, ("EXPLAIN ", ""))
        text = f"{before}{self._text(bound)}{after}"
        own = bound.text if self._is_own(bound) else None
        self._engine.run(text, self._access, self._limits, Watch(self._limits.seconds), own=own)

    def _text(self, bound: Bound) -> str:
        """Return what the database is sent: tables that are scoped or renamed are replaced by queries."""
        return bound.text if self._is_own(bound) else rewrite(bound, self._views)

    def _is_own(self, bound: Bound) -> bool:
        """Tell whether a query is sent as it was written."""
        return not self._views.keys() & set(bound.tables())

    def query(self, sql: str, *, cancel: threading.Event | None = None) -> QueryResult:
        """Check and run one SELECT; setting `cancel` from any thread stops it inside the database.

        Raises SQLRefused (the guard), SQLLimitReached (time, size) or SQLError (the database); each message is fit
        for a model.
        """
        return self._query(sql, cancel)

    def _query(self, sql: str, cancel: threading.Event | None, most: int | None = None) -> QueryResult:
        started = time.monotonic()
        called, sql = self._expand(sql)
        bound = self._guarded(sql)
        watch = Watch(self._limits.seconds, cancel)
        own = bound.text if self._is_own(bound) else None
        raw = self._engine.run(self._text(bound), self._access, self._limits, watch, own=own)
        return QueryResult(
            sql=bound.text,
            columns=_columns(bound, raw),
            rows=tuple(raw.rows),
            row_count=raw.row_count,
            truncated=raw.cut_by is not None,
            notes=self._notes_on(bound, raw, most if called is None else None),
            seconds=time.monotonic() - started,
            trusted=None if called is None else called.label,
        )

    def _notes_on(self, bound: Bound, raw: RawRows, most: int | None) -> tuple[str, ...]:
        if not self._notes:
            return ()
        return notes_on(bound, raw, self._sources, self._engine.sample, partial=self._partial, most=most)

    def _is_call(self, text: str) -> bool:
        return bool(self._trusted) and text.lstrip().upper().startswith("CALL")

    def _expand(self, text: str) -> tuple[TrustedQuery | None, str]:
        """Turn a call of a trusted query into its SQL; free SQL stays as it is, where it may be written."""
        if self._is_call(text):
            return expand_call(text, self._trusted, self.dialect)
        if self._trusted_only:
            calls = "; ".join(query.signature() for query in self._trusted)
            raise SQLRefused(f"only these may be asked here: {calls}")
        return None, text

    def canonicalize(self, sql: str) -> Canonical:
        """Rewrite a query into the canonical form of this database's grammar, without running it."""
        return self._canonical(sql, self._schema, self._top_limit())

    def _canonical(self, sql: str, schema: Schema, limit: int) -> Canonical:
        hidden, recursive = self._hidden, self._recursive
        return canonicalize(sql, schema, max_limit=limit, hidden=hidden, recursive=recursive)

    def _rewrite(self, sql: str, part: Schema, limit: int, hint: str) -> str:
        """Write a query as the grammar of `part` has it; what cannot be is for the model to read."""
        try:
            called, _ = self._expand(sql)
            if called is not None:
                return sql.strip()
            written = self._canonical_or_guarded(sql, limit)
            if part is self._schema:
                return written
            shown = [table.name for table in part.tables]
            if beyond := [name for name in self._guarded(written).tables() if name not in shown]:
                listed = ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")
                raise SQLRefused(f"{', '.join(beyond)} cannot be queried now, only {listed}{hint}")
            return self._canonical(sql, part, limit).sql
        except SQLError as error:
            raise ToolError(str(error)) from error

    def _canonical_or_guarded(self, sql: str, limit: int) -> str:
        try:
            return self._canonical(sql, self._schema, limit).sql
        except SQLRefused:
            self._guarded(sql)  # of what is refused by both, the guard says it more plainly
            raise

    def prompt(self, max_characters: int = 24_000, *, question: str | None = None) -> str:
        """Describe the tables for a model, compactly; with `question`, only those that it is about (`focus`)."""
        text = (
            ""
            if self._trusted_only
            else describe(self._about(question), max_characters, partial=self._partial)
        )
        calls = "\n".join(query.signature() for query in self._trusted)
        return "\n".join(part for part in (text, calls) if part)

    def grammar(
        self,
        *,
        max_limit: int | None = None,
        name: str = "sql",
        question: str | None = None,
        tables: Collection[str] | None = None,
        **options: Any,
    ) -> Grammar:
        """Build the grammar of this database's queries; `options` are those of `sql_grammar`.

        With `question`, only the tables that it is about are in the grammar (`focus`); with `tables`, only those.
        """
        from jigwork.grammars.sql import sql_grammar

        limit = self._top_limit() if max_limit is None else max_limit
        options = {
            "recursive": self._recursive,
            "trusted": self._trusted,
            "trusted_only": self._trusted_only,
            **options,
        }
        return sql_grammar(self._part(question, tables), max_limit=limit, name=name, **options)

    def _part(self, question: str | None, tables: Collection[str] | None) -> Schema:
        return self._about(question) if tables is None else self._schema.only(tables)

    def _top_limit(self) -> int:
        return min(self._limits.rows, 1000)

    def _about(self, question: str | None) -> Schema:
        return self._schema if question is None else self.focused(question)

    def focused(self, question: str) -> Schema:
        """Return the part of the schema that a question is about; the whole where it names nothing, or that is small."""
        return focus(self._schema, question, linker=self._linker)

    @cached_property
    def _linker(self) -> Linker:
        from jigwork.grammars.linking import Linker

        return Linker(self._schema)

    def tool(
        self, name: str = "query", *, description: str | None = None, hint: str = "", **options: Any
    ) -> Tool:
        """Return the tool with which a model queries this database, held to its grammar.

        A SELECT that is not in the grammar is rewritten (`canonicalize`) where that is possible, and the model is told
        why it is not where it is not; `hint` follows where it reads a table that `options` leave out. `options` are
        those of `grammar`. The tool is read-only; cancelling its call stops the query.
        """
        from jigwork.tools import Tool, ToolOptions

        limit: int = options.get("max_limit") or self._top_limit()
        part = self._part(options.get("question"), options.get("tables"))

        async def query(sql: str) -> QueryResult:
            return await self._tool_call(sql, limit)

        return Tool.from_function(
            query,
            name=name,
            description=description or self.query_description,
            grammar=self.grammar(**options),
            rewrite=partial(self._rewrite, part=part, limit=limit, hint=hint),
            options=ToolOptions(read_only=True, idempotent=True),
            metadata={"database": self},
        )

    @property
    def query_description(self) -> str:
        """What the model is told of the tool that queries."""
        return (
            f"Run one read-only {_DIALECT_NAMES.get(self.dialect, self.dialect)} SELECT and get its rows as JSON. "
            "Write every column as table.column, one space between words, keywords in upper case, and end with LIMIT."
        )

    def tools(self, **options: Any) -> list[Tool]:
        """Return all tools for this database: `explorers`, and `query` (with `options` of `tool`).

        A small schema is better put into the instructions with `prompt()`; then `tool()` alone is enough.
        """
        return [*self.explorers(), self.tool(**options)]

    def schema_for(self, question: str) -> Schema:
        """Return the schema with the stored values that `question` mentions, wherever they stand; it takes two seconds at most."""
        from .mentioned import with_mentioned

        return with_mentioned(self._schema, question, sources=self._looked, look=self._engine.sample)

    def explorers(self) -> list[Tool]:
        """Return the tools for finding one's way: `find_schema`, `describe_tables` and `find_values`."""
        from jigwork.tools import Tool, ToolOptions

        from .find_schema import SchemaFinder

        explorer = Explorer(
            self._schema, self._sources, self._engine.sample, hidden=self._hidden, partial=self._partial
        )
        finder = SchemaFinder(self._schema, self._looked, self._engine.sample)
        harmless = ToolOptions(read_only=True, idempotent=True)
        shared: dict[str, Any] = {"options": harmless, "metadata": {"database": self}}
        return [
            Tool.from_function(finder.find_schema, **shared),
            Tool.from_function(explorer.describe_tables, **shared),
            Tool.from_function(explorer.find_values, **shared),
        ]

    async def _tool_call(self, sql: str, most: int) -> QueryResult:
        import anyio.to_thread

        cancel = threading.Event()
        try:
            run = partial(self._query, sql, cancel, most)
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
        except SQLError as error:
            raise ToolError(str(error)) from error
        finally:
            cancel.set()


_ALL_ROWS = ("1=1", "TRUE")
"""Scopes of views that leave nothing out."""
_PLANNED = {"postgres": ("SELECT * FROM (", ") AS planned LIMIT 0")}
"""How a query is planned and not run where it stands in a cursor, which takes no EXPLAIN."""
_DIALECT_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MySQL"}


def _columns(bound: Bound, raw: RawRows) -> tuple[ResultColumn, ...]:
    """Name and type the result's columns: the schema's type where a column comes straight from a table."""
    outputs = bound.outputs.get(id(bound.tree), [])
    columns: list[ResultColumn] = []
    for index, name in enumerate(raw.names):
        use = outputs[index].use if index < len(outputs) else None
        if use is not None and use.source.table is not None:
            columns.append(ResultColumn(name, use.source.table.column(use.column).kind))
        else:
            columns.append(ResultColumn(name, _type_of([row[index] for row in raw.rows])))
    return tuple(columns)


def _type_of(values: Sequence[Any]) -> str:
    """Name the type that all values share."""
    kinds = {type(value).__name__ for value in values if value is not None}
    names = {
        "bool": "boolean", "int": "integer", "float": "number", "Decimal": "number", "str": "text",
        "bytes": "binary", "date": "date", "datetime": "datetime", "time": "time", "dict": "json", "list": "json",
    }  # fmt: skip
    if kinds <= {"int", "float", "Decimal"} and len(kinds) > 1:
        return "number"
    return names.get(kinds.pop(), "other") if len(kinds) == 1 else "other"
