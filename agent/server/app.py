"""The routes of the local server, as an ASGI application over a `Service`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from jigwork.errors import MissingExtraError

from ..models.profiles import known_models, profile_for
from .api_errors import ApiError, invalid, invalid_value
from .delivery import Delivery
from .service import Service, request_headers

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["make_app"]

_KNOWN_SINCE = 1_765_411_200
"""Creation time of every listed model: 2025-12-11."""


async def _responses(service: Service, request: Request) -> Delivery:
    return await service.create("responses", request)


async def _chat(service: Service, request: Request) -> Delivery:
    return await service.create("chat", request)


async def _models(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    return Delivery.json({"object": "list", "data": [_model(name) for name in _model_names(service)]})


async def _one_model(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    name = request.path_params["model"]
    if name not in _model_names(service):
        raise ApiError(
            f"The model '{name}' does not exist", param="model", code="model_not_found", status=404
        )
    return Delivery.json(_model(name))


def _model_names(service: Service) -> list[str]:
    return list(service.engine.models or known_models())


def _model(name: str) -> dict[str, Any]:
    listed = {"id": name, "object": "model", "created": _KNOWN_SINCE, "owned_by": "jigwork"}
    shutdown = profile_for(name).shutdown
    return listed if shutdown is None else {**listed, "shutdown_date": shutdown.isoformat()}


async def _get_response(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    return Delivery.json(service.store.get(request.path_params["id"]).object)


async def _delete_response(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    name = request.path_params["id"]
    service.store.delete(name)
    return Delivery.json({"id": name, "object": "response", "deleted": True})


async def _cancel(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    stored = service.store.get(request.path_params["id"])
    if not stored.object["background"]:
        raise invalid("Cannot cancel a synchronous response.")
    if stored.object["status"] in ("queued", "in_progress"):
        stored.object = {**stored.object, "status": "cancelled"}
    return Delivery.json(stored.object)


async def _input_items(service: Service, request: Request) -> Delivery:
    await service.receive(request)
    query = request.query_params
    items = list(service.store.get(request.path_params["id"]).sent)
    order, limit = query.get("order", "desc"), query.get("limit", "20")
    if order not in ("asc", "desc"):
        raise invalid_value("order", order, ("asc", "desc"))
    if limit not in _LIMITS:
        raise invalid(f"Invalid 'limit': expected an integer from 1 to 100, but got '{limit}'.", "limit")
    if order == "desc":
        items.reverse()
    ids = [item["id"] for item in items]
    if (after := query.get("after")) in ids:
        items = items[ids.index(after) + 1 :]
    page = items[: int(limit)]
    return Delivery.json(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(page) < len(items),
        }
    )


_LIMITS = frozenset(str(number) for number in range(1, 101))


async def _input_tokens(service: Service, request: Request) -> Delivery:
    body = await service.receive_object(request)
    served = service.read("count", body, request_headers(request))
    return Delivery.json({"object": "response.input_tokens", "input_tokens": served.input_tokens})


_Handler = Callable[[Service, "Request"], Awaitable[Delivery]]
_ROUTES: list[tuple[str, str, _Handler]] = [
    ("POST", "/responses", _responses),
    ("POST", "/chat/completions", _chat),
    ("GET", "/models", _models),
    ("GET", "/models/{model:path}", _one_model),
    ("POST", "/responses/input_tokens", _input_tokens),
    ("GET", "/responses/{id}", _get_response),
    ("DELETE", "/responses/{id}", _delete_response),
    ("POST", "/responses/{id}/cancel", _cancel),
    ("GET", "/responses/{id}/input_items", _input_items),
]


def make_app(service: Service) -> Starlette:
    """Return the ASGI application; every path is served with and without `/v1`."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError as error:
        raise MissingExtraError("the local server", "server") from error

    routes = [
        Route(prefix + path, _endpoint(service, handler), methods=[method])
        for method, path, handler in _ROUTES
        for prefix in ("/v1", "")
    ]
    return Starlette(routes=routes, exception_handlers={404: _lost, 405: _lost})


def _endpoint(service: Service, handler: _Handler) -> Any:
    async def handle(request: Request) -> Any:
        started = time.perf_counter()
        try:
            delivery = await handler(service, request)
        except Exception as error:  # noqa: BLE001 - whatever the engine raises, the client gets an answer
            delivery = Delivery.error(service.as_api_error(error))
        return delivery.with_headers(_usual_headers(time.perf_counter() - started))

    return handle


def _lost(request: Request, error: Any) -> Any:
    """Answer for a path or a method that does not exist."""
    if error.status_code == 405:
        lost = ApiError(
            f"Not allowed to {request.method} on {request.url.path}. "
            "(HINT: Perhaps you meant to use a different HTTP method?)",
            status=405,
            code="method_not_supported",
        )
    else:
        lost = ApiError(f"Invalid URL ({request.method} {request.url.path})", status=404)
    return Delivery.error(lost).with_headers(_usual_headers(0.0))


def _usual_headers(seconds: float) -> dict[str, str]:
    return {
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-processing-ms": str(round(seconds * 1000)),
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "30000000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-remaining-tokens": "29999999",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": "0s",
    }
