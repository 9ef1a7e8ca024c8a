"""Profiles: what a model on a server can do, as dated data.

`registry.py` holds the table of known models; a provider changes what its server does differently.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from .constraints import ResponseGrammar
from .prices import Price
from .settings import Effort

__all__ = ["ALIASES", "Alias", "Profile", "known_models", "nearest_models", "profile_for", "warn_if_retired"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model on a server can do. The default is permissive: an unknown model is trusted with everything
    that most servers take, and its price is unknown.

    `efforts` None means unknown (any is sent), () none at all. `sampling` says when temperature, top_p and
    penalties are taken. The last group is about the dialect of the server rather than the model; `json_arguments`
    says that it decodes the arguments in a history, and refuses the whole history where they are no JSON object.
    `schema_with_tools` False: a schema for the answer would keep the model from calling tools. `masked`: grammar tools
    are held to their grammars by masks in this process.
    """

    context_window: int | None = None
    max_output_tokens: int | None = None
    efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    sampling: Literal["always", "never", "without_reasoning"] = "always"
    stop: bool = True
    verbosity: bool = True
    endpoints: tuple[str, ...] = ("chat",)
    custom_tools: bool = False
    strict_tools: bool = True
    json_schema: bool = True
    tool_choice_required: bool = True
    allowed_tools: bool = False
    tool_search: bool = False
    parallel_tool_calls: bool = True
    chat_tools_with_effort: bool = True
    price: Price | None = None
    shutdown: date | None = None
    successor: str | None = None

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system_role: Literal["system", "developer"] = "system"
    single_system: bool = False
    empty_content: Literal["null", "empty"] = "null"
    stream_usage: bool = True
    obfuscation: bool = False
    think_tags: bool = True
    encrypted_reasoning: bool = False
    json_arguments: bool = False
    response_grammar: ResponseGrammar | None = None
    schema_with_tools: bool = True
    masked: bool = False

    @property
    def reasons(self) -> bool:
        """Whether the model is known to be able to reason."""
        return bool(self.efforts) and self.efforts != ("none",)


@dataclass(frozen=True, slots=True)
class Alias:
    """A name by purpose: a model and the effort that goes with it."""

    model: str
    effort: Effort | None = None


ALIASES: Mapping[str, Alias] = {
    "instant": Alias("gpt-5.2", "none"),
    "thinking": Alias("gpt-5.2", "medium"),
    "pro": Alias("gpt-5.2-pro"),
}
"""Names by purpose; `gpt-5.2-chat-latest`, once called Instant, is shut down."""

_SNAPSHOT = re.compile(r"-\d{4}-\d\d-\d\d$")
_RECENT = re.compile(r"gpt-([5-9]|\d\d)(?![\da-z])|o[34]\b")
_warned: set[str] = set()


def known_models() -> Mapping[str, Profile]:
    """Return every model of the registry, newest family first."""
    from .registry import MODELS

    return MODELS


def profile_for(name: str) -> Profile:
    """Return the profile of a model id.

    Dated snapshots, fine-tunes (`ft:base:...`) and `vendor/` prefixes have that of their base. An id of OpenAI's
    that is not in the table has what its generation has in common, any other is permissive; both have no price.
    """
    from .registry import MODELS, RECENT

    bare = name.split(":")[1] if name.startswith("ft:") else name.rsplit("/", 1)[-1]
    found = MODELS.get(bare) or MODELS.get(_SNAPSHOT.sub("", bare))
    if found is None:
        return RECENT if _RECENT.match(bare) else Profile()
    return replace(found, price=None) if name.startswith("ft:") else found


def nearest_models(name: str, n: int = 3) -> list[str]:
    """Return the known ids and aliases that look most like `name`."""
    return difflib.get_close_matches(name.lower(), [*ALIASES, *known_models()], n=n, cutoff=0.6)


def warn_if_retired(name: str, profile: Profile, *, today: date | None = None) -> None:
    """Warn once per model id that is shut down or will be within 30 days, and name its successor."""
    if profile.shutdown is None or name in _warned:
        return
    days = (profile.shutdown - (today or date.today())).days
    if days > 30:
        return
    _warned.add(name)
    when = "was shut down on" if days <= 0 else "will be shut down on"
    use = f"; use {profile.successor!r}" if profile.successor else ""
    warnings.warn(f"model {name!r} {when} {profile.shutdown.isoformat()}{use}", UserWarning, stacklevel=3)
