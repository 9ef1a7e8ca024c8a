"""Families of grammar rules: the same expression rules for each place in which an expression may stand.

A family says what an expression may hold: `s` no more than single rows (WHERE, ON, GROUP BY, arguments of aggregates),
`a` aggregates too (HAVING), `w` windows too (what is selected, ORDER BY). So an aggregate in WHERE cannot be written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

__all__ = ["Family", "alternatives", "quoted"]


def quoted(text: str) -> str:
    """Write a Lark string."""
    return json.dumps(text, ensure_ascii=False)


def alternatives(texts: Iterable[str]) -> str:
    """Write Lark strings with `|` between them."""
    return " | ".join(quoted(text) for text in texts)


class Family:
    """Writes the rules of one family; in the templates `@name` stands for a rule of the family, all else is Lark."""

    def __init__(self, key: str) -> None:
        self.key = key

    def name(self, rule: str) -> str:
        """Return the name of a rule in this family."""
        return f"{rule}_{self.key}"

    def filled(self, template: str) -> str:
        """Put the family's names into a template."""
        return _REFERENCE.sub(lambda found: self.name(found.group(1)), template)

    def rule(self, name: str, *templates: str) -> str:
        """Return a rule with these alternatives."""
        return f"{self.name(name)}: " + " | ".join(self.filled(template) for template in templates)


_REFERENCE = re.compile(r"@([a-z_0-9]+)")
