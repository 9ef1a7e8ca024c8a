"""Limits: when a run has to stop, whatever the model wants."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from jigwork.errors import ConfigurationError

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run, from its input to its answer; a resumed run goes on counting. None means no bound.

    `turns` counts model requests (50 unless given), `tool_calls` calls that were made, `invalid_calls` those that no
    tool could take, `tokens` input plus output, `seconds` wall-clock time. `tokens`, `tool_calls` and `requests`
    (model requests) are shared with all agents that work for the run, however many at once. `turn_seconds` bounds the
    calls of one turn together: those that have no result by then are timed out, and the run goes on.
    `concurrency` is how many tools run at once (64 unless given); more wait their turn. `approval_seconds` is how
    long a call may wait for a person; one that is decided later is denied.
    Reaching a bound raises `LimitReached`, which carries the state: raise the limit and go on.
    """

    turns: int | None = None
    requests: int | None = None
    tool_calls: int | None = None
    invalid_calls: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    turn_seconds: float | None = None
    approval_seconds: float | None = None
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None and value <= 0:
                raise ConfigurationError(
                    f"Limits({f.name}={value!r}): a limit is above 0, or None for no limit"
                )

    def merge(self, other: Limits | None) -> Limits:
        """Return these limits with every one that `other` sets in its place."""
        if other is None:
            return self
        return replace(
            self, **{f.name: v for f in fields(other) if (v := getattr(other, f.name)) is not None}
        )


DEFAULT_LIMITS = Limits(turns=50, concurrency=64)
