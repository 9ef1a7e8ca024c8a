"""One import name, three folders: what is installed, what is built, what is on disk are the same files."""

from __future__ import annotations

import importlib
import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest

BUILD = """
import sys
from setuptools import build_meta
print(build_meta.build_wheel("dist"), build_meta.build_sdist("dist"))
"""


@pytest.fixture(scope="session")
def project(root: Path) -> dict[str, Any]:
    """The contents of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and a source distribution, built from a copy so that build/ here stays as it is."""
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("building needs setuptools 77 or newer: pip install -e '.[dev]'")
    copy = tmp_path_factory.mktemp("checkout") / "jigwork"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "demo", "__pycache__", "*.egg-info", "tests")
    shutil.copytree(root, copy, ignore=ignored)
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return copy / "dist"


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


def test_every_file_imports_under_jigwork(modules: dict[str, Path]) -> None:
    """Every module imports by its name under jigwork and is the file on disk."""
    stale: list[str] = []
    for name, path in modules.items():
        if name == "jigwork.__main__":  # a program
            continue
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            stale.append(f"{path} is not installed")
        else:
            found = Path(str(module.__file__)).resolve()
            if found != path.resolve():
                stale.append(f"{name} is {found}, not {path}")
    hint = "the installation is older than the list of files: run `make test` or `pip install -e .`"
    assert not stale, "\n".join([hint, *stale])


def test_public_names_exist(modules: dict[str, Path]) -> None:
    """Every name in an `__all__` is there, and is named once."""
    wrong: list[str] = []
    for name in modules:
        if name == "jigwork.__main__":
            continue
        module = importlib.import_module(name)
        names: list[str] = list(getattr(module, "__all__", ()))
        wrong += [
            f"{name}.{public}" for public in names if not hasattr(module, public) or names.count(public) > 1
        ]
    assert not wrong, ", ".join(wrong)


def test_every_package_is_listed(project: dict[str, Any], modules: dict[str, Path]) -> None:
    """`packages` in pyproject.toml names every folder that holds modules, and nothing else."""
    present = {name for name, path in modules.items() if path.name == "__init__.py"}
    folders = {
        name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in modules.items()
    }
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(present | folders)


def test_wheel_holds_what_is_on_disk(wheel: Path, root: Path, modules: dict[str, Path]) -> None:
    """The wheel has every module, grammar and marker file, and nothing beside them."""
    data = {
        name.rpartition(".")[0].replace(".", "/") or "jigwork": path.parent
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    data |= {
        name.replace(".", "/"): path.parent for name, path in modules.items() if path.name == "__init__.py"
    }
    expected = {
        f"{package}/{path.name}"
        for package, folder in data.items()
        for path in folder.iterdir()
        if path.suffix in (".py", ".lark") or path.name == "py.typed"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected


def test_wheel_metadata(metadata: Message, project: dict[str, Any]) -> None:
    """The metadata has name, licence, Python version and every extra; the licence file travels along."""
    assert (metadata["Name"], metadata["License-Expression"]) == ("jigwork", "MIT")
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(project["project"]["optional-dependencies"])


def test_wheel_runs_from_elsewhere(
    wheel: Path, tmp_path: Path, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """An unpacked wheel imports, although the working folder has its own agent.py and tools folder."""
    site, work = tmp_path / "site", tmp_path / "work"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (work / "tools").mkdir(parents=True)
    (work / "tools/__init__.py").write_text("raise SystemExit('the wrong tools')\n")
    (work / "agent.py").write_text("raise SystemExit('the wrong agent')\n")
    program = (
        "import sys; sys.path[:0] = [sys.argv[1], '']\n"
        "import jigwork, jigwork.agent, jigwork.tools, jigwork.grammars\n"
        "assert all(m.__file__.startswith(sys.argv[1]) for n, m in sys.modules.items() if n.startswith('jigwork'))\n"
        "from jigwork import *\n"
        "print(len(jigwork.__all__))"
    )
    done = run_python(program, str(site), cwd=work)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_source_distribution_is_complete(
    built: Path, project: dict[str, Any], modules: dict[str, Path]
) -> None:
    """The source distribution has all modules and grammars: a wheel can be built from it."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    root = Path(__file__).resolve().parents[2]
    wanted = {str(path.relative_to(root)) for path in modules.values()}
    wanted |= {str(path.relative_to(root)) for path in (root / "grammars").rglob("*.lark")}
    assert wanted | {"pyproject.toml", "README.md", "LICENSE"} <= names, sorted(wanted - names)


def test_wheel_types_are_public(wheel: Path) -> None:
    """Type checkers of other projects read our annotations: py.typed is at the root of the package."""
    with zipfile.ZipFile(wheel) as archive:
        assert "jigwork/py.typed" in archive.namelist()


def test_folders_are_not_import_names(
    run_python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """An installation offers no `agent`, `tools` or `grammars` of its own."""
    program = (
        "import importlib.util as u\nprint([n for n in ('agent', 'tools', 'grammars') if u.find_spec(n)])"
    )
    done = run_python(program, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
