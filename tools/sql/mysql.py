"""MySQL and MariaDB: read-only by session and by transaction, one statement per packet, time limits of the server.

Rows are streamed. A query that is cancelled, or over its time, is killed in the server from a second connection.
The session's `sql_mode` is set, so that a text means to the server what it means to the guard.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from jigwork.errors import ConfigurationError, MissingExtraError, SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.schema import Schema

from .engine import Access, Limits, RawRows, Watch, collect, interrupting
from .reflect import reflect

__all__ = ["MySQLEngine"]

_CHUNK = 200
_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_TIMED_OUT = frozenset({1969, 3024})  # MariaDB's and MySQL's "statement took too long"
_KILLED = frozenset({1317, 1927, 2013})
_REFUSED = frozenset(
    {1044, 1142, 1143, 1227, 1370, 1792}
)  # privileges, and writing in a read-only transaction


class MySQLEngine:
    """One database of a MySQL or MariaDB server."""

    dialect = "mysql"

    def __init__(self, url: str, *, max_cost: float | None = None) -> None:
        self._driver = _driver()
        parts = urlsplit(url)
        self._database = unquote(parts.path.lstrip("/"))
        if not self._database:
            raise ConfigurationError("name the database in the URL: mysql://user@host/database")
        self._arguments: dict[str, Any] = {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 3306,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": self._database,
        }
        self._url = f"mysql+pymysql://{parts.netloc}/{parts.path.lstrip('/')}?charset=utf8mb4"
        self._max_cost = max_cost
        self._maria = True

    def reflect(self) -> Schema:
        """Read the tables and views of the database."""
        with contextlib.closing(self.connect()) as connection:
            self._maria = "mariadb" in str(connection.get_server_info()).lower()
        found = reflect(self._url, "mysql", self._database)
        if not found.tables:
            raise ConfigurationError(f"the database {self._database!r} has no tables that this user can see")
        return found

    def connect(self) -> Any:
        """Open a session that is read-only and reads SQL as the guard does."""
        try:
            connection = self._driver.connect(
                **self._arguments,
                charset="utf8mb4",
                cursorclass=self._driver.cursors.SSCursor,
                connect_timeout=10,
                local_infile=False,
                autocommit=True,
            )
        except self._driver.Error as error:
            raise ConfigurationError(f"MySQL cannot be reached: {_words(error)}") from error
        for statement in (
            f"SET SESSION sql_mode = '{_MODE}'",
            "SET SESSION TRANSACTION READ ONLY",
            "SET SESSION lock_wait_timeout = 2",
        ):
            _execute(connection, statement)
        return connection

    def run(self, sql: str, access: Access, limits: Limits, watch: Watch) -> RawRows:
        """Run one SELECT in a read-only transaction, and stream its rows."""
        connection = self.connect()
        thread = connection.thread_id()
        with (
            contextlib.closing(connection),
            _translated(watch),
            interrupting(watch, lambda: self._kill(thread)),
        ):
            self._limit_time(connection, watch.left())
            _execute(connection, "START TRANSACTION READ ONLY")
            self._check_cost(connection, sql)
            cursor = connection.cursor()
            cursor.execute(sql)
            raw = RawRows(tuple(str(column[0]) for column in cursor.description or ()))

            def fetch() -> list[tuple[Any, ...]]:
                return list(cursor.fetchmany(_CHUNK))

            collect(fetch(), fetch, raw, limits=limits, watch=watch)
            if not raw.counted:
                self._kill(thread)  # else closing the cursor would read all the rows that are left
            return raw

    def _limit_time(self, connection: Any, seconds: float) -> None:
        if self._maria:
            _execute(connection, f"SET SESSION max_statement_time = {max(0.01, seconds):.2f}")
        else:
            _execute(connection, f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}")

    def _check_cost(self, connection: Any, sql: str) -> None:
        """Ask the optimizer first, where a cost limit is set: here the rows it expects to look at."""
        if self._max_cost is None:
            return
        rows = 1.0
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("EXPLAIN " + sql)
            place = [column[0] for column in cursor.description].index("rows")
            for line in cursor.fetchall():
                rows *= max(1.0, float(line[place] or 1))
        if rows > self._max_cost:
            text = f"the optimizer expects to look at {rows:.0f} rows, more than the {self._max_cost:.0f} allowed"
            raise SQLLimitReached(f"{text}; join along keys and filter more")

    def _kill(self, thread: int) -> None:
        """End the query of another session."""
        with (
            contextlib.suppress(self._driver.Error, ConfigurationError),
            contextlib.closing(self.connect()) as connection,
        ):
            _execute(connection, f"KILL QUERY {thread}")

    def estimates(self) -> Mapping[str, int]:
        """Return the row counts the storage engines estimate."""
        sql = "SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = DATABASE()"
        return {str(name): int(count) for name, count in self.sample(sql, 5.0) if count is not None}

    def sample(self, sql: str, seconds: float) -> list[tuple[Any, ...]]:
        """Run a statement of ours (never a model's); one that takes longer gives no rows."""
        with contextlib.closing(self.connect()) as connection:
            try:
                self._limit_time(connection, seconds)
                return _execute(connection, sql)
            except self._driver.Error:
                return []

    def close(self) -> None:
        """Nothing stays open between queries."""


def _driver(name: str = "pymysql") -> Any:
    """Import the driver, which has no types."""
    try:
        import_module(f"{name}.cursors")
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError("a MySQL database", "mysql") from error


def _execute(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


@contextlib.contextmanager
def _translated(watch: Watch) -> Generator[None]:
    """Turn the server's errors into ours, in words for a model."""
    try:
        yield
    except _driver().Error as error:
        code = error.args[0] if error.args else 0
        if code in _TIMED_OUT or (code in _KILLED and watch.over()):
            raise watch.stopped() from error
        if code in _REFUSED:
            raise SQLRefused("this query needs something that is not available here") from error
        raise SQLError(f"the database says: {_words(error)}") from error


def _words(error: Exception) -> str:
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return text.splitlines()[0][:300] if text else "the query failed"
