"""Questions of a JSONL file to one database: each is a conversation of its own, and its answer one JSON object."""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from jigwork.errors import QuestionError
from jigwork.tools.sql.result import QueryResult

from ..result import RunResult
from ..sql import SQLAgent
from .batch import Document, answer_rows, read_rows
from .failures import message_of
from .settling import Settler

__all__ = ["ask_rows"]


def ask_rows(agent: SQLAgent, file: BinaryIO, settler: Settler | None) -> int:
    """Ask each row's question and return the exit code; raises what would be wrong for every row."""
    _ = agent.model  # a key that is missing is missing for all of them
    return answer_rows(read_rows(file, "question"), partial(_asked, agent, settler), _abstained)


def _asked(agent: SQLAgent, settler: Settler | None, question: str) -> Document:
    if not question.strip():
        return _abstained("row", "the question is empty")
    settled = None
    try:
        if settler is not None:
            settled = settler.settle(question)
        result = agent.run_sync(question if settled is None else settled.question)
    except QuestionError as error:
        return _abstained("read", message_of(error))
    found = _last_result(result)
    if found is None:
        return _abstained("run", "no query gave a result", result.output)
    data = found.to_dict()
    sql, width = (found.sql, None) if settled is None else settled.narrowed(found.sql, agent.database.schema)
    return {
        "answer": result.output,
        "sql": sql,
        "columns": [column["name"] for column in data["columns"][:width]],
        "rows": [row[:width] for row in data["rows"]],
        "abstained": False,
        "reason": None,
    }


def _last_result(result: RunResult[str]) -> QueryResult | None:
    values = [call.outcome.value for call in result.calls if call.outcome is not None]
    return next((value for value in reversed(values) if isinstance(value, QueryResult)), None)


def _abstained(stage: str, reason: str, answer: str | None = None) -> Document:
    return {"answer": answer, "sql": None, "columns": [], "rows": [], "abstained": True, "reason": reason}
