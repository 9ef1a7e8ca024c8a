"""Settings into request parameters of either endpoint, checked against the profile before anything is sent."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from jigwork.errors import SettingsError

from .jsondata import is_object
from .profiles import Profile
from .settings import Effort, Settings

__all__ = [
    "Endpoint",
    "check",
    "choose_tools",
    "merge_body",
    "parameters",
    "remove",
    "stop_sequences",
    "tool_name",
]

Endpoint: TypeAlias = Literal["responses", "chat"]

_NAMES: dict[str, tuple[str | None, str | None]] = {
    "effort": ("reasoning.effort", "reasoning_effort"),
    "reasoning_summary": ("reasoning.summary", None),
    "verbosity": ("text.verbosity", "verbosity"),
    "temperature": ("temperature", "temperature"),
    "top_p": ("top_p", "top_p"),
    "max_output_tokens": ("max_output_tokens", "max_completion_tokens"),
    "presence_penalty": (None, "presence_penalty"),
    "frequency_penalty": (None, "frequency_penalty"),
    "seed": (None, "seed"),
    "parallel_tool_calls": ("parallel_tool_calls", "parallel_tool_calls"),
    "store": ("store", "store"),
    "prompt_cache_key": ("prompt_cache_key", "prompt_cache_key"),
    "prompt_cache_retention": ("prompt_cache_retention", "prompt_cache_retention"),
    "safety_identifier": ("safety_identifier", "safety_identifier"),
    "service_tier": ("service_tier", "service_tier"),
    "truncation": ("truncation", None),
    "metadata": ("metadata", "metadata"),
}
"""Setting -> (path on Responses, name on Chat Completions); None where the endpoint has no such parameter."""

_EFFORTS = get_args(Effort)
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)}
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_KEEP = frozenset(
    {"model", "input", "messages", "tools", "instructions", "stream", "text", "response_format"}
)
_OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


def check(settings: Settings, profile: Profile, *, model: str, endpoint: Endpoint) -> None:
    """Raise SettingsError, with the fix, for a setting that this model on this endpoint would refuse."""
    side = 0 if endpoint == "responses" else 1
    for name, paths in _NAMES.items():
        if paths[side] is None and getattr(settings, name) is not None:
            other = "chat" if side == 0 else "responses"
            raise SettingsError(
                f"`{name}` does not exist on the {endpoint} endpoint: leave it out, or use endpoint={other!r}"
            )
    if settings.chain and endpoint == "chat":
        raise SettingsError("`chain` needs previous_response_id: use endpoint='responses'")
    if settings.chain and settings.store is False:
        raise SettingsError("`chain` needs what the server stores: leave `store` out, or set chain=False")
    _check_effort(settings, profile, model)
    _check_sampling(settings, profile, model)
    for name, (low, high) in _RANGES.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise SettingsError(f"{name}={value!r} is out of range: it goes from {low} to {high}")
    limit = profile.max_output_tokens
    asked = settings.max_output_tokens
    if asked is not None and (asked < 1 or (limit is not None and asked > limit)):
        most = f"{limit:,}" if limit is not None else "the server's limit"
        raise SettingsError(f"max_output_tokens={asked} is out of range: {model} writes 1 to {most} tokens")
    if settings.verbosity is not None and not profile.verbosity:
        raise SettingsError(f"{model} takes no `verbosity`: leave it out")
    _check_metadata(settings.metadata)
    for name, value in (settings.extra_headers or {}).items():
        if not (f"{name}{value}".isascii() and f"{name}{value}".isprintable()):
            raise SettingsError(f"extra_headers: {name!r} has a line break or a character that is no ASCII")


def _check_effort(settings: Settings, profile: Profile, model: str) -> None:
    if settings.effort is None:
        return
    if settings.effort not in _EFFORTS:
        raise SettingsError(f"effort={settings.effort!r} does not exist; there are {_listed(_EFFORTS)}")
    if profile.efforts is None or settings.effort in profile.efforts:
        return
    if not profile.efforts:
        raise SettingsError(f"{model} does not reason and takes no `effort`: leave it out")
    raise SettingsError(
        f"{model} does not take effort={settings.effort!r}; it takes {_listed(profile.efforts)}"
    )


def _check_sampling(settings: Settings, profile: Profile, model: str) -> None:
    given = [name for name in _SAMPLING if getattr(settings, name) is not None]
    if not given or profile.sampling == "always":
        return
    if profile.sampling == "never":
        raise SettingsError(f"{model} takes no `{given[0]}`: leave it out")
    effort = settings.effort or profile.default_effort
    if effort not in (None, "none"):
        raise SettingsError(
            f"{model} takes `{given[0]}` only without reasoning: leave it out, or set effort='none' "
            f"(it is {effort!r})"
        )


def _check_metadata(metadata: Mapping[str, str] | None) -> None:
    if metadata is None:
        return
    if len(metadata) > 16:
        raise SettingsError(f"metadata has {len(metadata)} entries; the most is 16")
    for key, value in metadata.items():
        if len(key) > 64 or len(value) > 512:
            raise SettingsError(
                f"metadata {key[:70]!r} is too long: keys have up to 64 characters, values 512"
            )


def parameters(settings: Settings, profile: Profile, endpoint: Endpoint) -> dict[str, Any]:
    """Return the parameters that come from settings alone; None is left out."""
    side = 0 if endpoint == "responses" else 1
    body: dict[str, Any] = {}
    for name, paths in _NAMES.items():
        value = getattr(settings, name)
        path = paths[side]
        if value is None or path is None:
            continue
        if path == "max_completion_tokens":
            path = profile.max_tokens_field
        head, _, tail = path.partition(".")
        if tail:
            body.setdefault(head, {})[tail] = value
        else:
            body[head] = value
    return body


def stop_sequences(settings: Settings) -> tuple[str, ...]:
    """Return the stop sequences as a tuple, empty ones left out."""
    stop = settings.stop
    if stop is None:
        return ()
    return tuple(s for s in ([stop] if isinstance(stop, str) else stop) if s)


def merge_body(body: dict[str, Any], extra: Mapping[str, Any] | None) -> None:
    """Merge `extra` into the body in place; objects are merged key by key, everything else replaces."""
    for key, value in (extra or {}).items():
        mine = body.get(key)
        if is_object(mine) and is_object(value):
            merged: dict[str, Any] = dict(mine)
            merge_body(merged, value)
            body[key] = merged
        else:
            body[key] = value


def remove(body: dict[str, Any], path: str) -> bool:
    """Take a refused parameter out of the body, in place; false where it is not there or must not go.

    `max_tokens` and `max_completion_tokens` become each other instead: a limit is never lost silently.
    """
    head, _, tail = path.partition(".")
    if head not in body or (head in _KEEP and not (head == "text" and tail == "verbosity")):
        return False
    if head in _OTHER_NAME:
        body[_OTHER_NAME[head]] = body.pop(head)
        return True
    inner: Any = body[head]
    if tail and is_object(inner):
        rest: dict[str, Any] = {k: v for k, v in inner.items() if k != tail}
        if len(rest) == len(inner):
            return False
        body[head] = rest
        if rest:
            return True
    del body[head]
    return True


def tool_name(tool: Mapping[str, Any]) -> str:
    """Return what a tool definition is called in a tool choice: its name, or its type for the server's own."""
    return str(tool.get("name") or tool.get("type"))


