"""Importing jigwork is light, and what is not installed is asked for by name."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = [
    *(
        "openai",
        "httpx2",
        "pydantic",
        "pydantic_core",
        "lark",
        "llguidance",
        "jsonschema",
        "anyio",
        "asyncio",
    ),
    *("sqlalchemy", "sqlglot", "rich", "click", "prompt_toolkit", "starlette", "uvicorn", "yaml"),
]
# What `pip install jigwork` does not bring, by the extra that does.
EXTRAS = {
    "cli": ["click", "rich", "prompt_toolkit"],
    "sql": ["sqlalchemy", "sqlglot"],
    "server": ["starlette", "uvicorn", "yaml"],
}
WITHOUT = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

names = set(json.loads(sys.argv.pop(1)))
sys.meta_path.insert(0, Missing())
"""
CONSOLE = "from jigwork.__main__ import main\nsys.argv[0] = 'jigwork'\nsys.exit(main())"

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_import_brings_nothing_heavy(run_python: Run) -> None:
    """`import jigwork` imports no client, no grammar engine, no database and no event loop."""
    done = run_python("import sys, json, jigwork\nprint(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert not set(HEAVY) & set(json.loads(done.stdout))


def test_import_is_quick(run_python: Run) -> None:
    """`import jigwork` takes less than 60 ms of CPU, at the best of five."""
    program = "import time\nt = time.process_time()\nimport jigwork\nprint(time.process_time() - t)"
    times = [float(run_python(program).stdout) for _ in range(5)]
    assert min(times) < 0.06, times


def test_unknown_name_is_an_import_error(run_python: Run) -> None:
    """A name that does not exist fails as in any other package."""
    done = run_python("from jigwork import nope")
    assert "ImportError: cannot import name 'nope' from 'jigwork'" in done.stderr


def test_every_public_name_is_offered(run_python: Run) -> None:
    """`dir(jigwork)` lists every public name before any of them is used."""
    done = run_python("import jigwork\nprint(set(jigwork.__all__) - set(dir(jigwork)), len(jigwork.__all__))")
    assert done.stdout.startswith("set()"), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        (["cli", "sql", "server"], ["--help"], "cli"),
        (["cli", "sql", "server"], ["ask", "count orders", "--db", "shop.db"], "cli"),
        (["sql"], ["ask", "count orders", "--db", "shop.db"], "sql"),
        (["server"], ["serve"], "server"),
    ],
)
def test_console_names_the_missing_extra(
    run_python: Run, tmp_path: Path, missing: list[str], arguments: list[str], extra: str
) -> None:
    """Without an extra, the console script says which one to install, in one line, and exits with 2."""
    names = [name for group in missing for name in EXTRAS[group]]
    sqlite3.connect(tmp_path / "shop.db").execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY)"
    ).connection.close()
    done = run_python(WITHOUT + CONSOLE, json.dumps(names), *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert (
        "pip install 'jigwork[" in done.stderr
        and extra in done.stderr.partition("jigwork[")[2].partition("]")[0]
    )
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_library_works_without_extras(run_python: Run) -> None:
    """A bare install has the whole library: every public name that needs no extra can be imported."""
    names = [name for group in EXTRAS.values() for name in group]
    program = (
        "import jigwork\nfrom jigwork.errors import MissingExtraError\nasked = []\n"
        "for name in jigwork.__all__:\n"
        "    try: getattr(jigwork, name)\n"
        "    except MissingExtraError as error: asked.append(error.extra)\n"
        "print(sorted(set(asked)))"
    )
    done = run_python(WITHOUT + program, json.dumps(names))
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.replace("'", '"'))) <= set(EXTRAS), done.stdout
