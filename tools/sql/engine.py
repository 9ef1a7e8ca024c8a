"""What every database engine does for `SQLDatabase`: run one checked SELECT under limits, on a read-only connection."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from jigwork.errors import SQLError, SQLLimitReached
from jigwork.grammars.schema import Schema

__all__ = [
    "COUNTING_SECONDS",
    "LOST",
    "UNSENDABLE",
    "Access",
    "Engine",
    "Limits",
    "Look",
    "RawRows",
    "Watch",
    "collect",
    "interrupting",
    "size_of",
]

_GRACE_SECONDS = 0.5
"""How long after the deadline a server may stop a query by itself."""
_PATIENCE_SECONDS = 0.4
"""How long a server may take to stop a query when it is told to."""
LOST = "the connection to the database was lost; ask again"
UNSENDABLE = "the query holds a character that cannot be sent"
COUNTING_SECONDS = 1.0
"""How long rows that are not kept are counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`rows` and `bytes` bound what is kept (the rest is counted, not kept), `seconds` the whole query."""

    rows: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Access:
    """What a connection may read: columns by table, and functions. Names as the database spells them.

    `recursive`: WITH queries may read themselves.
    """

    columns: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    recursive: bool = False

    @classmethod
    def of(cls, schema: Schema, functions: Sequence[str]) -> Access:
        """Allow what `schema` holds."""
        columns = {table.name: frozenset(column.name for column in table.columns) for table in schema.tables}
        return cls(columns, frozenset(functions))


@dataclass(slots=True)
class RawRows:
    """Rows as the driver gives them; `counted` is False where `row_count` is a lower bound."""

    names: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    row_count: int = 0
    cut_by: str | None = None
    counted: bool = True


class Watch:
    """A deadline and a cancel flag in one; `over()` is cheap enough to be asked all the time."""

    def __init__(self, seconds: float, cancel: threading.Event | None = None) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.cancel = cancel

    def over(self) -> bool:
        """Tell whether the query must stop now."""
        return self.cancelled() or time.monotonic() > self.ends

    def cancelled(self) -> bool:
        """Tell whether somebody asked to stop."""
        return self.cancel is not None and self.cancel.is_set()

    def stopped(self) -> SQLError:
        """Say why the query was stopped."""
        if self.cancelled():
            return SQLError("the query was cancelled")
        return SQLLimitReached(
            f"the query took longer than {self.seconds:g} s and was stopped; filter or aggregate more"
        )

    def shorten(self, seconds: float) -> None:
        """Bring the deadline nearer: at most `seconds` from now."""
        self.ends = min(self.ends, time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that remain, at least 0."""
        return max(0.0, self.ends - time.monotonic())


Look = Callable[[str, float], list[tuple[Any, ...]]]
"""Run a statement of ours (never a model's) within some seconds; no rows where that did not work."""


class Engine(Protocol):
    """One kind of database."""

    dialect: str
    """sqlglot's name of the dialect."""

    def reflect(self) -> Schema:
        """Read all tables and views."""
        ...

    def reads(self) -> Mapping[str, frozenset[str]]:
        """Return what each view (and table made of others) reads: `table` and `table.column`s, `*` where it is unknown."""
        ...

    def run(
        self, sql: str, access: Access, limits: Limits, watch: Watch, *, own: str | None = None
    ) -> RawRows:
        """Run one SELECT; raises SQLError, SQLRefused or SQLLimitReached with a text fit for a model.

        `own` is what the model wrote, as it stands in `sql`; None: it wrote another text, so that no message may
        quote this one or tell a place in it.
        """
        ...

    def sample(self, sql: str, seconds: float) -> list[tuple[Any, ...]]:
        """Run a statement of ours (never a model's) and return its rows; one that takes longer gives none."""
        with self.looking() as look:
            return look(sql, seconds)

    def looking(self) -> AbstractContextManager[Look]:
        """Give what `sample` does, on one connection for as many statements as one likes."""
        ...

    def estimates(self) -> Mapping[str, int]:
        """Return what the database itself believes of its tables' row counts, where it does."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


def size_of(row: Sequence[Any]) -> int:
    """Estimate the bytes a row takes."""
    total = 8
    for value in row:
        total += len(value) if isinstance(value, (str, bytes)) else 8
    return total


def collect(
    first: list[tuple[Any, ...]],
    fetch: Callable[[], list[tuple[Any, ...]]],
    raw: RawRows,
    *,
    limits: Limits,
    watch: Watch,
) -> None:
    """Keep the rows of chunk after chunk up to the limits, then only count, for a short while."""
    size, chunk = 0, first
    while chunk:
        raw.row_count += len(chunk)
        for row in chunk if raw.cut_by is None else ():
            size += size_of(row)
            if len(raw.rows) >= limits.rows or size > limits.bytes:
                raw.cut_by = "rows" if len(raw.rows) >= limits.rows else "bytes"
                watch.shorten(COUNTING_SECONDS)
                break
            raw.rows.append(tuple(row))
        if raw.cut_by is not None and watch.over():
            raw.counted = False
            return
        chunk = fetch()


@contextlib.contextmanager
def interrupting(watch: Watch, stop: Callable[[], None], drop: Callable[[], None]) -> Generator[None]:
    """Call `stop` from another thread when the watch is over while the body runs, and `drop` where that does not help.

    A server looks whether it should stop between two steps, and one step may be long; `drop` cuts the connection, so
    that at least nobody here waits for it.
    """
    done = threading.Event()

    def look() -> None:
        # Again and again: the first call may come before the server has begun to work on the query.
        pause, told = 0.02, 0.0
        while not done.wait(pause):
            now = time.monotonic()
            if not watch.cancelled() and now <= watch.ends + _GRACE_SECONDS:
                continue
            told = told or now
            if now > told + _PATIENCE_SECONDS:
                drop()
                return
            stop()
            pause = 0.2

    thread = threading.Thread(target=look, name="jigwork-sql-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