def choose_tools(
    choice: str | Sequence[str] | Mapping[str, Any], tools: Sequence[Mapping[str, Any]], profile: Profile
) -> tuple[Any, Sequence[Mapping[str, Any]]]:
    """Return (tool_choice in the shape of the Responses API, tools to send) for any form of `tool_choice`."""
    if isinstance(choice, Mapping) or choice in ("auto", "none"):
        return choice, tools
    if choice == "required":
        if not profile.tool_choice_required:
            raise SettingsError("this server refuses tool_choice='required': use 'auto', or name one tool")
        return choice, tools
    by_name = {tool_name(tool): tool for tool in tools}
    names = [choice] if isinstance(choice, str) else list(choice)
    for name in names:
        if name not in by_name:
            raise SettingsError(_no_such_tool(name, by_name))
    if isinstance(choice, str):
        return _reference(by_name[choice]), tools
    if not names:
        return "none", tools
    if not profile.allowed_tools:
        return "auto", [tool for tool in tools if tool_name(tool) in names]
    references = [_reference(by_name[name]) for name in names]
    return {"type": "allowed_tools", "mode": "auto", "tools": references}, tools


def _reference(tool: Mapping[str, Any]) -> dict[str, Any]:
    kind = tool.get("type")
    return {"type": kind, "name": tool["name"]} if kind in ("function", "custom") else {"type": kind}


def _no_such_tool(name: str, by_name: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, by_name, n=1)
    if not by_name:
        return f"tool_choice names {name!r}, but there are no tools"
    hint = f"did you mean {near[0]!r}?" if near else f"there are {_listed(sorted(by_name))}"
    return f"tool_choice names {name!r}, which is no tool here: {hint}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
