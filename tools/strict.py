"""Strict schemas: what OpenAI can enforce while a model writes, made from any JSON schema and led back again.

Optional keys become required and nullable, dicts arrays of pairs, tuples objects, oneOf anyOf; what the subset cannot
say moves into descriptions and is enforced after decoding. The original schema always has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .strict_build import Builder, NotStrictError
from .wire import Dropped, Shape

__all__ = ["StrictSchema"]


class StrictSchema:
    """The form in which a schema is sent, and the way back.

    `schema` is what is sent and `enabled` whether as `strict: true`; without it, `schema` is the plain schema and
    both forms are the same. `losses` says, place by place, what the sent schema cannot say (and is enforced after
    decoding) or why strict is off; `lossless` means that there are none. An object that declares properties and
    does not mention `additionalProperties` is taken to have only the declared ones.
    """

    __slots__ = ("_shape", "enabled", "losses", "schema")

    schema: dict[str, Any]
    enabled: bool
    losses: tuple[str, ...]

    def __init__(self, plain: Mapping[str, Any]) -> None:
        """Build the strict form of `plain`; where there is none, keep the plain one."""
        self.enabled = False
        self._shape: Shape | None = None
        self.schema = dict(plain)
        builder = Builder(plain)
        try:
            wire, shape = builder.build()
        except NotStrictError as reason:
            self.losses = (f"sent without strict: {reason}",)
            return
        self.schema, self.enabled, self.losses = wire, True, tuple(builder.losses)
        self._shape = None if type(shape) is Shape else shape

    @property
    def lossless(self) -> bool:
        """Tell whether the sent schema says all that the original says."""
        return not self.losses

    @property
    def changes(self) -> bool:
        """Tell whether the wire form of some value differs from its plain form."""
        return self._shape is not None

    def undo(self, value: Any, *, dropped: Dropped | None = None) -> Any:
        """Return the plain form of a wire value; what is plain already stays as it is.

        `dropped` is told each optional key that came as null in an object that is not in wire form. Raises
        SchemaError when a key is given twice in an array of pairs.
        """
        if self._shape is None:
            return value
        return self._shape.undo(value, dropped) if dropped else self._shape.undo(value)

    def encode(self, value: Any) -> Any:
        """Return the wire form of a valid plain value; raise SchemaError where there is none for it."""
        return value if self._shape is None else self._shape.encode(value)

    def __repr__(self) -> str:
        return f"StrictSchema(enabled={self.enabled}, lossless={self.lossless})"
