"""A local server that speaks the OpenAI API over an engine of yours: for tests, demos and offline work."""

from __future__ import annotations

from ..replies import Reply, ReplyLike, ScriptedCall
from .api_errors import ApiError
from .engines import Engine, ModelEngine, Script, ScriptedEngine
from .local import LocalServer, serve
from .requests import ReceivedRequest, ServedRequest

__all__ = [
    "ApiError",
    "Engine",
    "LocalServer",
    "ModelEngine",
    "ReceivedRequest",
    "Reply",
    "ReplyLike",
    "Script",
    "ScriptedCall",
    "ScriptedEngine",
    "ServedRequest",
    "serve",
]
