"""The rules of strict schemas: how deep a schema may be."""

from __future__ import annotations

from typing import Any

import pytest

from jigwork.agent.server.schema_rules import fits_strict


def nested(levels: int, name: str) -> dict[str, Any]:
    """Make a strict schema of so many levels of objects, the root among them, each under a property of this name."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {
            "type": "object",
            "properties": {name: schema},
            "required": [name],
            "additionalProperties": False,
        }
    return schema


@pytest.mark.parametrize("name", ["a", "items", "properties", "anyOf", "$defs"])
def test_depth_does_not_depend_on_names(name: str) -> None:
    """Ten levels may be nested, whatever the properties are called."""
    assert fits_strict(nested(9, name))
    assert not fits_strict(nested(10, name))
