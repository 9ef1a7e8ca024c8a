"""Grammar texts put right where that is safe: the edits of findings are made, and the result is checked again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from jigwork.errors import GrammarError

from .check import Target, check_text
from .diagnostics import Diagnostic
from .edits import Edit, apply_edits, moved_back
from .nodes import Source
from .reader import read

__all__ = ["Fixed", "apply_fixes", "fix_text"]

_MOST_ROUNDS = 60
_MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text that was put right. `made` are the findings that are gone, with their places in the text as it was given;
    `left` are those that `text` still has."""

    text: str
    made: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]


def apply_fixes(text: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    """Make the edits of findings in the text that they were found in.

    Returns the new text and the findings whose edits were made. Edits that touch the same characters are made for the
    first finding only: check the result, and apply the fixes of what is found then.
    """
    findings = list(diagnostics)
    new, _, used = apply_edits(text, [finding.edits for finding in findings])
    return new, tuple(findings[number] for number in used)


def fix_text(text: str, *, target: Target = "openai", seconds: float = 5.0, megabytes: int = 2048) -> Fixed:
    """Check a Lark grammar, make all safe fixes, and check again, until none is left to be made.

    The text may be so wrong that no `Grammar` can be made of it. Limits are those of
    `Grammar.check`, for each check.
    """
    rounds: list[list[Edit]] = []
    made: list[Diagnostic] = []
    end = time.monotonic() + _MOST_SECONDS
    left = check_text(text, target=target, seconds=seconds, megabytes=megabytes)
    source = Source(text)
    seen = {text}
    for _ in range(_MOST_ROUNDS):
        new, edits, used = apply_edits(text, [finding.edits for finding in left])
        if not used or new in seen or time.monotonic() > end or (_readable(text) and not _readable(new)):
            break
        found = check_text(new, target=target, seconds=seconds, megabytes=megabytes)
        here = Source(text)
        made += (_at_first(left[number], here, rounds, source) for number in used)
        rounds.append(edits)
        text, left = new, found
        seen.add(text)
    made.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
    return Fixed(text, tuple(made), tuple(left))


def _readable(text: str) -> bool:
    try:
        read(text)
    except GrammarError:
        return False
    return True


def _at_first(finding: Diagnostic, here: Source, rounds: list[list[Edit]], source: Source) -> Diagnostic:
    """The finding with its place in the text as it was before any edits."""
    if not rounds or finding.line is None or finding.column is None:
        return finding
    at = here.offset(finding.line, finding.column)
    for edits in reversed(rounds):
        at = moved_back(at, edits)
    line, column = source.position(at)
    return replace(finding, line=line, column=column)
