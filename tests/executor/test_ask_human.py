"""`ask_human`: the model asks, a person answers in a type, in this process or in another; the answer cannot be forged."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import time
from typing import Any, Literal

import pytest

from jigwork import (
    Agent,
    Answer,
    Approval,
    ApprovalAsked,
    ConfigurationError,
    Decision,
    Limits,
    Question,
    RunState,
    StateError,
    ToolDefinitionError,
    ask_human,
    tool,
)
from jigwork.testing import ScriptedModel, capture_events


class Color(enum.Enum):
    """Two of them."""

    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Box:
    """Something with two fields."""

    width: int
    unit: Literal["cm", "in"] = "cm"


@tool
def look() -> str:
    """Look."""
    return "seen"


ASK: dict[str, Any] = {"name": "ask_human", "arguments": {"question": "Which one?"}}


def agent(asks: Any, *calls: dict[str, Any], **options: Any) -> Agent[Any, Any]:
    return Agent(ScriptedModel([list(calls) or [ASK], "Done"]), tools=[asks, look], **options)


ANSWERS: list[tuple[Any, Any, Any, Any]] = [
    (str, "the left one", "the left one", 5),
    (Color, "red", Color.RED, "green"),
    (Color, Color.BLUE, Color.BLUE, "RED"),
    (Literal["a", "b"], "a", "a", "c"),
    (int, 5, 5, "5"),
    (bool, False, False, "no"),
    (Box, {"width": 3}, Box(3), {"width": "3"}),
    (Box, Box(4, "in"), Box(4, "in"), {"height": 3}),
    (list[int], [1, 2], [1, 2], [1, "2"]),
    (int | None, None, None, ""),
]


@pytest.mark.parametrize(("output", "given", "value", "wrong"), ANSWERS)
def test_an_answer_comes_later_in_another_process_and_has_its_type(
    output: Any, given: Any, value: Any, wrong: Any
) -> None:
    """The state waits as JSON; an answer that does not fit is refused at once, the right one is the tool's result."""
    asking = agent(ask_human(output=output))
    paused = asking.run_sync("go")
    assert paused.status == "paused"
    question = paused.approvals[0].question
    assert question is not None and question.text == "Which one?"
    state = RunState.from_json(paused.state.to_json())
    with pytest.raises(StateError, match="no answer to 'Which one"):
        state.answer("call_1", wrong)
    state.answer("call_1", given)
    result = asking.run_sync(state=RunState.from_json(state.to_json()))
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.ok and outcome.value == value
    assert type(outcome.value) is type(value) and result.output == "Done"


def test_the_question_is_told_apart_in_the_events_and_in_the_result() -> None:
    """Beside a call that asks for leave stands one that asks for an answer, with its choices and its schema."""
    pay = look.rename("pay").with_options(approval="always")
    asking = Agent(
        ScriptedModel([[ASK, {"name": "pay"}, {"name": "look"}], "Done"]),
        tools=[ask_human(output=Color), pay, look],
    )
    with capture_events() as events:
        paused = asking.run_sync("go")
    schema = {"description": "Two of them.", "enum": ["red", "blue"], "type": "string"}
    wanted = Question("Which one?", ("red", "blue"), schema)
    asked = {e.name: e for e in events if isinstance(e, ApprovalAsked)}
    assert asked["ask_human"].question == wanted and asked["pay"].question is None
    assert {a.name: a.question for a in paused.approvals} == {"ask_human": wanted, "pay": None}
    assert [c.outcome.status if c.outcome else None for c in paused.calls] == [None, None, "ok"]


def test_the_model_cannot_answer_itself() -> None:
    """The answer is no argument: not in the schema, and refused where the model writes one all the same."""
    asks = ask_human()
    assert set(asks.strict.schema["properties"]) == {"question", "choices"}
    for name in ("answer", "value", "approved", "ctx"):
        call = {"name": "ask_human", "arguments": {"question": "Sure?", name: "yes"}}
        outcome = agent(asks, call).run_sync("go").calls[0].outcome
        assert outcome is not None and outcome.status == "invalid_arguments"


