"""Refuse what the request's model does not take: efforts, sampling, stop, token limits, its context window."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..models.profiles import Profile, profile_for
from .api_errors import ApiError, invalid, quoted_list
from .json_data import object_of
from .requests import ServedRequest

__all__ = ["check_model_limits", "default_effort"]

_SAMPLING = ("temperature", "top_p", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty")
_DEFAULTS = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False}


def check_model_limits(request: ServedRequest) -> None:
    """Hold the request to the profile of its model; a model that is not in the registry has no limits."""
    profile = _profile(request.model)
    chat = request.endpoint == "chat"
    if profile is not None:
        if request.endpoint not in profile.endpoints:
            raise ApiError(
                "This model is only supported in v1/responses and not in v1/chat/completions.",
                param="model",
                status=404,
            )
        effort = _check_effort(request, profile)
        _check_verbosity(request, profile)
        if chat:
            _check_chat_only(request, profile, effort)
        reasons = effort not in (None, "none")
        if profile.sampling == "never" or (profile.sampling == "without_reasoning" and reasons):
            _check_sampling(request.body, chat)
        _check_window(request, profile)
    if request.body.get("top_logprobs") is not None and chat and request.body.get("logprobs") is not True:
        raise invalid("Invalid value for 'top_logprobs': 'logprobs' must be set to true.", "top_logprobs")


def default_effort(model: str) -> str | None:
    """Return the effort that holds for a model where a request names none; None where it is not known."""
    profile = _profile(model)
    return None if profile is None else profile.default_effort


@lru_cache(maxsize=256)
def _profile(model: str) -> Profile | None:
    profile = profile_for(model)
    return None if profile == Profile() else profile


def _check_effort(request: ServedRequest, profile: Profile) -> str | None:
    """Return the effort that holds for the request."""
    chat = request.endpoint == "chat"
    param = "reasoning_effort" if chat else "reasoning.effort"
    given = request.body.get(param) if chat else object_of(request.body.get("reasoning")).get("effort")
    if given is None:
        return profile.default_effort
    if profile.efforts == ():
        raise _unsupported(param)
    if profile.efforts is not None and given not in profile.efforts:
        raise invalid(
            f"Unsupported value: '{given}' is not supported with the '{request.model}' model. "
            f"Supported values are: {quoted_list(profile.efforts)}.",
            param,
            "unsupported_value",
        )
    return str(given)


def _check_verbosity(request: ServedRequest, profile: Profile) -> None:
    chat = request.endpoint == "chat"
    param = "verbosity" if chat else "text.verbosity"
    given = request.body.get(param) if chat else object_of(request.body.get("text")).get("verbosity")
    if given not in (None, "medium") and not profile.verbosity:
        raise invalid(
            f"Unsupported value: '{given}' is not supported with the '{request.model}' model. "
            "Supported values are: 'medium'.",
            param,
            "unsupported_value",
        )


def _check_chat_only(request: ServedRequest, profile: Profile, effort: str | None) -> None:
    body = request.body
    if body.get("max_tokens") is not None and profile.reasons:
        raise invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    if body.get("stop") is not None and not profile.stop:
        raise _unsupported("stop")
    if not profile.chat_tools_with_effort and request.tools and effort not in (None, "none"):
        raise invalid(
            f"Function tools with reasoning_effort are not supported for {request.model} in /v1/chat/completions. "
            "To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
            "reasoning_effort",
        )


def _check_sampling(body: Mapping[str, Any], chat: bool) -> None:
    for param in _SAMPLING:
        value = body.get(param)
        if value is None or (chat and value == _DEFAULTS.get(param)):
            continue
        if chat and param in ("temperature", "top_p"):
            raise invalid(
                f"Unsupported value: '{param}' does not support {value} with this model. "
                "Only the default (1) value is supported.",
                param,
                "unsupported_value",
            )
        raise _unsupported(param)


def _unsupported(param: str) -> ApiError:
    return invalid(
        f"Unsupported parameter: '{param}' is not supported with this model.", param, "unsupported_parameter"
    )


def _check_window(request: ServedRequest, profile: Profile) -> None:
    if profile.context_window is None or request.body.get("truncation") == "auto":
        return
    if request.input_tokens <= profile.context_window:
        return
    if request.endpoint == "chat":
        raise invalid(
            f"This model's maximum context length is {profile.context_window} tokens. However, your messages resulted in "
            f"{request.input_tokens} tokens. Please reduce the length of the messages.",
            "messages",
            "context_length_exceeded",
        )
    raise invalid(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "input",
        "context_length_exceeded",
    )
