"""A real llama.cpp for the tests of this folder, in a process of its own that can be killed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def llamacpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the server; skips where its packages are not installed."""
    for package in ("xllamacpp", "gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    folder = tmp_path_factory.mktemp("llamacpp")
    script = Path(__file__).with_name("tiny_server.py")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdout=subprocess.PIPE, stderr=log, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("listening "):
                yield f"{line.split()[1]}/v1"
                break
        else:
            pytest.fail(f"llama.cpp did not start: {(folder / 'log').read_text()[-2000:]}")
    finally:
        process.kill()
        process.wait()
