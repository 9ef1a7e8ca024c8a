"""A tiny language model with random weights, for llama.cpp's own server."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that writes noise, made by the script that serves it to the tests of whole requests."""
    for package in ("gguf", "numpy"):
        pytest.importorskip(package, reason=f"needs the package {package}")
    script = Path(__file__).parents[1] / "external" / "tiny_server.py"
    spec = spec_from_file_location("tiny_server", script)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    module.write_model(path)
    return path