def test_choices_of_the_model_are_proposals_and_choices_of_the_developer_are_all_there_are() -> None:
    """A person may say something else to the first, not to the second."""
    proposed = {"name": "ask_human", "arguments": {"question": "Which?", "choices": ["a", "b"]}}
    paused = agent(ask_human(), proposed).run_sync("go")
    assert (question := paused.approvals[0].question) and question.choices == ("a", "b")
    paused.state.answer("call_1", "neither")
    fixed = agent(ask_human(choices=["a", "b"])).run_sync("go")
    assert (question := fixed.approvals[0].question) and question.choices == ("a", "b")
    with pytest.raises(StateError, match='one of "a", "b"'):
        fixed.state.answer("call_1", "neither")


def test_a_callback_answers_in_the_process() -> None:
    """It sees the question; leaving it open pauses the run, False is no answer."""

    async def answer(approval: Approval) -> Answer | Decision | None:
        await asyncio.sleep(0)
        assert approval.question is not None
        said: dict[str, Answer | Decision | None] = {
            "1": Answer("first"), "2": Decision(False, "on holiday"), "3": None,
        }  # fmt: skip
        return said[approval.question.text]

    calls = [{"name": "ask_human", "arguments": {"question": n}} for n in "123"]
    result = agent(ask_human(), *calls, on_approval=answer).run_sync("go")
    ended = [(c.outcome.status, c.outcome.output) if c.outcome else None for c in result.calls]
    assert ended[0] == ("ok", "first") and ended[2] is None and result.status == "paused"
    assert ended[1] is not None and ended[1][0] == "denied" and "Nobody answered" in ended[1][1]
    assert "on holiday" in ended[1][1]


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (True, r"Answer\(...\) with an integer"),
        (Decision(True), "Answer"),
        (Answer("x"), "expected an integer"),
    ],
)
def test_a_callback_that_does_not_answer_the_question_is_told_how(said: Any, fix: str) -> None:
    """The error is the developer's, at once; the call still waits."""

    def decide(approval: Approval) -> Any:
        return said

    with pytest.raises(ConfigurationError, match=fix) as caught:
        agent(ask_human(output=int), on_approval=decide).run_sync("go")
    assert [a.call_id for a in caught.value.state.waiting] == ["call_1"]


def test_yes_is_no_answer_and_an_answer_is_no_yes() -> None:
    """What was asked decides how it is decided; the error says how."""
    asks, pay = ask_human(), look.with_options(approval="always")
    state = Agent(ScriptedModel([[ASK, {"name": "look"}]]), tools=[asks, pay]).run_sync("go").state
    with pytest.raises(StateError, match=r"state\.answer\('call_1'"):
        state.approve("call_1")
    with pytest.raises(StateError, match=r"state\.approve\('call_2'"):
        state.answer("call_2", "yes")
    with pytest.raises(StateError, match="waiting: call_1, call_2"):
        state.answer("call_9", "yes")


def test_a_question_that_nobody_answers_in_time_is_denied() -> None:
    """It expires like an approval, and the model is told why."""
    asking = agent(ask_human(), limits=Limits(approval_seconds=0.01))
    state = asking.run_sync("go").state
    time.sleep(0.03)
    result = asking.run_sync(state=state)
    outcome = result.calls[0].outcome
    assert outcome is not None and outcome.status == "denied" and "nobody had answered" in str(outcome.output)


def test_a_value_that_only_the_type_refuses_is_an_error_before_the_run_goes_on() -> None:
    """What a JSON schema cannot say is checked with the type itself; another answer mends it."""
    from typing import Annotated

    from pydantic import AfterValidator

    def even(n: int) -> int:
        if n % 2:
            raise ValueError("odd")
        return n

    asking = agent(ask_human(output=Annotated[int, AfterValidator(even)]))
    state = asking.run_sync("go").state
    state.answer("call_1", 3)
    with pytest.raises(ConfigurationError, match="odd"):
        asking.run_sync(state=state)
    state.answer("call_1", 4)
    assert asking.run_sync(state=state).output == "Done"


def test_a_question_may_need_leave_first() -> None:
    """Both mechanisms, one after the other, for one call."""
    asking = agent(ask_human(approval="always"))
    state = asking.run_sync("go").state
    assert state.waiting[0].question is None
    state.approve("call_1")
    state = RunState.from_json(asking.run_sync(state=state).state.to_json())
    assert state.waiting[0].question is not None
    state.answer("call_1", "left")
    assert asking.run_sync(state=state).output == "Done"


