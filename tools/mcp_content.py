"""What MCP servers send, as what a model is sent: content blocks become content parts, results become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jigwork.errors import ToolError

if TYPE_CHECKING:
    import mcp_types as types

__all__ = ["MCPResult", "contents_as_parts", "prompt_as_items", "result_of"]

Part = dict[str, Any]

_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class MCPResult:
    """What a tool of an MCP server returned: its content as parts, and its structured content (None: none)."""

    parts: tuple[Part, ...]
    structured: Any = None

    def for_model(self) -> Any:
        """Return the texts as one text, the parts where there are others too, or else the structured content."""
        if not self.parts:
            return self.structured
        if all(part["type"] == "input_text" for part in self.parts):
            return "\n".join(part["text"] for part in self.parts)
        return list(self.parts)


def result_of(result: types.CallToolResult) -> MCPResult:
    """Read a result; raises ToolError, in the server's words, where the tool says that it failed."""
    made = MCPResult(tuple(map(_part, result.content)), result.structured_content)
    if result.is_error:
        texts = [str(part.get("text", "")) for part in made.parts]
        raise ToolError("\n".join(filter(None, texts)) or "The tool failed and did not say why.")
    return made


def prompt_as_items(result: types.GetPromptResult) -> list[dict[str, Any]]:
    """Return a prompt's messages as items, to be given to `agent.run`."""
    return [_message(message.role, _part(message.content)) for message in result.messages]


def _message(role: str, part: Part) -> dict[str, Any]:
    if role != "assistant":
        return {"type": "message", "role": role, "content": [part]}
    text = {"type": "output_text", "text": str(part.get("text", "")), "annotations": list[Any]()}
    return {"type": "message", "role": role, "content": [text]}


def contents_as_parts(
    contents: Iterable[types.TextResourceContents | types.BlobResourceContents],
) -> list[Part]:
    """Return the contents of a resource as parts."""
    return [_contents(one, named=False) for one in contents]


def _part(block: types.ContentBlock) -> Part:
    if block.type == "text":
        return _text(block.text)
    if block.type == "image":
        return _binary(block.mime_type, block.data, "an image")
    if block.type == "audio":
        return _binary(block.mime_type, block.data, "a recording")
    if block.type == "resource":
        return _contents(block.resource, named=True)
    about = f": {block.description}" if block.description else ""
    return _text(f"[resource {block.name} at {block.uri}{about}]")


def _contents(one: types.TextResourceContents | types.BlobResourceContents, *, named: bool) -> Part:
    text: str | None = getattr(one, "text", None)
    if text is not None:
        return _text(f"[resource {one.uri}]\n{text}" if named else text)
    return _binary(one.mime_type or "", str(getattr(one, "blob", "")), f"the resource {one.uri}")


def _binary(mime: str, data: str, what: str) -> Part:
    """Show what a model can see, and say of everything else that it is there."""
    mime = mime.partition(";")[0].strip().lower()
    if mime in _IMAGES:
        return {"type": "input_image", "image_url": f"data:{mime};base64,{data}"}
    if mime == "application/pdf":
        return {"type": "input_file", "filename": "file.pdf", "file_data": f"data:{mime};base64,{data}"}
    size = len(data) * 3 // 4
    return _text(f"[{what} of type {mime or 'unknown'} and {size} bytes, which cannot be shown]")


def _text(text: str) -> Part:
    return {"type": "input_text", "text": text}


def plain(model: Any) -> Mapping[str, Any]:
    """Return one of MCP's models as plain JSON data."""
    return dict(model.model_dump(by_alias=True, mode="json", exclude_none=True))
