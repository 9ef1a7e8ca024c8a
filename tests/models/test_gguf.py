"""A model file for this process: what is refused before anything is loaded."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from jigwork import (
    Agent,
)
from jigwork.agent.models.gguf import GGUFModel
from jigwork.agent.models.gguf_file import GGUFInfo
from jigwork.agent.models.resolve import resolve_model
from jigwork.errors import (
    ConfigurationError,
    MissingExtraError,
    UnknownModelError,
)

# --- the file, without llama.cpp ---


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def head(**values: str | int | list[str]) -> bytes:
    """The head of a GGUF file with these values; `__` in a name stands for a dot."""
    pairs = b""
    for name, value in values.items():
        pairs += text(name.replace("__", "."))
        if isinstance(value, str):
            pairs += struct.pack("<I", 8) + text(value)
        elif isinstance(value, int):
            pairs += struct.pack("<II", 4, value)
        else:
            pairs += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + pairs


LLAMA: dict[str, Any] = {
    "general__architecture": "llama",
    "tokenizer__ggml__tokens": ["a", "b", "é"],
    "llama__context_length": 4096,
    "tokenizer__chat_template": "{{ messages }}",
}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make believe that the extra is there: none of these tests comes as far as loading."""
    monkeypatch.setattr("jigwork.agent.models.gguf.find_spec", lambda name: name)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def test_the_head_of_a_file_is_read(tmp_path: Path) -> None:
    """Name, context and template are found, also behind a vocabulary."""
    path = tmp_path / "a.gguf"
    path.write_bytes(head(**LLAMA) + b"weights")
    info = GGUFInfo.read(path)
    assert (info.architecture, info.name, info.context_length) == ("llama", "a", 4096)
    assert info.template == "{{ messages }}"


REFUSED: list[tuple[bytes | None, str]] = [
    (None, "no such file"),
    (b"", "it is empty"),
    (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    (b"<!doctype html><title>404</title>", "web page"),
    (b"PK\x03\x04rest", "convert_hf_to_gguf"),
    (b"hello", "is no GGUF file"),
    (b"GGUF\x03", "damaged"),
    (head(**LLAMA)[:90], "damaged"),
    (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), "damaged"),
    (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**60) + b"x", "damaged"),
    (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "damaged"),
    (head(general__architecture="bert"), "embeds texts"),
    (head(general__architecture="llama"), "no chat template"),
]


@pytest.mark.parametrize(("content", "said"), REFUSED)
@pytest.mark.usefixtures("installed")
def test_a_file_that_cannot_be_used_is_an_error_of_its_line(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    """The string of a model is judged where an agent is made, before anything is loaded."""
    path = tmp_path / "x.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        Agent(f"gguf:{path}")


@pytest.mark.usefixtures("installed")
def test_any_bytes_are_a_model_or_an_error_with_a_sentence(tmp_path: Path) -> None:
    """A head with random bytes in it never raises anything else, and never takes long."""
    rng, path = random.Random(3), tmp_path / "x.gguf"
    for _ in range(300):
        data = bytearray(head(**LLAMA))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            GGUFModel(path)
        except ConfigurationError as error:
            assert str(path) in str(error)


@pytest.mark.usefixtures("installed")
def test_options_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    """No context, no requests, no file: each with the fix."""
    path = tmp_path / "x.gguf"
    path.write_bytes(head(general__architecture="llama"))
    with pytest.raises(ConfigurationError, match="1 or more"):
        GGUFModel(path, template="chatml", context=0)
    path.write_bytes(head(**LLAMA))
    with pytest.raises(ConfigurationError, match="trained on"):
        GGUFModel(path, context=8192)
    with pytest.raises(UnknownModelError, match="names no file"):
        resolve_model("gguf:")


def test_without_the_extra_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error names the extra."""
    monkeypatch.setattr("jigwork.agent.models.gguf.find_spec", lambda name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    path = tmp_path / "x.gguf"
    path.write_bytes(head(**LLAMA))
    with pytest.raises(MissingExtraError, match=r"jigwork\[gguf\]"):
        resolve_model(f"gguf:{path}")


@pytest.mark.usefixtures("installed")
def test_options_may_follow_the_path(tmp_path: Path) -> None:
    """A command line can say what a program says with arguments; what is no option is an error with those there are."""
    path = tmp_path / "a file.gguf"
    path.write_bytes(head(**LLAMA))
    assert isinstance(resolve_model(f"gguf:{path}?context=2048&threads=2&template=chatml"), GGUFModel)
    for wrong in ("contxt=1", "context=many", "template=x", "threads="):
        with pytest.raises(UnknownModelError, match="there are context=NUMBER"):
            resolve_model(f"gguf:{path}?{wrong}")
    with pytest.raises(ConfigurationError, match="trained on"):
        resolve_model(f"gguf:{path}?context=9999")
