"""`jigwork doctor`: what is installed and set, which model would be used, and whether the engines work."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from .extras import EXTRAS, missing_of, need
from .models import default_model
from .options import json_option

__all__ = ["command"]

_PACKAGES = ("jigwork", "openai", "pydantic", "llguidance", "lark", "anyio", "orjson", "jsonschema")
_VARIABLES = ("JIGWORK_MODEL", "JIGWORK_DB", "JIGWORK_LOG", "NO_COLOR")


@click.command("doctor", short_help="Check the set-up.")
@json_option
def command(as_json: bool) -> int:
    """Check the set-up: versions, extras, keys (never their values), the model, and a run of each engine."""
    need("cli", "jigwork doctor")
    found: dict[str, Any] = {
        "python": {
            "version": platform.python_version(),
            "ok": sys.version_info >= (3, 11),
            "path": sys.executable,
        },
        "packages": {name: _version(name) for name in _PACKAGES},
        "extras": {
            name: {"ok": not missing_of(name), "missing": missing_of(name), "brings": what}
            for name, (_, what) in EXTRAS.items()
        },
        "environment": {name: bool(os.environ.get(name, "").strip()) for name in _variables()},
        "model": default_model(),
        "checks": [_check(name, run) for name, run in _CHECKS.items()],
    }
    found["ok"] = (
        found["python"]["ok"] and "error" not in found["model"] and all(c["ok"] for c in found["checks"])
    )
    if as_json:
        from .documents import print_json

        print_json(found)
    else:
        _show(found)
    return 0 if found["ok"] else 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _variables() -> list[str]:
    """Return the environment variables that mean something to Jigwork."""
    from ..models.providers import provider_for, provider_names

    names = list(_VARIABLES)
    for name in provider_names():
        provider = provider_for(name)
        names += [*provider.key_env, *([provider.base_env] if provider.base_env else [])]
    return list(dict.fromkeys(names))


def _check(name: str, run: Callable[[], str | None]) -> dict[str, Any]:
    """Run one check. Any exception is what it found: a broken installation can raise anything."""
    from .failures import message_of

    try:
        skipped = run()
    except Exception as error:  # noqa: BLE001
        return {"name": name, "ok": False, "message": message_of(error)}
    return {"name": name, "ok": True, "message": skipped or "works"}


def _grammar() -> None:
    from jigwork.grammars import Grammar

    grammar = Grammar.from_lark('start: "go " STEPS " " ("left" | "right")\nSTEPS: /[1-9][0-9]?/')
    wrong = [
        text for text, fits in (("go 12 left", True), ("go 0 left", False)) if grammar.accepts(text) != fits
    ]
    if wrong or grammar.explain("go 12 up").position != 6:
        raise RuntimeError(
            "the grammar engine (llguidance) judges a simple text wrongly: install its latest version"
        )


def _tool_run() -> None:
    from ..agent import Agent
    from ..testing import ScriptedModel

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    model = ScriptedModel([[{"name": "add", "arguments": {"a": 19, "b": 23}}], "done"])
    result = Agent(model, tools=[add]).run_sync("19 + 23?")
    outcome = result.calls[0].outcome
    if result.output != "done" or outcome is None or outcome.value != 42:
        raise RuntimeError(f"a scripted run gave {outcome}")


def _offline_run() -> str | None:
    """Ask a database of one table, made for the purpose."""
    if missing_of("sql"):
        return "skipped: pip install 'jigwork[sql]'"
    import sqlite3

    from jigwork.tools.sql import SQLDatabase

    from ..models.offline import OfflineModel
    from ..sql import SQLAgent

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "doctor.db")
        connection = sqlite3.connect(path)
        with connection:
            connection.execute("CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            connection.executemany("INSERT INTO tools (name) VALUES (?)", [("saw",), ("jig",), ("drill",)])
        connection.close()
        with SQLDatabase(path) as database:
            result = SQLAgent(database, OfflineModel(database)).run_sync("count tools")
    outcome = result.calls[0].outcome
    if outcome is None or [list(row) for row in outcome.value.rows] != [[3]]:
        raise RuntimeError(f"counting three rows gave {outcome}")
    return None


def _in_process() -> str | None:
    """Ask the engine for model files how it would hold an answer to a grammar."""
    if missing_of("gguf"):
        return "skipped: pip install 'jigwork[gguf]'"
    from ..models.gguf_engine import knows_llguidance

    return None if knows_llguidance() else "works, with GBNF in the place of llguidance"


_CHECKS: dict[str, Callable[[], str | None]] = {
    "grammar engine": _grammar,
    "model files": _in_process,
    "run with a tool": _tool_run,
    "offline question": _offline_run,
}


def _show(found: dict[str, Any]) -> None:
    from .screen import Screen

    screen = Screen()
    python = found["python"]
    screen.label("python", f"{python['version']} ({python['path']})")
    unknown = {"jigwork": "(a checkout, not installed)"}
    packages = [
        f"{name} {number or unknown.get(name, 'missing')}" for name, number in found["packages"].items()
    ]
    screen.label("has", ", ".join(packages))
    for name, extra in found["extras"].items():
        state = "installed" if extra["ok"] else f"missing: pip install 'jigwork[{name}]'"
        screen.label("extra", f"{name.ljust(9)} {state} ({extra['brings']})", "" if extra["ok"] else "yellow")
    present = [name for name, is_set in found["environment"].items() if is_set]
    screen.label("set", ", ".join(present) or "no environment variable that matters here")
    model = found["model"]
    screen.label("model", model["reason"] or model["error"], "" if model["name"] else "red")
    for check in found["checks"]:
        screen.label("check", f"{check['name']}: {check['message']}", "green" if check["ok"] else "red")
    screen.label("all in all", "  fine" if found["ok"] else "  something needs attention", "bold")
