"""The house keeps its proportions: short files, short functions, few positional parameters, words where they help."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES, POSITIONAL = 500, 60, 4

# Modules that are data, not code, may be longer; each says why.
DATA_MODULES: dict[str, str] = {}

# Functions that a library calls, with the parameters that it gives.
CALLBACKS = {
    "tools/sql/sqlite.py decide": "sqlite3 calls an authorizer with five arguments",
    "tools/sql/sqlite.py record": "sqlite3 calls an authorizer with five arguments",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Yield every function and method of a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def where(path: Path, node: Function) -> str:
    """Name a place as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def decorators(node: Function) -> str:
    """Return the decorators as one text."""
    return " ".join(ast.unparse(decorator) for decorator in node.decorator_list)


def test_files_are_short(sources: list[Path]) -> None:
    """A file has fewer than 500 lines, unless it is data."""
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources
    }
    wrong = [
        f"{name}: {size} lines"
        for name, size in sizes.items()
        if size >= FILE_LINES and name not in DATA_MODULES
    ]
    assert not wrong, "\n".join(wrong)


def test_data_modules_are_data(sources: list[Path]) -> None:
    """A module that may be long holds almost no code, exists, and says why it may."""
    for name, reason in DATA_MODULES.items():
        path = ROOT / name
        assert path in sources and reason, name
        code = sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions(path))
        assert code * 5 < len(path.read_text(encoding="utf-8").splitlines()), f"{name} is code, not data"


def test_functions_are_short(sources: list[Path]) -> None:
    """A function has fewer than 60 lines."""
    wrong = [
        f"{where(path, node)}: {lines} lines"
        for path in sources
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) >= FUNCTION_LINES
    ]
    assert not wrong, "\n".join(wrong)


def test_few_positional_parameters(sources: list[Path]) -> None:
    """A function takes at most four positional parameters; options are given by name."""
    wrong: list[str] = []
    for path in sources:
        for node in functions(path):
            by_pytest = node.name.startswith("test_") or "fixture" in decorators(node)
            names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            count = len(names) - (names[:1] in (["self"], ["cls"], ["mcs"]))
            name = f"{path.relative_to(ROOT)} {node.name}"
            if count > POSITIONAL and not by_pytest and name not in CALLBACKS:
                wrong.append(f"{where(path, node)}: {count} positional parameters")
    assert not wrong, "\n".join(wrong)


def test_modules_say_what_they_are_for(sources: list[Path]) -> None:
    """Every module begins with a sentence about its purpose."""
    docstrings = {
        path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in sources
    }
    wrong = [str(path.relative_to(ROOT)) for path, text in docstrings.items() if len(text.split()) < 3]
    assert not wrong, "no docstring of at least three words: " + ", ".join(wrong)


def test_tests_say_what_they_hold(sources: list[Path]) -> None:
    """Every test has a docstring: the sentence that it holds true."""
    wrong = [
        where(path, node)
        for path in sources
        if path.name.startswith("test_") and path.is_relative_to(ROOT / "tests")
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not wrong, "\n".join(wrong)


def test_errors_are_not_swallowed(modules: dict[str, Path]) -> None:
    """No `except Exception: pass` and no bare `except:`."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (
                ast.unparse(node.type) in ("Exception", "BaseException")
                and isinstance(node.body[0], ast.Pass)
            )
        )
    ]
    assert not wrong, "\n".join(wrong)
