"""`jigwork serve`: a local server that speaks OpenAI's protocol, over replies, the offline engine or any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .extras import need

if TYPE_CHECKING:
    from ..server import Engine

__all__ = ["command"]


@click.command("serve", short_help="Serve OpenAI's protocol on this machine.")
@click.option(
    "--engine",
    type=click.Choice(["scripted", "offline", "model"]),
    help="What answers (default: by the other options).",
)
@click.option("--replies", metavar="FILE", help="scripted: a YAML or JSON file of replies.")
@click.option("--db", metavar="FILE|URL", help="offline: the database that questions are about.")
@click.option(
    "--aliases", metavar="FILE", help="offline: words of your own for tables, columns and values (TOML)."
)
@click.option("--model", "-m", metavar="MODEL", help="model: what answers, such as gguf:FILE.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", default=8484, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--api-key", metavar="KEY", help="Answer only to requests with this key.")
@click.option("--lenient", is_flag=True, help="Accept requests that the real API would refuse.")
def command(
    engine: str | None,
    replies: str | None,
    *,
    db: str | None,
    aliases: str | None,
    model: str | None,
    host: str,
    port: int,
    api_key: str | None,
    lenient: bool,
) -> int:
    """Serve Responses and Chat Completions on this machine, without a key or a network.

    Use it with any client: base URL http://HOST:PORT/v1, any model name; in Jigwork --model 'http://HOST:PORT/v1#name'.
    """
    need("server", "the local server")
    from ..server import serve

    chosen = engine or ("scripted" if replies else "model" if model else "offline" if db else None)
    if chosen == "scripted":
        if not replies:
            raise click.UsageError("--engine scripted needs --replies FILE")
        answers = _scripted(replies)
    elif chosen == "offline":
        answers = _offline(db, aliases)
    elif chosen == "model":
        if not model:
            raise click.UsageError("--engine model needs --model MODEL, such as gguf:FILE")
        answers = _model(model)
    else:
        raise click.UsageError(
            "what shall answer? Give --replies FILE, --model gguf:FILE, or --db FILE for the offline engine"
        )
    serve(answers, host=host, port=port, strict=not lenient, api_key=api_key, on_start=_say_started)
    return 0


def _say_started(base_url: str) -> None:
    click.echo(f"serving on {base_url} (Ctrl-C stops)")
    click.echo(f"  jigwork chat --model '{base_url}#any'")


def _scripted(replies: str) -> Engine:
    from ..server import ScriptedEngine

    return ScriptedEngine(replies)


def _model(name: str) -> Engine:
    from ..models.resolve import resolve_model
    from ..server import ModelEngine

    return ModelEngine(resolve_model(name))


def _offline(db: str | None, aliases: str | None) -> Engine:
    from ..models.offline import OfflineModel
    from ..server import ModelEngine

    if db is None:
        if aliases:
            raise click.UsageError("--aliases are words for a database: give --db FILE too")
        return ModelEngine(OfflineModel(None))
    need("sql", "a database")
    from jigwork.tools.sql import SQLDatabase

    return ModelEngine(OfflineModel(SQLDatabase(db), aliases=aliases))
