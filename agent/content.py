"""Images and files as input: content parts from a path, bytes or a URL."""

from __future__ import annotations

import base64
import mimetypes
import os
from pathlib import Path
from typing import Literal

from jigwork.errors import ConfigurationError

from .items import Part

__all__ = ["file", "image", "text"]

_URLS = ("http://", "https://", "data:")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_PDF = b"%PDF-"


def text(value: str) -> Part:
    """Make a text part, to put beside images and files."""
    return {"type": "input_text", "text": value}


def image(
    source: str | os.PathLike[str] | bytes,
    *,
    detail: Literal["auto", "low", "high", "original"] | None = None,
) -> Part:
    """Make an image part of a path, the bytes of a PNG, JPEG, GIF or WebP, or a URL (`https:` or `data:`).

    Paths are read now. `detail` says how closely the model looks, which is what an image costs. Raises
    ConfigurationError for a path that is no file and for bytes that are no such image.
    """
    if isinstance(source, str) and source.startswith(_URLS):
        url = source
    else:
        data, name = _read(source, "image")
        kind = _image_type(data)
        if kind is None:
            raise ConfigurationError(
                f"{name} is no PNG, JPEG, GIF or WebP image; give other files with file()"
            )
        url = _data_url(kind, data)
    part: Part = {"type": "input_image", "image_url": url}
    if detail is not None:
        part["detail"] = detail
    return part


def file(source: str | os.PathLike[str] | bytes, *, filename: str | None = None) -> Part:
    """Make a file part of a path, of bytes (then `filename` is needed), or of a URL.

    Paths are read now. A URL works on the Responses endpoint only. Raises ConfigurationError for a path that is
    no file and for bytes without a name.
    """
    if isinstance(source, str) and source.startswith(_URLS):
        if not source.startswith("data:"):
            part: Part = {"type": "input_file", "file_url": source}
            return part if filename is None else {**part, "filename": filename}
        return {"type": "input_file", "filename": filename or "file", "file_data": source}
    if isinstance(source, bytes) and filename is None:
        raise ConfigurationError("a file of bytes needs a name: file(data, filename='report.pdf')")
    data, name = _read(source, "file")
    name = filename or name
    kind = mimetypes.guess_type(name)[0] or ("application/pdf" if data.startswith(_PDF) else None)
    return {
        "type": "input_file",
        "filename": name,
        "file_data": _data_url(kind or "application/octet-stream", data),
    }


def _read(source: str | os.PathLike[str] | bytes, what: str) -> tuple[bytes, str]:
    """Return the bytes and a name for messages."""
    if isinstance(source, bytes):
        if not source:
            raise ConfigurationError(f"the {what} is empty: 0 bytes")
        return source, f"the {what} of {len(source)} bytes"
    path = Path(source)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"no {what} at {str(path)!r} (in {Path.cwd()})") from None
    except OSError as error:
        raise ConfigurationError(f"cannot read the {what} {str(path)!r}: {error.strerror}") from error
    if not data:
        raise ConfigurationError(f"the {what} {str(path)!r} is empty")
    return data, path.name


def _image_type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