def test_always_allowing_a_tool_answers_no_question() -> None:
    """What is allowed is the tool; a question still waits for its own answer."""
    calls = [ASK, ASK]
    asking = agent(ask_human(approval="always"), *calls)
    state = asking.run_sync("go").state
    state.approve("call_1", always=True)
    paused = asking.run_sync(state=state)
    assert [a.question is not None for a in paused.approvals] == [True, True]


READINGS: list[tuple[Question, str, Any]] = [
    (Question("?"), " 42 ", "42"),
    (Question("?", ("red", "blue"), {"enum": ["red", "blue"]}), "2", "blue"),
    (Question("?", ("red", "blue"), {"enum": ["red", "blue"]}), "Blue", "blue"),
    (Question("?", (10, 20), {"enum": [10, 20]}), "20", 20),
    (Question("?", (True, False), {"type": "boolean"}), "y", True),
    (Question("?", (True, False), {"type": "boolean"}), "No", False),
    (Question("?", (), {"type": "integer"}), "7", 7),
    (Question("?", ("a", "b"), {"type": "string"}), "1", "a"),
    (Question("?", ("a", "b"), {"type": "string"}), "something else", "something else"),
    (Question("?", (), {"type": "array", "items": {"type": "integer"}}), "[1, 2]", [1, 2]),
    (Question("?", (), {"anyOf": [{"type": "integer"}, {"type": "null"}]}), "null", None),
]


@pytest.mark.parametrize(("question", "typed", "value"), READINGS)
def test_what_a_person_types_is_read(question: Question, typed: str, value: Any) -> None:
    """The number of a choice, a word, a text, or JSON."""
    assert question.read(typed) == value


@pytest.mark.parametrize(
    ("question", "typed", "said"),
    [
        (Question("?", (), {"type": "integer"}), "seven", "expected an integer"),
        (Question("?", ("red",), {"enum": ["red"]}), "rde", "did you mean"),
        (Question("?", ("red",), {"enum": ["red"]}), "2", "expected"),
        (Question("?", (), {"type": "boolean"}), "maybe", "true or false"),
    ],
)
def test_what_cannot_be_read_is_said(question: Question, typed: str, said: str) -> None:
    """In words for the person."""
    with pytest.raises(ValueError, match=said):
        question.read(typed)


def test_a_question_that_cannot_be_asked_is_an_error_at_construction() -> None:
    """No schema, no choices, choices of another type."""
    with pytest.raises(ToolDefinitionError, match="no JSON schema"):
        ask_human(output=Agent)
    with pytest.raises(ToolDefinitionError, match="choose from"):
        ask_human(choices=[])
    with pytest.raises(ToolDefinitionError, match="'many' is no answer"):
        ask_human(output=int, choices=[1, "many"])


def test_it_is_a_tool_like_any_other() -> None:
    """Another name, a wrapper around it, a text for the model."""
    seen: list[str] = []

    async def around(context: Any, arguments: Any, call: Any) -> Any:
        seen.append(context.tool)
        return await call()

    asks = ask_human(output=int, name="measure", description="Ask for a measurement.").wrapped(around)
    asking = Agent(
        ScriptedModel([[{"name": "measure", "arguments": {"question": "How wide?"}}], "Done"]), tools=[asks]
    )
    state = asking.run_sync("go").state
    state.answer("call_1", 12)
    result = asking.run_sync(state=state)
    assert result.output == "Done" and seen == ["measure", "measure"]


def test_any_tool_may_ask_before_it_acts() -> None:
    """It is called again with the answer, and with what it had put aside; nothing of it has run in between."""
    from jigwork import RunContext
    from jigwork.tools import Asked

    booked: list[tuple[int, str]] = []

    @tool
    async def book(ctx: RunContext[None], flight: str) -> str:
        """Book."""
        if ctx.answer is None:
            raise Asked(Question("Which seat?", ("window", "aisle")), kept={"price": 90})
        booked.append((ctx.kept["price"], ctx.answer.value))
        return f"booked {flight}"

    call = {"name": "book", "arguments": {"flight": "OS1"}}
    booking = Agent(ScriptedModel([[call], "Done"]), tools=[book])
    state = RunState.from_json(booking.run_sync("go").state.to_json())
    assert booked == [] and not state.was_started("call_1")
    state.answer("call_1", "aisle")
    assert booking.run_sync(state=state).output == "Done" and booked == [(90, "aisle")]
