"""`ask_human`: a tool with which the model asks the person, and gets an answer of a given type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import TypeForm, TypeVar, Unpack

from jigwork.errors import ToolDefinitionError

from ..asking import Asked, Question
from ..context import RunContext
from ..definition import Tool
from ..jsontext import dumps
from ..options import OptionKeywords, ToolOptions

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["ask_human"]

T = TypeVar("T", default=str)
_TEXT: Any = str

_DESCRIPTION = (
    "Ask the person whom you work for, where only a person can know or decide. Ask one thing at a time."
)
_QUESTION = "The question, with everything one has to know to answer it."
_CHOICES = "Answers to choose from, where there are a few; the person may answer something else."


def ask_human(
    output: TypeForm[T] = _TEXT,
    *,
    choices: Sequence[Any] | None = None,
    name: str = "ask_human",
    description: str | None = None,
    **options: Unpack[OptionKeywords],
) -> Tool[..., T]:
    """Return a tool that puts the model's question to a person; its result is the answer, an `output`.

    The call pauses the run, like one that needs approval. The answer comes from `Agent(on_approval=...)` (return
    `Answer(value)`), at the terminal (`jigwork run`), or later, in any process: `state.answer(call_id, value)`,
    `state.deny(call_id, reason)` where there is none. It is checked against the type wherever it comes from. The
    model writes the question only; an answer is no argument of the call. Where the answer is a text, the model may
    propose answers; `choices` are the only ones there are. `output` is any type with a JSON schema. Raises
    ToolDefinitionError for a type that has none, and for choices that are not of it.
    """
    options.setdefault("idempotent", True)
    adapter, schema = _adapter(output)
    read = _reader(adapter)
    proposes = choices is None and schema == {"type": "string"}
    fixed = _fixed(choices, read) if choices is not None else _enumerated(schema)
    wanted = {"enum": list(fixed)} if choices is not None else schema

    async def ask(ctx: RunContext[Any], question: str, choices: Sequence[str] = ()) -> Any:
        if ctx.answer is None:
            raise Asked(Question(question, fixed or tuple(choices), wanted))
        return read(ctx.answer.value)

    properties: dict[str, Any] = {"question": {"type": "string", "description": _QUESTION}}
    if proposes:
        properties["choices"] = {"type": "array", "items": {"type": "string"}, "description": _CHOICES}
    return Tool.from_schema(
        name=name,
        description=description or f"{_DESCRIPTION} The answer is {Question('', schema=wanted).expected}.",
        parameters={
            "type": "object",
            "properties": properties,
            "required": ["question"],
            "additionalProperties": False,
        },
        function=cast("Callable[..., T]", ask),
        options=ToolOptions(**options),
        metadata={"answer": read},
    )


def _adapter(output: Any) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    from pydantic import PydanticUserError, TypeAdapter

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(output)
        return adapter, _untitled(adapter.json_schema())
    except PydanticUserError as error:
        raise ToolDefinitionError(
            f"ask_human(output={output!r}): this type has no JSON schema; use a str, an Enum, a Literal, a dataclass"
            f" or a pydantic model ({str(error).splitlines()[0]})"
        ) from error


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}


def _reader(adapter: TypeAdapter[Any]) -> Callable[[Any], Any]:
    """Return what makes the typed value of JSON data; ValueError says in words why it is none."""

    def read(answer: Any) -> Any:
        from pydantic import ValidationError

        try:
            return adapter.validate_json(dumps(answer), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            raise ValueError("; ".join(one["msg"] for one in found[:3])) from error

    return read


def _fixed(choices: Sequence[Any], read: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not choices:
        raise ToolDefinitionError("ask_human(choices=[]): give the answers to choose from, or leave it out")
    for choice in choices:
        try:
            read(choice)
        except ValueError as error:
            raise ToolDefinitionError(f"ask_human(choices=...): {choice!r} is no answer: {error}") from error
    return tuple(choices)


def _enumerated(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the answers where the type has a few: an Enum, a Literal, a bool."""
    if "enum" in schema:
        return tuple(schema["enum"])
    return (True, False) if schema.get("type") == "boolean" else ()
