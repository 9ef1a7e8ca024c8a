"""V4A diffs, the patches that OpenAI's models write: read and applied to a text, at the one place that is meant.

    @@ class Shop            a line further up that the change is below; several of them narrow it down
     def price(self):        context
    -    return 1
    +    return 2
    *** End of File          the change is at the end

There are no line numbers: a change is found by its context. A context that stands at several places is an error here,
and so is one that differs by more than white space at the ends of lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from jigwork.errors import ToolError

from ..names import nearest

__all__ = ["FilePatch", "apply_diff", "created_text", "read_patch"]

_END_OF_FILE = "*** End of File"


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What is to happen to one file; `moved_to` is its new path, None where it stays."""

    kind: Literal["create", "update", "delete"]
    path: str
    diff: str = ""
    moved_to: str | None = None


@dataclass(slots=True)
class _Change:
    """One passage: where it is (`anchors`), what stands there and what shall stand there."""

    anchors: list[str] = field(default_factory=list[str])
    lines: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    at_end: bool = False

    @property
    def old(self) -> list[str]:
        return [text for mark, text in self.lines if mark != "+"]


def created_text(diff: str) -> str:
    """Return the text of a new file: every line of its diff begins with a plus. Raises ToolError where one does not."""
    lines: list[str] = []
    for number, line in enumerate(_split(diff), 1):
        if not line.startswith("+"):
            raise ToolError(
                f"Line {number} of the diff of a new file does not begin with '+': {line[:80]!r}."
            )
        lines.append(line[1:])
    return "".join(f"{line}\n" for line in lines)


def apply_diff(text: str, diff: str) -> str:
    """Return `text` with a diff applied; raises ToolError, in words for a model, where it does not fit."""
    ending = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    lines = text.split("\n") if text else []
    has_end = bool(lines) and lines[-1] == ""
    lines = [
        line.removesuffix("\r") if ending == "\r\n" else line for line in (lines[:-1] if has_end else lines)
    ]
    position = 0
    for change in _changes(diff):
        place = _place(lines, change, position)
        made, at = list[str](), place
        for mark, line in change.lines:
            if mark == "+":
                made.append(line)
                continue
            if mark == " ":
                made.append(lines[at])  # as it stands in the file, not as it was copied
            at += 1
        lines[place:at] = made
        position = place + len(made)
    if not lines:
        return ""
    return ending.join(lines) + (ending if has_end or not text else "")


def _changes(diff: str) -> list[_Change]:
    changes: list[_Change] = []
    current: _Change | None = None
    for number, line in enumerate(_split(diff), 1):
        if line.startswith("@@"):
            if current is None or current.lines:
                current = _Change()
                changes.append(current)
            if anchor := line[2:].strip():
                current.anchors.append(anchor)
            continue
        if line.rstrip() == _END_OF_FILE:
            if current is None or not current.lines:
                raise ToolError(f"Line {number} of the diff says 'End of File' before any change.")
            current.at_end, current = True, None
            continue
        if current is None:
            current = _Change()
            changes.append(current)
        if line and line[0] not in " +-":
            raise ToolError(
                f"Line {number} of the diff begins with none of ' ', '+', '-' and '@@': {line[:80]!r}."
            )
        current.lines.append((line[0], line[1:]) if line else (" ", ""))
    if not any(mark != " " for change in changes for mark, _ in change.lines):
        raise ToolError("The diff changes nothing: no line begins with '+' or '-'.")
    return changes


def _split(diff: str) -> list[str]:
    lines = diff.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _place(lines: Sequence[str], change: _Change, position: int) -> int:
    """Find where a change is meant; it is at one place at or after `position`, or nowhere."""
    start = position
    for anchor in change.anchors:
        start = _after_anchor(lines, anchor, start)
    old = change.old
    if not old:
        if change.anchors or not lines:
            return start
        if change.at_end:
            return len(lines)
        raise ToolError(
            "A change without context could go anywhere: give the lines around it, or an @@ line."
        )
    if change.at_end:
        last = len(lines) - len(old)
        if last >= start and _same(lines[last:], old):
            return last
        raise ToolError(f"The file does not end with these lines:\n{_quoted(old)}")
    places = _places(lines, old, start, exact=True) or _places(lines, old, start, exact=False)
    if len(places) == 1 or (places and change.anchors):
        return places[0]
    if places:
        raise ToolError(
            f"These lines stand at {len(places)} places (lines {', '.join(str(p + 1) for p in places[:5])}): "
            f"give more context, or an @@ line above them:\n{_quoted(old)}"
        )
    raise ToolError(f"These lines are not in the file{_hint(lines, old, start)}:\n{_quoted(old)}")


