"""Options of a tool: what it does to the world, and how the executor may run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from typing_extensions import TypedDict

from jigwork.errors import ToolDefinitionError

__all__ = ["DEFAULT_MAX_OUTPUT", "Approval", "OptionKeywords", "ToolOptions"]

DEFAULT_MAX_OUTPUT = 50_000
"""Characters of a result that are sent to the model; about 12 000 tokens of English."""

Approval: TypeAlias = Literal["never", "always"] | Callable[[Mapping[str, Any]], bool]
"""Ask a person before the call: never, always, or when this returns True for the (plain JSON) arguments."""


class OptionKeywords(TypedDict, total=False):
    """`ToolOptions` as keywords, for `@tool(...)` and `Tool.with_options(...)`."""

    read_only: bool
    idempotent: bool
    destructive: bool
    timeout: float | None
    max_concurrency: int | None
    resource: str | None
    exclusive: bool
    approval: Approval | None
    retries: int
    isolation: Literal["thread", "process"]
    max_output: int
    rate: float | None
    cache: bool
    invalid_calls: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """How a tool behaves and may be run. The first three are MCP's annotations.

    `read_only`: changes nothing. `idempotent`: calling it again with the same arguments changes nothing more.
    `destructive`: may delete or overwrite. `timeout` is in seconds for one call, None for no limit.
    `max_concurrency` limits calls of this tool at once in the whole process; tools with the same `resource` share
    the smallest of their limits (1 where none gives one). Where neither is given, methods of one object that are no
    coroutines and not read_only take turns. `exclusive`: nothing else of the turn runs beside it.
    `approval`: None asks for `destructive` tools only. `rate`: calls a second that may begin, in the whole process.
    `cache`: within a run, the same arguments give the same result without another call (for `read_only` tools).
    `retries` repeats a failed call and needs `read_only` or `idempotent`. `isolation`: a thread cannot be stopped
    on a timeout, a process can. `max_output` is in characters; a longer result is cut in the middle.
    `invalid_calls`: how often in a run the model may write arguments that this tool cannot take; one more ends the run
    with `LimitReached`, which has the last reason. None for no bound but `Limits(invalid_calls=)`, over all tools.
    """

    read_only: bool = False
    idempotent: bool = False
    destructive: bool = False
    timeout: float | None = None
    max_concurrency: int | None = None
    resource: str | None = None
    exclusive: bool = False
    approval: Approval | None = None
    retries: int = 0
    isolation: Literal["thread", "process"] = "thread"
    max_output: int = DEFAULT_MAX_OUTPUT
    rate: float | None = None
    cache: bool = False
    invalid_calls: int | None = None

    def __post_init__(self) -> None:
        for wrong, fix in (
            (
                self.timeout is not None and not 0 < self.timeout < float("inf"),
                "timeout: seconds > 0, or None",
            ),
            (
                self.max_concurrency is not None and self.max_concurrency < 1,
                "max_concurrency: 1 or more, or None",
            ),
            (self.resource is not None and not self.resource, "resource: a name such as 'db', or None"),
            (self.retries < 0, "retries: 0 or more"),
            (
                self.invalid_calls is not None and self.invalid_calls < 0,
                "invalid_calls: 0 or more, or None",
            ),
            (
                self.rate is not None and not 0 < self.rate < float("inf"),
                "rate: calls per second > 0, or None",
            ),
            (self.max_output < 200, "max_output: at least 200 characters"),
            (self.isolation not in ("thread", "process"), "isolation: 'thread' or 'process'"),
            (
                not (
                    self.approval is None or self.approval in ("never", "always") or callable(self.approval)
                ),
                "approval: 'never', 'always', or a function of the arguments that returns a bool",
            ),
        ):
            if wrong:
                name = fix.partition(":")[0]
                raise ToolDefinitionError(f"{name}={getattr(self, name)!r} is no use; set {fix}")
        if self.read_only and self.destructive:
            raise ToolDefinitionError("a tool is read_only or destructive, not both; drop one of them")
        if self.cache and not self.read_only:
            raise ToolDefinitionError(
                "cache keeps a result instead of calling again; that is for read_only tools"
            )
        if self.retries and not (self.read_only or self.idempotent):
            raise ToolDefinitionError(
                "retries repeats a call that may have acted; set read_only=True or idempotent=True if that is safe"
            )
