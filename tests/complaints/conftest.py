"""What the tests of recorded complaints share: the local server, and how a run's calls ended."""

from __future__ import annotations

from jigwork.agent import pytest_plugin

jigwork_server = pytest_plugin.jigwork_server
"""The fixture that users get, also where the plugin is not installed."""
