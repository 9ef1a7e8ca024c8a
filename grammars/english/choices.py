"""Following every choice of a computation without writing lists of lists: it is run again for each of them.

A resolver calls `pick` wherever words allow more than one thing; `explore` runs it once per combination and
collects what comes out, with the sum of the costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from .engine import Leaf, Node
from .query import Query

__all__ = ["Choices", "Trouble", "explore"]

T = TypeVar("T")
_MOST_RUNS = 200


class Trouble(Exception):
    """A sentence of the language that means nothing here. `node` is where; `depth` how specific the finding is;
    `queries` are questions that may have been meant instead."""

    def __init__(
        self,
        reason: str,
        node: Node | Leaf | None = None,
        *,
        suggestions: Iterable[str] = (),
        proposals: Iterable[str] = (),
        queries: Iterable[Query] = (),
        depth: int = 1,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node
        self.suggestions = tuple(suggestions)
        self.proposals = tuple(proposals)
        self.queries = tuple(queries)
        self.depth = depth


class Choices:
    """The choices of one run: those decided before, then the first of every further one."""

    def __init__(self, decided: list[int]) -> None:
        self._decided = decided
        self._widths: list[int] = []
        self.cost = 0

    def pick(self, options: Iterable[tuple[int, T]]) -> T:
        """Take one of the (cost, option) pairs; equal options are one, at the lower cost. None: Trouble."""
        found: list[tuple[int, T]] = []
        for cost, option in options:
            for i, (known, other) in enumerate(found):
                if other == option:
                    found[i] = (min(cost, known), other)
                    break
            else:
                found.append((cost, option))
        if not found:
            raise Trouble("no table here has that", depth=0)
        if len(found) == 1:
            self.cost += found[0][0]
            return found[0][1]
        i = len(self._widths)
        self._widths.append(len(found))
        if i == len(self._decided):
            self._decided.append(0)
        cost, option = found[self._decided[i]]
        self.cost += cost
        return option

    def advance(self) -> bool:
        """Move to the next combination; False when there is none."""
        del self._decided[len(self._widths) :]
        while self._decided:
            i = len(self._decided) - 1
            if self._decided[i] + 1 < self._widths[i]:
                self._decided[i] += 1
                return True
            self._decided.pop()
        return False


def explore(run: Callable[[Choices], T]) -> tuple[list[tuple[int, T]], list[Trouble]]:
    """Return every (cost, result) of `run`, and the troubles of the combinations that failed."""
    decided: list[int] = []
    results: list[tuple[int, T]] = []
    troubles: list[Trouble] = []
    for _ in range(_MOST_RUNS):
        choices = Choices(decided)
        try:
            result = run(choices)
        except Trouble as trouble:
            troubles.append(trouble)
        else:
            results.append((choices.cost, result))
        if not choices.advance():
            return results, troubles
    raise Trouble(
        "this can be read in too many ways: name the tables (`name of customer`) and use parentheses"
    )
