"""Output: what a final answer has to be, and what the model is told when it is not.

A type, or a grammar, is turned into a tool like any other, so that an answer is decoded, repaired, validated and
explained by the same code as a tool's arguments. A type reaches the model natively (`text.format`,
`response_format`), or as that very tool where the server knows no response format. A grammar is that tool where the
server takes grammars, and else described to the model and checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from jigwork.errors import ConfigurationError
from jigwork.tools import RunContext, Tool, ToolOptions

from .items import Item, call_text
from .models.base import OutputFormat

if TYPE_CHECKING:
    from pydantic import BaseModel

    from jigwork.grammars import Grammar

__all__ = ["FINAL_TOOL", "Accepted", "OutputCheck", "Rejected"]

FINAL_TOOL = "final_answer"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer satisfies the output type."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """It does not: `reason` for the developer, `feedback` for the model."""

    reason: str
    feedback: str


class OutputCheck:
    """Reads final answers of one output type, of a `Grammar`, or of (grammar, transform).

    `tool` is set where the answer comes as a call of it, `instructions` where the model has to be told the form.
    """

    def __init__(
        self, output: Any, *, native: bool = True, custom: bool = True, constrained: bool = False
    ) -> None:
        """`native`: the server takes a JSON schema for the answer, `custom`: grammar tools, `constrained`: a grammar
        for the whole response.

        Raises ConfigurationError for a type that has no JSON schema.
        """
        self.type = output
        self.tool: Tool[..., Any] | None = None
        self.format: OutputFormat | None = None
        self.instructions: str | None = None
        self.constraint: Grammar | None = None
        self._tool: Tool[..., Any] | None = None
        self._field: str | None = None
        if output is str:
            return
        if (tool := _as_grammar_tool(output)) is not None:
            self._tool = tool
            if custom and not constrained:
                self.tool = tool
            else:
                self.constraint = tool.grammar if constrained else None
                self.instructions = _described(tool.grammar) if tool.grammar else None
            return
        model, self._field = _as_model(output)
        self._tool = Tool.from_model(
            model,
            name=FINAL_TOOL,
            description=f"Give the final answer. {(model.__doc__ or '').strip()}".strip(),
            options=ToolOptions(read_only=True),
        )
        if native:
            strict = self._tool.strict
            schema = strict.schema if strict.enabled else self._tool.parameters
            self.format = OutputFormat(_schema_name(output), schema, strict.enabled)
        else:
            self.tool = self._tool

    @property
    def language(self) -> Tool[..., Any] | None:
        """The tool whose grammar a final text has to be of; None where the answer is no text of a grammar."""
        return self._tool if self.tool is None and self._tool is not None and self._tool.grammar else None

    def read_text(self, text: str) -> Accepted | Rejected:
        """Judge a final message."""
        if self._tool is None:
            if text:
                return Accepted(text)
            return Rejected("The answer was empty.", "Your answer was empty. Write the answer now.")
        if self._tool.grammar is not None:
            return self._read(text, custom=True)
        if self.tool is not None and not text.lstrip().startswith("{"):
            return self._not_json(text, f"Give your answer by calling {FINAL_TOOL}.")
        return self._read(text)

    def read_call(self, call: Item) -> Accepted:
        """Return the value of a call of the final tool that has been accepted."""
        read = self._read(call_text(call), custom=call["type"] == "custom_tool_call")
        if isinstance(read, Rejected):  # a state edited by hand
            raise ConfigurationError(
                f"the final answer in this state does not fit the output type: {read.reason}"
            )
        return read

    def _read(self, text: str, *, custom: bool = False) -> Accepted | Rejected:
        tool = self._tool
        assert tool is not None
        decoded = tool.decode(text, custom=custom)
        if decoded.ok:
            value = tool.call(RunContext(None), decoded)
            return Accepted(getattr(value, self._field) if self._field else value)
        if tool.grammar is None and not text.lstrip().startswith(("{", "[", '"', "`")):
            return self._not_json(text, "Answer with the JSON object alone.")
        _, _, reason = (decoded.error or "").partition("\n")  # its first line speaks of a call
        what = "text" if tool.grammar else "JSON"
        return Rejected(
            f"The answer does not fit the output type: {reason}",
            f"Your answer does not fit the required form:\n{reason}\nAnswer again, with the corrected {what} alone.",
        )

    def _not_json(self, text: str, advice: str) -> Accepted | Rejected:
        """A text where JSON was due: it can only be meant as a string, if the type has one."""
        if self._field == "value" and text and _takes_text(self.type):
            return Accepted(text)
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        return Rejected(f"The answer is no JSON: {shown!r}", f"Your answer is no JSON. {advice}")

    def partial(self, text: str) -> Any:
        """Return the JSON of an answer that is still being written, as plain data; None where there is nothing yet.

        Strings may be cut; nothing is validated. What the strict form added (nulls for what was left out, pairs for
        maps) is undone where that is possible already.
        """
        from pydantic_core import from_json

        tool = self._tool
        if tool is None or tool.grammar is not None:
            return None
        try:
            value: Any = from_json(text, allow_partial="trailing-strings")
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        if tool.strict.enabled:
            try:
                value = tool.strict.undo(value)
            except (ValueError, KeyError, TypeError):
                return None  # in the middle of a map or a tuple: the next delta may complete it
        return cast("dict[str, Any]", value).get("value") if self._field == "value" else cast("Any", value)


_DESCRIBED = """\
Your final answer must be a text of this {kind}, exactly and as a whole, with nothing before or after it:
{grammar}"""


def _described(grammar: Grammar) -> str:
    kind = "regular expression" if grammar.syntax == "regex" else "Lark grammar"
    return _DESCRIBED.format(kind=kind, grammar=grammar.definition)


def _as_grammar_tool(output: Any) -> Tool[..., Any] | None:
    """Return the tool whose argument is the answer, for a grammar or (grammar, transform); None for a type."""
    from jigwork.grammars import Grammar

    grammar: Any = output
    transform: Any = None
    if isinstance(output, tuple):
        grammar, transform = cast("tuple[Any, Any]", output)
    if not isinstance(grammar, Grammar):
        return None

    def answer(text: Any) -> Any:
        return text

    return Tool.from_function(
        answer,
        name=FINAL_TOOL,
        description="Give the final answer, in the language of the grammar.",
        grammar=grammar,
        transform=transform,
        options=ToolOptions(read_only=True),
    )


def _as_model(output: Any) -> tuple[type[BaseModel], str | None]:
    """Return a pydantic model whose JSON is the answer, and the field that holds the value where it is wrapped.

    The root of a strict schema has to be an object: models, dataclasses and TypedDicts are one, everything else is
    wrapped as {"value": ...}.
    """
    from pydantic import BaseModel, PydanticUserError, RootModel, TypeAdapter, create_model
    from pydantic.errors import PydanticSchemaGenerationError

    model: Any = output
    if isinstance(model, type) and issubclass(model, BaseModel) and not issubclass(model, RootModel):
        return model, None
    try:
        schema: Mapping[str, Any] = TypeAdapter(output).json_schema()
    except (PydanticUserError, PydanticSchemaGenerationError) as error:
        raise ConfigurationError(
            f"output={output!r} has no JSON schema: use str, a pydantic model, a dataclass, a TypedDict, "
            f"or a union, list or scalar of them"
        ) from error
    if _is_object(schema):
        root: type[BaseModel] = RootModel[output]
        root.__doc__ = getattr(output, "__doc__", None)
        return root, "root"
    fields: dict[str, Any] = {"value": (output, ...)}
    return create_model("Answer", **fields), "value"


def _is_object(schema: Mapping[str, Any]) -> bool:
    """Tell whether the root is an object with named members (not a free map)."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        schema = schema["$defs"][reference.rsplit("/", 1)[-1]]
    return schema.get("type") == "object" and "properties" in schema


def _takes_text(output: Any) -> bool:
    from typing import get_args

    return output is str or str in get_args(output)


def _schema_name(output: Any) -> str:
    name = getattr(output, "__name__", "") or "answer"
    cleaned = "".join(c if c.isalnum() and c.isascii() else "_" for c in name)[:64]
    return cleaned or "answer"
