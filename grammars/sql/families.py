"""Families of grammar rules: the same expression rules for each place in which an expression may stand.

A family says what an expression may hold: `s` no more than single rows (WHERE, ON, GROUP BY, arguments of aggregates),
`a` aggregates too (HAVING), `w` windows too (what is selected, ORDER BY). So an aggregate in WHERE cannot be written.
Each exists in both scopes: below a WITH, whose queries it may read, and where there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

__all__ = ["Family", "Scope", "alternatives", "quoted"]


def quoted(text: str) -> str:
    """Write a Lark string."""
    return json.dumps(text, ensure_ascii=False)


def alternatives(texts: Iterable[str]) -> str:
    """Write Lark strings with `|` between them."""
    return " | ".join(quoted(text) for text in texts)


class Scope:
    """Writes the rules of one scope, whose names end in its mark; in the templates `$name` stands for one of them.

    `same` are rules that would be no more than another name for a rule.
    """

    def __init__(self, mark: str, same: Mapping[str, str]) -> None:
        self.mark = mark
        self.below = bool(mark)
        self.same = same

    def name(self, rule: str) -> str:
        """Return the name of a rule in this scope."""
        base, dash, family = rule.partition("_")
        return self.same.get(base, base) + dash + family + self.mark

    def filled(self, template: str) -> str:
        """Put the scope's names into a template."""
        return _REFERENCE.sub(lambda found: self.name(found.group(1)), template)

    def rule(self, name: str, *templates: str) -> str:
        """Return a rule with these alternatives."""
        return f"{self.name(name)}: " + " | ".join(self.filled(template) for template in templates)


class Family:
    """Writes the rules of one family in a scope; `@name` stands for a rule of the family, `$name` for the scope's."""

    def __init__(self, key: str, scope: Scope) -> None:
        self.key = key
        self.scope = scope

    def rule(self, name: str, *templates: str) -> str:
        """Return a rule with these alternatives."""
        own = (_OWN.sub(lambda found: f"${found.group(1)}_{self.key}", text) for text in templates)
        return self.scope.rule(f"{name}_{self.key}", *own)


_REFERENCE = re.compile(r"\$([a-z_0-9]+)")
_OWN = re.compile(r"@([a-z_0-9]+)")
