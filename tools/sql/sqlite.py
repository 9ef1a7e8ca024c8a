"""SQLite: read-only by the open mode, by `query_only` and by an authorizer; limits by SQLite's own counters.

Every query has a connection of its own, so that threads need no lock and no state is left behind. A missing file
is an error: it is never created.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jigwork.errors import ConfigurationError, SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.names import quote_name
from jigwork.grammars.sql.scan import place

from .engine import (
    COUNTING_SECONDS,
    UNSENDABLE,
    Access,
    Engine,
    Limits,
    Look,
    RawRows,
    Watch,
    interrupting,
    size_of,
)
from .lengths import LONGEST, longest_text
from .reflect import reflect

__all__ = ["SQLiteEngine"]

_PROGRESS_STEPS = 2_000
_BUSY_SECONDS = 5.0
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_OPERATORS = frozenset({"like", "glob", "->", "->>", "current_date", "current_time", "current_timestamp"})


class SQLiteEngine(Engine):
    """One SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise ConfigurationError(
                f"there is no database file {self.path}; check the path (no file is created)"
            )
        if self.path.is_dir():
            raise ConfigurationError(f"{self.path} is a folder, not a database file")
        self._uri = f"file:{quote(str(self.path.absolute()))}?mode=ro"
        self._views: dict[str, frozenset[tuple[int, str]]] = {}
        self._reads: dict[str, frozenset[str]] = {}
        self._tables = frozenset[str]()
        self._virtual: dict[str, frozenset[str]] = {}

    def connect(self, seconds: float = _BUSY_SECONDS) -> sqlite3.Connection:
        """Open a read-only connection with SQLite's limits lowered; a locked file is waited for at most so long."""
        try:
            connection = sqlite3.connect(
                self._uri,
                uri=True,
                check_same_thread=False,
                timeout=min(seconds, _BUSY_SECONDS),
                isolation_level=None,
            )
        except sqlite3.Error as error:
            raise SQLError(f"the database cannot be opened: {error}") from error
        connection.text_factory = _text
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, min(value, connection.getlimit(limit)))
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def reflect(self) -> Schema:
        """Read tables, views, keys and row counts; raises ConfigurationError where the file is no database."""
        with contextlib.closing(self.connect()) as connection:
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            except sqlite3.DatabaseError as error:
                if "locked" in str(error):
                    raise ConfigurationError(
                        f"{self.path} is locked by another program; try again"
                    ) from error
                raise ConfigurationError(f"{self.path} is not a readable SQLite database: {error}") from error
        schema = reflect(f"sqlite:///{self._uri}&uri=true", "sqlite", self.path.stem)
        self._tables = frozenset(table.name.casefold() for table in schema.tables)
        self._virtual = self._find_virtual()
        inner = frozenset[str]().union(*self._virtual.values())
        # What a virtual table (a full-text index, say) keeps its rows in would show them when it is hidden itself.
        schema = replace(schema, tables=tuple(t for t in schema.tables if t.name.casefold() not in inner))
        self._views = self._record_views(schema)
        self._record_virtual(schema)
        return schema

    def _record_virtual(self, schema: Schema) -> None:
        """Note which tables a virtual table names: it may show their rows (an index of another table's texts)."""
        for name, text in self.sample(
            "SELECT name, sql FROM sqlite_master WHERE rootpage = 0 AND type = 'table'", 5.0
        ):
            written = str(text).casefold()
            named = [t for t in schema.tables if t.name != name and t.name.casefold() in written]
            columns = {f"{table.name}.{column.name}" for table in named for column in table.columns}
            self._reads[str(name)] = frozenset({table.name for table in named} | columns)

    def _find_virtual(self) -> dict[str, frozenset[str]]:
        """Return the tables in which each virtual table keeps its rows; none where SQLite is too old to tell."""
        kinds = {str(row[1]).casefold(): row[2] for row in self.sample("PRAGMA table_list", _BUSY_SECONDS)}
        inner = [name for name, kind in kinds.items() if kind == "shadow"]
        virtual = [name for name, kind in kinds.items() if kind == "virtual"]
        return {name: frozenset(other for other in inner if other.startswith(f"{name}_")) for name in virtual}

    def _record_views(self, schema: Schema) -> dict[str, frozenset[tuple[int, str]]]:
        """Note what each view reads and calls, so that a query may reach that through the view only."""
        views: dict[str, frozenset[tuple[int, str]]] = {}
        for table in schema.tables:
            if not table.is_view:
                continue
            seen: set[tuple[int, str]] = set()
            read: set[str] = set()
            with contextlib.closing(self.connect()) as connection:
                connection.set_authorizer(_recorder(seen, read))
                name = table.name.replace('"', '""')
                with contextlib.suppress(
                    sqlite3.Error
                ):  # a broken view reads nothing, and says so when it is asked
                    connection.execute(f'EXPLAIN SELECT * FROM "{name}"')
            views[table.name.casefold()] = frozenset(seen)
            self._reads[table.name] = frozenset(read)
        return views

    def reads(self) -> Mapping[str, frozenset[str]]:
        """Return what each view reads, as SQLite itself reported it."""
        return self._reads

    def run(
        self, sql: str, access: Access, limits: Limits, watch: Watch, *, own: str | None = None
    ) -> RawRows:
        """Run one SELECT; a query that runs into its deadline is interrupted inside SQLite."""
        longest = longest_text(sql)
        with (
            contextlib.closing(self.connect(watch.left())) as connection,
            _translated(watch, own, longest),
            # The progress handler is asked every so many steps, the interrupt between any two.
            interrupting(watch, connection.interrupt, connection.interrupt),
        ):
            if longest < LONGEST:
                connection.execute(
                    "SELECT 1 FROM sqlite_master LIMIT 0"
                )  # the schema is read without this limit
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            connection.set_progress_handler(watch.over, _PROGRESS_STEPS)
            inner = self._open_virtual(connection, sql, access)
            connection.set_authorizer(_authorizer(access, self._views, self._tables, inner))
            cursor = connection.execute(sql)
            names = tuple(str(column[0]) for column in cursor.description or ())
            return _collect(cursor, RawRows(names), limits, watch)

    def _open_virtual(self, connection: sqlite3.Connection, sql: str, access: Access) -> frozenset[str]:
        """Let the virtual tables that a query may name set themselves up, which asks for more than a query may do.

        Returns the tables in which they keep their rows: they read those through the same connection.
        """
        text, inner = sql.casefold(), frozenset[str]()
        for name in access.columns:
            if name.casefold() in self._virtual and name.casefold() in text:
                with contextlib.suppress(
                    sqlite3.Error
                ):  # one of a kind that is not built in says so when it is asked
                    connection.execute(f"SELECT 1 FROM {quote_name(name)} LIMIT 0")
                inner |= self._virtual[name.casefold()]
        return inner

    @contextlib.contextmanager
    def looking(self) -> Generator[Look]:
        """Give what `sample` does, on one connection for as many statements as one likes."""
        with contextlib.closing(self.connect()) as connection:

            def look(sql: str, seconds: float) -> list[tuple[Any, ...]]:
                connection.set_progress_handler(Watch(seconds).over, _PROGRESS_STEPS)
                connection.execute(f"PRAGMA busy_timeout = {max(1, int(min(seconds, _BUSY_SECONDS) * 1000))}")
                try:
                    return [tuple(row) for row in connection.execute(sql)]
                except sqlite3.Error:
                    return []

            yield look

    def estimates(self) -> Mapping[str, int]:
        """SQLite keeps no estimates."""
        return {}

    def close(self) -> None:
        """Nothing stays open between queries."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _collect(cursor: sqlite3.Cursor, raw: RawRows, limits: Limits, watch: Watch) -> RawRows:
    """Keep rows up to the limits, then only count."""
    size = 0
    for row in cursor:
        raw.row_count += 1
        size += size_of(row)
        if len(raw.rows) >= limits.rows:
            raw.cut_by = "rows"
        elif size > limits.bytes:
            raw.cut_by = "bytes"
        else:
            raw.rows.append(tuple(row))
            continue
        # What follows is only counted, for a short while; the rows kept are good whatever happens to the count.
        watch.shorten(COUNTING_SECONDS)
        try:
            for _ in cursor:
                raw.row_count += 1
        except sqlite3.OperationalError:
            if watch.cancelled():
                raise
            raw.counted = False
        break
    return raw


@contextlib.contextmanager
def _translated(watch: Watch, own: str | None, longest: int) -> Generator[None]:
    """Turn SQLite's errors into ours, in words for a model."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise SQLRefused(UNSENDABLE) from error
    except sqlite3.Error as error:
        message = str(error)
        if watch.cancelled() or message == "interrupted":
            raise watch.stopped() from error
        if "prohibited" in message or "not authorized" in message:
            what = message.removeprefix("access to ").removesuffix(" is prohibited")
            text = "something in this query" if "not authorized" in message else what
            raise SQLRefused(f"{text} is not available here") from error
        if "too big" in message and longest < LONGEST:
            raise SQLLimitReached(
                f"a text has more than {longest} characters, too many to search for so much in it; look for less, or "
                "in a part of it with SUBSTR"
            ) from error
        if "too big" in message or "memory" in message:
            raise SQLLimitReached(f"a value in this query is too large: {message}") from error
        raise SQLError(_plainly(message, own)) from error


