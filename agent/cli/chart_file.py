"""A chart as a picture: PNG or SVG, by matplotlib."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jigwork.errors import ConfigurationError

from .escape import one_line
from .extras import need
from .options import file_place

if TYPE_CHECKING:
    from .charts import Chart

__all__ = ["picture_place", "write_chart"]

_KINDS = (".png", ".svg")
_INCHES = 9.0
_BAR_INCHES = 0.32
_LABEL = 40
_MOST_TICKS = 12


def picture_place(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse, before anything runs, a place where no picture can be written, and what cannot be drawn here."""
    if value is None:
        return None
    if Path(value).suffix.lower() not in _KINDS:
        raise click.BadParameter(f"{value} names no kind of picture: end it in .png or .svg")
    need("charts", "--chart-file")
    return file_place(context, parameter, value)


def write_chart(chart: Chart, path: str) -> None:
    """Draw a chart into a file; the same chart gives the same file.

    Raises ConfigurationError where it cannot be written. Letters that no font of the machine has are boxes in a PNG;
    in an SVG, text stays text.
    """
    # Its annotations are of little use to a checker: tables of settings as types, and half of the rest unknown.
    rc_context: Any = import_module("matplotlib").rc_context
    figure_class: Any = import_module("matplotlib.figure").Figure
    height = 4.0 if chart.course else max(2.0, 1.2 + _BAR_INCHES * len(chart.values))
    with (
        rc_context({"svg.fonttype": "none", "svg.hashsalt": "jigwork", "text.parse_math": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = figure_class(figsize=(_INCHES, height), layout="constrained")
        axes = figure.subplots()
        axes.set_title(one_line(chart.title, 100), loc="left")
        (_course if chart.course else _bars)(axes, chart)
        axes.spines[["top", "right"]].set_visible(False)
        kind = Path(path).suffix.lower()[1:]
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        try:
            figure.savefig(path, format=kind, dpi=150, metadata=metadata)
        except OSError as error:
            raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def _bars(axes: Any, chart: Chart) -> None:
    """Draw a bar for each value, the first one on top."""
    places = range(len(chart.values))
    bars = axes.barh(places, chart.values)
    axes.bar_label(bars, fmt="{:,.6g}", padding=3)
    axes.set_yticks(places, [one_line(label, _LABEL) for label in chart.labels])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter("{x:,.6g}")


def _course(axes: Any, chart: Chart) -> None:
    """Draw the values over their labels, a few of which are named."""
    places = range(len(chart.values))
    axes.plot(places, chart.values, marker="o" if len(chart.values) <= 60 else None)
    step = -(-len(chart.values) // _MOST_TICKS)
    shown = places[::step]
    axes.set_xticks(shown, [one_line(chart.labels[place], 20) for place in shown])
    axes.yaxis.set_major_formatter("{x:,.6g}")
    axes.grid(axis="y", alpha=0.3)
