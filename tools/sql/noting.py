"""What the notes on one SELECT of a query are found with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jigwork.grammars.sql.bindings import Bound, Scope

__all__ = ["Noting"]


@dataclass
class Noting:
    """The SELECT `scope` of a query. `sources` says what each table is read from, `rows` runs a short look at the data."""

    bound: Bound
    scope: Scope
    sources: Mapping[str, str]
    rows: Callable[[str], list[tuple[Any, ...]]]

    @property
    def dialect(self) -> str:
        """sqlglot's name of the dialect."""
        return self.bound.schema.dialect