_PLAIN = {
    "datatype mismatch": "LIMIT and OFFSET take whole numbers",
    "row value misused": "several values stand where one is expected",
    "database is locked": "another program has locked it; try again later",
    "malformed JSON": "a text that is no JSON was read as JSON; keep such rows out with json_valid",
}


def _plainly(message: str, own: str | None) -> str:
    """Say what is wrong and where, as far as SQLite tells."""
    if message in _PLAIN:
        return f"the database says: {_PLAIN[message]}"
    if missing := re.fullmatch(r"no such function: (\w+)", message):
        return f"{missing.group(1)} is not available here"
    if near := re.fullmatch(r'near "(.+)": syntax error', message, re.DOTALL):
        word = near.group(1)
        found = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", own or "")]
        where = f" at {place(own, found[0])}" if own is not None and len(found) == 1 else ""
        return f"the database cannot read {word!r}{where}; write it in another way"
    return f"the database says: {message}"


_Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def _stored(name: str, tables: frozenset[str]) -> bool:
    """Tell whether a name is that of a table of the file, or of SQLite itself."""
    return name.casefold() in tables or name.casefold().startswith(("sqlite_", "pragma_"))


def _authorizer(
    access: Access,
    views: Mapping[str, frozenset[tuple[int, str]]],
    tables: frozenset[str],
    inner: frozenset[str],
) -> _Authorizer:
    """Allow SELECT, reading the columns in `access`, its functions, and what its views read; deny all else.

    `inner` are the tables of virtual tables, of which all columns may be read. SQLite does not ask about the columns
    that USING and NATURAL compare: a hidden one is kept from those by the guard, and by the sub-query that stands for
    its table.
    """
    columns = {
        table.casefold(): {name.casefold() for name in names} for table, names in access.columns.items()
    }
    functions = {name.lower() for name in access.functions} | _OPERATORS

    def decide(action: int, first: str | None, second: str | None, *context: str | None) -> int:
        inside = context[1]  # the view (or WITH query) that asks; before it comes the name of the database
        if action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_RECURSIVE and access.recursive):
            return sqlite3.SQLITE_OK
        through: frozenset[tuple[int, str]] = frozenset()
        if inside and inside.casefold() in columns:
            through = views.get(inside.casefold(), through)
        if action == sqlite3.SQLITE_READ and first is not None:
            if first.casefold() in inner:
                return sqlite3.SQLITE_OK
            allowed = columns.get(first.casefold())
            if not second and not _stored(first, tables):
                return sqlite3.SQLITE_OK  # a WITH query that is kept, and of which rows are counted
            # A table of which no column is read arrives with an empty column; the database's name may be None.
            if allowed is not None and (not second or second.casefold() in allowed):
                return sqlite3.SQLITE_OK
            return sqlite3.SQLITE_OK if (action, first.casefold()) in through else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA and inner and (first, second) == ("data_version", None):
            return sqlite3.SQLITE_OK  # by which a full-text index sees that it has changed
        if action == sqlite3.SQLITE_FUNCTION and second is not None:
            name = second.casefold()
            return (
                sqlite3.SQLITE_OK if name in functions or (action, name) in through else sqlite3.SQLITE_DENY
            )
        return sqlite3.SQLITE_DENY

    return decide


def _recorder(seen: set[tuple[int, str]], read: set[str]) -> _Authorizer:
    def record(action: int, first: str | None, second: str | None, *_context: str | None) -> int:
        if action == sqlite3.SQLITE_READ and first:
            read.update((first, f"{first}.{second}") if second else (first,))
        name = first if action == sqlite3.SQLITE_READ else second
        if name and action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION):
            seen.add((action, name.casefold()))
        return sqlite3.SQLITE_OK

    return record
