"""Engines: what the local server answers. A script of replies, a function, or any `Model`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

from jigwork.errors import ConfigurationError, MissingExtraError, ModelError, QuestionError

from ..events import ItemAdded, ResponseEnded
from ..items import Item
from ..replies import Reply, ReplyLike
from ..usage import Usage
from .api_errors import ApiError
from .fault_table import check_faults
from .json_data import object_of
from .requests import ServedRequest

if TYPE_CHECKING:
    from ..models.base import Model, ModelRequest

__all__ = ["Engine", "ModelEngine", "Respond", "Script", "ScriptedEngine"]

Respond: TypeAlias = Callable[[ServedRequest], "ReplyLike | Awaitable[ReplyLike]"]
"""Decides on a reply. It runs on the server's event loop: a function that waits must be `async`."""

Script: TypeAlias = "Sequence[ReplyLike] | Respond | str | Path"


@runtime_checkable
class Engine(Protocol):
    """Answers requests. `models` are the ids that exist; an empty one means that every id is accepted."""

    @property
    def models(self) -> Sequence[str]:
        """The model ids that `/v1/models` lists."""
        ...

    async def answer(self, request: ServedRequest) -> Reply:
        """Return what to say; raises `ApiError` to answer with an error."""
        ...


class ScriptedEngine:
    """Plays replies in order, or asks a function for each.

    `script` is a sequence of replies, a callable, or the path of a YAML or JSON file: a list of replies, or
    `{"replies": [...], "repeat": true, "models": {"gpt-5.2": [...]}}`. `per_model` has a script of its own for
    some models. With `repeat` a script starts again at its end; otherwise the server answers 500 and says so.
    """

    def __init__(
        self, script: Script = (), *, repeat: bool = False, per_model: Mapping[str, Script] | None = None
    ) -> None:
        self._tracks: dict[str | None, _Track] = {}
        if isinstance(script, (str, Path)):
            path = Path(script)
            data = _load(path)
            repeat = bool(data.get("repeat", repeat))
            self._tracks[None] = _Track(data.get("replies", ()), repeat, str(path))
            per_model = {**data.get("models", {}), **(per_model or {})}
        else:
            self._tracks[None] = _Track(script, repeat, "the script")
        for model, track in (per_model or {}).items():
            self._tracks[model] = _Track(track, repeat, f"the script of {model!r}")

    @property
    def models(self) -> Sequence[str]:
        """Nothing is listed: a script answers for every model id."""
        return ()

    @property
    def played(self) -> int:
        """How many replies have been given, over all models."""
        return sum(track.played for track in self._tracks.values())

    @property
    def remaining(self) -> int:
        """How many replies of the sequences have not been played yet."""
        return sum(track.remaining for track in self._tracks.values())

    async def answer(self, request: ServedRequest) -> Reply:
        """Return the next reply for the request's model."""
        return await self._tracks.get(request.model, self._tracks[None]).next(request)


class _Track:
    """One script: where it stands."""

    def __init__(self, script: Any, repeat: bool, name: str) -> None:
        self.played = 0
        self._name = name
        self._repeat = repeat
        self._respond: Respond | None = cast("Respond", script) if callable(script) else None
        entries: Any = () if self._respond is not None else script
        if isinstance(entries, (str, Mapping, Reply)):
            raise ConfigurationError(f"{name} must be a list of replies: put [ ] around the one reply")
        if not isinstance(entries, Sequence):
            kind = type(entries).__name__
            raise ConfigurationError(
                f"{name} must be a list of replies or a function, not {kind}; a model goes into ModelEngine(...)"
            )
        self._replies = [Reply.of(entry) for entry in cast("Sequence[ReplyLike]", entries)]
        for reply in self._replies:
            check_faults(reply.fault)

    @property
    def remaining(self) -> int:
        return max(0, len(self._replies) - self.played)

    async def next(self, request: ServedRequest) -> Reply:
        if self._respond is not None:
            made = self._respond(request)
            reply = Reply.of(await made if inspect.isawaitable(made) else made)
            check_faults(reply.fault)
            self.played += 1
            return reply
        number = self.played % len(self._replies) if self._repeat and self._replies else self.played
        if number >= len(self._replies):
            raise ApiError(
                f"{self._name} is exhausted: its {len(self._replies)} replies have been played and one more "
                "request came; add a reply, or say repeat=True",
                status=500,
                type="server_error",
                code="script_exhausted",
            )
        self.played += 1
        return self._replies[number]


