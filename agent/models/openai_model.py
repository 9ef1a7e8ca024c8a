"""OpenAIModel: any model behind a server that speaks Responses or Chat Completions.

A request comes in as a `ModelRequest`; events go out, the same for both endpoints, streamed or not. Retries,
deadlines and refused parameters are handled here; what an endpoint's bodies look like is in `responses.py` and
`chat.py`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import anyio

from jigwork.errors import BadRequestError, ConfigurationError, DeadlineError, ModelError

from ..events import AttemptDiscarded, ModelEvent, ResponseEnded
from .attempts import HISTORY, Attempts
from .base import ModelRequest
from .chat import ChatEndpoint
from .decoder import Decoder
from .failures import Failure, broken
from .history import History
from .jsondata import encode
from .keys import ApiKey, find_key, without_logins
from .params import Endpoint, check, merge_body, stop_sequences
from .profiles import Profile, nearest_models, profile_for, warn_if_retired
from .providers import Provider, provider_for
from .responses import ResponsesEndpoint
from .settings import Settings
from .transport import Transport
from .wirelog import log, setup_from_environment

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

__all__ = ["OpenAIModel"]

_DRAIN_SECONDS = 0.25

T = TypeVar("T")


class OpenAIModel:
    """A model on OpenAI or on any compatible server.

    `endpoint="auto"`: the provider or, at OpenAI, the model's profile decides; an unknown `base_url` means chat.
    Without `api_key` the provider's variable is read (an unknown `base_url` has none: no key is sent to it), and
    MissingKeyError raised where one is needed. A `client` of yours is used with its key and address, and never
    closed. `settings` are the model's own defaults; those of a request win. Safe to share between runs, threads
    and event loops.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: ApiKey | None = None,
        endpoint: Literal["auto", "responses", "chat"] = "auto",
        profile: Profile | None = None,
        client: AsyncOpenAI | None = None,
        provider: str | Provider | None = None,
        settings: Settings | None = None,
    ) -> None:
        setup_from_environment()
        if client is not None and (base_url is not None or api_key is not None):
            raise ConfigurationError(
                "give `client`, or `base_url` and `api_key`, not both: the client has its own"
            )
        self._name = name
        self._provider = _provider(provider, base_url, client)
        self._profile = profile or self._provider.apply(profile_for(name))
        self._endpoint: Endpoint = _endpoint(endpoint, self._provider, self._profile)
        warn_if_retired(name, self._profile)
        if api_key is None and client is None:
            api_key = find_key(self._provider, os.environ)
        self._settings = settings or Settings()
        self._wire = (ResponsesEndpoint if self._endpoint == "responses" else ChatEndpoint)(
            name, self._profile, self._provider.name
        )
        self._transport = Transport(self._provider, api_key, client)
        self._path = self._transport.path(self._wire.path, name)
        self._refused: dict[str, None] = {}
        self._said_serial = False
        self._checked: tuple[Settings | None, Settings] = (None, self._settings)

    def __repr__(self) -> str:
        return f"OpenAIModel({self._name!r}, provider={self._provider.name!r}, endpoint={self._endpoint!r})"

    @property
    def name(self) -> str:
        """The model's id."""
        return self._name

    @property
    def profile(self) -> Profile:
        """What this model on this server can do."""
        return self._profile

    @property
    def provider(self) -> str:
        """The provider's name, or the host of a base URL that is not known."""
        return self._provider.name

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint in use."""
        return self._endpoint

    async def aclose(self) -> None:
        """Close the connections of the running event loop; the model may be used again."""
        await self._transport.aclose()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Send the request; yield events, the last one `ResponseEnded`. Raises ModelError, SettingsError."""
        # The caller may add items to its list while it reads; what is asked is what there is now.
        request = replace(request, items=tuple(request.items))
        attempts = self._attempts(request)
        while True:
            failure: Failure | None = None
            async with aclosing(self._attempt(request, attempts)) as events:
                try:
                    async for event in events:
                        yield event
                except Failure as raised:
                    failure = raised
            if failure is None:
                return
            discarded = self._next(attempts, failure)
            yield discarded
            if discarded.wait:
                await anyio.sleep(discarded.wait)

    # --- one attempt

    async def _attempt(self, request: ModelRequest, attempts: Attempts) -> AsyncGenerator[ModelEvent, None]:
        settings = attempts.settings
        begun = time.monotonic()
        stops = () if "stop" in attempts.body else stop_sequences(settings)
        decoder = Decoder(self._wire.reader(request), stops)
        first: float | None = None
        self._transport.secrets.add_hosted(attempts.body)
        post = self._transport.post(
            self._path,
            encode(attempts.body),
            stream=request.stream,
            timeout=settings.timeout,
            headers=settings.extra_headers,
        )
        response = await _within(attempts, post)
        try:
            if request.stream and _is_sse(response):
                chunks = response.aiter_bytes()
                while not decoder.finished:
                    chunk = await _next_chunk(attempts, chunks, decoder)
                    first = first or time.monotonic() - begun
                    if chunk is not None:
                        self._log(chunk)
                    for event in decoder.end() if chunk is None else decoder.feed(chunk):
                        yield event
                await self._drain(chunks, decoder)
            else:
                content = await _received(attempts, response.aread())
                self._log(content)
                for event in _at_once(decoder, content) if _is_sse(response) else decoder.whole(content):
                    yield event
        except Failure as failure:
            failure.error.request_id = failure.error.request_id or response.headers.get("x-request-id")
            raise
        finally:
            await response.aclose()
        yield self._ended(decoder, attempts, response, first)

    async def _drain(self, chunks: AsyncIterator[bytes], decoder: Decoder) -> None:
        """Read the end of the body, so that the connection can be used again; not after a cut of ours."""
        if not decoder.reader.done:
            return
        with anyio.move_on_after(_DRAIN_SECONDS):
            try:
                async for _ in chunks:
                    pass
            except Exception as error:
                if not _is_transport_error(error):
                    raise

    def _ended(
        self,
        decoder: Decoder,
        attempts: Attempts,
        response: httpx2.Response,
        first_byte: float | None,
    ) -> ResponseEnded:
        ending = decoder.reader.ending
        return ResponseEnded(
            usage=ending.usage,
            status=ending.status,
            reason=ending.reason,
            id=ending.id,
            model=ending.model or self._name,
            request_id=response.headers.get("x-request-id"),
            service_tier=ending.service_tier,
            attempts=attempts.count,
            seconds=time.monotonic() - attempts.started,
            first_byte_seconds=first_byte,
            endpoint=self._endpoint,
            body=without_logins(attempts.body),
            dropped=attempts.dropped,
        )

    # --- between attempts

    def _attempts(self, request: ModelRequest) -> Attempts:
        given, settings = self._checked
        if given is not request.settings:
            settings = self._settings.merge(request.settings)
            check(settings, self._profile, model=self._name, endpoint=self._endpoint)
            self._checked = (request.settings, settings)
        settings = self._serial_grammar_calls(request, settings)

        def rebuild(attempts: Attempts) -> dict[str, Any]:
            without = (path.removeprefix(HISTORY) for path in list(self._refused) if path.startswith(HISTORY))
            history = History(attempts.chained, attempts.foreign, frozenset(without))
            body = self._wire.body(request, settings, history=history)
            if not self._provider.extra_body:
                return body
            whole = dict(self._provider.extra_body)
            merge_body(whole, body)
            return whole

        chained = bool(settings.chain) and request.previous is not None
        attempts = Attempts(settings, rebuild, self._refused, chained=chained)
        attempts.prepare()
        return attempts

    def _serial_grammar_calls(self, request: ModelRequest, settings: Settings) -> Settings:
        """One call at a time where a grammar tool is among the tools, as OpenAI's guide asks; True wins."""
        if settings.parallel_tool_calls is not None or not self._profile.parallel_tool_calls:
            return settings
        if not any(_is_grammar(tool) for tool in request.tools):
            return settings
        if not self._said_serial:
            self._said_serial = True
            log.info(
                "%s: a grammar tool is used, so parallel_tool_calls=False; set it to True to change that",
                self,
            )
        return replace(settings, parallel_tool_calls=False)

    def _next(self, attempts: Attempts, failure: Failure) -> AttemptDiscarded:
        error = failure.error
        error.args = (self._transport.redact(str(error)),)
        if isinstance(error, BadRequestError) and (error.code == "model_not_found" or error.status == 404):
            error = _with_suggestion(error, self._name)
        discarded = attempts.after(failure)
        log.info("%s: %s", self._name, discarded.reason)
        return discarded

    def _log(self, content: bytes) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("< %s", self._transport.redact(content.decode(errors="replace")))


