"""What a GGUF file says about its model, read from its head: name, context length, chat template. No weight is read."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jigwork.errors import ConfigurationError

__all__ = ["GGUFInfo"]

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The number of a value type in the file -> its format for `struct`; strings and arrays apart."""

_WRITES_NOTHING = frozenset({"bert", "nomic-bert", "jina-bert-v2", "modern-bert", "t5encoder", "clip"})
"""Architectures that make vectors of texts, and no texts."""


@dataclass(frozen=True, slots=True)
class GGUFInfo:
    """The head of a model file. `template` is its chat template, None where it has none; `context_length` is what
    the model was trained on, in tokens, None where the file does not say."""

    path: Path
    architecture: str
    name: str
    context_length: int | None
    template: str | None

    @classmethod
    def read(cls, path: Path) -> GGUFInfo:
        """Read the head of a file. Raises ConfigurationError where it is no GGUF file of a model that writes text."""
        try:
            status = path.stat()
            values = _values(path, status.st_mtime_ns, status.st_size)
        except OSError as error:
            said = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
            raise ConfigurationError(f"cannot read the model file {path}: {said}") from error
        except (struct.error, IndexError, KeyError, ValueError, OverflowError) as error:
            if isinstance(error, ConfigurationError):
                raise
            raise ConfigurationError(
                f"the head of {path} is damaged or cut short: download the file again"
            ) from error
        architecture = str(values.get("general.architecture", ""))
        if architecture in _WRITES_NOTHING:
            raise ConfigurationError(
                f"{path} holds a model of the kind {architecture!r}, which embeds texts and writes none: use another"
            )
        length: Any = values.get(f"{architecture}.context_length")
        template: Any = values.get("tokenizer.chat_template")
        return cls(
            path,
            architecture,
            str(values.get("general.name") or path.stem),
            int(length) if length else None,
            template if isinstance(template, str) and template.strip() else None,
        )


@lru_cache(maxsize=16)
def _values(path: Path, changed: int, size: int) -> dict[str, Any]:
    """The values of a file as it was then: a large vocabulary takes a tenth of a second to walk through."""
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise ConfigurationError(f"{path} is no GGUF file: {_seen(path)}")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Head(data).values()


class _Head:
    """Walks through the key-value pairs at the beginning of the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 4

    def values(self) -> dict[str, Any]:
        """Return all scalar values by name; arrays (vocabularies) are passed over."""
        version, _tensors, count = self._take("<IQQ")
        if not 2 <= version <= 9:
            raise ValueError(f"version {version}")
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self._string().decode()
            (kind,) = self._take("<I")
            if kind == _ARRAY:
                self._pass_array()
            elif kind == _STRING:
                found[key] = self._string().decode("utf-8", "replace")
            else:
                (found[key],) = self._take(f"<{_FORMATS[kind]}")
        return found

    def _take(self, form: str) -> tuple[Any, ...]:
        taken = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return taken

    def _string(self) -> bytes:
        (length,) = self._take("<Q")
        end = self._at + length
        if end > len(self._data):
            raise IndexError(end)
        text = self._data[self._at : end]
        self._at = end
        return text

    def _pass_array(self) -> None:
        kind, count = self._take("<IQ")
        if kind == _STRING:
            for _ in range(count):
                (length,) = self._take("<Q")
                self._at += length
        else:
            self._at += count * struct.calcsize(f"<{_FORMATS[kind]}")


def _seen(path: Path) -> str:
    """What a file that is none may be instead."""
    head = path.open("rb").read(200)
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; fetch the model itself with `git lfs pull`"
    if head.lstrip()[:1] == b"<":
        return "it is a web page, not the model: download the file itself"
    if head[:2] == b"PK" or b"safetensors" in path.name.encode() or path.suffix in (".bin", ".pt", ".pth"):
        return "weights of another kind; llama.cpp's convert_hf_to_gguf.py makes a GGUF file of them"
    return f"it begins with {head[:4]!r}"
