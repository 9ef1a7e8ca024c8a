"""`Tool`: something a model may call. Made from a function, a pydantic model or a JSON schema; never changes."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, NoReturn, Self, cast, overload

from typing_extensions import ParamSpec, TypeVar, Unpack

from jigwork.errors import SchemaError, ToolDefinitionError

from .arguments import Decoded, Decoder, PlainCheck
from .body import Body, function_body, is_model, model_body, schema_body
from .context import RunContext
from .grammar_text import GrammarText
from .jsontypes import is_mapping
from .names import safe_name
from .options import OptionKeywords, ToolOptions
from .outcome import ToolOutput
from .render import render, require_output_type
from .signature import describe_function, innermost, read_signature
from .strict import StrictSchema
from .subset import rust_pattern
from .toolset_around import Around

if TYPE_CHECKING:
    from pydantic import BaseModel

    from jigwork.grammars import Grammar

__all__ = ["Tool", "as_tool", "distinct_tools"]

P = ParamSpec("P", default=...)
R = TypeVar("R", default=Any)
Q = ParamSpec("Q")
S = TypeVar("S")

Enforcement = Literal["native", "masked", "schema", "checked"]


class Tool(Generic[P, R]):
    """A function, model or schema with a name, a description and rules, as a model sees it.

    `name` is what the model calls, `label` the name as it was given (they differ where servers would refuse it).
    `parameters` is the plain JSON schema of the arguments, `strict` the form in which it is sent.
    Calling a tool calls the function it was made from; a method's tool binds like the method.
    """

    name: str
    label: str
    description: str
    options: ToolOptions
    metadata: Mapping[str, Any]
    output_type: Any
    body: Body
    text: GrammarText | None
    around: tuple[Around, ...]
    __name__: str
    __wrapped__: Callable[P, R]

    def __init__(
        self,
        body: Body,
        *,
        name: str | None = None,
        wire_name: str | None = None,
        description: str | None = None,
        text: GrammarText | None = None,
        options: ToolOptions | None = None,
        output_type: Any = None,
        metadata: Mapping[str, Any] | None = None,
        around: tuple[Around, ...] = (),
    ) -> None:
        """Put a tool together; use `from_function`, `from_model`, `from_schema` or `@tool` instead."""
        label = name or body.name
        set_ = super().__setattr__
        set_("label", label)
        set_("name", wire_name or safe_name(label))
        set_("description", body.description if description is None else inspect.cleandoc(description))
        set_("body", body)
        set_("text", text)
        set_("around", around)
        set_("options", options or ToolOptions())
        set_("output_type", output_type)
        set_("metadata", MappingProxyType(dict(metadata or {})))
        for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
            if isinstance(value := getattr(body.function, attribute, None), str):
                set_(attribute, value)
        set_("__wrapped__", body.function)
        set_("_kept", {})
        _check_isolation(self)
        if output_type is not None:
            require_output_type(output_type)

    _kept: dict[str, Any]
    """What is made on first use: the strict schema, the decoder, the definitions."""

    # -- how tools are made

    @staticmethod
    def from_function(
        function: Callable[Q, S],
        *,
        name: str | None = None,
        description: str | None = None,
        grammar: Grammar | None = None,
        transform: Any = None,
        rewrite: Callable[[str], str] | None = None,
        options: ToolOptions | None = None,
        output_type: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Tool[Q, S]:
        """Make a tool of a function, bound method or callable object; raises ToolDefinitionError with the fix.

        `rewrite` is for servers that do not hold a model to `grammar`: it is given a text that is not in the grammar,
        and returns one that is and means the same. A ToolError or ValueError of it is what the model is told instead
        of what the grammar expected. Texts of such a tool are not cut while they are written.
        """
        text: GrammarText | None = None
        if grammar is None:
            if transform is not None:
                raise ToolDefinitionError("transform= works on the tree of a grammar; give grammar= too")
            if rewrite is not None:
                raise ToolDefinitionError("rewrite= writes texts of a grammar; give grammar= too")
            body = function_body(function)
        else:
            where = describe_function(function)
            signature = read_signature(function)
            text = GrammarText.of(grammar, signature, transform, where, rewrite=rewrite)
            body = schema_body(text.parameters(), function, getattr(function, "__name__", where))
        return Tool(
            body,
            name=name,
            description=description,
            text=text,
            options=options,
            output_type=output_type,
            metadata=metadata,
        )

    @staticmethod
    def from_model(
        model: type[BaseModel],
        *,
        name: str | None = None,
        description: str | None = None,
        options: ToolOptions | None = None,
        output_type: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Tool[..., Any]:
        """Make a tool of a pydantic model: its `__call__(ctx)` runs; without one the model is the output."""
        body = model_body(model)
        return Tool(
            body,
            name=name,
            description=description,
            options=options,
            output_type=output_type,
            metadata=metadata,
        )

    @staticmethod
    def from_schema(
        *,
        name: str,
        description: str,
        parameters: Mapping[str, Any],
        function: Callable[Q, S],
        options: ToolOptions | None = None,
        output_type: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Tool[Q, S]:
        """Make a tool of a raw JSON schema (2020-12 or draft-07) and the function that takes its properties.

        Raises SchemaError for what is no schema, is not an object's, or refers to something outside.
        """
        if not is_mapping(parameters):
            raise SchemaError(f"the parameters of {name!r} must be a JSON schema, as a dict")
        body = schema_body(copy.deepcopy(dict(parameters)), function, name)
        return Tool(
            body,
            name=name,
            description=description,
            options=options,
            output_type=output_type,
            metadata=metadata,
        )

    # -- what the model sees

    @property
    def parameters(self) -> dict[str, Any]:
        """The plain JSON schema of the arguments. Do not change it."""
        return self.body.parameters

    @property
    def grammar(self) -> Grammar | None:
        """The grammar of the one argument, None for other tools."""
        return self.text.grammar if self.text else None

    @property
    def strict(self) -> StrictSchema:
        """The form in which the parameters are sent, with its undo map and loss report."""
        kept = self._kept.get("strict")
        if kept is None:
            kept = self._kept["strict"] = StrictSchema(self._sent_parameters())
        return kept

    def _sent_parameters(self) -> dict[str, Any]:
        grammar = self.grammar
        if (
            self.text is None
            or grammar is None
            or grammar.syntax != "regex"
            or not rust_pattern(grammar.definition)
        ):
            return self.parameters
        sent = copy.deepcopy(self.parameters)
        sent["properties"][self.text.parameter]["pattern"] = f"^(?:{grammar.definition})$"
        return sent

    def enforcement(self, *, custom: bool) -> Enforcement | None:
        """Tell who holds a grammar tool to its grammar, in the form in which it is sent; None for other tools."""
        if self.text is None:
            return None
        if custom:
            return "native"
        return "schema" if "pattern" in str(self._sent_parameters()) and self.strict.enabled else "checked"

    def definition(self, custom: bool = True) -> dict[str, Any]:
        """Return the flat definition of the Responses API; the same object each time, not to be changed.

        A grammar tool is a custom tool, or with `custom=False` a function tool whose description has the grammar.
        """
        native = custom and self.text is not None
        key = "custom" if native else "function"
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._custom_definition() if native else self._function_definition()
        return kept

    def _custom_definition(self) -> dict[str, Any]:
        grammar = cast("Grammar", self.grammar)
        return {
            "type": "custom",
            "name": self.name,
            "description": self.description,
            "format": grammar.to_openai("responses"),
        }

    def _function_definition(self) -> dict[str, Any]:
        return {
            "type": "function",
            "name": self.name,
            "description": self.text.described(self.description) if self.text else self.description,
            "parameters": self.strict.schema,
            "strict": self.strict.enabled,
        }

    # -- one call

    @property
    def is_async(self) -> bool:
        """Tell whether `call` returns an awaitable."""
        return self.body.is_async

    @property
    def function(self) -> Callable[P, R]:
        """What the tool was made from; bound, where it is a method."""
        return self.body.function

    @property
    def receiver(self) -> object | None:
        """The object whose method this is, where the methods of one object are called one at a time.

        Threads that change one object at once would lose what one of them did; so would two calls that change places.
        A method that is a coroutine, that only reads, or that has a limit of its own is not held to this.
        """
        options = self.options
        if self.is_async or options.read_only or options.max_concurrency or options.resource:
            return None
        receiver: object = getattr(innermost(self.function), "__self__", None)
        return None if isinstance(receiver, (type, ModuleType)) else receiver

    def decode(self, raw: str | bytes | Mapping[str, Any], *, custom: bool = False) -> Decoded:
        """Read what a model wrote for a call: repaired where it has one reading, explained where it has none.

        `custom`: `raw` is the text of a grammar tool, not JSON. Never raises for what a model wrote; what a
        `transform=` or `rewrite=` raises leaves unless it is a ValueError or ToolError.
        """
        if self.text is None:
            return self._decoder.decode(raw)
        if custom and isinstance(raw, str):
            return self.text.decode(raw)
        outer = self._decoder.decode(raw)
        if not outer.ok or outer.value is None:
            if isinstance(raw, str) and raw.lstrip()[:1] not in ("{", "[", '"'):
                bare = self.text.decode(raw)
                if bare.ok:
                    return Decoded(True, bare.value, bare.arguments, (*bare.repairs, "took the bare text"))
            return outer
        inner = self.text.decode(outer.value[self.text.parameter])
        return Decoded(inner.ok, inner.value, inner.arguments, (*outer.repairs, *inner.repairs), inner.error)

    @property
    def _decoder(self) -> Decoder:
        kept = self._kept.get("decoder")
        if kept is None:
            check = self.body.check if self.text is None else PlainCheck(self.parameters)
            kept = self._kept["decoder"] = Decoder(self.name, check, lambda: self.strict)
        return kept

    def call(self, context: RunContext[Any], decoded: Decoded) -> Any:
        """Run the tool; the result is awaitable when `is_async`. Raises what the function raises."""
        if not decoded.ok:
            raise ToolDefinitionError(
                f"{self.name}: these arguments were refused; look at Decoded.ok before calling"
            )
        return self.body.run(context, decoded.arguments)

    def render(self, value: Any) -> ToolOutput:
        """Turn a result into what the model is sent, cut to `options.max_output`; raises ResultError."""
        return render(value, limit=self.options.max_output, output_type=self.output_type)

    # -- as Python sees it

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the original function."""
        return cast("R", self.body.function(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...
    @overload
    def __get__(
        self: Tool[Concatenate[Any, Q], S], instance: object, owner: type | None = None, /
    ) -> Tool[Q, S]: ...
    def __get__(self, instance: object | None, owner: type | None = None, /) -> Any:
        """Bind the tool of a method to its object."""
        if instance is None or not self.body.signature.receiver:
            return self
        return self.replaced(body=self.body.bind(instance))

    def rename(self, name: str) -> Self:
        """Return the same tool under another name."""
        return self.replaced(name=name)

    def with_options(self, **changes: Unpack[OptionKeywords]) -> Self:
        """Return the same tool with some options changed."""
        from dataclasses import replace

        return self.replaced(options=replace(self.options, **changes))

    def wrapped(self, around: Around) -> Self:
        """Return the same tool with `around` standing around its calls, outside of what stands there already."""
        return self.replaced(around=(around, *self.around))

    def replaced(self, **changes: Any) -> Self:
        """Return a tool that differs in what is given, by the names of the constructor."""
        settings: dict[str, Any] = {
            "body": self.body,
            "name": self.label,
            "description": self.description,
            "text": self.text,
            "options": self.options,
            "output_type": self.output_type,
            "metadata": self.metadata,
            "around": self.around,
        }
        made = type(self)(**{**settings, **changes})
        if made.body.parameters is self.body.parameters and "strict" in self._kept:
            made._kept["strict"] = self._kept["strict"]
        return made

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Tool never changes; make another one instead of setting {name!r}")

    def __repr__(self) -> str:
        return f"Tool({self.name!r}{', grammar' if self.text else ''}{', async' if self.is_async else ''})"


def _check_isolation(tool: Tool[..., Any]) -> None:
    """Raise where a tool is to run in a process and cannot."""
    if tool.options.isolation != "process":
        return
    body = tool.body
    qualname = getattr(body.function, "__qualname__", "")
    reason = (
        "is async" if body.is_async
        else "asks for a RunContext" if body.signature.context
        else "is a method" if body.signature.receiver or inspect.ismethod(body.function)
        else "is not importable" if not qualname or "<" in qualname
        else ""
    )  # fmt: skip
    if reason:
        raise ToolDefinitionError(
            f"{tool.label}: isolation='process' needs a plain function at the top of a module, and this one {reason};"
            " use isolation='thread', or move the work into such a function"
        )


def as_tool(x: Any) -> Tool[..., Any]:
    """Make a Tool of what one puts into `Agent(tools=[...])`: a function, method, callable object, model, Tool."""
    if isinstance(x, Tool):
        return cast("Tool[..., Any]", x)
    inner: Any = getattr(x, "__func__", None)
    if isinstance(inner, Tool):
        return cast("Tool[..., Any]", cast("Any", inner).__get__(x.__self__))
    if is_model(x):
        return Tool.from_model(x)
    kind: Any = cast("Any", type(x))
    if is_model(kind):
        raise ToolDefinitionError(
            f"give the class {kind.__name__}, not an instance: the model fills the fields"
        )
    if isinstance(x, type) or not callable(x):
        what = f"the class {x.__name__}" if isinstance(x, type) else f"{kind.__name__} {str(x)[:40]!r}"
        raise ToolDefinitionError(
            f"{what} is no tool; give a function, a bound method, a pydantic model, or Tool.from_schema(...)"
        )
    return Tool.from_function(x)


def distinct_tools(tools: list[Tool[..., Any]] | tuple[Tool[..., Any], ...]) -> tuple[Tool[..., Any], ...]:
    """Return the tools under names that differ from one another and that every server takes.

    Two tools of the same given name are a mistake (ToolDefinitionError); names that only look the same to a server
    (`a.b` and `a_b`) are told apart.
    """
    from .names import wire_names

    labels = [tool.label for tool in tools]
    if repeated := [label for label in dict.fromkeys(labels) if labels.count(label) > 1]:
        raise ToolDefinitionError(f"two tools are called {repeated[0]!r}; rename one: tool.rename('...')")
    names = wire_names(labels)
    return tuple(
        tool if tool.name == names[tool.label] else tool.replaced(wire_name=names[tool.label])
        for tool in tools
    )
