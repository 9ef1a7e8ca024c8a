"""A folder that nothing leads out of: every path is walked from its root, one name at a time, and no link is followed.

Checking a path first and opening it then leaves a moment in which a link can be put in its place. Here each step is
opened relative to the one before and refuses links itself, so there is no such moment. A hard link is a file of the
folder like any other: it can be read, and what is written takes its place and leaves the other names as they were.
"""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jigwork.errors import ConfigurationError, ToolError

__all__ = ["Entry", "Folder"]

_STEP = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_READ = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder. `path` is relative to the root, `size` in bytes; `kind` is file, folder or other."""

    path: str
    kind: str
    size: int


class Folder:
    """Paths below `root`; those with a name that begins with a dot only where `hidden` says so.

    Raises ConfigurationError where `root` is no folder. Every method raises ToolError, in words for a model.
    """

    def __init__(self, root: str | Path, *, hidden: bool = False) -> None:
        self.root = Path(root).resolve()
        self.hidden = hidden
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise ConfigurationError(
                "a folder can be kept closed on Linux and macOS only; use a tool of your own"
            )
        if not self.root.is_dir():
            raise ConfigurationError(f"{root} is no folder: make it first, or give another one")

    def read(self, path: str, limit: int) -> bytes:
        """Return the bytes of a file of at most `limit` bytes."""
        with self._parent(path) as (parent, name), _in_words(path):
            file = os.open(name, _READ, dir_fd=parent)
            try:
                mode = os.fstat(file).st_mode
                data = _read(file, limit + 1) if stat.S_ISREG(mode) else None
            finally:
                os.close(file)
        if data is None:
            raise ToolError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'no ordinary file'}.")
        if len(data) > limit:
            raise ToolError(f"{path} has more than {limit} bytes, which is too large for this tool.")
        return data

    def write(self, path: str, data: bytes, *, new: bool = False) -> bool:
        """Write a file, whole or not at all; make the folders above it. Return whether there was one before.

        With `new` there must be none. A file that has other names (hard links) keeps its text under those.
        """
        with self._parent(path, make=True) as (parent, name):
            with _in_words(path):
                before = _status(parent, name)
            if before is not None and not stat.S_ISREG(before.st_mode):
                raise ToolError(f"{path} is no ordinary file, so it cannot be written.")
            if before is not None and new:
                raise ToolError(f"{path} is there already.")
            draft = f".{name[:100]}.{uuid.uuid4().hex[:8]}"
            with _in_words(path):
                try:
                    with os.fdopen(os.open(draft, _WRITE, 0o666, dir_fd=parent), "wb") as opened:
                        if before is not None:
                            os.fchmod(opened.fileno(), stat.S_IMODE(before.st_mode) & 0o777)
                        opened.write(data)
                    if new:  # unlike renaming, linking replaces nothing
                        os.link(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
                        os.unlink(draft, dir_fd=parent)
                    else:
                        os.rename(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
                except OSError:
                    with suppress(OSError):
                        os.unlink(draft, dir_fd=parent)
                    raise
        return before is not None

    def exists(self, path: str) -> bool:
        """Tell whether there is anything of that path; a folder above it that is a link is an error."""
        try:
            with self._parent(path) as (parent, name), _in_words(path):
                return _status(parent, name) is not None
        except ToolError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return False
            raise

    def require_file(self, path: str) -> None:
        """Raise where there is no ordinary file of that path."""
        with self._parent(path) as (parent, name), _in_words(path):
            _require_file(_status(parent, name), path)

    def remove(self, path: str) -> None:
        """Remove a file; folders, links and what is no ordinary file stay."""
        with self._parent(path) as (parent, name), _in_words(path):
            _require_file(_status(parent, name), path)
            os.unlink(name, dir_fd=parent)

    def entries(self, path: str = ".", *, deep: bool = False, depth: int = 20) -> Iterator[Entry]:
        """Yield what is in a folder, by name, folders before what is in them; links are `other`."""
        parts = self._parts(path, folder=True)
        yield from self._below(parts, depth if deep else 0)

    def _below(self, parts: list[str], depth: int) -> Iterator[Entry]:
        path = "/".join(parts) or "."
        with self._walk(parts) as here, _in_words(path):
            found = [(name, _status(here, name)) for name in sorted(os.listdir(here)) if self._seen(name)]
        for name, status in found:
            if status is None:  # gone since
                continue
            inner = [*parts, name]
            kind = (
                "folder"
                if stat.S_ISDIR(status.st_mode)
                else "file"
                if stat.S_ISREG(status.st_mode)
                else "other"
            )
            yield Entry("/".join(inner), kind, status.st_size)
            if kind == "folder" and depth > 0:
                with suppress(ToolError):  # made unreadable, or gone since
                    yield from self._below(inner, depth - 1)

    def _seen(self, name: str) -> bool:
        return self.hidden or not name.startswith(".")

    def _parts(self, path: str, *, folder: bool = False) -> list[str]:
        """Split a path into names; an absolute one, `..` and what is hidden are refused."""
        if "\0" in path or len(path) > 1000 or not path.isprintable():
            raise ToolError("A path is printable text of at most 1000 characters.")
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if path.startswith(("/", "\\", "~")) or ".." in parts:
            raise ToolError(
                f"{path} leads out of the folder. Give a path below it, such as 'notes/today.txt'."
            )
        if not parts and not folder:
            raise ToolError("Give the path of a file.")
        if not all(self._seen(part) for part in parts):
            raise ToolError(f"{path} is hidden, which this tool does not open.")
        return parts

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Generator[tuple[int, str]]:
        *above, name = self._parts(path)
        with self._walk(above, make=make) as parent:
            yield parent, name

    @contextmanager
    def _walk(self, parts: list[str], *, make: bool = False) -> Generator[int]:
        """Open folder after folder from the root down, and hold the last one open."""
        path = "/".join(parts) or "."
        with _in_words(path):
            here = os.open(self.root, _STEP)
        try:
            for part in parts:
                if make:
                    with _in_words(path), suppress(FileExistsError):
                        os.mkdir(part, dir_fd=here)
                with _in_words(path):
                    below = os.open(part, _STEP, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _read(file: int, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0 and (piece := os.read(file, min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _require_file(there: os.stat_result | None, path: str) -> None:
    if there is None or not stat.S_ISREG(there.st_mode):
        raise ToolError(f"There is no {path}." if there is None else f"{path} is no ordinary file.")


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


@contextmanager
def _in_words(path: str) -> Generator[None]:
    """Say what the system says, in words for a model and without the path of the root."""
    import errno

    try:
        yield
    except OSError as error:
        words = {
            errno.ENOENT: f"There is no {path}.",
            errno.EEXIST: f"{path} is there already.",
            errno.ELOOP: f"{path} is a link, and links are not followed.",
            errno.EMLINK: f"{path} is a link, and links are not followed.",
            errno.ENOTDIR: f"{path} goes through something that is no folder, or through a link.",
            errno.EISDIR: f"{path} is a folder.",
            errno.EACCES: f"{path} may not be opened.",
            errno.ENAMETOOLONG: f"{path} has a name that is too long.",
        }
        said = words.get(error.errno or 0, f"{path}: {(error.strerror or 'it cannot be opened').lower()}.")
        raise ToolError(said) from error
