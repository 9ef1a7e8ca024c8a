"""PostgreSQL: read-only by session and by transaction, a search path of one schema, time limits of the server.

Rows come through a server-side cursor, so that only what is kept is fetched. A query that is cancelled, or over its
time, is cancelled in the server; where that does not look up, the connection is cut. Give the connection a role that
may only SELECT what it should see: the guard holds without it, and the role holds without the guard. The session alone
cannot keep a role from what it may do without writing: read other tables and the catalogs, and as an administrator
call functions that read files or end other sessions.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from jigwork.errors import ConfigurationError, MissingExtraError, SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.scan import place

from .engine import LOST, UNSENDABLE, Access, Engine, Limits, Look, RawRows, Watch, collect, interrupting
from .reflect import reflect

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresEngine"]

_DECLARE = "DECLARE jigwork_rows NO SCROLL CURSOR FOR "
_CHUNK = 200
_PARTITIONS = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relispartition AND n.nspname = {}"
)
_READS = """
SELECT v.relname, t.relname, a.attname
FROM pg_rewrite r
JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
JOIN pg_class v ON v.oid = r.ev_class
JOIN pg_namespace n ON n.oid = v.relnamespace
JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE n.nspname = {0}
UNION SELECT c.relname, p.relname, a.attname
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0
WHERE n.nspname = {0}
UNION SELECT p.relname, c.relname, a.attname
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = p.relnamespace JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0
WHERE n.nspname = {0} AND NOT c.relispartition
UNION SELECT v.relname, '*', NULL
FROM pg_rewrite r
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
JOIN pg_namespace n ON n.oid = v.relnamespace
CROSS JOIN LATERAL regexp_matches(
    r.ev_action::text, ':(relid|funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g'
) AS used (word)
LEFT JOIN pg_class t ON used.word[1] = 'relid' AND t.oid = used.word[2]::oid
LEFT JOIN pg_proc f ON used.word[1] <> 'relid' AND f.oid = used.word[2]::oid
WHERE n.nspname = {0} AND (
    f.oid >= 16384 OR f.provolatile = 'v' OR t.oid < 16384
    OR (t.relnamespace <> v.relnamespace AND (t.relkind NOT IN ('r', 'p') OR t.relhassubclass))
)
"""
"""What a view reads by its dependencies, and `*` where those do not tell: a function that is not the server's own (16384
is the first number of what is) may read any table, one of its own that is volatile too, and its catalogs hold samples."""
_LOCK_MILLISECONDS = 2_000
_UNREADABLE = (
    "the URL cannot be read; write postgresql://user:password@host:port/database, with %40 for an @ and %2F for a / "
    "in the password"
)


class PostgresEngine(Engine):
    """One schema of one PostgreSQL database."""

    dialect = "postgres"

    def __init__(self, url: str, *, schema: str | None = None, max_cost: float | None = None) -> None:
        try:
            import psycopg  # noqa: F401  # pyright: ignore[reportUnusedImport]
        except ImportError as error:
            raise MissingExtraError("a PostgreSQL database", "postgres") from error
        _, _, rest = url.partition("://")
        place = rest.partition("?")[0]
        if place.count("@") > 1 or "@" in place.partition("/")[2]:
            raise ConfigurationError(_UNREADABLE)
        self._url = f"postgresql://{rest}"
        self._schema = schema or "public"
        self._max_cost = max_cost

    def reflect(self) -> Schema:
        """Read the tables and views of the schema."""
        self.connect().close()
        found = reflect(
            self._url.replace("://", "+psycopg://", 1), "postgres", self._schema, schema=self._schema
        )
        if not found.tables:
            raise ConfigurationError(f"the schema {self._schema!r} has no tables that this role can see")
        parts = {str(row[0]) for row in self.sample(_PARTITIONS.format(self._literal()), 5.0)}
        # The rows of a partition are read through its table; as tables of their own they would only be noise.
        return replace(found, tables=tuple(table for table in found.tables if table.name not in parts))

    def reads(self) -> Mapping[str, frozenset[str]]:
        """Return what each view reads, and each table that shares rows with another by inheritance, by the catalog."""
        found: dict[str, set[str]] = {}
        for name, table, column in self.sample(_READS.format(self._literal()), 5.0):
            found.setdefault(name, set()).update((table, f"{table}.{column}") if column else (table,))
        return {name: frozenset(tables) for name, tables in found.items()}

    def _literal(self) -> str:
        return "'" + self._schema.replace("'", "''") + "'"

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a session that is read-only and sees one schema."""
        import psycopg

        settings = {
            "default_transaction_read_only": "on",
            "lock_timeout": str(_LOCK_MILLISECONDS),
            "standard_conforming_strings": "on",
            "intervalstyle": "postgres",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        try:
            connection = psycopg.connect(self._url, options=options, connect_timeout=10, autocommit=True)
        except psycopg.Error as error:
            raise ConfigurationError(f"PostgreSQL cannot be reached: {_unreached(error)}") from None
        _hold_everything(connection)
        path = '"' + self._schema.replace('"', '""') + '"'
        connection.execute("SELECT set_config('search_path', %s, false)", (path,))
        return connection

    def run(
        self, sql: str, access: Access, limits: Limits, watch: Watch, *, own: str | None = None
    ) -> RawRows:
        """Run one SELECT through a cursor, in a read-only transaction."""
        connection = self.connect()
        with (
            contextlib.closing(connection),
            _translated(sql, watch, own),
            interrupting(watch, connection.cancel, partial(_hang_up, connection)),
        ):
            connection.execute("BEGIN READ ONLY")
            milliseconds = max(1, int(watch.left() * 1000))
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
            self._check_cost(connection, sql, own is not None)
            connection.execute(_trusted(_DECLARE + sql), binary=True)  # which takes one statement only
            cursor = connection.cursor()

            def fetch() -> list[tuple[Any, ...]]:
                cursor.execute(_trusted(f"FETCH {_CHUNK} FROM jigwork_rows"))
                return cursor.fetchall()

            raw = RawRows()
            first = fetch()
            raw.names = tuple(column.name for column in cursor.description or ())
            collect(first, fetch, raw, limits=limits, watch=watch)
            connection.execute("ROLLBACK")
            return raw

    def _check_cost(self, connection: psycopg.Connection[tuple[Any, ...]], sql: str, shown: bool) -> None:
        """Ask the planner first, where a cost limit is set; the figure is `shown` where it tells of no hidden rows."""
        if self._max_cost is None:
            return
        plan = connection.execute(_trusted("EXPLAIN (FORMAT JSON) " + sql), binary=True).fetchone()
        cost = float(plan[0][0]["Plan"]["Total Cost"]) if plan else 0.0
        if cost > self._max_cost:
            expected = f"a cost of {cost:.0f}, more than" if shown else "it to cost more than"
            text = f"the planner expects {expected} the {self._max_cost:.0f} allowed"
            raise SQLLimitReached(f"{text}; join along keys and filter more")

    def estimates(self) -> Mapping[str, int]:
        """Return the row counts the planner works with."""
        sql = (
            "SELECT c.relname, c.reltuples::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE c.reltuples >= 0 AND n.nspname = {self._literal()}"
        )
        return {name: int(count) for name, count in self.sample(sql, 5.0)}

    @contextlib.contextmanager
    def looking(self) -> Generator[Look]:
        """Give what `sample` does, in one session for as many statements as one likes."""
        import psycopg

        with contextlib.closing(self.connect()) as connection:

            def look(sql: str, seconds: float) -> list[tuple[Any, ...]]:
                try:
                    milliseconds = str(max(1, int(seconds * 1000)))
                    connection.execute("SELECT set_config('statement_timeout', %s, false)", (milliseconds,))
                    return connection.execute(_trusted(sql)).fetchall()
                except psycopg.Error:
                    return []

            yield look

    def close(self) -> None:
        """Nothing stays open between queries."""


def _hang_up(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Cut the line that another thread is waiting on: it then reads an end where it would have waited on."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _hold_everything(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Take as text what Python's types cannot hold: infinite days, years before 1 and after 9999, months of intervals."""
    from psycopg.types import datetime as loaders
    from psycopg.types.string import TextLoader

    for name in ("date", "time", "timetz", "timestamp", "timestamptz"):
        connection.adapters.register_loader(name, _lenient(getattr(loaders, f"{name.capitalize()}Loader")))
    connection.adapters.register_loader("interval", TextLoader)


@cache
def _lenient(loader: Any) -> Any:
    """Return a loader that gives the text where this one fails."""
    import psycopg
    from psycopg.adapt import Loader

    class Lenient(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = loader(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._strict.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Lenient


def _trusted(sql: str) -> Any:
    """The text was checked by the guard or written by us; psycopg would take literals only."""
    return sql


@contextlib.contextmanager
def _translated(sql: str, watch: Watch, own: str | None) -> Generator[None]:
    """Turn PostgreSQL's errors into ours, in words for a model, with the place in its own SQL."""
    import psycopg

    try:
        yield
    except UnicodeEncodeError as error:
        raise SQLRefused(UNSENDABLE) from error
    except psycopg.errors.QueryCanceled as error:
        raise watch.stopped() from error
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise SQLRefused(f"{error.diag.message_primary or 'this'}: not available here") from error
    except psycopg.Error as error:
        lost = isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08")[:2] in ("08", "57")
        if watch.cancelled() or (lost and watch.over()):
            raise watch.stopped() from error
        if lost:
            raise SQLError(LOST) from error
        raise SQLError(f"the database says: {_words(error, sql, own)}") from error


def _unreached(error: psycopg.Error) -> str:
    """Say why there is no connection; what is wrong with the URL itself could tell a part of the password."""
    import psycopg

    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, psycopg.ProgrammingError) and not str(error).startswith(
        "invalid URI query parameter"
    ):
        return _UNREADABLE
    return "; ".join(lines[:2]) or "no reason given"


def _words(error: psycopg.Error, sql: str, own: str | None) -> str:
    text = error.diag.message_primary or str(error).strip().split("\n", 1)[0] or "the query failed"
    position = error.diag.statement_position
    if own is not None and position is not None:
        index = int(position) - 1 - len(_DECLARE) - sql.find(own)
        if index >= len(own):
            return "the query ends too early"
        text += f" at {place(own, index)}" if index >= 0 else ""
    hint = error.diag.message_hint
    return f"{text}; {hint}" if hint and "setting" not in hint else text
