"""What the figures should be, and the tables that show both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from measure import Row

# On the Responses endpoint a turn costs at most this part of the typed `create`.
PART_OF_RAW = {"T1C1": 1 / 2, "T1C32": 1 / 5, "T50C4": 1 / 20}


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and its bound; `met` is None where it could not be measured."""

    name: str
    bound: float
    value: float | None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Tell whether the figure is within its bound."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


Lookup = Callable[[str, str, str], float | None]


def lookup(rows: Iterable[Row]) -> Lookup:
    """Return a function that finds a figure by section, case and contender."""
    table = {(row.section, row.case, row.who): row.value for row in rows}
    return lambda section, case, who: table.get((section, case, who))


def ratio(value: float | None, by: float | None) -> float | None:
    """Divide, where both were measured."""
    return None if value is None or not by else value / by


def goals(rows: list[Row]) -> list[Goal]:
    """Return every goal with what was measured."""
    find = lookup(rows)
    found: list[Goal] = []
    for section in ("cpu per request", "cpu of a late turn"):
        for case in dict.fromkeys(row.case for row in rows if row.section == section):
            own = find(section, case, "jigwork")
            found.append(Goal(f"{case}: cpu / post", 2.0, ratio(own, find(section, case, "post"))))
            part = 1 / 50 if case == "responses turn 200" else PART_OF_RAW.get(case.split()[-1])
            if part is not None and case.startswith("responses"):
                found.append(Goal(f"{case}: cpu / raw", part, ratio(own, find(section, case, "raw"))))
    for case in dict.fromkeys(row.case for row in rows if row.section == "many runs at once"):
        share = ratio(find("many runs at once", case, "jigwork"), find("many runs at once", case, "post"))
        found.append(Goal(f"{case} at once: turns/s / post", 0.5, share, at_least=True))
    for section in ("warm check", "mask per token", "sql grammar, warm"):
        for case in dict.fromkeys(row.case for row in rows if row.section == section):
            share = ratio(find(section, case, "jigwork"), find(section, case, "llguidance"))
            found.append(Goal(f"{section}, {case}: / llguidance", 1.5, share))
    found.append(Goal("import jigwork: ms of cpu", 60, find("import", "cpu", "jigwork")))
    found.append(
        Goal("agent with 50 tools, built: ms of cpu", 30, find("agent", "50 tools, built", "jigwork"))
    )
    found.append(Goal("32 async tools of 50 ms: ms", 60, find("async tools", "32 x 50 ms", "jigwork")))
    found.append(Goal("32 sync tools of 50 ms: ms", 80, find("sync tools", "32 x 50 ms", "jigwork")))
    return found


def table(section: str, rows: list[Row]) -> str:
    """Write one section: a line per case, a column per contender, then the ratios."""
    chosen = [row for row in rows if row.section == section]
    find = lookup(chosen)
    names = list(dict.fromkeys(row.who for row in chosen))
    units = "/".join(dict.fromkeys(row.unit for row in chosen))
    others = (
        [name for name in names if name in ("post", "raw", "gather", "llguidance")]
        if "jigwork" in names
        else []
    )
    heads = [*names, *(f"/ {name}" for name in others)]
    width = max([len(section) + len(units) + 4, *(len(row.case) for row in chosen)])
    lines = [f"{f'{section}, {units}':<{width}}" + "".join(f"{head:>13}" for head in heads)]
    for case in dict.fromkeys(row.case for row in chosen):
        own = find(section, case, "jigwork")
        cells = [number(find(section, case, name)) for name in names]
        cells += [number(ratio(own, find(section, case, name))) for name in others]
        lines.append(f"{case:<{width}}" + "".join(f"{cell:>13}" for cell in cells))
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Write a figure with three digits that mean something."""
    if value is None:
        return "-"
    return (
        f"{value:.3f}"
        if value < 0.1
        else f"{value:.2f}"
        if value < 10
        else f"{value:.1f}"
        if value < 100
        else f"{value:.0f}"
    )


def verdicts(found: list[Goal]) -> str:
    """Write the goals, the missed ones marked."""
    width = max(len(goal.name) for goal in found)
    lines = [f"{'goal':<{width}}{'bound':>12}{'measured':>10}"]
    for goal in found:
        sign = ">=" if goal.at_least else "<="
        mark = {True: "", False: "   MISSED", None: "   not measured"}[goal.met]
        lines.append(
            f"{goal.name:<{width}}{sign + ' ' + number(goal.bound):>12}{number(goal.value):>10}{mark}"
        )
    met = sum(goal.met is True for goal in found)
    return "\n".join([*lines, f"{met} of {len(found)} goals met"])
