"""Files in one folder as tools: list, read and search, and where it is allowed write and replace."""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from pathlib import Path

from jigwork.errors import ToolError

from ..decorator import tool
from ..toolset import Toolset
from .folder import Entry, Folder
from .outside import ABOUT_MARKS, mark_outside

__all__ = ["files"]

_MAX_ENTRIES = 1000
_MAX_MATCHES = 200
_MAX_LINE = 500
_SEARCH_SECONDS = 10.0


def files(
    folder: str | Path,
    *,
    write: bool = False,
    hidden: bool = False,
    max_file: int = 2_000_000,
    name: str | None = None,
) -> Toolset:
    """Return `list_files`, `read_file` and `search_files` for one folder, and with `write` also `write_file` and
    `replace_in_file`, which ask a person before every call.

    Nothing leads out of the folder: absolute paths, `..` and links are refused at every step of a path, also when
    they are put there in the meantime. `hidden`: names that begin with a dot (`.env`, `.git`) exist too. `max_file`
    is in bytes, for reading and writing. `name` is how the folder is called in the marks around its texts.
    Raises ConfigurationError where there is no such folder.
    """
    place = Folder(folder, hidden=hidden)
    made = _Files(place, name or place.root.name or "files", max_file)
    return Toolset([*made.reading(), *(made.writing() if write else ())], name=f"files in {place.root.name}")


class _Files:
    """The tools of one folder. Writers take turns: replacing is reading, changing and writing."""

    def __init__(self, place: Folder, name: str, max_file: int) -> None:
        self.place = place
        self.name = name
        self.max_file = max_file
        self.turn = threading.Lock()

    def text(self, path: str) -> str:
        data = self.place.read(path, self.max_file)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ToolError(f"{path} is no text: {len(data)} bytes that are not UTF-8.") from error

    def marked(self, text: str, what: str) -> str:
        return mark_outside(text, f"{self.name}: {what}")

    def reading(self) -> list[object]:
        """The tools that change nothing."""

        @tool(read_only=True, timeout=30)
        def list_files(folder: str = ".", pattern: str = "*", deep: bool = False) -> str:
            """List what is in a folder, with sizes in bytes.

            Args:
                folder: A path below the top, or . for the top itself.
                pattern: What the names of files look like, such as *.csv.
                deep: List what is in the folders below, too.
            """
            found = self.place.entries(folder, deep=deep)
            wanted = (e for e in found if e.kind == "folder" or fnmatch.fnmatch(_last(e), pattern))
            listed = list(itertools.islice(wanted, _MAX_ENTRIES + 1))
            lines = [_described(entry) for entry in listed[:_MAX_ENTRIES]]
            if len(listed) > _MAX_ENTRIES:
                lines.append(f"(the first {_MAX_ENTRIES} only: list a folder below, or give a pattern)")
            return self.marked("\n".join(lines) or "(nothing)", f"list of {folder}")

        @tool(read_only=True, timeout=30)
        def read_file(path: str, first_line: int = 1, lines: int = 500) -> str:
            """Read a text file, or some lines of it.

            Args:
                path: The path below the folder.
                first_line: Where to begin, from 1.
                lines: How many lines.
            """
            every = _lines(self.text(path))
            if first_line < 1 or lines < 1:
                raise ToolError("first_line and lines are 1 or more.")
            if first_line > max(len(every), 1):
                raise ToolError(f"{path} has {len(every)} lines only.")
            chosen = every[first_line - 1 : first_line - 1 + lines]
            last = first_line - 1 + len(chosen)
            whole = first_line == 1 and last == len(every)
            where = path if whole else f"{path}, lines {first_line} to {last} of {len(every)}"
            return self.marked("\n".join(chosen), where)

        @tool(read_only=True, timeout=30)
        def search_files(text: str, pattern: str = "*", ignore_case: bool = True) -> str:
            """Find the lines that contain a text, in all files below the folder.

            Args:
                text: What to look for, as it is written; no regular expression.
                pattern: What the names of the files look like, such as *.py.
                ignore_case: Take capital and small letters for the same.
            """
            return self.marked(self.search(text, pattern, ignore_case), f"search for {text!r:.60}")

        return [_about(one) for one in (list_files, read_file, search_files)]

    def search(self, text: str, pattern: str, ignore_case: bool) -> str:
        if not text or "\n" in text:
            raise ToolError("Search for a text of one line.")
        wanted = text.casefold() if ignore_case else text
        until = time.monotonic() + _SEARCH_SECONDS
        found: list[str] = []
        for entry in self.place.entries(deep=True):
            if (
                entry.kind != "file"
                or entry.size > self.max_file
                or not fnmatch.fnmatch(_last(entry), pattern)
            ):
                continue
            if time.monotonic() > until:
                found.append("(not everything was searched: give a pattern)")
                break
            try:
                every = _lines(self.text(entry.path))
            except ToolError:  # no text, or gone since: it does not contain the text
                continue
            for number, line in enumerate(every, 1):
                if wanted in (line.casefold() if ignore_case else line):
                    found.append(f"{entry.path}:{number}: {line.strip()[:_MAX_LINE]}")
                    if len(found) >= _MAX_MATCHES:
                        return "\n".join([*found, f"(the first {_MAX_MATCHES} only)"])
        return "\n".join(found) or "(nothing found)"

    def writing(self) -> list[object]:
        """The tools that change files: each call asks a person."""

        @tool(destructive=True, timeout=30)
        def write_file(path: str, text: str) -> str:
            """Write a text file, new or in place of what it was.

            Args:
                path: The path below the folder; missing folders are made.
                text: The whole new text.
            """
            with self.turn:
                existed = self.place.write(path, self.encoded(text))
            return f"{path} was {'replaced' if existed else 'made'}: {len(text)} characters."

        @tool(destructive=True, timeout=30)
        def replace_in_file(path: str, old: str, new: str) -> str:
            """Replace one passage of a text file.

            Args:
                path: The path below the folder.
                old: The passage, exactly as it stands in the file; it must be there once.
                new: What takes its place.
            """
            with self.turn:
                before = self.text(path)
                count = before.count(old) if old else 0
                if count != 1:
                    times = "is not" if count == 0 else f"is {count} times"
                    raise ToolError(f"The passage {times} in {path}. Give one that is there exactly once.")
                self.place.write(path, self.encoded(before.replace(old, new, 1)))
            return f"{path} was changed in line {before[: before.index(old)].count(chr(10)) + 1}."

        return [write_file, replace_in_file]

    def encoded(self, text: str) -> bytes:
        data = text.encode("utf-8", "replace")
        if len(data) > self.max_file:
            raise ToolError(
                f"A file of this tool has at most {self.max_file} bytes; this text has {len(data)}."
            )
        return data


def _about(made: object) -> object:
    from ..definition import as_tool

    one = as_tool(made)
    return one.replaced(description=f"{one.description} {ABOUT_MARKS}")


def _lines(text: str) -> list[str]:
    every = text.split("\n")
    return every[:-1] if every[-1] == "" else every


def _last(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def _described(entry: Entry) -> str:
    endings = {
        "folder": "/",
        "file": f"  {entry.size}",
        "other": "  (a link or no ordinary file: not opened)",
    }
    return f"{entry.path}{endings[entry.kind]}"
