"""`jigwork serve-mcp`: tools, toolsets and agents of the user's own as an MCP server, over stdio or HTTP."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin, get_type_hints

import click

from jigwork.errors import ServerStartError

from .escape import one_line
from .extras import need
from .load import load_target

if TYPE_CHECKING:
    from ..mcp_server import Policy

__all__ = ["command"]


@click.command("serve-mcp", short_help="Serve tools or an agent of yours over MCP.")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option(
    "--http", "address", metavar="HOST:PORT", help="Serve over HTTP instead of stdio; the path is /mcp."
)
@click.option(
    "--token",
    envvar="JIGWORK_MCP_TOKEN",
    help="HTTP: a bearer token that clients have to bring (or JIGWORK_MCP_TOKEN).",
)
@click.option("--name", help="How the server calls itself (default: the name of what it serves).")
@click.option("--deps", metavar="TARGET", help="What tools find in RunContext.deps; a function is called.")
@click.option(
    "--approval",
    type=click.Choice(["ask", "client", "refuse"]),
    default="ask",
    show_default=True,
    help="Calls that need a person: ask them through the client, leave destructive tools to the client, or refuse.",
)
@click.option("--list", "only_list", is_flag=True, help="Print the tools that would be served, and exit.")
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Serve tools or an agent of yours over MCP.

    TARGET is module:name or file.py:name, as for `jigwork run`: a tool, a toolset, an agent, a list of these, or a
    function without parameters that is annotated to return one. Over stdio the client starts this command and ends it.
    """
    need("mcp", "jigwork serve-mcp")
    from ..mcp_server import LOOPBACK, serve_mcp

    with redirect_stdout(
        sys.stderr
    ):  # over stdio it belongs to the protocol, whatever a module prints when imported
        sources = [one for target in targets for one in _sources(target)]
    if options["only_list"]:
        return _list_tools(sources)
    settings: dict[str, Any] = {"name": options["name"], "approval": cast("Policy", options["approval"])}
    if options["deps"]:
        found = load_target(options["deps"])
        settings["deps"] = found() if inspect.isroutine(found) else found
    if options["address"] is None:
        if options["token"] and click.get_current_context().get_parameter_source("token") is _TYPED:
            raise click.UsageError(
                "--token is for --http: over stdio only whoever started the server reaches it"
            )
        if sys.stdin.isatty():
            click.echo(
                "jigwork: an MCP client starts this command and speaks through its stdin; waiting (Ctrl-C stops)",
                err=True,
            )
        serve_mcp(sources, **settings)
        return 0
    host, port = _address(options["address"])
    if not options["token"] and host not in LOOPBACK:
        raise click.UsageError(
            f"anybody who reaches {host} could call these tools: give a --token, or serve on 127.0.0.1"
        )
    _require_free(host, port)
    click.echo(f"serving MCP on http://{_written(host)}:{port}/mcp (Ctrl-C stops)", err=True)
    serve_mcp(sources, transport="http", host=host, port=port, token=options["token"], **settings)
    return 0


_TYPED = click.core.ParameterSource.COMMANDLINE


def _sources(target: str) -> list[Any]:
    """Return what a target names: always a list, of tools, toolsets and agents."""
    from jigwork.tools import Tool, Toolset

    from ..agent import Agent

    found: Any = load_target(target)
    if inspect.isfunction(found) and _makes_something(found):
        found = found()
    if inspect.ismodule(found):
        raise click.UsageError(f"{target} is a module: name something in it")
    if isinstance(found, (list, tuple)):
        return list(cast("list[Any]", found))
    if not isinstance(found, (Agent, Toolset, Tool)) and not callable(found):
        kind = type(found).__name__  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        raise click.UsageError(f"{target} is {kind}: name a tool, a toolset, an agent, or a list of these")
    return [cast("Any", found)]


def _makes_something(function: Any) -> bool:
    """Tell whether a function says that it returns what can be served; any other function is a tool itself."""
    from jigwork.tools import Tool, Toolset

    from ..agent import Agent

    if any(p.default is p.empty for p in inspect.signature(function).parameters.values()):
        return False
    try:
        returned: Any = get_type_hints(function).get("return")
    except (NameError, TypeError):
        return False
    kinds = [get_origin(one) or one for one in (returned, *get_args(returned))]
    return any(isinstance(kind, type) and issubclass(kind, (Agent, Toolset, Tool)) for kind in kinds)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = ("127.0.0.1", text) if text.isdigit() else (text, "8000")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise click.UsageError(f"--http {text!r} is no address: write HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]") or "127.0.0.1", int(port)


def _require_free(host: str, port: int) -> None:
    """Raise where the port is taken, in one line; the server itself would say it in a log."""
    import socket

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ServerStartError(
            f"cannot listen on {_written(host)}:{port}: {(error.strerror or 'it failed').lower()}; choose another port"
        ) from error


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _list_tools(sources: list[Any]) -> int:
    import asyncio

    from ..mcp_server import served_tools

    for tool in asyncio.run(served_tools(sources)):
        hints = tool.annotations
        marks = [word for word in ("read_only", "destructive") if getattr(hints, f"{word}_hint", False)]
        first = one_line((tool.description or "").strip().partition("\n")[0], 100)
        click.echo(f"{tool.name}{' (' + ', '.join(marks).replace('_', ' ') + ')' if marks else ''}: {first}")
    return 0
