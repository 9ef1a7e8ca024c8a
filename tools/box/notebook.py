"""`notes`: what a model wants to remember from one run to the next, in one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from jigwork.errors import ConfigurationError, ToolError

from ..decorator import tool
from ..toolset import Toolset
from .outside import ABOUT_MARKS, mark_outside

__all__ = ["notes"]

_MAX_TEXT = 10_000
_MAX_TOPIC = 100
_APPLICATION = 0x4A57_4E54  # says in the file's header that it is ours
_SCHEMA = """
create table if not exists notes (
    id integer primary key autoincrement,
    topic text not null,
    text text not null,
    done integer not null default 0,
    changed_at real not null
)
"""


def notes(path: str | Path, *, max_notes: int = 10_000) -> Toolset:
    """Return `add_note`, `find_notes` and `change_note`, which keep notes and things to do in the file `path`.

    Nothing is ever deleted: a note that is done or no longer true is closed, and can be found and opened again. A
    note has at most 10 000 characters, the file at most `max_notes`. Several processes may use one file. What is
    read comes back as data: an old note may quote a stranger. Raises ConfigurationError for a file that is
    something else.
    """
    book = _Notebook(Path(path), max_notes)
    book.prepare()

    @tool(timeout=30)
    def add_note(text: str, topic: str = "") -> str:
        """Keep a note, or a thing to do, for later.

        Args:
            text: What to remember, so that it can be understood alone.
            topic: One or two words under which it belongs, such as todo.
        """
        return f"Kept as note {book.add(text, topic)}."

    @tool(read_only=True, timeout=30)
    def find_notes(words: str = "", topic: str = "", closed: bool = False, limit: int = 20) -> str:
        """Find notes that contain all of some words, the latest first.

        Args:
            words: Words or parts of words; none finds every note.
            topic: Only notes under this topic.
            closed: Closed notes instead of open ones.
            limit: How many at most, up to 100.
        """
        return mark_outside(book.find(words.split(), topic, closed, limit), "notes")

    @tool(idempotent=True, timeout=30)
    def change_note(id: int, text: str | None = None, closed: bool | None = None) -> str:
        """Change the text of a note, or close it because it is done or no longer true.

        Args:
            id: The number of the note.
            text: The new text.
            closed: True closes it, False opens it again.
        """
        return book.change(id, text, closed)

    found = find_notes.replaced(description=f"{find_notes.description} {ABOUT_MARKS}")
    return Toolset([add_note, found, change_note], name="notes")


class _Notebook:
    """The file. A connection lives for one call, so that calls may come from any thread."""

    def __init__(self, path: Path, max_notes: int) -> None:
        self._path = path
        self._max_notes = max_notes

    def prepare(self) -> None:
        """Make the file, or make sure that it is ours."""
        try:
            with closing(sqlite3.connect(self._path, timeout=10)) as db, db:
                (application,) = db.execute("pragma application_id").fetchone()
                (tables,) = db.execute("select count(*) from sqlite_master").fetchone()
                if application != _APPLICATION and tables:
                    raise ConfigurationError(
                        f"{self._path} is a database of something else: give another path"
                    )
                db.execute(f"pragma application_id = {_APPLICATION}")
                db.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise ConfigurationError(f"notes cannot be kept in {self._path}: {error}") from error

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=10)) as db, db:
                yield db
        except sqlite3.Error as error:
            raise ToolError("The notes cannot be opened now; try again later.") from error

    def add(self, text: str, topic: str) -> int:
        """Keep a note; return its number."""
        row = (_topic(topic), _text(text), time.time())
        with self._open() as db:
            db.execute("begin immediate")
            (count,) = db.execute("select count(*) from notes").fetchone()
            if count >= self._max_notes:
                raise ToolError(
                    f"There are {count} notes already, which is the limit: change an old one instead."
                )
            made = db.execute("insert into notes (topic, text, changed_at) values (?, ?, ?)", row)
            return int(made.lastrowid or 0)

    def find(self, words: list[str], topic: str, closed: bool, limit: int) -> str:
        """List the notes that contain all words, the latest first."""
        where, values = ["done = ?"], list[Any]([int(closed)])
        for word in words[:20]:
            where.append("(instr(lower_(text), ?) or instr(lower_(topic), ?))")
            values += [word.casefold()] * 2
        if topic:
            where.append("lower_(topic) = ?")
            values.append(_topic(topic).casefold())
        limit = min(max(limit, 1), 100)
        query = f"select id, topic, text, changed_at from notes where {' and '.join(where)}"
        with self._open() as db:
            db.create_function("lower_", 1, _lowered, deterministic=True)
            rows = db.execute(
                f"{query} order by changed_at desc, id desc limit ?", [*values, limit + 1]
            ).fetchall()
        lines = [_line(*row) for row in rows[:limit]]
        if len(rows) > limit:
            lines.append("(there are more: search for more words)")
        return "\n".join(lines) or "(no notes)"

    def change(self, id: int, text: str | None, closed: bool | None) -> str:
        """Change a note; raise ToolError where there is none."""
        if text is None and closed is None:
            raise ToolError("Give a new text, or closed.")
        row = (
            None if text is None else _text(text),
            None if closed is None else int(closed),
            time.time(),
            id,
        )
        with self._open() as db:
            changed = db.execute(
                "update notes set text = coalesce(?, text), done = coalesce(?, done), changed_at = ? where id = ?",
                row,
            )
        if not changed.rowcount:
            raise ToolError(f"There is no note {id}.")
        return f"Note {id} was {'changed' if text is not None else 'closed' if closed else 'opened again'}."


def _lowered(text: object) -> str:
    return str(text).casefold()


def _text(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode().strip()
    if not plain:
        raise ToolError("A note has a text.")
    if len(plain) > _MAX_TEXT:
        raise ToolError(f"A note has at most {_MAX_TEXT} characters; this one has {len(plain)}.")
    return plain


def _topic(topic: str) -> str:
    plain = " ".join(topic.encode("utf-8", "replace").decode().split())
    if len(plain) > _MAX_TOPIC:
        raise ToolError(f"A topic has at most {_MAX_TOPIC} characters.")
    return plain


def _line(id: int, topic: str, text: str, changed_at: float) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(changed_at))
    return f"{id} [{day}{', ' + topic if topic else ''}] {text}"
