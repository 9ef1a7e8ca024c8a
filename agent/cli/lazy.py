"""A group of commands that are imported one by one: help is quick, and what is not used is not loaded."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """Imports a command when it is run, or when its help is shown.

    `modules` maps the name of each command to the module of this package that has it, as `command`.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"{__package__}.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where one is misspelt."""
        name = args[0] if args else ""
        if name and name not in self._modules and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, self._modules, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self._modules)}"
            raise click.UsageError(f"no command is called {name!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)
