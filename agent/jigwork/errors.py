"""The one error tree of Jigwork. Standard library only; every layer raises from here.

Errors for the developer (this tree) carry the fix in the sentence. Errors for the model are tool outputs
(`jigwork.tools.Outcome`), never exceptions that leave a run.

    JigworkError
      + ConfigurationError (ValueError)      something was built wrongly; raised as early as possible
      |   + ToolDefinitionError              a function, model or schema that cannot be a tool
      |   + SchemaError                      a JSON schema that cannot be used
      |   + GrammarError                     a grammar that cannot be used; .line .column .rule
      |   |   + GrammarLimitError            a text that could not be checked within time or memory
      |   + SettingsError                    a setting that this model or server refuses
      |   + UnknownModelError                a model string that names nothing
      |   + MissingKeyError                  no API key for a model that was named
      |   + MissingExtraError (ImportError)  an optional dependency is not installed
      + ModelError                           the server said no, or said nothing; .status .code .param .request_id
      |   + BadRequestError                  400, 404, 422: the request is wrong and stays wrong
      |   |   + ContextOverflowError         the input is longer than the model's window
      |   |   + GrammarRejectedError         the server refused a grammar
      |   + AuthenticationError              401, 403
      |   + RateLimitError                   429 that waiting helps
      |   + QuotaError                       429 that waiting does not help
      |   + ServerError                      5xx, a failed response, an answer that is no answer
      |   + ModelConnectionError                 no connection, a read time-out, a stream that ended early
      |   + DeadlineError                    the deadline over all attempts has passed
      |   + ContentFilterError               the server withheld the answer
      + RunError                             a run ended without an answer; .state goes on where it stopped
      |   + LimitReached                     turns, tool calls, tokens or seconds; .limit .used
      |   + OutputError                      the final answer never satisfied the output type
      |   + IncompleteError                  the answer was cut (max_output_tokens); .reason
      |   + RefusalError                     the model refused; .refusal
      |   + RunCancelled                     run.cancel() was called
      |   + RunAborted                       a tool raised Abort; .reason
      + ToolsetError                         a toolset that cannot be opened or asked, such as an MCP server
      + TextRejectedError (ValueError)       a text outside of its grammar; .explanation
      + StateError                           a state file that cannot be read or resumed
      + ServerStartError                     the local server could not start
      + SQLError                             a query that may not or could not run; the text is fit for a model
      |   + SQLRefused                       the guard said no
      |   + SQLLimitReached                  time, rows or bytes
      + QuestionError                        a controlled-English question that was not understood

    Abort          raise it in a tool to end the run on purpose (siblings are cancelled and settled)
    ToolError      raise it in a tool to tell the model in your own words what went wrong
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "Abort",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ContentFilterError",
    "ContextOverflowError",
    "DeadlineError",
    "GrammarError",
    "GrammarLimitError",
    "GrammarRejectedError",
    "IncompleteError",
    "JigworkError",
    "LimitReached",
    "MissingExtraError",
    "MissingKeyError",
    "ModelConnectionError",
    "ModelError",
    "OutputError",
    "QuestionError",
    "QuotaError",
    "RateLimitError",
    "RefusalError",
    "RunAborted",
    "RunCancelled",
    "RunError",
    "SQLError",
    "SQLLimitReached",
    "SQLRefused",
    "SchemaError",
    "ServerError",
    "ServerStartError",
    "SettingsError",
    "StateError",
    "TextRejectedError",
    "ToolDefinitionError",
    "ToolError",
    "ToolsetError",
    "UnknownModelError",
]


class JigworkError(Exception):
    """Root of every exception that Jigwork raises on purpose.

    `state` is the `RunState` of the run that was under way, or None outside a run: continue it with
    `agent.run(state=error.state)`.
    """

    state: Any = None


class ConfigurationError(JigworkError, ValueError):
    """Something was put together wrongly; the message says how to put it right."""


class ToolDefinitionError(ConfigurationError):
    """A function, model or schema that cannot be turned into a tool."""


class SchemaError(ConfigurationError):
    """A JSON schema that is not one, or that refers to something outside itself."""


class GrammarError(ConfigurationError):
    """A grammar that cannot be used. `line` and `column` are 1-based, None where unknown; `rule` is a rule id."""

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, rule: str | None = None
    ) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.rule = rule


class GrammarLimitError(GrammarError):
    """A text could not be checked within the limits of time and memory; nothing is known about it."""


class SettingsError(ConfigurationError):
    """A setting that this model or server would refuse; raised before anything is sent."""


class UnknownModelError(ConfigurationError):
    """A model string whose provider or form is not known."""


class MissingKeyError(ConfigurationError):
    """A model was named and no API key for it was found. Never a silent fallback."""


class MissingExtraError(ConfigurationError, ImportError):
    """An optional dependency is missing; the message names the extra: `pip install 'jigwork[sql]'`."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra that is not installed: pip install 'jigwork[{extra}]'")
        self.extra = extra


