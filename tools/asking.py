"""Questions: what a call asks a person before it can end, how an answer is read and checked, and how a call waits.

A tool that needs a person raises `Asked`; its call is not settled, the run pauses, and the call is made again with
`context.answer`. The question travels in the run's state as JSON data, so that it can be answered in another process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .explain import describe, problems, shown
from .validation import SchemaCheck

__all__ = ["Answer", "Asked", "Paused", "Question"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answered: JSON data that fits the question's schema, or a value of the tool's `output` type.

    Return it from `Agent(on_approval=...)` for an approval that has a `question`.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. `schema` is the JSON schema of the answer; `choices` are the answers to choose from.

    Choices that the schema does not demand are proposals: another answer that fits the schema is as good. `url` is
    where to go first, where the answer is given somewhere else.
    """

    text: str
    choices: tuple[Any, ...] = ()
    schema: Mapping[str, Any] | None = None
    url: str | None = None

    @property
    def expected(self) -> str:
        """Say in words what an answer is: "a string", "an integer from 1 to 5"."""
        if not self.schema:
            return "a text"
        keys = ", ".join(self.schema.get("properties", {}))
        return describe(self.schema, self.schema) + (f" with the keys {keys}" if keys else "")

    @property
    def numbered(self) -> bool:
        """Tell whether a choice may be named by its number: not where the choices are numbers themselves."""
        return not any(isinstance(choice, (int, float)) for choice in self.choices)

    def problem(self, value: Any) -> str | None:
        """Say in words why `value` (JSON data) is no answer; None where it is one."""
        if self.schema is None:
            return None if isinstance(value, str) else f"expected a text, got {shown(value)}"
        found = problems(SchemaCheck(self.schema, exact_integers=True), value)
        return "; ".join(str(problem) for problem in found[:3]) or None

    def read(self, typed: str) -> Any:
        """Return the answer that a person typed: the number of a choice, a text, or JSON; ValueError says why not."""
        text = typed.strip()
        readings: list[Any] = [text]
        if self.numbered and text.isdecimal() and 1 <= int(text) <= len(self.choices):
            readings.insert(0, self.choices[int(text) - 1])
        named = {str(choice).lower(): choice for choice in self.choices if not isinstance(choice, bool)}
        readings += [named[text.lower()]] if text.lower() in named else []
        readings += [_TYPED_BOOLS[text.lower()]] if text.lower() in _TYPED_BOOLS else []
        with suppress(ValueError):
            readings.append(json.loads(text))
        readings += self._only_field(text)
        for value in readings:
            if self.problem(value) is None:
                return value
        raise ValueError(self.problem(readings[-1]) or self.expected)

    def _only_field(self, text: str) -> list[Any]:
        """Read the text as the value of the one field of an object that has no other."""
        properties: Mapping[str, Any] = (self.schema or {}).get("properties", {})
        if len(properties) != 1:
            return []
        ((name, schema),) = properties.items()
        with suppress(ValueError):
            return [{name: Question("", schema=schema).read(text)}]
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return the question as plain JSON data."""
        data = {"text": self.text, "choices": list(self.choices), "schema": self.schema, "url": self.url}
        return {key: value for key, value in data.items() if value not in (None, [])}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Question:
        """Read what `to_dict` wrote; unknown keys are ignored."""
        return cls(data["text"], tuple(data.get("choices", ())), data.get("schema"), data.get("url"))


_TYPED_BOOLS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


class Paused(BaseException):
    """Raised in a tool: what works for this call waits for a person, and its state is kept. No `Exception`, so that
    nothing that stands around a tool takes it for a failure."""


class Asked(Paused):
    """Raised in a tool: a person has to answer first. The call is made again with the answer in `context.answer`, and
    with `kept`, JSON data, in `context.kept`."""

    def __init__(self, question: Question, *, kept: Any = None) -> None:
        super().__init__(question.text)
        self.question = question
        self.kept = kept
