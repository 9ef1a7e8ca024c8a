"""What the house tests look at: the repository, its modules by import name, a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _import_name(path: Path) -> str:
    """Say under which name an installation offers a file: agent/loop.py is jigwork.agent.loop."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[2:] if parts[:2] == ("agent", "jigwork") else parts
    return ".".join(["jigwork", *(part for part in parts if part != "__init__")])


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> dict[str, Path]:
    """Every module of the product, by import name."""
    files = [
        path for folder in ("agent", "tools", "grammars") for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    assert files, "no modules found: the folders have moved"
    return {_import_name(path): path for path in files}


@pytest.fixture(scope="session")
def sources(modules: dict[str, Path]) -> list[Path]:
    """Every Python file that people read: the product, its tests, its examples."""
    others = [path for folder in ("tests", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [*modules.values(), *others]


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program text in a fresh interpreter, with arguments, and return what it wrote."""

    def run(program: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)

    return run
