"""What becomes of random sentences of a database's grammar: how many its check refuses, and for what.

A grammar cannot hold everything that the check does: which tables FROM will have is not known where the columns are
selected. How much that is shows here, for any database.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jigwork.errors import SQLError, SQLRefused

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

    from .database import SQLDatabase

__all__ = ["Refusal", "Sampled", "check_samples"]

_NEAREST = re.compile(r"(; | \()(nearest|FROM has|did you mean).*", re.DOTALL)
_PLACE = re.compile(r",? at (line|column|character) .*", re.DOTALL)
_NAME = re.compile(r"""(["`])(?:\1\1|(?!\1).)*\1|'(?:''|[^'])*'|\b[A-Za-z_]\w*\.\S+|\b\w*[0-9_]\w*\b""")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Sentences that were refused alike. `reason` is the message without names, numbers and places."""

    stage: Literal["guard", "database"]
    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """`count` sentences, of which `passed` were found fit to run; the refusals, most frequent first."""

    count: int
    passed: int
    refusals: tuple[Refusal, ...]

    def refused(self, stage: Literal["guard", "database"]) -> int:
        """Return how many were refused there."""
        return sum(refusal.count for refusal in self.refusals if refusal.stage == stage)


def check_samples(database: SQLDatabase, grammar: Grammar, count: int, *, seed: int = 0) -> Sampled:
    """Check `count` random sentences of `grammar` (the same for a seed), each by the guard and then by the planner."""
    names = sorted((table.name for table in database.schema.tables), key=len, reverse=True)
    known = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    refused: Counter[tuple[Literal["guard", "database"], str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    passed = 0
    for sentence in grammar.sample(count, seed=seed):
        try:
            database.check(sentence)
            passed += 1
        except SQLError as error:
            stage: Literal["guard", "database"] = "guard" if isinstance(error, SQLRefused) else "database"
            key = stage, _nameless(str(error), known)
            refused[key] += 1
            if len(sentence) < len(examples.setdefault(key, sentence)):
                examples[key] = sentence
    refusals = [
        Refusal(stage, reason, number, examples[stage, reason])
        for (stage, reason), number in refused.most_common()
    ]
    return Sampled(count, passed, tuple(refusals))


def _nameless(message: str, tables: re.Pattern[str]) -> str:
    """Return a message as all have it that are refused for the same thing."""
    text = _PLACE.sub("", _NEAREST.sub("", message.removeprefix("the database says: ")))
    return _NAME.sub("…", tables.sub("…", text))
