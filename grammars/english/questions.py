"""From the derivation of a whole question to what it means."""

from __future__ import annotations

from datetime import date
from typing import cast

from .choices import Choices
from .clauses import Clauses
from .columns import Finder, leaves, sub
from .conditions import Conditions
from .engine import Node
from .groups import Groups, name_of
from .joins import Joins
from .lists import Lists
from .names import Lexicon
from .query import Query
from .sums import Sums

__all__ = ["Questions"]


class Questions:
    """Resolves one derivation, for one run of its choices."""

    def __init__(self, lexicon: Lexicon, joins: Joins, choices: Choices, today: date) -> None:
        finder = Finder(lexicon, joins, choices, today)
        conditions = Conditions(finder)
        groups = Groups(finder, conditions)
        clauses = Clauses(finder, conditions, groups)
        self._lists = Lists(finder, conditions, groups, clauses)
        self._sums = Sums(finder, conditions, groups, clauses)

    def resolve(self, question: Node) -> Query:
        """Return what the question means; raises Trouble."""
        node = cast(Node, question.children[0])
        match node.name:
            case "listing":
                return self._lists.listing(node)
            case "counting":
                return self._sums.counting(node, self._lists)
            case "measuring":
                return self._sums.measuring(node)
            case "grouping":
                return self._sums.grouping(node)
            case "combining":
                return self._lists.combining(node)
            case _:
                return self._topping(node)

    def _topping(self, node: Node) -> Query:
        if sub(node, "peak") or sub(node, "recent") or sub(node, "judged") or sub(node, "ordinal"):
            return self._lists.peaked(node)
        if sub(node, "nth"):
            return self._lists.ranked(node)
        extreme = name_of(cast(Node, sub(node, "extreme")))
        selection, sortkey = sub(node, "selection"), sub(node, "sortkey")
        if selection and sortkey and not sub(node, "group") and self._lists.by_groups(selection):
            wanted = extreme, int(leaves(node, "COUNT")[0].value)
            return self._sums.top_groups(node, selection, sortkey, wanted)
        return self._lists.topping(node, extreme)