class ModelError(JigworkError):
    """The server refused, failed or went silent. Attributes are None where the server did not say.

    `attempts` counts the requests that were made, `retry_after` is in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.attempts = attempts


class BadRequestError(ModelError):
    """The request is wrong and would be refused again."""


class ContextOverflowError(BadRequestError):
    """The input does not fit into the model's context window."""


class GrammarRejectedError(BadRequestError):
    """The server refused a grammar or its tool; the message includes what it said."""


class AuthenticationError(ModelError):
    """The key is missing, wrong, or not allowed to do this."""


class RateLimitError(ModelError):
    """Too many requests; waiting helps."""


class QuotaError(ModelError):
    """The account has no quota or credit left; waiting does not help."""


class ServerError(ModelError):
    """The server failed, or its answer was not an answer."""


class ModelConnectionError(ModelError):
    """No connection, a read time-out, or a stream that ended before its end."""


class DeadlineError(ModelError):
    """The deadline over all attempts of one model request has passed."""


class ContentFilterError(ModelError):
    """The server withheld the answer because of its content filter."""


class RunError(JigworkError):
    """A run ended without an answer. `state` holds everything that happened until then."""


class LimitReached(RunError):
    """A limit stopped the run: raise it and go on with `agent.run(state=error.state, limits=...)`."""

    def __init__(self, message: str, *, limit: str, used: float) -> None:
        super().__init__(message)
        self.limit = limit
        self.used = used


class OutputError(RunError):
    """The final answer did not satisfy the output type within the retry budget; the message has the last reason."""


class IncompleteError(RunError):
    """The answer was cut short by the server. `reason` is the server's: `max_output_tokens`, `content_filter`..."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RefusalError(RunError):
    """The model refused to answer; `refusal` is what it said."""

    def __init__(self, refusal: str) -> None:
        super().__init__(f"the model refused: {refusal}")
        self.refusal = refusal


class RunCancelled(RunError):
    """The run was cancelled by its owner; every open call is settled as cancelled."""


class RunAborted(RunError):
    """A tool ended the run with `raise Abort(reason)`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a tool ended the run: {reason}")
        self.reason = reason


class ToolsetError(JigworkError):
    """A toolset cannot be opened or asked: an MCP server does not start, does not answer, or refuses."""


class TextRejectedError(JigworkError, ValueError):
    """A text is not in the language of its grammar. `explanation` is the `jigwork.grammars.Explanation`."""

    def __init__(self, message: str, *, explanation: Any = None) -> None:
        super().__init__(message)
        self.explanation = explanation


class StateError(JigworkError, ValueError):
    """A state that cannot be read: not JSON, of a newer major version, or inconsistent."""


class ServerStartError(JigworkError):
    """The local server could not start: the port is taken, or a replies file is wrong."""


class SQLError(JigworkError):
    """A query that may not or could not run. The message is short, free of Python, and fit for a model."""


class SQLRefused(SQLError):
    """The guard refused the query before it reached the database."""


class SQLLimitReached(SQLError):
    """The query ran into a limit of time, rows or bytes."""


class QuestionError(JigworkError):
    """A question in controlled English that was not understood; the message says where and what may follow."""


class Abort(Exception):
    """Raise it in a tool to end the run on purpose: the siblings are cancelled and settled, the run raises
    `RunAborted` with this reason."""


class ToolError(Exception):
    """Raise it in a tool to tell the model, in these words, what went wrong. Nothing else is added."""
