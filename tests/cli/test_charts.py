"""Results as charts: which shapes suit, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent.cli.charts import Chart, chart_of, draw
from jigwork.tools.sql import QueryResult, ResultColumn

Cli = Callable[..., Any]


def result(names: str, *rows: tuple[object, ...]) -> QueryResult:
    """Make a result of columns and rows."""
    return QueryResult("", tuple(ResultColumn(n, "other") for n in names.split()), rows, len(rows))


SUITING = [
    (result("country n", ("Brazil", 3), ("France", 1)), Chart("n by country", ("Brazil", "France"), (3, 1), False)),
    (result("n country", (3, "B"), (Decimal("1.5"), None)), Chart("n by country", ("B", "NULL"), (3, 1.5), False)),
    (
        result("month n", ("2024-03", 3), ("2024-02", 2), ("2024-01", 1)),
        Chart("n by month", ("2024-01", "2024-02", "2024-03"), (1, 2, 3), True),
    ),
    (result("year n", (2022, 1), (2023, 2), (2024, 1.5)), Chart("n by year", ("2022", "2023", "2024"), (1, 2, 1.5), True)),
]  # fmt: skip
OTHERS = [
    (result("a n", ("x", 1)), "two rows"),
    (result("a b", ("x", "y"), ("z", "w")), "one of numbers"),
    (result("id n", (1, 1), (2, 2)), "column of labels"),
    (result("a n", ("x", 1), ("x", 2)), "twice"),
    (result("name artist_id", ("x", 1), ("y", 2)), "one of numbers"),
    (result("Name ArtistId", ("x", 1), ("y", 2)), "one of numbers"),
    (result("a n", ("x", 1), ("y", None)), "in every row"),
    (result("a n", ("x", 1), ("y", float("inf"))), "one of numbers"),
    (result("a n", *((str(number), number) for number in range(41))), "41 bars"),
]


@pytest.mark.parametrize(("given", "chart"), SUITING)
def test_what_suits(given: QueryResult, chart: Chart) -> None:
    """Labels and numbers make bars, a course of time a line in its order."""
    assert chart_of(given) == chart


@pytest.mark.parametrize(("given", "reason"), OTHERS)
def test_what_does_not(given: QueryResult, reason: str) -> None:
    """Everything else is not drawn, and it is said why."""
    chart = chart_of(given)
    assert isinstance(chart, str) and reason in chart


def test_bars_are_in_proportion() -> None:
    """A bar is as long as its value says, from zero, and below zero to the left."""
    lines = draw(Chart("", ("a", "b", "c", "d"), (40.0, 20.0, 0.0, -20.0), False), 60)
    full, half, none, below = lines
    sizes = [line.count("█") for line in (full, half, below)]
    assert sizes == [pytest.approx(size, abs=1) for size in (sizes[0], sizes[0] / 2, sizes[0] / 2)]
    assert "█" not in none and none.endswith(" 0") and below.index("█") < half.index("█")
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize("count", [3, 50, 1000])
def test_lines_rise(count: int) -> None:
    """A line has the ends of its axes, and rises where the values do; many values share a dot, which is said."""
    labels = tuple(f"2024-{number:04}" for number in range(count))
    *plot, axis = draw(Chart("", labels, tuple(float(number) for number in range(count)), True), 80)[: 12 + 1]
    places = [line.index("●") for line in reversed(plot) if "●" in line]
    assert places == sorted(places) and all(len(line) <= 80 for line in plot)
    assert plot[-1].lstrip().startswith("0 ┤●") and labels[0] in axis and axis.endswith(labels[-1])
    told = draw(Chart("", labels, tuple(float(number) for number in range(count)), True), 80)[13:]
    assert bool(told) == (count == 1000)


def test_ask_draws(shop: Path, cli: Cli) -> None:
    """`--chart` draws under the rows, or says why it does not; it is for people."""
    done = cli("ask", "--db", shop, "number of orders per customer country", "--chart")
    assert "chart   count by country" in done.out and "        Brazil         ██" in done.out
    assert "chart   none: a chart needs two rows" in cli("ask", "--db", shop, "count stores", "--chart").out
    assert cli("ask", "--db", shop, "count stores", "--chart", "--json").code == 2


BARS = Chart("n by <place>", ("Brazil", "$x^2$ & <b>\x1b[31m", "日本"), (3.0, 1.5, -2.0), False)
COURSE = Chart(
    "n by month", tuple(f"2024-{month:02}" for month in range(1, 13)), tuple(map(float, range(12))), True
)


@pytest.mark.parametrize("chart", [BARS, COURSE], ids=["bars", "course"])
def test_pictures(chart: Chart, tmp_path: Path) -> None:
    """A PNG is a PNG; an SVG is well-formed and holds the labels as text, not as formulas; both come out the same twice."""
    from xml.etree import ElementTree

    from jigwork.agent.cli.chart_file import write_chart

    for kind in ("png", "svg"):
        one, two = tmp_path / f"one.{kind}", tmp_path / f"two.{kind}"
        write_chart(chart, str(one))
        write_chart(chart, str(two))
        assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    texts = [element.text for element in ElementTree.parse(tmp_path / "one.svg").iter() if element.text]
    assert chart.title in texts
    assert {"Brazil", "$x^2$ & <b>", "日本"} <= set(texts) if chart is BARS else "2024-12" in texts


def test_ask_writes_a_picture(shop: Path, cli: Cli, tmp_path: Path) -> None:
    """`--chart-file` leaves a picture where the rows suit one, and says so where they do not."""
    place = tmp_path / "stores.svg"
    done = cli("ask", "--db", shop, "count stores per country", "--chart-file", place, "--json")
    assert done.json["chart"] == str(place) and place.read_text().startswith("<?xml")
    other = tmp_path / "none.png"
    done = cli("ask", "--db", shop, "count stores", "--chart-file", other)
    assert "a chart needs two rows" in done.err and not other.exists()
    done = cli("ask", "--db", shop, "count stores", "--chart-file", "stores.gif")
    assert done.code == 2 and ".png or .svg" in done.err
