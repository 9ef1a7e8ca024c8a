"""MySQL and MariaDB: read-only by session and by transaction, one SELECT per packet, time limits of the server.

Rows are streamed. A query that is cancelled, or over its time, is killed in the server from a second connection; where
that does not look up, the connection is cut. The session's `sql_mode` is set, so that a text means to the server what
it means to the guard. What a user may read without writing (other databases, files by LOAD_FILE) the session alone
cannot keep from them: the guard does, and a user with no more than SELECT on what is to be seen.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Generator, Mapping
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from jigwork.errors import ConfigurationError, MissingExtraError, SQLError, SQLLimitReached, SQLRefused
from jigwork.grammars.schema import Schema
from jigwork.grammars.sql.scan import place

from .engine import LOST, UNSENDABLE, Access, Engine, Limits, Look, RawRows, Watch, collect, interrupting
from .reflect import reflect

__all__ = ["MySQLEngine"]

_CHUNK = 200
_BIT = 16
"""The protocol's number for BIT columns."""
_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_QUOTED = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`|--\s[^\n]*|#[^\n]*|/\*(?!M?!).*?\*/",
    re.DOTALL,
)
_READING = re.compile(r"\s*(?:EXPLAIN\s)?[\s(]*(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)
_WRITING = re.compile(r"\bINTO\b|\bLOCK\s+IN\s+SHARE\b|\bFOR\s+(?:UPDATE|SHARE)\b", re.IGNORECASE)
_TIMED_OUT = frozenset({1969, 3024})  # MariaDB's and MySQL's "statement took too long"
_SYNTAX = 1064
_NO_TABLE = 1146
_LOST = frozenset({0, 1053, 1927, 2006, 2013})
_KILLED = frozenset({1317, 1927, 2013})
_REFUSED = frozenset(
    {1044, 1142, 1143, 1227, 1370, 1792}
)  # privileges, and writing in a read-only transaction


class MySQLEngine(Engine):
    """One database of a MySQL or MariaDB server."""

    dialect = "mysql"

    def __init__(self, url: str, *, max_cost: float | None = None) -> None:
        self._driver = _driver()
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError:  # which would tell what was taken for the port, maybe a part of a password
            raise ConfigurationError(
                "the URL cannot be read: write mysql://user:password@host:port/database, with %40 for an @ and %2F "
                "for a / in the password"
            ) from None
        self._database = unquote(parts.path.lstrip("/"))
        if not self._database:
            raise ConfigurationError("name the database in the URL: mysql://user@host/database")
        self._arguments: dict[str, Any] = {
            "host": parts.hostname or "127.0.0.1",
            "port": port,
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
                conv={**self._driver.converters.conversions, _BIT: _bits},
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

    def reads(self) -> Mapping[str, frozenset[str]]:
        """Return what each view reads: whatever is named in its text, which has all names in backquotes.

        A function of the database may read any table, and another database may hold views over this one.
        """
        sql = (
            "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = DATABASE()"
        )
        return {str(name): _names_in(str(text or ""), self._database) for name, text in self.sample(sql, 5.0)}

    def run(
        self, sql: str, access: Access, limits: Limits, watch: Watch, *, own: str | None = None
    ) -> RawRows:
        """Run one SELECT in a read-only transaction, and stream its rows."""
        _check_kind(sql)
        connection = self.connect()
        thread = connection.thread_id()
        with (
            contextlib.closing(connection),
            _translated(watch, own),
            interrupting(watch, partial(self._kill, thread), partial(_hang_up, connection)),
        ):
            self._limit_time(connection, watch.left())
            _execute(connection, "START TRANSACTION READ ONLY")
            self._check_cost(connection, sql, own is not None)
            with self._cursor(connection) as cursor:
                cursor.execute(sql)
                raw = RawRows(tuple(str(column[0]) for column in cursor.description or ()))

                def fetch() -> list[tuple[Any, ...]]:
                    return list(cursor.fetchmany(_CHUNK))

                collect(fetch(), fetch, raw, limits=limits, watch=watch)
                if not raw.counted:
                    self._kill(thread)  # else closing the cursor would read all the rows that are left
                return raw

    @contextlib.contextmanager
    def _cursor(self, connection: Any) -> Generator[Any]:
        """Open a cursor, and close it here: left to the interpreter, one that was killed would complain on stderr."""
        cursor = connection.cursor()
        try:
            yield cursor
        finally:
            with contextlib.suppress(self._driver.Error):
                cursor.close()

    def _limit_time(self, connection: Any, seconds: float) -> None:
        if self._maria:
            _execute(connection, f"SET SESSION max_statement_time = {max(0.01, seconds):.2f}")
        else:
            _execute(connection, f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}")

    def _check_cost(self, connection: Any, sql: str, shown: bool) -> None:
        """Ask the optimizer first, where a cost limit is set: here the rows it expects to look at.

        How many is `shown` where it tells of no hidden rows.
        """
        if self._max_cost is None or sql.startswith("EXPLAIN "):
            return
        rows = 1.0
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("EXPLAIN " + sql)
            place = [column[0] for column in cursor.description].index("rows")
            for line in cursor.fetchall():
                rows *= max(1.0, float(line[place] or 1))
        if rows > self._max_cost:
            expected = f"{rows:.0f} rows, more than" if shown else "more rows than"
            text = f"the optimizer expects to look at {expected} the {self._max_cost:.0f} allowed"
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

    @contextlib.contextmanager
    def looking(self) -> Generator[Look]:
        """Give what `sample` does, in one session for as many statements as one likes."""
        with contextlib.closing(self.connect()) as connection:

            def look(sql: str, seconds: float) -> list[tuple[Any, ...]]:
                try:
                    self._limit_time(connection, seconds)
                    return _execute(connection, sql)
                except self._driver.Error:
                    return []

            yield look

    def close(self) -> None:
        """Nothing stays open between queries."""


def _check_kind(sql: str) -> None:
    """Refuse what is no SELECT: in a read-only session there is still much that a statement can set, lock and write.

    The words are looked for outside of quotes and comments; a comment that would be executed is refused.
    """
    plain = _QUOTED.sub(lambda match: " " if match.group().startswith(("-", "#", "/")) else "''", sql)
    if not _READING.match(plain) or "/*" in plain or _WRITING.search(plain):
        raise SQLRefused(
            "this is not available here: only SELECT statements that lock and store nothing may be run"
        )


def _hang_up(connection: Any) -> None:
    """Cut the line that another thread is waiting on: it then reads an end where it would have waited on."""
    line = connection._sock  # the driver's own way to close would wait for that thread
    if line is not None:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def _bits(data: Any) -> int | None:
    """Read BIT as the number that it is; the driver leaves it as bytes."""
    return None if data is None else int.from_bytes(data, "big")


def _driver(name: str = "pymysql") -> Any:
    """Import the driver, which has no types."""
    try:
        import_module(f"{name}.cursors")
        import_module(f"{name}.converters")
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
def _translated(watch: Watch, own: str | None) -> Generator[None]:
    """Turn the server's errors into ours, in words for a model, with what it wrote there where that is its own text."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise SQLRefused(UNSENDABLE) from error
    except _driver().Error as error:
        code = error.args[0] if error.args else 0
        if code in _TIMED_OUT or (code in _KILLED and watch.over()):
            raise watch.stopped() from error
        if code in _REFUSED:
            raise SQLRefused("this query needs something that is not available here") from error
        if code in _LOST:
            raise SQLError(LOST) from error
        if code == _NO_TABLE:  # the server's own words would tell the name of the database
            raise SQLError(
                "there is no table of a name in this query; capital and small letters count in it"
            ) from error
        text = _words(error)
        if code == _SYNTAX:
            raise SQLError(_syntax(str(error.args[-1]), own)) from error
        if own is None:
            text = text.partition(" in '")[0]  # which would quote the text that was sent
        raise SQLError(f"the database says: {text}") from error


def _syntax(message: str, own: str | None) -> str:
    """Say where a query cannot be read: the server quotes what is left of it, from there on."""
    near = re.search(r"near '(.*)' at line \d+$", message, re.DOTALL)
    rest = near.group(1).strip() if near else ""
    if own is None or own.count(rest) != 1:
        return "the database cannot read this query; write it more plainly"
    word = rest.split(maxsplit=1)[0]
    return f"the database cannot read {word[:60]!r} at {place(own, own.find(rest))}; write it in another way"


def _names_in(text: str, database: str) -> frozenset[str]:
    """Return the names in the text of a view, alone and each two that a dot joins, whichever tables they are of."""
    names = re.findall(r"`((?:[^`]|``)+)`", text)
    single = {name.replace("``", "`") for name in names}
    elsewhere = set(re.findall(r"\b(?:from|join) \(*`((?:[^`]|``)+)`\.`", text)) - {
        database.replace("`", "``")
    }
    if not single or elsewhere or re.search(r"`\(", text):
        single.add("*")
    return frozenset({*single, *(f"*.{name}" for name in single)})


def _words(error: Exception) -> str:
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return text.splitlines()[0][:300] if text else "the query failed"
