"""A chain of models: where one fails, the next one is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack

from jigwork.errors import BadRequestError, ConfigurationError, ContextOverflowError, ModelError

from ..events import AttemptDiscarded, ModelEvent
from .base import Model, ModelRequest
from .profiles import Profile

__all__ = ["FallbackModel"]


class FallbackModel:
    """Asks the models in order until one answers. Name and profile are those of the first.

    The next one is asked after any ModelError but a bad request, which would be bad there too; a history that
    was too long and a model that does not exist are passed on as well.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        if not models:
            raise ConfigurationError("FallbackModel needs at least one model")
        self._models = tuple(models)

    @property
    def name(self) -> str:
        """The name of the first model."""
        return self._models[0].name

    @property
    def profile(self) -> Profile:
        """The profile of the first model: the tools are made for it."""
        return self._models[0].profile

    @property
    def endpoint(self) -> str | None:
        """ "chat" where one of the models is asked there, since that one decides what can be sent; None: unknown."""
        endpoints = [getattr(model, "endpoint", None) for model in self._models]
        return "chat" if "chat" in endpoints else endpoints[0]

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the events of the first model that answers."""
        attempt = 1
        for model, following in zip(self._models, [*self._models[1:], None], strict=True):
            failed: ModelError | None = None
            events = model.stream(request)
            async with AsyncExitStack() as stack:
                if isinstance(events, AsyncGenerator):
                    stack.push_async_callback(events.aclose)
                try:
                    async for event in events:
                        if isinstance(event, AttemptDiscarded):
                            attempt = max(attempt, event.attempt)
                        yield event
                except ModelError as error:
                    failed = error
            if failed is None:
                return
            if following is None or not _may_go_on(failed):
                raise failed
            attempt += 1
            yield AttemptDiscarded(f"{model.name}: {failed}; asking {following.name}", attempt)

    async def aclose(self) -> None:
        """Close every model's connections."""
        for model in self._models:
            await model.aclose()


def _may_go_on(error: ModelError) -> bool:
    if isinstance(error, ContextOverflowError) or error.status == 404:
        return True
    return not isinstance(error, BadRequestError)
