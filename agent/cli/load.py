"""Things of the user's own, by name: `module:name` or `file.py:name`.

The user's modules are often called `agent.py` or `tools`, and so are folders of ours; ours are imported as
`jigwork.agent` and never get in the way. The working folder (or the file's) comes first on the path while the module
is imported, as with `python file.py`, and last afterwards, so that imports inside functions still find it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from jigwork.errors import JigworkError, RunError

__all__ = ["load_module", "load_target", "split_target"]


def split_target(target: str) -> tuple[str, str]:
    """Split `module:name`; raises a usage error that shows the form."""
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name or "/" in name or "\\" in name:
        raise click.UsageError(
            f"{target!r} names nothing: write module:name or file.py:name, such as agent.py:agent"
        )
    return module, name


def load_target(target: str) -> Any:
    """Import the module of `module:name` (or `file.py:name`) and return what has that name; dots go deeper."""
    source, name = split_target(target)
    module = load_module(source)
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            near = get_close_matches(part, [n for n in dir(value) if not n.startswith("_")], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"{source} has no {part!r}{hint}")
        value = getattr(value, part)
    return value


def load_module(source: str) -> ModuleType:
    """Import a module by name, or a file by path. What the module raises becomes one line that names its place."""
    path = Path(source)
    if source.endswith(".py") or os.sep in source:
        if path.is_dir():
            path = path / "__init__.py"
        if not path.is_file():
            raise click.UsageError(f"there is no file {source}")
        return _load(path.resolve(), None)
    here = _in_working_folder(source)
    top = source.partition(".")[0]
    taken = sys.modules.get(top)
    if here is not None and taken is not None and not _lies_in(taken, Path.cwd()) and "." not in source:
        return _load(here, None)  # a name that something of ours has already
    return _load(None, source)


def _in_working_folder(source: str) -> Path | None:
    base = Path.cwd().joinpath(*source.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _lies_in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder)


def _load(path: Path | None, name: str | None) -> ModuleType:
    folder = (
        Path.cwd() if path is None else (path.parent.parent if path.name == "__init__.py" else path.parent)
    )
    with _on_path(str(folder)):
        try:
            return importlib.import_module(str(name)) if path is None else _load_file(path)
        except (JigworkError, click.ClickException):
            raise
        except ModuleNotFoundError as error:
            if name is not None and error.name is not None and f"{name}.".startswith(f"{error.name}."):
                raise click.UsageError(
                    f"there is no module {error.name!r}, neither in {folder} nor installed"
                ) from error
            raise _failed(path, name, error) from error
        except Exception as error:
            raise _failed(path, name, error) from error


def _load_file(path: Path) -> ModuleType:
    name = path.parent.name if path.name == "__init__.py" else path.stem
    known = sys.modules.get(name)
    if known is not None:
        if str(getattr(known, "__file__", "")) == str(path):
            return known
        name = f"_jigwork_user_{name}"
    locations = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise click.UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _failed(path: Path | None, name: str | None, error: Exception) -> RunError:
    """Say where the user's own module failed, in its innermost line that is not the importer's."""
    what = path.name if path is not None else str(name)
    if isinstance(error, SyntaxError):
        return RunError(f"{what} does not import: {error.filename}, line {error.lineno}: {error.msg}")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    own = [f for f in frames if f.filename != __file__]
    place = f"{own[-1].filename}, line {own[-1].lineno}: " if own else ""
    return RunError(f"{what} does not import: {place}{type(error).__name__}: {error}")


@contextmanager
def _on_path(folder: str) -> Generator[None]:
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)
