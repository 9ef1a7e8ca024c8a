"""PostgreSQL: read-only by session and by transaction, a search path of one schema, time limits of the server.

Rows come through a server-side cursor, so that only what is kept is fetched. A query that is cancelled, or over its
time, is cancelled in the server. Give the connection a role that may only SELECT what it should see: the guard
holds without it, and the role holds without the guard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from jigwork.errors import ConfigurationError, MissingExtraError, SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.scan import place

from .engine import Access, Limits, RawRows, Watch, collect, interrupting
from .reflect import reflect

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresEngine"]

_DECLARE = "DECLARE jigwork_rows NO SCROLL CURSOR FOR "
_CHUNK = 200
_LOCK_MILLISECONDS = 2_000


class PostgresEngine:
    """One schema of one PostgreSQL database."""

    dialect = "postgres"

    def __init__(self, url: str, *, schema: str | None = None, max_cost: float | None = None) -> None:
        try:
            import psycopg  # noqa: F401  # pyright: ignore[reportUnusedImport]
        except ImportError as error:
            raise MissingExtraError("a PostgreSQL database", "postgres") from error
        _, _, rest = url.partition("://")
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
        return found

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a session that is read-only and sees one schema."""
        import psycopg

        settings = {
            "default_transaction_read_only": "on",
            "lock_timeout": str(_LOCK_MILLISECONDS),
            "standard_conforming_strings": "on",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        try:
            connection = psycopg.connect(self._url, options=options, connect_timeout=10, autocommit=True)
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no reason given"
            raise ConfigurationError(f"PostgreSQL cannot be reached: {reason}") from error
        path = '"' + self._schema.replace('"', '""') + '"'
        connection.execute("SELECT set_config('search_path', %s, false)", (path,))
        return connection

    def run(self, sql: str, access: Access, limits: Limits, watch: Watch) -> RawRows:
        """Run one SELECT through a cursor, in a read-only transaction."""
        connection = self.connect()
        with contextlib.closing(connection), _translated(sql, watch), interrupting(watch, connection.cancel):
            connection.execute("BEGIN READ ONLY")
            milliseconds = max(1, int(watch.left() * 1000))
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
            self._check_cost(connection, sql)
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

    def _check_cost(self, connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> None:
        """Ask the planner first, where a cost limit is set."""
        if self._max_cost is None:
            return
        plan = connection.execute(_trusted("EXPLAIN (FORMAT JSON) " + sql), binary=True).fetchone()
        cost = float(plan[0][0]["Plan"]["Total Cost"]) if plan else 0.0
        if cost > self._max_cost:
            text = f"the planner expects a cost of {cost:.0f}, more than the {self._max_cost:.0f} allowed"
            raise SQLLimitReached(f"{text}; join along keys and filter more")

    def estimates(self) -> Mapping[str, int]:
        """Return the row counts the planner works with."""
        sql = (
            "SELECT c.relname, c.reltuples::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE c.reltuples >= 0 AND n.nspname = '{self._schema.replace(chr(39), chr(39) * 2)}'"
        )
        return {name: int(count) for name, count in self.sample(sql, 5.0)}

    def sample(self, sql: str, seconds: float) -> list[tuple[Any, ...]]:
        """Run a statement of ours (never a model's); one that takes longer gives no rows."""
        import psycopg

        with contextlib.closing(self.connect()) as connection:
            connection.execute(
                "SELECT set_config('statement_timeout', %s, false)", (str(max(1, int(seconds * 1000))),)
            )
            try:
                return connection.execute(_trusted(sql)).fetchall()
            except psycopg.Error:
                return []

    def close(self) -> None:
        """Nothing stays open between queries."""


def _trusted(sql: str) -> Any:
    """The text was checked by the guard or written by us; psycopg would take literals only."""
    return sql


@contextlib.contextmanager
def _translated(sql: str, watch: Watch) -> Generator[None]:
    """Turn PostgreSQL's errors into ours, in words for a model, with the place in its own SQL."""
    import psycopg

    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise watch.stopped() from error
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise SQLRefused(f"{error.diag.message_primary or 'this'}: not available here") from error
    except psycopg.Error as error:
        if watch.cancelled():
            raise watch.stopped() from error
        raise SQLError(f"the database says: {_words(error, sql)}") from error


def _words(error: psycopg.Error, sql: str) -> str:
    text = error.diag.message_primary or str(error).strip().split("\n", 1)[0] or "the query failed"
    position = error.diag.statement_position
    if position is not None and int(position) > len(_DECLARE):
        text += f" at {place(sql, int(position) - len(_DECLARE) - 1)}"
    return f"{text}; {error.diag.message_hint}" if error.diag.message_hint else text
