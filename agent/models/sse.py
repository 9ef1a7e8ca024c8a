"""Server-sent events: bytes as they come from the socket, split into (event name, data) pairs.

Takes any cut of the stream, LF, CRLF and CR line ends, comments, several data lines, and frames without a name.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Frame", "SSESplitter"]

Frame: TypeAlias = tuple[bytes, bytes]
"""(event name or b"", data). Frames without data are left out."""


class SSESplitter:
    """Collects bytes and gives back the frames that are complete."""

    __slots__ = ("_cr", "_pieces", "_skip_bom")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._cr = False
        self._skip_bom = True

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete."""
        if self._skip_bom and chunk:
            self._skip_bom = False
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        if self._cr or b"\r" in chunk:
            chunk = self._plain_line_ends(chunk)
        # A long event comes in many chunks without a line end: joining them only once keeps that linear.
        if b"\n" not in chunk:
            if chunk:
                self._pieces.append(chunk)
            return []
        self._pieces.append(chunk)
        *frames, rest = b"".join(self._pieces).split(b"\n\n")
        self._pieces = [rest] if rest else []
        return [frame for text in frames if (frame := _frame(text)) is not None]

    @property
    def leftover(self) -> bytes:
        """The bytes since the last empty line."""
        return b"".join(self._pieces)

    def rest(self) -> Frame | None:
        """Return the frame that is left at the end of the stream: some servers leave out the last empty line."""
        return _frame(self.leftover)

    def _plain_line_ends(self, chunk: bytes) -> bytes:
        # A CR at the end of a chunk may be the first half of a CRLF: it waits for the next one.
        if self._cr:
            chunk = b"\r" + chunk
        self._cr = chunk.endswith(b"\r")
        if self._cr:
            chunk = chunk[:-1]
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _frame(text: bytes) -> Frame | None:
    head, found, tail = text.partition(b"data: ")
    if found and b"\n" not in tail:
        if not head:
            return b"", tail
        if head.startswith(b"event: ") and head.find(b"\n") == len(head) - 1:
            return head[7:-1], tail
    name = b""
    data: list[bytes] = []
    for line in text.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip()
    if not data:
        return None
    return name, data[0] if len(data) == 1 else b"\n".join(data)
