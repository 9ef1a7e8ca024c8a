"""The user's own agent."""

from __future__ import annotations

from tools.clock import add_hours

from jigwork import Agent
from jigwork.testing import ScriptedModel

helper = Agent(
    ScriptedModel(
        [[{"name": "add_hours", "arguments": {"hour": 22, "hours": 5}}], "It is three in the morning."]
    ),
    tools=[add_hours],
)
