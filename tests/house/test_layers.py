"""Layers point one way: jigwork.errors <- grammars <- tools <- agent <- jigwork."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("jigwork.errors", "jigwork.grammars", "jigwork.tools", "jigwork.agent")

# Within agent: what a module (or a package, with all below it) may know of agent. Longest name wins.
AGENT_MAY_KNOW = {
    "jigwork.agent.hosted_calls": (),
    "jigwork.agent.items": ("hosted_calls",),
    "jigwork.agent.usage": (),
    "jigwork.agent.events": ("items", "usage"),
    "jigwork.agent.replies": ("items", "usage"),
    "jigwork.agent.models": (
        "hosted_calls",
        "items",
        "events",
        "replies",
        "usage",
        "serial",
        "content",
        "models",
    ),
}
# Programs are at the end of the line: who may import them.
PROGRAMS = {
    "jigwork.agent.cli": ("jigwork.__main__", "jigwork.agent.cli"),
    "jigwork.agent.server": (
        "jigwork.agent.cli",
        "jigwork.agent.pytest_plugin",
        "jigwork.agent.server",
        "jigwork.testing",
    ),
}
# Whoever listens to a run or stores it knows nothing of the loop that drives it.
LOOP = ("jigwork.agent.loop", "jigwork.agent.agent")
NEVER_THE_LOOP = tuple(
    f"jigwork.agent.{name}"
    for name in (
        "items",
        "events",
        "usage",
        "state",
        "decide",
        "journal",
        "sessions",
        "compaction",
        "tracing",
        "models",
    )
)
# Imported where they are used, never with the module. A program may import its own libraries.
HEAVY = {
    *("openai", "httpx2", "lark", "llguidance", "jsonschema", "sqlalchemy", "sqlglot", "psycopg", "pymysql"),
    *("rich", "click", "prompt_toolkit", "starlette", "uvicorn", "yaml", "docstring_parser"),
}
OWN_LIBRARIES = {
    "jigwork.agent.cli": {"rich", "click", "prompt_toolkit"},
    "jigwork.agent.server": {"starlette", "uvicorn"},
}


def within(name: str, package: str) -> bool:
    """Tell whether a module is this one or lies below it."""
    return name == package or name.startswith(f"{package}.")


def is_type_checking(node: ast.AST) -> bool:
    """Tell whether a statement is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports(name: str, path: Path, *, at_import_time: bool = False) -> Iterator[tuple[str, int]]:
    """Yield what a module imports, by absolute name, with the line; a name imported from a package as `package.name`."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)
        elif at_import_time and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node)
        ):
            pending += node.orelse if isinstance(node, ast.If) else []
            continue
        pending += ast.iter_child_nodes(node)


def where(path: Path, line: int) -> str:
    """Name a place as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{line}"


def layer(name: str) -> int:
    """Return the height of a module's layer; the front door is above all."""
    return next((i for i, package in enumerate(LAYERS) if within(name, package)), len(LAYERS))


def test_imports_point_down(modules: dict[str, Path]) -> None:
    """A layer imports only from itself and from the layers below it."""
    wrong = [
        f"{where(path, line)} {name} imports {target}"
        for name, path in modules.items()
        for target, line in imports(name, path)
        if within(target, "jigwork") and target != "jigwork.errors" and layer(target) > layer(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_errors_need_only_the_standard_library(modules: dict[str, Path]) -> None:
    """The error tree imports nothing but the standard library."""
    found = {target.split(".")[0] for target, _ in imports("jigwork.errors", modules["jigwork.errors"])}
    assert found <= sys.stdlib_module_names


def test_across_folders_absolutely_and_inside_relatively(modules: dict[str, Path]) -> None:
    """`from jigwork.tools import X` across folders, `from .loop import x` inside; never `import tools`.

    Inside agent relative imports only: a type checker that is given files by their paths takes `agent.items` and
    `jigwork.agent.items` for two modules, and their classes for different ones.
    """
    wrong: list[str] = []
    for name, path in modules.items():
        depth = len(name.split(".")) - (path.name != "__init__.py")
        own = layer(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.level
                and depth - node.level + 1 < 2
                and own < len(LAYERS)
            ):
                wrong.append(f"{where(path, node.lineno)} leaves its folder with a relative import")
            if (
                isinstance(node, ast.ImportFrom)
                and within(name, "jigwork.agent")
                and not node.level
                and within(node.module or "", "jigwork.agent")
            ):
                wrong.append(f"{where(path, node.lineno)} imports {node.module}: write it relatively")
        for target, line in imports(name, path):
            if target.split(".")[0] in ("agent", "tools", "grammars"):
                wrong.append(f"{where(path, line)} imports {target}: write jigwork.{target}")
    assert not wrong, "\n".join(wrong)


def test_inside_agent(modules: dict[str, Path]) -> None:
    """items <- events <- models: the low modules of agent know only what is below them."""
    wrong: list[str] = []
    for name, path in modules.items():
        rule = next((rule for rule in AGENT_MAY_KNOW if within(name, rule)), None)
        if rule is None:
            continue
        allowed = [f"jigwork.agent.{known}" for known in AGENT_MAY_KNOW[rule]]
        wrong += [
            f"{where(path, line)} {name} imports {target}"
            for target, line in imports(name, path)
            if within(target, "jigwork.agent") and not any(within(target, known) for known in allowed)
        ]
    assert not wrong, "\n".join(wrong)


def test_programs_are_not_imported(modules: dict[str, Path]) -> None:
    """The command line and the server are used by nothing but programs."""
    wrong = [
        f"{where(path, line)} {name} imports {target}"
        for name, path in modules.items()
        for target, line in imports(name, path)
        for program, users in PROGRAMS.items()
        if within(target, program) and not any(within(name, user) for user in users)
    ]
    assert not wrong, "\n".join(wrong)


def test_listeners_do_not_know_the_loop(modules: dict[str, Path]) -> None:
    """Models, sessions, state and their like never import the loop or the agent."""
    wrong = [
        f"{where(path, line)} {name} imports {target}"
        for name, path in modules.items()
        if any(within(name, listener) for listener in NEVER_THE_LOOP)
        for target, line in imports(name, path)
        if any(within(target, loop) for loop in LOOP)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_heavy_at_import_time(modules: dict[str, Path]) -> None:
    """Heavy libraries are imported inside functions or for type checkers only."""
    wrong: list[str] = []
    for name, path in modules.items():
        own = next(
            (libraries for package, libraries in OWN_LIBRARIES.items() if within(name, package)), set[str]()
        )
        wrong += [
            f"{where(path, line)} imports {target}"
            for target, line in imports(name, path, at_import_time=True)
            if target.split(".")[0] in HEAVY - own
        ]
    assert not wrong, "\n".join(wrong)


def test_no_circles(modules: dict[str, Path]) -> None:
    """No module needs itself, through others, to be imported."""
    graph = {
        name: {
            module
            for target, _ in imports(name, path, at_import_time=True)
            for module in (target, target.rpartition(".")[0])
            if module in modules and module != name
        }
        for name, path in modules.items()
    }
    while ready := [name for name, needs in graph.items() if not needs]:
        for name in ready:
            del graph[name]
        for needs in graph.values():
            needs.difference_update(ready)
    circle: list[str] = []
    name = min(graph, default=None)
    while name is not None and name not in circle:
        circle.append(name)
        name = min(graph[name])
    assert not circle, "a circle of imports: " + " -> ".join([*circle[circle.index(str(name)) :], str(name)])
