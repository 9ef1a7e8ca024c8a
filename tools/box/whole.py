"""`read_output`: results that were too long for the model are kept whole, and it can read on in them."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, finalize

from jigwork.errors import ConfigurationError, ToolError

from ..context import RunContext
from ..decorator import tool
from ..definition import Tool, as_tool
from ..render import render
from ..toolset import Derived, Toolset
from .outside import mark_outside

__all__ = ["read_output"]

_WITHOUT_LIMIT = 1 << 40
_NOTICE = 200
_MAX_LENGTH = 30_000
_SCHEMA = """
create table if not exists outputs (
    id integer primary key autoincrement, run_id text not null, tool text not null, text text not null,
    size integer not null
)
"""


def read_output(
    tools: Iterable[Any], *, path: str | Path | None = None, max_stored: int = 50_000_000
) -> Toolset:
    """Return the tools (and toolsets) with a tool `read_output` beside them, which reads on where a result was cut.

    A result of more than the tool's `max_output` characters is kept whole: in memory, or in the SQLite file `path`,
    from which a run that is resumed by another process can read on. The model is told its number. Only the run that
    made a result can read it. `max_stored` is in characters; the oldest results go first.
    """
    shelf = _Shelf(path, max_stored)

    @tool(name="read_output", read_only=True, timeout=30, max_output=_MAX_LENGTH + 2000)
    def read_on(
        ctx: RunContext[Any], output: int, *, start: int = 0, length: int = 10_000, find: str = ""
    ) -> str:
        """Read a part of a result that was too long to be shown whole.

        Args:
            output: The number of the result, as it was told.
            start: Where to begin, in characters from 0.
            length: How many characters, up to 30000.
            find: Begin at the first place after start where this text stands.
        """
        return shelf.read(ctx.run_id, output, start=start, length=length, find=find)

    kept = [_KeptToolset(one, shelf) if _changes(one) else one for one in tools]
    fixed = [shelf.keep(one) for given in kept for one in _members(given)]
    return Toolset(
        [*fixed, *(one for one in kept if isinstance(one, _KeptToolset)), read_on], name="read_output"
    )


def _changes(given: Any) -> bool:
    return isinstance(given, Toolset) and given.known is None


def _members(given: Any) -> Sequence[Tool[..., Any]]:
    if isinstance(given, _KeptToolset):
        return ()
    return (given.known or ()) if isinstance(given, Toolset) else (as_tool(given),)


class _KeptToolset(Derived):
    """A toolset that may change, each of its tools kept whole."""

    def __init__(self, inner: Toolset, shelf: _Shelf) -> None:
        super().__init__(inner, inner.name)
        self._shelf = shelf
        self._made: WeakKeyDictionary[Tool[..., Any], Tool[..., Any]] = WeakKeyDictionary()

    async def tools(self, context: RunContext[Any]) -> Sequence[Tool[..., Any]]:
        """Return the tools of the inner toolset, wrapped."""
        found = await self._inner.tools(context)
        return [self._made.get(one) or self._made.setdefault(one, self._shelf.keep(one)) for one in found]


class _Shelf:
    """Whole results by number. Calls come from any thread and take turns."""

    def __init__(self, path: str | Path | None, max_stored: int) -> None:
        self._turn = threading.Lock()
        self._max_stored = max_stored
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=10,
                check_same_thread=False,
                isolation_level=None,
            )
            finalize(self, self._db.close)
            self._db.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise ConfigurationError(f"results cannot be kept in {path}: {error}") from error

    def keep(self, one: Tool[..., Any]) -> Tool[..., Any]:
        """Return the tool with its long results put on the shelf."""
        limit, output_type = one.options.max_output, one.output_type

        async def around(
            context: RunContext[Any], arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]
        ) -> Any:
            value = await call()
            whole = render(value, limit=_WITHOUT_LIMIT, output_type=output_type)
            if not isinstance(whole, str) or len(whole) <= limit:
                return value if output_type is None else whole
            return _shown(whole, self._put(context.run_id, one.name, whole), limit)

        return one.wrapped(around).replaced(output_type=None)

    def _put(self, run_id: str, name: str, text: str) -> int:
        with self._turn:
            made = self._db.execute(
                "insert into outputs (run_id, tool, text, size) values (?, ?, ?, ?)",
                (run_id, name, text, len(text)),
            )
            kept = self._db.execute("select id, size from outputs order by id desc").fetchall()
            total = 0
            for number, size in kept:
                total += size
                if total > self._max_stored and number != made.lastrowid:
                    self._db.execute("delete from outputs where id <= ?", (number,))
                    break
            return int(made.lastrowid or 0)

    def read(self, run_id: str, number: int, *, start: int, length: int, find: str) -> str:
        """Return a part of a result of this run, marked as data; raises ToolError where there is none."""
        with self._turn:
            row = self._db.execute(
                "select tool, text from outputs where id = ? and run_id = ?", (number, run_id)
            ).fetchone()
        if row is None:
            raise ToolError(
                f"There is no output {number}, or it is no longer kept. Call the tool again for less."
            )
        name, text = str(row[0]), str(row[1])
        if start < 0 or not 1 <= length <= _MAX_LENGTH:
            raise ToolError(f"start is 0 or more, and length 1 to {_MAX_LENGTH}.")
        if find:
            found = re.compile(re.escape(find), re.IGNORECASE).search(text, start)
            if found is None:
                raise ToolError(f"{find[:100]!r} does not stand in output {number} after {start}.")
            start = found.start()
        if start >= len(text):
            raise ToolError(f"Output {number} has {len(text)} characters only.")
        part = text[start : start + length]
        where = f"output {number} of {name}, characters {start} to {start + len(part)} of {len(text)}"
        return mark_outside(part, where)


def _shown(whole: str, number: int, limit: int) -> str:
    """Beginning and end of a long result, and how to read the rest; at most `limit` characters."""
    room = max(limit - _NOTICE, 0)
    head = room * 2 // 3
    tail = room - head
    notice = (
        f"(Too long: {len(whole)} characters. These are the first {head} and the last {tail}; "
        f"read_output with output {number} and start {head} reads on.)"
    )
    return f"{notice}\n{whole[:head]}\n[…]\n{whole[len(whole) - tail :]}"