def _after_anchor(lines: Sequence[str], anchor: str, start: int) -> int:
    for there in (list(lines), [line.strip() for line in lines]):
        found = [index for index in range(start, len(lines)) if there[index] == anchor]
        if found:
            return found[0] + 1
    near = nearest(anchor, [line.strip() for line in lines[start:][:5000]], limit=1)
    where = [index for index in range(start, len(lines)) if near and lines[index].strip() == near[0]]
    hint = f"; line {where[0] + 1} is the nearest" if where else ""
    raise ToolError(f"There is no line {anchor[:80]!r} for '@@'{hint}.")


def _places(lines: Sequence[str], old: Sequence[str], start: int, *, exact: bool) -> list[int]:
    first = old[0] if exact else old[0].rstrip()
    return [
        index
        for index in range(start, len(lines) - len(old) + 1)
        if (lines[index] if exact else lines[index].rstrip()) == first
        and _same(lines[index : index + len(old)], old, exact=exact)
    ]


def _same(there: Sequence[str], old: Sequence[str], *, exact: bool = False) -> bool:
    return all(a == b if exact else a.rstrip() == b.rstrip() for a, b in zip(there, old, strict=True))


def _hint(lines: Sequence[str], old: Sequence[str], start: int) -> str:
    """Say how far a context fits where it fits best. Lines of the file are not quoted: they are data from outside."""
    best, at = 0, 0
    for index in range(start, len(lines)):
        count = 0
        while (
            count < len(old)
            and index + count < len(lines)
            and lines[index + count].rstrip() == old[count].rstrip()
        ):
            count += 1
        if best < count < len(old):
            best, at = count, index + count
    if best and at < len(lines):
        return f" (the first {best} are, then line {at + 1} is another one than {old[best][:80]!r})"
    if best:
        return f" (the first {best} are, then the file ends)"
    if any(line.strip() == old[0].strip() for line in lines[start:]):
        return " (the first one is, with another indentation)"
    return " (mind where they stand: changes come in the order of the file)" if start else ""


def _quoted(old: Sequence[str]) -> str:
    shown = "\n".join(line[:120] for line in old[:8])
    return shown if len(old) <= 8 else f"{shown}\n… and {len(old) - 8} more"


# --- a whole patch ---

_BEGIN, _END = "*** Begin Patch", "*** End Patch"
_HEADS: tuple[tuple[str, Literal["create", "update", "delete"]], ...] = (
    ("*** Add File: ", "create"),
    ("*** Update File: ", "update"),
    ("*** Delete File: ", "delete"),
)
_MOVE = "*** Move to: "


def read_patch(text: str) -> list[FilePatch]:
    """Read a patch of several files, as it stands between `*** Begin Patch` and `*** End Patch`."""
    lines = [line for line in _split(text) if line.strip() not in (_BEGIN, _END)]
    made: list[FilePatch] = []
    body: list[str] = []
    for line in lines:
        begun = [FilePatch(kind, line[len(mark) :].strip()) for mark, kind in _HEADS if line.startswith(mark)]
        if begun:
            _close(made, body)
            made += begun
        elif line.startswith(_MOVE) and made and made[-1].kind == "update" and not body:
            last = made.pop()
            made.append(FilePatch(last.kind, last.path, moved_to=line[len(_MOVE) :].strip()))
        elif made:
            body.append(line)
        elif line.strip():
            raise ToolError(
                "A patch begins with '*** Add File: path', '*** Update File: path' or '*** Delete File: path'."
            )
    _close(made, body)
    if not made:
        raise ToolError("The patch is empty.")
    return made


def _close(made: list[FilePatch], body: list[str]) -> None:
    if made:
        last = made.pop()
        made.append(FilePatch(last.kind, last.path, "".join(f"{line}\n" for line in body), last.moved_to))
    body.clear()
