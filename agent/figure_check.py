"""The check of an answer's figures: what no result has is told to the model once, and then noted in the answer."""

from __future__ import annotations

from collections.abc import Sequence

from .evidence import Evidence
from .figures import Figure, figures_in
from .items import call_text, is_call, is_call_output, is_message, output_text
from .output import Accepted, OutputCheck, Rejected
from .state import RunState

__all__ = ["FigureCheck", "note_of", "unsupported"]

_FEEDBACK = "Figures of your answer that no result of a query has:"
_NOTE = "\n\nNote: no query result has "


class FigureCheck(OutputCheck):
    """Accepts a text when its figures agree with what the tools returned in the conversation.

    The first text of a run that does not is rejected, with the figures; a second one is accepted with a note at its
    end. `retries` is how often an answer may be rejected in all.
    """

    def __init__(self, state: RunState, retries: int) -> None:
        super().__init__(str)
        self._state = state
        self._retries = retries

    def read_text(self, text: str) -> Accepted | Rejected:
        """Judge a final message."""
        read = super().read_text(text)
        if isinstance(read, Rejected):
            return read
        evidence = _evidence(self._state)
        wrong = [figure for figure in figures_in(text) if not evidence.supports(figure)]
        if not wrong:
            return read
        if self._told() or self._state.output_retries >= self._retries:
            return Accepted(f"{text}{_NOTE}{', '.join(_names(wrong))}.")
        listed = "\n".join(f"- {line}" for line in _lines(wrong, evidence))
        return Rejected(
            f"The answer has figures that no result has: {', '.join(_names(wrong))}",
            f"{_FEEDBACK}\n{listed}\nCorrect each to what the rows say, query for it, or leave it out. A figure that "
            f"is rounded needs a word such as 'about'. Answer again, with the whole answer.",
        )

    def _told(self) -> bool:
        """Tell whether the model has been told since the last question."""
        feedback, items = set(self._state.feedback), self._state.items
        for index in range(len(items) - 1, -1, -1):
            if index in feedback and output_text(items[index]).startswith(_FEEDBACK):
                return True
            if index not in feedback and is_message(items[index], "user"):
                return False
        return False


def note_of(answer: str) -> str | None:
    """Return the note that an answer was accepted with, None where its figures agree."""
    _, mark, rest = answer.rpartition(_NOTE)
    return f"{_NOTE.strip().removeprefix('Note: ')} {rest}" if mark else None


def unsupported(answer: str, state: RunState) -> list[str]:
    """Return the figures of an answer that nothing in the conversation supports, as they are written."""
    evidence = _evidence(state)
    return _names([figure for figure in figures_in(answer) if not evidence.supports(figure)])


def _evidence(state: RunState) -> Evidence:
    evidence = Evidence()
    feedback = set(state.feedback)
    for index, item in enumerate(state.items):
        if is_call(item):
            evidence.add_text(call_text(item))
        elif is_call_output(item):
            output = item.get("output")
            evidence.add_output(output if isinstance(output, str) else str(output))
        elif is_message(item, "user") and index not in feedback:
            evidence.add_text(output_text(item))
    return evidence


def _names(figures: Sequence[Figure]) -> list[str]:
    return list(dict.fromkeys(figure.text for figure in figures))


def _lines(figures: Sequence[Figure], evidence: Evidence) -> list[str]:
    lines: list[str] = []
    for figure in figures:
        near = evidence.nearest(figure)
        unit = "%" if figure.percent else ""
        lines.append(
            figure.text if near is None else f"{figure.text} (the nearest there is: {near:,.10g}{unit})"
        )
    return list(dict.fromkeys(lines))
