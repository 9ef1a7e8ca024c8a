"""`apply_patch` and `patch`: files of one folder changed by V4A diffs, the hosted tool and the function tool for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from jigwork.errors import ToolError

from ..decorator import tool
from ..definition import Tool
from ..hosted_call import HostedCall
from ..options import ToolOptions
from .folder import Folder
from .patches import FilePatch, apply_diff, created_text, read_patch

__all__ = ["apply_patch", "patch"]

_OPERATION = {
    "type": "object",
    "properties": {
        "type": {"enum": ["create_file", "update_file", "delete_file"]},
        "path": {"type": "string"},
        "diff": {"type": ["string", "null"]},
    },
    "required": ["type", "path"],
}


def apply_patch(folder: str | Path, *, hidden: bool = False, max_file: int = 2_000_000) -> Tool[..., Any]:
    """Return the `apply_patch` tool of the Responses API (GPT-5.1 and later), run here, in `folder`; each call asks.

    A call creates, updates or deletes one file. Nothing leads out of the folder: absolute paths, `..` and links are
    refused at every step of a path. A diff that fits at no place, or at several, changes nothing, and the model is
    told which line it was. `hidden`: names that begin with a dot may be changed too. `max_file` is in bytes.
    Elsewhere (Chat Completions, other servers) give `jigwork.tools.box.patch(folder)`, a function tool.
    Raises ConfigurationError where there is no such folder.
    """
    patcher = _Patcher(Folder(folder, hidden=hidden), max_file)

    def change_file(type: str, path: str, diff: str | None = None, **_: Any) -> str:
        """Create, update or delete a file."""
        kind: Any = type.removesuffix("_file")
        return patcher.apply([FilePatch(kind, path, diff or "")])

    return HostedCall.of(
        {"type": "apply_patch"},
        change_file,
        _OPERATION,
        description="Create, update or delete a file by a V4A diff.",
        options=ToolOptions(destructive=True, approval="always", timeout=30),
    )


def patch(folder: str | Path, *, hidden: bool = False, max_file: int = 2_000_000) -> Tool[..., Any]:
    """Return a function tool that changes files of `folder` by a patch in the V4A form, all of them or none.

    For every model and server, as `apply_patch` is only for those that have the hosted tool; the same limits.
    """
    patcher = _Patcher(Folder(folder, hidden=hidden), max_file)

    @tool(name="patch", destructive=True, approval="always", timeout=30)
    def patch_files(patch: str) -> str:
        """Change files by a patch. There are no line numbers; lines of context say where a change is.

        A patch has one section for each file:

        *** Begin Patch
        *** Update File: notes/today.txt
        @@ a line above the change, where the context alone is not enough
         a line of context, after a space
        -a line that goes
        +a line that comes
        *** Add File: notes/new.txt
        +every line of the new file
        *** Delete File: notes/old.txt
        *** End Patch

        Args:
            patch: The whole patch. Paths are relative.
        """
        return patcher.apply(read_patch(patch))

    return patch_files


class _Patcher:
    """Changes the files of one folder; one patch at a time."""

    def __init__(self, place: Folder, max_file: int) -> None:
        self._place = place
        self._max_file = max_file
        self._turn = threading.Lock()

    def apply(self, patches: list[FilePatch]) -> str:
        """Work everything out first, and only then write; say what was done."""
        with self._turn:
            named = [path for one in patches for path in (one.path, one.moved_to) if path]
            if len(set(named)) < len(named):
                raise ToolError("A patch names every file once only.")
            made = [(one, self._new_text(one)) for one in patches]
            return " ".join(self._write(one, data) for one, data in made)

    def _new_text(self, one: FilePatch) -> bytes:
        if one.kind == "create":
            if self._place.exists(one.path):
                raise ToolError(f"{one.path} is there already: update it.")
            text = created_text(one.diff)
        else:
            if one.kind == "delete":
                self._place.require_file(one.path)
                return b""
            before = self._place.read(one.path, self._max_file)
            if one.moved_to is not None and self._place.exists(one.moved_to):
                raise ToolError(f"{one.moved_to} is there already.")
            try:
                whole = before.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ToolError(f"{one.path} is no text, so it cannot be patched.") from error
            text = whole if one.moved_to and not one.diff.strip() else self._applied(one, whole)
        data = text.encode("utf-8", "replace")
        if len(data) > self._max_file:
            raise ToolError(
                f"{one.path} would have {len(data)} bytes; at most {self._max_file} are possible."
            )
        return data

    def _applied(self, one: FilePatch, whole: str) -> str:
        try:
            return apply_diff(whole, one.diff)
        except ToolError as error:
            raise ToolError(f"{one.path} was not changed. {error}") from error

    def _write(self, one: FilePatch, data: bytes) -> str:
        if one.kind == "delete":
            self._place.remove(one.path)
            return f"{one.path} was deleted."
        self._place.write(
            one.moved_to or one.path, data, new=one.kind == "create" or one.moved_to is not None
        )
        if one.moved_to is not None:
            self._place.remove(one.path)
            return f"{one.path} was moved to {one.moved_to}."
        return f"{one.path} was {'made' if one.kind == 'create' else 'changed'}."
