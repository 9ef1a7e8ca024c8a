"""What is said when a question is not understood: where, why, what was perhaps meant, what may follow.

Both errors are `jigwork.errors.QuestionError`; their text is written for the person who asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from jigwork.errors import QuestionError

__all__ = ["AmbiguousQuestion", "NotUnderstood", "Place"]

_WHOLE, _AROUND = 400, 100
"""A question of so many characters is shown whole; of a longer one, so many before and after the place."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a question, in characters; `start == end` is the end of the question."""

    question: str
    start: int
    end: int

    def show(self) -> str:
        """Return the question with a caret line under the stretch; of a long one, what stands around it."""
        first, last = 0, len(self.question)
        if last > _WHOLE:
            first, last = max(0, self.start - _AROUND), min(last, self.start + _AROUND)
        before, after = "…" if first else "", "…" if last < len(self.question) else ""
        line = self.question[first:last].replace("\n", " ").replace("\t", " ")
        width = max(1, min(self.end, last) - self.start)
        return f"  {before}{line}{after}\n  {' ' * (len(before) + self.start - first)}{'^' * width}"


class NotUnderstood(QuestionError):
    """The question is not one of the language. Nothing was run.

    `position` is a character offset, `found` what stands there ("" at the end), `suggestions` the nearest known
    words, `expected` what may stand there, `proposal` a whole question in controlled English (or None).
    """

    def __init__(
        self,
        reason: str,
        place: Place,
        *,
        suggestions: tuple[str, ...] = (),
        expected: tuple[str, ...] = (),
        proposals: tuple[str, ...] = (),
    ) -> None:
        self.reason = reason
        self.place = place
        self.suggestions = suggestions
        self.expected = expected
        self.proposals = proposals
        super().__init__(self._text())

    @property
    def position(self) -> int:
        """Where in the question, as a character offset."""
        return self.place.start

    @property
    def found(self) -> str:
        """What stands at that position."""
        return self.place.question[self.place.start : self.place.end]

    @property
    def proposal(self) -> str | None:
        """The best proposal, or None."""
        return self.proposals[0] if self.proposals else None

    def with_proposals(self, proposals: tuple[str, ...]) -> NotUnderstood:
        """Return the same error with these proposals."""
        return NotUnderstood(
            self.reason, self.place, suggestions=self.suggestions, expected=self.expected, proposals=proposals
        )

    def _text(self) -> str:
        lines = [f"Not understood: {self.reason}.", self.place.show()]
        if self.suggestions:
            lines.append("Did you mean: " + ", ".join(self.suggestions) + "?")
        if self.expected:
            lines.append("Here may follow: " + ", ".join(self.expected))
        if self.proposals:
            lines.append("You can ask: " + self.proposals[0])
            lines.extend("         or: " + each for each in self.proposals[1:])
        return "\n".join(lines)


class AmbiguousQuestion(QuestionError):
    """The question can be read in more than one way. `readings` are questions that have one reading each.

    `explanations` are the read-backs of the readings, in the same order.
    """

    def __init__(self, question: str, readings: tuple[str, ...], explanations: tuple[str, ...]) -> None:
        self.question = question
        self.readings = readings
        self.explanations = explanations
        lines = ["This can be read in more than one way. Ask one of these:"]
        for reading, explanation in zip(readings, explanations, strict=True):
            lines.append(f"  {reading}")
            lines.append(f"      {explanation}")
        super().__init__("\n".join(lines))
