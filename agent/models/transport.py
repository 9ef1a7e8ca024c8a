"""Requests over the official SDK: one client per event loop, plain bytes in, raw responses out.

The SDK gives authentication, proxies and connection handling; its typed `create` is not used, since it walks the
whole history through every union member at every turn.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from .failures import Failure, broken, failure_of_status
from .jsondata import decode
from .keys import ApiKey, Secrets, ask_key, clean_key
from .providers import Provider

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai._types import RequestOptions

__all__ = ["Transport"]

log = logging.getLogger("jigwork.wire")

_PLACEHOLDER = "no-key"
_CONNECT_SECONDS = 10.0


class Transport:
    """Posts to one server. Clients that it makes are its own; one that was given belongs to whoever gave it."""

    def __init__(self, provider: Provider, api_key: ApiKey | None, client: AsyncOpenAI | None) -> None:
        self.secrets = Secrets()
        self.keyless = api_key is None and client is None
        if isinstance(api_key, str):
            api_key = clean_key(api_key)
            self.secrets.add(api_key)
        if password := urlsplit(provider.base_url or "").password:
            self.secrets.add(password)
        self._provider = provider
        self._key = api_key
        self._given = None if client is None else client.with_options(max_retries=0)
        if client is not None and client.api_key:
            self.secrets.add(client.api_key)
        self.secrets.add_headers(provider.headers)
        self._lock = threading.Lock()
        self._keepers: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[AsyncOpenAI, AsyncGenerator[None, None]]
        ] = weakref.WeakKeyDictionary()

    def redact(self, text: str) -> str:
        """Return the text without any key that was used here."""
        if self._given is not None and self._given.api_key:
            self.secrets.add(self._given.api_key)  # a client with a callable key has a new one now and then
        return self.secrets.redact(text)

    def path(self, path: str, model: str) -> str:
        """Return the path of an endpoint. Azure's client puts deployments into it for bodies that it encodes itself."""
        client = self._given
        if client is None or path != "/chat/completions" or "/deployments" in client.base_url.path:
            return path
        import openai

        azure = isinstance(client, openai.AsyncAzureOpenAI)
        return f"/deployments/{quote(model, safe='')}{path}" if azure else path

    async def post(
        self,
        path: str,
        content: bytes,
        *,
        stream: bool,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send a body; return the response, read whole or, with `stream`, open. Raises `Failure`.

        `timeout` is seconds without progress; None is the client's own (600 s).
        """
        import httpx2
        import openai

        client = self._given or await self._client()
        options: RequestOptions = {"security": {"bearer_auth": True}}
        if timeout is not None:
            options["timeout"] = httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS))
        if headers:
            options["headers"] = dict(headers)
            self.secrets.add_headers(headers)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("> POST %s %s", path, self.redact(content.decode()))
        try:
            # With this type the SDK hands out the response itself, read or open, and touches no byte of it.
            return cast(
                httpx2.Response,
                await client.post(
                    path,
                    cast_to=httpx2.Response,
                    content=content,
                    options=options,
                    stream=stream,
                    stream_cls=openai.AsyncStream[object],
                ),
            )
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.APITimeoutError:
            raise broken("the server did not answer in time") from None
        except openai.APIConnectionError as error:
            raise broken(f"no connection to {self._host()}: {_cause(error)}") from None

    async def aclose(self) -> None:
        """Close the client of the running event loop."""
        with self._lock:
            entry = self._keepers.pop(asyncio.get_running_loop(), None)
        if entry is not None:
            await entry[1].aclose()

    async def _client(self) -> AsyncOpenAI:
        loop = asyncio.get_running_loop()
        entry = self._keepers.get(loop)
        if entry is not None:
            return entry[0]
        with self._lock:
            entry = self._keepers.get(loop)
            if entry is None:
                client = self._new_client()
                entry = self._keepers[loop] = (client, _keep(client))
        # Once begun, the generator is closed with the loop, and the client with it.
        await entry[1].__anext__()
        return entry[0]

    def _new_client(self) -> AsyncOpenAI:
        import openai

        provider = self._provider
        headers: dict[str, Any] = dict(provider.headers)
        if provider.name != "openai":
            # Set in many environments and nobody else's business.
            headers = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit(), **headers}
        key = self._key
        return openai.AsyncOpenAI(
            api_key=(lambda: ask_key(key, self.secrets)) if callable(key) else key or _PLACEHOLDER,
            base_url=provider.base_url,
            max_retries=0,
            default_headers=headers,
            # The SDK's own default closes itself in whatever loop runs when it is collected.
            http_client=openai.DefaultAsyncHttpxClient(),
        )

    def _refused(self, error: Any) -> Failure:
        response = error.response
        try:
            body = decode(response.content)
        except ValueError:
            body = response.text
        if log.isEnabledFor(logging.DEBUG):
            log.debug("< %s %s", response.status_code, self.redact(response.text))
        failure = failure_of_status(response.status_code, body, response.headers)
        if response.status_code == 401 and self.keyless:
            failure.error.args = (f"{failure.error} (no key was sent to {self._host()}: give api_key=)",)
        return failure

    def _host(self) -> str:
        url = urlsplit(str(self._provider.base_url if self._given is None else self._given.base_url))
        return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


async def _keep(client: AsyncOpenAI) -> AsyncGenerator[None, None]:
    try:
        while True:
            yield
    finally:
        await client.close()


def _cause(error: BaseException) -> str:
    return str(error.__cause__ or error) or type(error.__cause__ or error).__name__
