"""JSON on stdout: documents, and nothing else."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["documents_only", "json_text", "print_json"]

_kept: list[TextIO] = []
_UNSEEN = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@contextmanager
def documents_only(wanted: bool) -> Generator[None]:
    """Keep stdout free for documents: what tools, or programs that they start, print inside goes to stderr."""
    if not wanted:
        yield
        return
    printed = sys.stdout
    printed.flush()
    try:
        number = printed.fileno()
        copy = os.dup(number)
    except (OSError, io.UnsupportedOperation):  # no file of the operating system stands behind it
        number = copy = -1
    if copy >= 0:
        os.dup2(sys.stderr.fileno(), number)
    kept = None if copy < 0 else open(copy, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    _kept.append(kept or printed)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        _kept.pop()
        sys.stdout = printed
        if copy >= 0:
            os.dup2(copy, number)
            os.close(copy)


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return a document as JSON in which nothing is left that a terminal obeys: such characters are escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def print_json(document: Any, *, lines: bool = False) -> None:
    """Write a document to stdout: indented, or on one line where it is one of many."""
    text = json_text(document, indent=None if lines else 2)
    out = _kept[-1] if _kept else sys.stdout
    out.write(text + "\n")
    out.flush()