def _provider(provider: str | Provider | None, base_url: str | None, client: AsyncOpenAI | None) -> Provider:
    if client is not None:
        base_url = str(client.base_url)
    if provider is None and base_url is not None:
        return Provider.at(base_url)
    if isinstance(provider, str):
        provider = provider_for(provider)
        if base_url is None:
            return provider.in_environment(os.environ)
    if isinstance(provider, Provider) and (base_url or provider.base_url):
        return replace(provider, base_url=base_url or provider.base_url)
    return (provider or provider_for("openai")).in_environment(os.environ)


def _endpoint(wanted: str, provider: Provider, profile: Profile) -> Endpoint:
    if wanted == "responses":
        return "responses"
    if wanted == "chat":
        return "chat"
    if wanted != "auto":
        raise ConfigurationError(f"endpoint={wanted!r} does not exist: use 'auto', 'responses' or 'chat'")
    if provider.endpoint is not None:
        return provider.endpoint
    return "responses" if "responses" in profile.endpoints else "chat"


async def _within(attempts: Attempts, work: Awaitable[T]) -> T:
    """Wait for `work` no longer than the deadline over all attempts allows. Never holds a `yield`."""
    remaining = attempts.remaining()
    if remaining is None:
        return await work
    try:
        with anyio.fail_after(max(remaining, 0)):
            return await work
    except TimeoutError:
        error = DeadlineError(f"no answer within the deadline of {attempts.settings.deadline:g} s")
        raise Failure(error, retry=False) from None


