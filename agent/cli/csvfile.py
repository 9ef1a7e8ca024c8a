"""Rows of a result as CSV: a file, or stdout."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TextIO

from jigwork.errors import ConfigurationError
from jigwork.tools.sql.result import QueryResult, json_value

from .escape import clean

__all__ = ["write_csv", "write_table"]


def write_csv(result: QueryResult, place: str) -> None:
    """Write the rows of a result; see `write_table`."""
    rows = ([json_value(value) for value in row] for row in result.rows)
    write_table([column.name for column in result.columns], rows, place)


def write_table(columns: Iterable[object], rows: Iterable[Iterable[object]], place: str) -> None:
    """Write rows as CSV (UTF-8, a head of column names, NULL as an empty cell); `-` is stdout.

    Raises ConfigurationError for a file that cannot be written.
    """
    if place == "-":
        _write(columns, rows, sys.stdout, cleaned=sys.stdout.isatty())
        return
    try:
        with Path(place).open("w", encoding="utf-8", newline="", errors="replace") as file:
            _write(columns, rows, file, cleaned=False)
    except OSError as error:
        raise ConfigurationError(f"cannot write {place}: {error.strerror}") from error


def _write(
    columns: Iterable[object], rows: Iterable[Iterable[object]], file: TextIO, *, cleaned: bool
) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for row in chain((columns,), rows):
        writer.writerow([_cell(value, cleaned) for value in row])


def _cell(value: object, cleaned: bool) -> object:
    return clean(value) if cleaned and isinstance(value, str) else value
