"""Asking the person behind an MCP client whether a call may be made, by elicitation.

Clients of protocols since 2026-07-28 are answered that input is required, and call again with it; older ones are asked
in the middle of the call. A client that cannot elicit has nobody to ask.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from jigwork.tools.asking import Question
from jigwork.tools.mcp_content import plain

from .records import Answer, Approval, Decision

if TYPE_CHECKING:
    import mcp_types as types

__all__ = ["ask_by_elicitation"]

_KEY = "approval"
_SECRET = secrets.token_bytes(16)
_SINCE = "2026-07-28"
_SHOWN = 1500
_PLAIN = ("string", "number", "integer", "boolean")
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"allow": {"type": "boolean", "title": "Allow it", "description": "Make the call."}},
    "required": ["allow"],
}


async def ask_by_elicitation(
    context: Any, params: types.CallToolRequestParams, approval: Approval
) -> Decision | Answer | types.InputRequiredResult:
    """Return what the person decided or answered, or what has to be sent for them to be asked."""
    from mcp import MCPError
    from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

    session = context.session
    if not _can_ask(session.client_capabilities):
        return Decision(False, "nobody can be asked, as this client has no elicitation")
    message, form = _question(approval)
    if form is None:
        return Decision(False, "the answer has a form that cannot be asked for over MCP")
    if session.protocol_version < _SINCE:
        try:
            answer = await session.elicit_form(message, form, related_request_id=context.request_id)
        except MCPError:  # it refuses to ask, or cannot be asked anything while it waits
            return Decision(False, "the client asked nobody")
        return _decision(answer, approval.question)
    seal = _sealed(message)
    answer = (params.input_responses or {}).get(_KEY)
    if (
        answer is not None
        and params.request_state is not None
        and hmac.compare_digest(seal, params.request_state)
    ):
        return _decision(answer, approval.question)
    asked = ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=form))
    return InputRequiredResult(input_requests={_KEY: asked}, request_state=seal)


def _can_ask(capabilities: Any) -> bool:
    elicitation = capabilities.elicitation if capabilities is not None else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _question(approval: Approval) -> tuple[str, dict[str, Any] | None]:
    """Return what is asked, and the form of the answer; None where forms of MCP cannot have it."""
    if approval.question is not None:
        return f"{approval.name} asks: {approval.question.text}", _form(approval.question)
    arguments = json.dumps(approval.arguments, ensure_ascii=True, default=str)
    shown = arguments if len(arguments) <= _SHOWN else f"{arguments[:_SHOWN]}… ({len(arguments)} characters)"
    return f"Allow a call of {approval.name}? Its arguments: {shown}", _SCHEMA


def _form(question: Question) -> dict[str, Any] | None:
    """Return the form for an answer: an object of plain fields, the answer itself or with the answer as its field."""
    schema = dict(question.schema or {"type": "string"})
    if "type" not in schema and all(isinstance(choice, str) for choice in schema.get("enum", [0])):
        schema["type"] = "string"
    if question.choices and "enum" not in schema and schema.get("type") == "string":
        schema["description"] = f"For instance: {', '.join(map(str, question.choices))}"
    if schema.get("type") == "object":
        fields: dict[str, Any] = schema.get("properties", {})
        plain = all(field.get("type") in _PLAIN for field in fields.values())
        form = {"type": "object", "properties": fields, "required": list(schema.get("required", ()))}
        return form if plain and fields else None
    if schema.get("type") not in _PLAIN:
        return None
    return {"type": "object", "properties": {"answer": schema}, "required": ["answer"]}


def _sealed(message: str) -> str:
    """Bind an answer to its question: a call with other arguments is asked about anew."""
    return hmac.new(_SECRET, message.encode(), hashlib.sha256).hexdigest()


def _decision(answer: Any, question: Question | None) -> Decision | Answer:
    """Read an answer. What is not a clear yes, or no answer to the question, is a no."""
    data: Any = plain(answer) if hasattr(answer, "model_dump") else answer
    content: Any = data.get("content") or {}
    if question is not None and data.get("action") == "accept":
        value = content if dict(question.schema or {}).get("type") == "object" else content.get("answer")
        wrong = question.problem(value)
        return (
            Answer(value) if wrong is None else Decision(False, f"what they answered does not fit: {wrong}")
        )
    if data.get("action") == "accept" and content.get("allow") is True:
        return Decision(True)
    return Decision(False, None if data.get("action") != "cancel" else "they did not decide")
