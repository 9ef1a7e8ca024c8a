"""SQLAgent: an agent for questions over a database, with one tool that is held to the grammar of its schema."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jigwork.errors import MissingKeyError, UnknownModelError
from jigwork.tools import RunContext

from .agent import Agent, Instructions
from .figure_check import FigureCheck
from .items import is_message, output_text
from .journal import Journal
from .limits import Limits
from .models.settings import Settings
from .output import OutputCheck
from .state import RunState

if TYPE_CHECKING:
    from jigwork.tools.sql import SQLDatabase

    from .models.base import Model

__all__ = ["SQLAgent"]

_LARGE = 24_000
"""Characters of a schema's description; a longer one is explored with tools instead of being read whole."""

_TASK = """\
You answer questions about a database. You read it with the tool `query`, which runs one SELECT and returns its rows.

- Query before you answer; never state a figure that no query returned. Use several queries where one is not enough.
- Use only the tables and columns {which}, and write stored values exactly as they are listed.
- When a query is refused or fails, read the message, correct the query, and try again.
- An empty result is an answer too, once you have made sure that the condition is spelt as the data is.
- Where the question can be meant in two ways, say which one you answered.
- Answer in the language of the question, briefly: the figures first, then what one has to know about them (rows that
  were cut, values that are missing). The person sees the rows; do not repeat more than a few of them.
"""


class SQLAgent(Agent[None, str]):
    """Questions in, answers out, over one database that is only read.

        with SQLDatabase("shop.db") as database:
            print(SQLAgent(database).run_sync("count customers per country").output)

    `database` is an `SQLDatabase`, or what one is opened from. A small schema stands in the instructions; of a
    large one they have the tables that the question is about, the model has tools to find and describe others, and
    the grammar of `query` covers what the conversation has come to (`NarrowedQuery`). `model` is as for `Agent`;
    the offline engine, which is the default where no key is set, is connected to the database and understands
    controlled English. `aliases` (a mapping or a TOML file, see `jigwork.grammars.english.aliases`) are words that
    people use for tables, columns and stored values; every model is told them. `max_limit` is the highest LIMIT
    that a query may have; what is fetched of it is up to the database's `max_rows`. `instructions` are added to
    those that say how to query and what the tables are; `tools` are added to `query`. With `check_figures` the
    figures of an answer are held against the rows: what they do not have is told to the model once, and noted at
    the end of the answer if it stays. Raises what `SQLDatabase` and `Agent` raise.
    """

    def __init__(
        self,
        database: SQLDatabase | str | Path,
        model: Model | str | None = None,
        *,
        aliases: Any = None,
        max_limit: int = 1000,
        instructions: str | None = None,
        tools: Sequence[Any] = (),
        check_figures: bool = False,
        name: str | None = None,
        settings: Settings | None = None,
        limits: Limits | None = None,
        journal: Journal | None = None,
    ) -> None:
        from jigwork.tools.sql import NarrowedQuery, SQLDatabase

        self.database = database if isinstance(database, SQLDatabase) else SQLDatabase(database)
        self.check_figures = check_figures
        chosen = model if aliases is None else _with_aliases(model, self.database, aliases)
        words = [_words(self.database, aliases), instructions or ""]
        told: Instructions[None]
        if _is_large(self.database, chosen):
            told = partial(_explored, self.database, words)
            queries: list[Any] = [
                *self.database.explorers(),
                NarrowedQuery(self.database, max_limit=max_limit),
            ]
        else:
            told = _paragraphs(_TASK.format(which="below"), self.database.prompt(), *words)
            queries = [self.database.tool(max_limit=max_limit)]
        super().__init__(
            chosen,
            instructions=told,
            tools=[*queries, *tools],
            settings=settings,
            limits=limits,
            name=name,
            journal=journal,
        )

    def _output_check(self, check: OutputCheck, state: RunState) -> OutputCheck:
        return FigureCheck(state, self.output_retries) if self.check_figures else check


def _is_large(database: SQLDatabase, model: Model | str | None) -> bool:
    """Tell whether the schema is explored with tools. The offline engine has it all at hand, whatever its size."""
    from .models.offline import OfflineModel
    from .models.resolve import choose_model

    if len(database.prompt(_LARGE * 2)) <= _LARGE:
        return False
    if model is None or isinstance(model, str):
        with suppress(UnknownModelError, MissingKeyError):  # an error of the first run, as for any agent
            model = choose_model(model)[0]
    return not isinstance(model, OfflineModel)


def _explored(database: SQLDatabase, words: Sequence[str], context: RunContext[None]) -> str:
    """Return the instructions over a large schema: the tables that the conversation is about, and all names."""
    asked = " ".join(output_text(item) for item in context.items if is_message(item, "user"))
    names = ", ".join(table.name for table in database.schema.tables)
    if len(names) > _LARGE // 2:
        names = (
            f"{names[: _LARGE // 2].rpartition(',')[0]}, and more (describe_tables with no names lists all)"
        )
    return _paragraphs(
        _TASK.format(which="that are described below, or that describe_tables has described"),
        database.prompt(_LARGE // 2, question=asked),
        f"All {len(database.schema.tables)} tables: {names}",
        *words,
    )


def _paragraphs(*parts: str) -> str:
    return "\n".join(part.rstrip() + "\n" for part in parts if part.strip())


def _with_aliases(model: Model | str | None, database: SQLDatabase, aliases: Any) -> Model:
    """Give the offline engine its aliases; any other model reads them in its instructions."""
    from .models.offline import OfflineModel
    from .models.resolve import choose_model

    chosen = choose_model(model)[0] if model is None or isinstance(model, str) else model
    return OfflineModel(database, aliases=aliases) if isinstance(chosen, OfflineModel) else chosen


def _words(database: SQLDatabase, aliases: Any) -> str:
    """Say which words people use for what is in the database; raises ConfigurationError for names it has not."""
    if aliases is None:
        return ""
    from jigwork.grammars.english.aliases import load_aliases

    known = load_aliases(aliases, database.schema)
    lines = [f"- {_quoted(words)}: the table {name}" for name, words in known.tables.items()]
    lines += [f"- {_quoted(words)}: {'.'.join(column)}" for column, words in known.columns.items()]
    for column, values in known.values.items():
        lines += [
            f"- {_quoted(words)}: the value {value!r} of {'.'.join(column)}"
            for value, words in values.items()
        ]
    return "\n".join(["Words that people use:", *lines])


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
