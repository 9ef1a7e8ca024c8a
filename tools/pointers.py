"""JSON pointers: write a place in a value, and find what a local `$ref` of a schema points to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from jigwork.errors import SchemaError

from .jsontypes import is_array, is_mapping

__all__ = ["follow", "pointer"]


def pointer(path: tuple[str | int, ...] | list[str | int]) -> str:
    """Write a path as a JSON pointer; the root is the empty pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def follow(root: Mapping[str, Any], reference: str) -> Any:
    """Return what a local `$ref` (`#` or `#/...`) points to; raise SchemaError when there is nothing."""
    node: Any = root
    for part in reference.lstrip("#").split("/")[1:]:
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if is_array(node) and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        elif is_mapping(node) and name in node:
            node = node[name]
        else:
            raise SchemaError(f'"$ref": "{reference}" points to nothing; put the definition under "$defs"')
    return node
