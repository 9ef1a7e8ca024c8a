"""What MCP servers send, as what a model is sent: content blocks become content parts, results become values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jigwork.errors import ToolError

from .box.outside import mark_outside
from .render import to_json

if TYPE_CHECKING:
    import mcp_types as types

__all__ = ["MCPResult", "contents_as_parts", "marked_parts", "plain", "prompt_as_items", "result_of"]

Part = dict[str, Any]

_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class MCPResult:
    """What a tool of an MCP server returned: its content as parts, and its structured content (None: none).

    `source` is named in the marks around what a model is shown of it; None for a server that is trusted.
    """

    parts: tuple[Part, ...]
    structured: Any = None
    source: str | None = None

    def for_model(self) -> Any:
        """Return the texts as one text, the parts where there are others too, or else the structured content."""
        if not self.parts:
            if self.structured is None or self.source is None:
                return self.structured
            return mark_outside(to_json(self.structured), self.source)
        if all(part["type"] == "input_text" for part in self.parts):
            # Joined before it is marked: no mark can be put together of several blocks.
            return _marked("\n".join(part["text"] for part in self.parts), self.source)
        return marked_parts(self.parts, self.source)


def result_of(result: types.CallToolResult, source: str | None = None) -> MCPResult:
    """Read a result; raises ToolError, in the server's words, where the tool says that it failed."""
    made = MCPResult(tuple(map(_part, result.content)), result.structured_content, source)
    if result.is_error:
        texts = [str(part.get("text", "")) for part in made.parts]
        said = "\n".join(filter(None, texts))
        raise ToolError(_marked(said, source) if said else "The tool failed and did not say why.")
    return made


def marked_parts(parts: Iterable[Part], source: str | None) -> list[Part]:
    """Return parts with every text in them marked; what stands beside a text (a file's name) is made harmless, too."""
    made: list[Part] = []
    for part in parts:
        made.append({**part, "text": _marked(str(part["text"]), source)} if "text" in part else part)
    return made


def _marked(text: str, source: str | None) -> str:
    return text if source is None else mark_outside(text, source)


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
