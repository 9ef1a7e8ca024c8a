"""What a local server is: an engine, a store of responses, a key, and the requests that came."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson

from ..replies import Reply
from .answers import make_answer
from .api_errors import ApiError, invalid
from .chat_input import read_chat
from .delivery import Delivery
from .engines import Engine
from .faults import Faults
from .parameters import COUNT, RESPONSES
from .playing import play
from .requests import Body, Endpoint, ReceivedRequest, ServedRequest
from .responses_input import read_responses
from .responses_wire import response_object
from .stored import ResponseStore

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Service"]

_NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)"
)


@dataclass(slots=True)
class Service:
    """The state of one server. `record=False` keeps no requests: for long measurements."""

    engine: Engine
    strict: bool = True
    api_key: str | None = None
    record: bool = True
    store: ResponseStore = field(default_factory=ResponseStore)
    requests: list[ReceivedRequest] = field(default_factory=list[ReceivedRequest])
    errors: list[Exception] = field(default_factory=list[Exception])
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def receive(self, request: Request) -> Any:
        """Note the request, check its key, and return its JSON body (None without one)."""
        raw = await request.body()
        body, malformed = _decode(raw)
        if self.record:
            received = ReceivedRequest(request.method, request.url.path, request_headers(request), body, raw)
            self.requests.append(received)
        self._authorize(request.headers.get("authorization"))
        if malformed:
            raise invalid(_NOT_JSON)
        return body

    def _authorize(self, header: str | None) -> None:
        if self.api_key is None:
            return
        if not header:
            raise ApiError(
                "You didn't provide an API key. You need to provide your API key in an Authorization header using "
                "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                status=401,
            )
        if not hmac.compare_digest(header.encode(), f"Bearer {self.api_key}".encode()):
            raise ApiError(
                "Incorrect API key provided. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                status=401,
                code="invalid_api_key",
            )

    async def receive_object(self, request: Request) -> Body:
        """Like `receive`, for a body that must be a JSON object."""
        body = await self.receive(request)
        if not isinstance(body, dict):
            raise invalid(_NOT_JSON)
        return cast("Body", body)

    def read(
        self, route: Literal["responses", "chat", "count"], body: Body, headers: Mapping[str, str]
    ) -> ServedRequest:
        """Normalise and check a request; a model that the engine does not have is refused."""
        if route == "chat":
            request = read_chat(body, headers, strict=self.strict)
        else:
            table = COUNT if route == "count" else RESPONSES
            request = read_responses(body, headers, store=self.store, table=table if self.strict else None)
        known = self.engine.models
        if known and request.model not in known:
            raise ApiError(
                f"The model '{request.model}' does not exist or you do not have access to it.",
                code="model_not_found",
                status=404,
            )
        return request

    async def create(self, endpoint: Endpoint, request: Request) -> Delivery:
        """Answer a request for a response or a completion."""
        body = await self.receive_object(request)
        served = self.read(endpoint, body, request_headers(request))
        if endpoint == "responses" and body.get("background") is True:
            return self._in_background(served)
        return play(served, await self.engine.answer(served), self.store)

    def _in_background(self, served: ServedRequest) -> Delivery:
        if served.body.get("store") is False:
            raise invalid("Background mode requires store=true.", "background", "unsupported_parameter")
        if served.stream:
            raise invalid(
                "This server does not stream background responses.", "stream", "unsupported_parameter"
            )
        answer = make_answer(served, Reply())
        self.store.put(answer, response_object(answer, status="queued", output=()))
        task = asyncio.ensure_future(self._finish(answer.id, served))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Delivery.json(self.store.get(answer.id).object)

    async def _finish(self, response_id: str, served: ServedRequest) -> None:
        """Answer a background response; an error of the engine, or a fault, becomes a failed response."""
        reply, failed = Reply(), None
        try:
            reply = await self.engine.answer(served)
            await asyncio.sleep(reply.delay)
            faults = Faults(reply.fault, served)
            failed = {**faults.error(), "code": "server_error"} if faults.replaces else faults.failure()
        except Exception as error:  # noqa: BLE001 - nobody waits for this task: the response says what happened
            failed = {"code": "server_error", "message": self.as_api_error(error).message}
        if self.store.status(response_id) == "queued":
            answer = replace(make_answer(served, reply, failed=failed), id=response_id)
            self.store.put(answer, response_object(answer))

    def as_api_error(self, error: Exception) -> ApiError:
        """Return what the client is told of an exception; one that is not meant for it is kept in `errors`."""
        if isinstance(error, ApiError):
            return error
        self.errors.append(error)
        message = f"the engine raised {type(error).__name__}: {error}"
        return ApiError(message, status=500, type="server_error", code="engine_error")


def request_headers(request: Request) -> dict[str, str]:
    """Return the headers of a request without the key."""
    return {key: value for key, value in request.headers.items() if key != "authorization"}


def _decode(raw: bytes) -> tuple[Any, bool]:
    """Return the JSON body and whether it was malformed; no body is None."""
    if not raw:
        return None, False
    try:
        return orjson.loads(raw), False
    except orjson.JSONDecodeError:
        return None, True
