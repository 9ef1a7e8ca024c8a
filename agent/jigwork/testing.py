"""What one needs to test an agent: `ScriptedModel`, `Reply`, `capture_events`."""

from jigwork.agent.testing import Reply, ScriptedCall, ScriptedModel, capture_events

__all__ = ["Reply", "ScriptedCall", "ScriptedModel", "capture_events"]
