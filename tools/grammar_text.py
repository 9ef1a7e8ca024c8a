"""The argument of a grammar tool: a text that the grammar takes, handed on as text, tree or value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from jigwork.errors import GrammarError, ToolDefinitionError, ToolError

from .arguments import Decoded
from .signature import Parameter, Signature

if TYPE_CHECKING:
    from jigwork.grammars import Grammar

__all__ = ["GrammarText"]

_FENCED = re.compile(r"\s*```[\w+-]*[ \t]*\r?\n(.*?)\r?\n?```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GrammarText:
    """Checks texts against `grammar` and makes of them what `parameter` wants.

    `rewrite` makes a text of the grammar out of one that is not, where it can; what it says (a ToolError or
    ValueError) the model is told in the place of what the grammar expected.
    """

    grammar: Grammar
    parameter: str
    form: Literal["text", "tree", "value"]
    transform: Callable[[Any], Any] | Any = None
    rewrite: Callable[[str], str] | None = None

    @classmethod
    def of(
        cls,
        grammar: Grammar,
        signature: Signature,
        transform: Any,
        where: str,
        *,
        rewrite: Callable[[str], str] | None = None,
    ) -> GrammarText:
        """Read from the function's one parameter what it wants; raise ToolDefinitionError where that is unclear."""
        needed = [p for p in signature.parameters if p.required]
        chosen = needed or list(signature.parameters)
        if len(chosen) != 1:
            count = len(chosen) or "none"
            raise ToolDefinitionError(f"{where}: a grammar tool has one parameter for the text, not {count}")
        parameter = chosen[0]
        if transform is not None:
            return cls(grammar, parameter.name, "value", transform, rewrite)
        return cls(grammar, parameter.name, _form(parameter, where), rewrite=rewrite)

    def parameters(self) -> dict[str, Any]:
        """Return the schema of the function form: one string."""
        text: dict[str, Any] = {"type": "string", "description": "The text, in the language of the grammar."}
        return {
            "type": "object",
            "properties": {self.parameter: text},
            "required": [self.parameter],
            "additionalProperties": False,
        }

    def described(self, description: str) -> str:
        """Return the description for a server that is not given the grammar itself."""
        kind = "regular expression" if self.grammar.syntax == "regex" else "Lark grammar"
        rule = f"`{self.parameter}` must be a text of this {kind}, exactly and as a whole:"
        return f"{description}\n\n{rule}\n{self.grammar.definition}".lstrip()

    def decode(self, text: str) -> Decoded:
        """Check a text; what the grammar refuses is rewritten, or explained with position and what may follow."""
        readings = _readings(text)
        try:
            for candidate, repairs in readings:
                if self.grammar.accepts(candidate):
                    return self._made(candidate, repairs)
            if self.rewrite is not None:
                return self._rewritten(self.rewrite, *readings[-1])
            return Decoded(False, error=_refused(self.grammar.explain(text).for_model()))
        except GrammarError as error:
            return Decoded(
                False, error=_refused(f"the text could not be checked against the grammar: {error}")
            )

    def _rewritten(self, rewrite: Callable[[str], str], text: str, repairs: tuple[str, ...]) -> Decoded:
        """Only what the grammar accepts is taken from a rewrite, too."""
        try:
            written = rewrite(text)
        except (ValueError, ToolError) as error:
            return Decoded(False, error=_refused(str(error)))
        if not self.grammar.accepts(written):
            explained = self.grammar.explain(written).for_model()
            return Decoded(False, error=_refused(f"It was read as: {written}\n{explained}"))
        return self._made(written, (*repairs, f"wrote the text as the grammar has it: {written}"))

    def _made(self, text: str, repairs: tuple[str, ...]) -> Decoded:
        value: dict[str, Any] = {self.parameter: text}
        made: Any = text
        if self.form == "tree":
            made = self.grammar.parse(text)
        elif self.form == "value":
            try:
                made = self.grammar.parse(text, transform=self.transform)
            except Exception as error:
                # lark wraps what a transformer raises; the one inside is what the user meant to say
                cause = getattr(error, "orig_exc", error)
                if isinstance(cause, (ValueError, ToolError)):
                    return Decoded(False, error=_refused(f"the grammar takes the text, but: {cause}"))
                raise
        return Decoded(True, value, {self.parameter: made}, repairs)


def _readings(text: str) -> list[tuple[str, tuple[str, ...]]]:
    readings: list[tuple[str, tuple[str, ...]]] = [(text, ())]
    if (stripped := text.strip()) != text:
        readings.append((stripped, ("removed white space around the text",)))
    if fenced := _FENCED.fullmatch(text):
        readings.append((fenced[1], ("removed a code fence",)))
    return readings


def _refused(reason: str) -> str:
    return f"The text is not valid; the tool was not called.\n{reason}"


def _form(parameter: Parameter, where: str) -> Literal["text", "tree"]:
    annotation = parameter.annotation
    options: list[Any] = [annotation, *get_args(annotation)]
    if str in options or annotation is Any:
        return "text"
    for option in options:
        kind: Any = get_origin(option) or option
        if getattr(kind, "__name__", "") in ("Tree", "ParseTree") and str(kind.__module__).startswith("lark"):
            return "tree"
    raise ToolDefinitionError(
        f"{where}: {parameter.name!r} takes {getattr(annotation, '__name__', annotation)}; annotate it with str"
        " (the text) or lark.Tree (the tree), or give `transform=` to make another type of the tree"
    )
