"""Rows of a result as CSV: a file, or stdout."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TextIO

from jigwork.errors import ConfigurationError
from jigwork.tools.sql.result import QueryResult, json_value

from .escape import clean

__all__ = ["write_csv"]


def write_csv(result: QueryResult, place: str) -> None:
    """Write the rows as CSV (UTF-8, a head of column names, NULL as an empty cell); `-` is stdout.

    Raises ConfigurationError for a file that cannot be written.
    """
    if place == "-":
        _write(result, sys.stdout, cleaned=sys.stdout.isatty())
        return
    try:
        with Path(place).open("w", encoding="utf-8", newline="", errors="replace") as file:
            _write(result, file, cleaned=False)
    except OSError as error:
        raise ConfigurationError(f"cannot write {place}: {error.strerror}") from error


def _write(result: QueryResult, file: TextIO, *, cleaned: bool) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(column.name, cleaned) for column in result.columns])
    for row in result.rows:
        writer.writerow([_cell(json_value(value), cleaned) for value in row])


def _cell(value: object, cleaned: bool) -> object:
    return clean(value) if cleaned and isinstance(value, str) else value