async def _next_chunk(attempts: Attempts, chunks: AsyncIterator[bytes], decoder: Decoder) -> bytes | None:
    """Wait for more of a stream; None at its end, and where it breaks after the answer is whole."""
    try:
        return await _received(attempts, anext(chunks, None))
    except Failure:
        if decoder.reader.answered:
            return None
        raise


async def _received(attempts: Attempts, work: Awaitable[T]) -> T:
    """Wait for bytes of an answer; a connection that breaks is a `Failure`."""
    try:
        return await _within(attempts, work)
    except Exception as error:
        if _is_transport_error(error):
            raise broken(f"the answer broke off: {error or type(error).__name__}") from None
        raise


def _at_once(decoder: Decoder, content: bytes) -> Iterator[ModelEvent]:
    yield from decoder.feed(content)
    yield from decoder.end()


def _is_transport_error(error: Exception) -> bool:
    """Tell whether the HTTP library says so: httpx2, or httpx in a client that was given."""
    return any(
        cls.__name__ in ("HTTPError", "StreamError") and cls.__module__.split(".")[0] in ("httpx2", "httpx")
        for cls in type(error).__mro__
    )


def _is_sse(response: httpx2.Response) -> bool:
    """Tell whether a stream came. One without a content type is believed to be what was asked for."""
    kind = response.headers.get("content-type", "")
    if response.is_closed:
        return "event-stream" in kind
    return "json" not in kind and "html" not in kind


def _is_grammar(tool: Mapping[str, Any]) -> bool:
    form: Any = tool.get("format")
    return tool.get("type") == "custom" and bool(form) and form.get("type") == "grammar"


def _with_suggestion(error: ModelError, name: str) -> ModelError:
    near = [known for known in nearest_models(name) if known != name]
    if near:
        error.args = (f"{error}; did you mean {near[0]!r}?",)
    return error
