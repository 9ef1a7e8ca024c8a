"""What the README shows is true: its programs run as they stand, offline, and its commands exist.

A Python block is written to a file and run by a fresh interpreter beside the demo database. A line `#> text` in a
block is a line that the program prints. ```` ```python title="tools.py" ```` gives the file a name that later blocks
import; ```` ```python test="skip" ```` marks a program that needs a key or a server: its imports are checked.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_examples import CodeExample, find_examples

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
NO_NETWORK = """
import socket
connect = socket.socket.connect
def local_only(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a README program tried to reach {address[0]}")
    return connect(self, address)
socket.socket.connect = local_only
"""
KNOWN_PROGRAMS = {
    "make",
    "jigwork",
    "python",
    "python3",
    "pip",
    "uv",
    "git",
    "cd",
    "export",
    "curl",
    "sqlite3",
}


def programs() -> list[CodeExample]:
    """Return the Python blocks of the README, in order."""
    return list(find_examples(README)) if README.exists() else []


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield the lines of the shell blocks with their words, without prompt, comment and continuation."""
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    for block in re.findall(
        r"^```(?:bash|sh|shell|console)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    ):
        for line in block.replace("\\\n", " ").splitlines():
            for part in line.removeprefix("$ ").split(" && "):
                words = shlex.split(part, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                if words:
                    yield line, words


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo database, as `make demo` leaves it, and the named files of the README."""
    folder = tmp_path_factory.mktemp("readme")
    subprocess.run(
        [sys.executable, ROOT / "examples/shop.py", folder / "demo/shop.db"], check=True, stdout=-3
    )
    (folder / "no_network").mkdir()
    (folder / "no_network/sitecustomize.py").write_text(NO_NETWORK)
    for example in programs():
        if title := example.prefix_settings().get("title"):
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_text(example.source)
    return folder


def test_readme_has_programs_and_commands() -> None:
    """The README shows at least one program and the commands of the first five minutes."""
    assert programs()
    lines = [" ".join(words) for _, words in command_lines()]
    assert {"make demo", "make test"} <= set(lines), lines


@pytest.mark.parametrize("example", programs(), ids=lambda example: f"line {example.start_line}")
def test_program_runs(example: CodeExample, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the README ends well and prints what the README says it prints."""
    if example.prefix_settings().get("test") == "skip":
        pytest.skip("needs a key or a server; its imports are checked")
    file = workplace / example.prefix_settings().get("title", f"readme_line_{example.start_line}.py")
    file.write_text(example.source)
    monkeypatch.setenv("PYTHONPATH", str(workplace / "no_network"), prepend=":")
    done = subprocess.run(
        [sys.executable, file], cwd=workplace, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = iter(done.stdout.splitlines())
    for said in re.findall(r"^\s*#> ?(.*)$", example.source, re.MULTILINE):
        assert any(said.rstrip() == line.rstrip() for line in printed), (
            f"{said!r} is not printed:\n{done.stdout}"
        )


@pytest.mark.parametrize("example", programs(), ids=lambda example: f"line {example.start_line}")
def test_imports_exist(example: CodeExample) -> None:
    """Every name that a program of the README imports from jigwork is there."""
    for node in ast.walk(ast.parse(example.source)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "jigwork":
            module = importlib.import_module(str(node.module))
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert not missing, f"{node.module} has no {missing}"


def test_commands_exist() -> None:
    """Every command in the README exists: make targets, subcommands, files, extras."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wrong: list[str] = []
    for line, (program, *arguments) in command_lines():
        program = program.removeprefix(".venv/bin/")
        first = next((word for word in arguments if not word.startswith("-") and "=" not in word), "")
        if program == "make":
            ok = not first or re.search(rf"^{re.escape(first)}:", makefile, re.MULTILINE) is not None
        elif program == "jigwork":
            ok = not first or _is_subcommand(first)
        elif program in ("python", "python3") and first.endswith(".py"):
            ok = (ROOT / first).exists() or any(e.prefix_settings().get("title") == first for e in programs())
        else:
            ok = program in KNOWN_PROGRAMS or (ROOT / program).exists()
        extras = {name for names in re.findall(r"jigwork\[([^\]]+)\]", line) for name in names.split(",")}
        if not ok or not extras <= set(project["optional-dependencies"]):
            wrong.append(line)
    assert not wrong, "\n".join(wrong)


def _is_subcommand(name: str) -> bool:
    command = [sys.executable, "-m", "jigwork", name, "--help"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_links_lead_somewhere() -> None:
    """Every relative link in the README and in CONTRIBUTING.md names a file of the repository."""
    for page in (README, ROOT / "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if not (ROOT / link).exists()]
        assert not missing, f"{page.name}: {missing}"


def test_the_controlled_english_is_the_one_that_is_read() -> None:
    """The page about the language in the README is the one that the prompt's help shows, and that tests hold."""
    from jigwork.grammars.english import GUIDE

    assert GUIDE.strip("\n") in README.read_text(encoding="utf-8")
