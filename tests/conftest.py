"""What holds for every test: where jigwork is found, an environment without keys, how hypothesis searches."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent


def _link_tree() -> tempfile.TemporaryDirectory[str]:
    """Let a bare checkout be tested: link the folders together as an installation would, for subprocesses too."""
    tree = tempfile.TemporaryDirectory(prefix="jigwork-checkout-")
    package = Path(tree.name, "jigwork")
    package.mkdir()
    front_door = (path for path in (ROOT / "agent/jigwork").iterdir() if path.is_file())
    for target in (ROOT / "agent", ROOT / "tools", ROOT / "grammars", *front_door):
        (package / target.name).symlink_to(target)
    sys.path.insert(0, tree.name)
    paths = [tree.name, os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return tree


if importlib.util.find_spec("jigwork") is None:
    _tree = _link_tree()  # removed when the interpreter ends

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take keys, model names and log settings out of the environment: no test may reach a real server."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "COMETAPI_", "OPENROUTER_", "JIGWORK_")) and name != "JIGWORK_CORPORA":
            monkeypatch.delenv(name)
