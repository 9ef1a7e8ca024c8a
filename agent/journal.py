"""Journals: every change of a run's state, written down before what depends on it happens.

A run with a journal survives a kill at any moment: `journal.load()` gives the state, `agent.run(state=state)` goes
on. An entry is handed to the operating system before the tool that it announces starts, so it survives the death of
the process; `sync=True` also waits for the disk, and so survives the death of the machine.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Protocol, cast

from jigwork.errors import StateError
from jigwork.tools.outcome import Outcome

from .records import RequestRecord
from .serial import dump_json, load_json
from .state import Entry, RunState

__all__ = ["FileJournal", "Journal", "SQLiteJournal"]


class Journal(Protocol):
    """Where a run writes its entries. Anything with this method will do."""

    async def record(self, run_id: str, entry: Entry) -> None:
        """Keep one entry; the run goes on when this returns. An exception ends the run."""
        ...


def _line(entry: Entry) -> str:
    return dump_json(_plain(entry))


def _plain(value: Any) -> Any:
    """Return a value of an entry as JSON data; an entry of a run inside is an entry in an entry."""
    if isinstance(value, (Outcome, RequestRecord, RunState)):
        return value.to_dict()
    if isinstance(value, dict) and "kind" in value:
        entries = cast("Entry", value).items()
        return {key: _plain(one) for key, one in entries}
    return cast("Any", value)


def _replay(entries: Iterable[Entry], where: str) -> RunState:
    state: RunState | None = None
    for entry in entries:
        if entry.get("kind") == "state":
            state = RunState.from_dict(entry["state"])
        elif state is None:
            raise StateError(f"{where} does not begin with a state; it was not written by a journal")
        else:
            state.append(entry)
    if state is None:
        raise StateError(f"{where} holds no run")
    return state


class FileJournal:
    """A journal in a file of JSON Lines, for one run (the last one counts where there are several)."""

    def __init__(self, path: str | Path, *, sync: bool = False) -> None:
        self.path = Path(path)
        self.sync = sync
        self._file: IO[str] | None = None
        self._lock = threading.Lock()

    async def record(self, run_id: str, entry: Entry) -> None:
        """Write one line and flush it."""
        line = _line({"run_id": run_id, **entry})
        with self._lock:
            if self._file is None:
                self._file = self._open()
            self._file.write(line + "\n")
            self._file.flush()
            if self.sync:
                os.fsync(self._file.fileno())

    def _open(self) -> IO[str]:
        """Open for appending; a last line that a kill left unfinished is taken away first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            data = self.path.read_bytes()
            if data and not data.endswith(b"\n"):
                with self.path.open("r+b") as file:
                    file.truncate(data.rfind(b"\n") + 1)
        return self.path.open("a", encoding="utf-8")

    def load(self) -> RunState:
        """Return the state as the journal has it; raises StateError where there is none."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise StateError(f"cannot read the journal {self.path}: {error.strerror}") from error
        # What follows the last newline was being written when the process died: it never happened.
        return _replay((load_json(line) for line in lines[:-1] if line), str(self.path))

    def close(self) -> None:
        """Close the file; the next entry opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class SQLiteJournal:
    """A journal in a SQLite file, for as many runs as one likes, also at once."""

    def __init__(self, path: str | Path, *, sync: bool = False) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS jigwork_journal "
            "(seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, entry TEXT NOT NULL)"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS jigwork_journal_run ON jigwork_journal (run_id, seq)")

    async def record(self, run_id: str, entry: Entry) -> None:
        """Write one row in a transaction of its own."""
        with self._lock:
            self._db.execute(
                "INSERT INTO jigwork_journal (run_id, entry) VALUES (?, ?)", (run_id, _line(entry))
            )

    def runs(self) -> list[str]:
        """Return the run ids, the one written to last at the end."""
        with self._lock:
            rows = self._db.execute(
                "SELECT run_id FROM jigwork_journal GROUP BY run_id ORDER BY MAX(seq)"
            ).fetchall()
        return [row[0] for row in rows]

    def load(self, run_id: str | None = None) -> RunState:
        """Return the state of a run, of the one written to last unless named; raises StateError where none is."""
        if run_id is None:
            runs = self.runs()
            if not runs:
                raise StateError(f"{self.path} holds no run")
            run_id = runs[-1]
        query = "SELECT entry FROM jigwork_journal WHERE run_id = ? ORDER BY seq"
        with self._lock:
            rows = self._db.execute(query, (run_id,)).fetchall()
        return _replay((load_json(row[0]) for row in rows), f"run {run_id} in {self.path}")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()