def _load(path: Path) -> dict[str, Any]:
    """Read a replies file; raises ConfigurationError that says what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot read the replies file {path}: {error.strerror}") from error
    try:
        data = _parse(text, path)
    except ValueError as error:
        raise ConfigurationError(f"the replies file {path} is malformed: {error}") from error
    if isinstance(data, list):
        return {"replies": data}
    if not isinstance(data, dict):
        raise ConfigurationError(
            f"the replies file {path} must be a list of replies, or have a key `replies`"
        )
    known = {"replies", "repeat", "models"}
    script = cast("dict[str, Any]", data)
    if unknown := sorted(set(script) - known):
        raise ConfigurationError(
            f"the replies file {path} has no key {unknown[0]!r}; it may have {sorted(known)}"
        )
    return script


def _parse(text: str, path: Path) -> Any:
    if path.suffix == ".json":
        import json

        return json.loads(text)
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("reading a YAML file of replies", "server") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")) from error


class ModelEngine:
    """Serves any `Model`: its finished items are the answer, its usage the usage.

    `model` names itself in `/v1/models` and answers for every id, unless `only` restricts it to its own.
    """

    def __init__(self, model: Model, *, only: bool = False) -> None:
        self.model = model
        self._only = only

    @property
    def models(self) -> Sequence[str]:
        """The name of the model, where it answers for no other."""
        return (self.model.name,) if self._only else ()

    async def answer(self, request: ServedRequest) -> Reply:
        """Run the model over the request and gather what it says."""
        items: list[Item] = []
        usage, incomplete = Usage(requests=1), None
        try:
            async for event in self.model.stream(_model_request(request)):
                if isinstance(event, ItemAdded):
                    items.append(event.item)
                elif isinstance(event, ResponseEnded):
                    usage = event.usage
                    incomplete = event.reason or "max_output_tokens" if event.status == "incomplete" else None
        except ModelError as error:
            raise ApiError(
                str(error),
                status=error.status or 502,
                type="server_error",
                code=error.code,
                param=error.param,
            ) from error
        except QuestionError as error:
            raise ApiError(str(error), param="input", code="question_not_understood") from error
        except ConfigurationError as error:
            raise ApiError(str(error), code="unsupported_value") from error
        return Reply(items=tuple(items), usage=usage, incomplete=incomplete)


def _model_request(request: ServedRequest) -> ModelRequest:
    from ..models.base import ModelRequest, OutputFormat

    output = None
    if request.format is not None and request.format.get("type") == "json_schema":
        output = OutputFormat(
            name=request.format["name"],
            schema=request.format["schema"],
            strict=request.format.get("strict") is True,
            description=request.format.get("description"),
        )
    return ModelRequest(
        items=request.items,
        instructions=request.instructions,
        tools=request.tools,
        output=output,
        settings=_settings(request),
        stream=request.stream,
    )


def _settings(request: ServedRequest) -> Any:
    from ..models.settings import Settings

    body = request.body
    reasoning = object_of(body.get("reasoning"))
    return Settings(
        effort=reasoning.get("effort") or body.get("reasoning_effort"),
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        stop=body.get("stop"),
        seed=body.get("seed"),
        max_output_tokens=body.get("max_output_tokens") or body.get("max_completion_tokens"),
        parallel_tool_calls=body.get("parallel_tool_calls"),
        tool_choice=request.tool_choice,
    )
