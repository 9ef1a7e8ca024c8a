"""What is done with the result of a question once it is answered: explained, drawn, written as CSV, saved as trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from jigwork.tools.sql import SQLDatabase
from jigwork.tools.sql.result import QueryResult

from .charts import chart_of, draw
from .csvfile import write_csv
from .escape import clean, one_line
from .screen import GUTTER, Screen

__all__ = ["Afterwards"]


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What was asked for. `csv` is a file or `-`, `chart_file` a picture; `save` is the name of a trusted query to be made
    in the folder `trusted` by `author`, with `slots` (name to value) in the place of values.
    """

    csv: str | None = None
    explain: bool = False
    chart: bool = False
    chart_file: str | None = None
    save: str | None = None
    trusted: str | None = None
    author: str = ""
    slots: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def owns_stdout(self) -> bool:
        """Tell whether stdout is for the rows alone."""
        return self.csv == "-"

    @property
    def needs_rows(self) -> bool:
        """Tell whether an answer without rows leaves something undone."""
        return self.csv is not None or self.save is not None

    def apply(
        self, database: SQLDatabase, question: str, result: QueryResult, screen: Screen | None
    ) -> dict[str, Any]:
        """Do it, say it on the screen where there is one, and return what a JSON document has besides.

        Raises ConfigurationError for what cannot be written.
        """
        more: dict[str, Any] = {}
        if result.trusted is not None and screen is not None:
            screen.label("trusted", one_line(result.trusted), "green")
        if self.explain:
            more["explanation"] = self._explained(database, result, screen)
        if self.chart and screen is not None:
            self._draw(result, screen)
        if self.chart_file is not None:
            more["chart"] = self._pictured(result, self.chart_file, screen)
        if self.csv is not None:
            write_csv(result, self.csv)
            if self.owns_stdout:
                self._warn(result)
            elif screen is not None:
                screen.label("csv", one_line(f"{self.csv}, {len(result.rows):,} rows"), "dim")
        if self.save is not None:
            more["saved"] = self._saved(database, question, result, screen)
        return more

    def _explained(self, database: SQLDatabase, result: QueryResult, screen: Screen | None) -> list[str]:
        from jigwork.tools.sql.explain import explain_query

        lines = explain_query(database.check(result.sql)) or ["it reads no table"]
        if screen is not None:
            screen.label("why", "\n".join(clean(line) for line in lines))
        return lines

    def _draw(self, result: QueryResult, screen: Screen) -> None:
        chart = chart_of(result)
        if isinstance(chart, str):
            screen.label("chart", one_line(f"none: {chart}"), "dim")
            return
        screen.label("chart", one_line(chart.title), "bold")
        for line in draw(chart, screen.width - GUTTER - 1):
            screen.line(" " * GUTTER + clean(line))

    def _pictured(self, result: QueryResult, path: str, screen: Screen | None) -> str | None:
        """Write the chart as a picture and return where, None where the rows suit none."""
        from .chart_file import write_chart

        chart = chart_of(result)
        if isinstance(chart, str):
            click.echo(f"jigwork: {path} is not written: {chart}", err=True)
            return None
        write_chart(chart, path)
        if screen is not None:
            screen.label("chart", one_line(path), "dim")
        return path

    def _warn(self, result: QueryResult) -> None:
        """Say what the rows alone do not show."""
        cut = (
            [f"the rows were cut at {len(result.rows):,} (--max-rows gives more)"] if result.truncated else []
        )
        for note in (*cut, *result.notes):
            click.echo(f"jigwork: note: {one_line(note, 300)}", err=True)

    def _saved(self, database: SQLDatabase, question: str, result: QueryResult, screen: Screen | None) -> str:
        from jigwork.grammars.sql import mark_slots, save_trusted, with_slots

        assert self.save is not None and self.trusted is not None
        sql, kinds = result.sql, dict[str, str]()
        if self.slots:
            sql, kinds = with_slots(database.check(sql), self.slots)
        path = save_trusted(
            self.trusted,
            self.save,
            sql,
            schema=database.schema,
            question=mark_slots(question, self.slots),
            author=self.author,
            slots=kinds,
        )
        if screen is not None:
            screen.label("saved", one_line(str(path)), "green")
        return str(path)
