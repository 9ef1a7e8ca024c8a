"""Rows of a JSONL file, each answered by one JSON object on a line of stdout: a bad one never ends the others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, TypeAlias, TypeVar, cast

import click

from jigwork.errors import AuthenticationError, JigworkError

from .documents import print_json
from .failures import FAILED, message_of

__all__ = ["Document", "Row", "answer_rows", "jsonl_option", "read_rows"]

F = TypeVar("F", bound=Callable[..., Any])
Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `text` is what is asked; `wrong` says why the row cannot be used, None where it can."""

    id: str | int | float | None
    text: str = ""
    wrong: str | None = None


class _Rows(click.File):
    """A file of rows, or `-` for a stdin that may be closed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IO[Any]:
        try:
            return super().convert(value, param, ctx)
        except RuntimeError:  # click finds nothing to read behind sys.stdin
            self.fail("stdin is closed", param, ctx)


def jsonl_option(key: str) -> Callable[[F], F]:
    """`--jsonl FILE`."""
    text = f'Take the rows of a JSONL file ("id" and "{key}"; - is stdin) and print one JSON object for each.'
    return click.option("--jsonl", type=_Rows("rb"), metavar="FILE", help=text)


def read_rows(lines: Iterable[bytes], key: str) -> Iterator[Row]:
    """Yield the rows of a file, those that cannot be used too; empty lines are left out."""
    for number, line in enumerate(lines):
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        if line.strip():
            yield _row(line, key)


def _row(line: bytes, key: str) -> Row:
    try:
        data: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Row(None, wrong=f"the row is not UTF-8 (byte {error.start})")
    except (ValueError, RecursionError) as error:
        return Row(None, wrong=f"the row is no JSON: {error}")
    if not isinstance(data, dict):
        return Row(None, wrong=f'the row is no object with "id" and "{key}"')
    row = cast("dict[str, Any]", data)
    id, text = row.get("id"), row.get(key)
    if isinstance(id, bool) or not isinstance(id, (str, int)):
        return Row(None, wrong='the row has no "id": a text or a whole number')
    if not isinstance(text, str):
        return Row(id, wrong=f'the row has no "{key}", or it is no text')
    return Row(id, text)


def answer_rows(
    rows: Iterable[Row], answer: Callable[[str], Document], failed: Callable[[str, str], Document]
) -> int:
    """Print a document for each row and return the exit code: 1 where one of them failed.

    `failed(stage, reason)` makes the document of a row that `answer` raised for, or could not be asked; a document
    with a `reason` counts as failed.
    """
    code = 0
    for row in rows:
        started = time.perf_counter()
        document = failed("row", row.wrong) if row.wrong is not None else _answered(row.text, answer, failed)
        code = FAILED if document["reason"] is not None else code
        spent = round((time.perf_counter() - started) * 1000, 3)
        print_json({"id": row.id, **document, "ms": spent}, lines=True)
    return code


def _answered(
    text: str, answer: Callable[[str], Document], failed: Callable[[str, str], Document]
) -> Document:
    try:
        return answer(text)
    except AuthenticationError:  # the same for every row
        raise
    except JigworkError as error:
        return failed("run", message_of(error))
    except Exception as error:  # noqa: BLE001  a mistake of ours, which must not cost the rows that follow
        return failed("internal", message_of(error))
