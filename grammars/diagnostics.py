"""What a check says about a grammar: one value per finding, printable as a compiler would."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from jigwork.errors import GrammarError

from .caret import narrowed, pointed
from .edits import Edit
from .nodes import Source

__all__ = ["Diagnostic", "diagnose"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding of `Grammar.check()`.

    `rule` is E1 to E14 (errors: the grammar is refused, can hang a server, or cannot be written) or W1 to W12
    (warnings: it is read differently somewhere). `message` says what is wrong, `why` which server minds and what
    happens there, `fix` what to write instead. `witness` is a text that shows it, where there is one. `line` and
    `column` count characters from 1; both are None where the finding is about the grammar as a whole. `edits` make the
    fix where it is safe: where no text is accepted afterwards that was not before, and none is lost.
    """

    rule: str
    severity: Literal["error", "warning"]
    message: str
    why: str = ""
    fix: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: str = ""
    witness: str | None = None
    edits: tuple[Edit, ...] = ()

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.severity} {self.rule}: {self.message}"

    def render(self, *, name: str = "") -> str:
        """The finding as a compiler prints it: place, message, line with caret, why, fix."""
        lines = [f"{name}:{self}" if name else str(self)]
        if self.excerpt:
            lines += ["    " + line for line in self.excerpt.split("\n")]
        if self.witness is not None:
            lines.append(f"    witness: {self.witness!r}")
        lines += [f"    {label}: {text}" for label, text in (("why", self.why), ("fix", self.fix)) if text]
        return "\n".join(lines)

    def caret(self, width: int) -> tuple[str, str] | None:
        """The line and the caret below it in `width` columns of a terminal; None where the finding has no place."""
        return narrowed(self.excerpt, width) if self.excerpt else None

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return {**asdict(self), "edits": [asdict(edit) for edit in self.edits]}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Diagnostic:
        """The finding that `to_dict` has written."""
        made: dict[str, Any] = {**fields, "edits": tuple(Edit(**edit) for edit in fields["edits"])}
        return cls(**made)

    def to_error(self) -> GrammarError:
        """The finding as the exception that a constructor raises."""
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        text = f"{place}{self.message}" + (f"; {self.fix}" if self.fix else "")
        return GrammarError(text, line=self.line, column=self.column, rule=self.rule)


def diagnose(
    source: Source,
    at: int | None,
    rule: str,
    message: str,
    *,
    fix: str = "",
    why: str = "",
    witness: str | None = None,
) -> Diagnostic:
    """Make a finding for a place in the text; the severity is in the rule's first letter."""
    severity: Literal["error", "warning"] = "error" if rule.startswith("E") else "warning"
    if at is None:
        return Diagnostic(rule, severity, message, why, fix, witness=witness)
    line, column = source.position(at)
    return Diagnostic(rule, severity, message, why, fix, line, column, excerpt(source, at), witness)


def excerpt(source: Source, at: int, *, width: int = 100) -> str:
    """The line of an offset, cut to `width` columns around it, and a caret below."""
    line, column = source.position(at)
    return "\n".join(pointed(source.line(line), column - 1, width=width))
