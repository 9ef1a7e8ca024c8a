"""What we send is taken by a real server that is not OpenAI's: llama.cpp, with a model of random weights."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import pytest
from pydantic import BaseModel

from jigwork import (
    Agent,
    Grammar,
    IncompleteError,
    LimitReached,
    Limits,
    OpenAIModel,
    RunState,
    Settings,
    TextDelta,
    tool,
)

pytestmark = [pytest.mark.external, pytest.mark.slow]

SHORT = Settings(max_output_tokens=40, temperature=1.0, seed=1)


class Pick(BaseModel):
    """One of four."""

    size: Literal[1, 2]
    colour: Literal["red", "blue"]


def model(url: str) -> OpenAIModel:
    return OpenAIModel("tiny", base_url=url)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_text_comes_back(llamacpp: str, streaming: bool) -> None:
    """Both ways of asking give a text, an honest end and the server's usage."""
    agent = Agent(model(llamacpp), settings=SHORT, instructions="Be brief.")
    try:
        if streaming:
            with agent.stream_sync("Hello") as run:
                text = "".join(e.text for e in run if isinstance(e, TextDelta))
            state = run.state
            assert text == run.result.output
        else:
            state = agent.run_sync("Hello").state
    except IncompleteError as error:
        assert error.reason == "max_output_tokens"
        state = error.state
    assert state.usage.output_tokens > 0 and state.usage.unreported == 0


def test_tools_are_taken_and_whatever_comes_back_settles(llamacpp: str) -> None:
    """Random text in the place of a call is never a call that runs with nonsense."""
    ran: list[tuple[int, str]] = []

    @tool
    def pick(size: int, colour: str) -> str:
        """Pick one."""
        ran.append((size, colour))
        return "picked"

    agent = Agent(model(llamacpp), tools=[pick], settings=SHORT)
    for seed in range(3):
        try:
            state = agent.run_sync("Pick one", settings=Settings(seed=seed)).state
        except IncompleteError as error:
            state = error.state
        assert state.open_calls == []
    assert all(isinstance(size, int) and isinstance(colour, str) for size, colour in ran)


def test_a_grammar_tool_is_taken_as_a_function(llamacpp: str) -> None:
    """llama.cpp refuses custom tools; it is sent one that it knows, with the grammar in its description."""

    @tool(grammar=Grammar.from_lark('start: "go " /[0-9]{1,3}/'))
    def go(text: str) -> str:
        """Go."""
        return text

    agent = Agent(model(llamacpp), tools=[go], settings=SHORT)
    try:
        sent = agent.run_sync("Go").requests[0]
    except IncompleteError as error:
        sent = error.state.requests[0]
    assert sent.body is not None and sent.body["tools"][0]["type"] == "function"


def test_a_schema_holds_the_answer(llamacpp: str) -> None:
    """A response format is enforced by the server, and the answer is validated again."""
    agent = Agent(model(llamacpp), output=Pick, settings=Settings(max_output_tokens=400))
    for seed in range(3):
        result = agent.run_sync("Pick one", settings=Settings(seed=seed))
        assert isinstance(result.output, Pick) and len(result.requests) == 1


STEPS = Grammar.from_lark(
    'start: step (", " step)*\nstep: WAY " " NUMBER\nWAY: "left" | "right"\nNUMBER: /[0-9]{1,3}/'
)


def test_a_grammar_holds_the_answer(llamacpp: str) -> None:
    """llama.cpp is given the grammar for the whole response: every answer that was not cut is one of its texts."""
    agent = Agent(OpenAIModel("tiny", provider="llamacpp", base_url=llamacpp), output=STEPS, output_retries=0)
    whole = 0
    for seed in range(6):
        try:
            text = agent.run_sync("Go", settings=Settings(seed=seed, max_output_tokens=60)).output
        except IncompleteError:
            continue
        whole += 1
        assert STEPS.accepts(text)
    assert whole


def test_a_wrong_text_is_repaired_under_the_constraint(llamacpp: str) -> None:
    """A call that the model got wrong is asked for again, and comes back right from a server that enforces it."""
    went: list[str] = []

    @tool(grammar=STEPS)
    def go(path: str) -> str:
        """Go."""
        went.append(path)
        return "there"

    state = RunState([
        {"type": "message", "role": "user", "content": "Go"},
        {"type": "function_call", "call_id": "c1", "name": "go", "arguments": '{"path": "up 1"}'},
    ])  # fmt: skip
    model = OpenAIModel("tiny", provider="llamacpp", base_url=llamacpp)
    agent = Agent(model, tools=[go], settings=Settings(max_output_tokens=60))
    with suppress(IncompleteError, LimitReached):
        agent.run_sync(state=state, limits=Limits(turns=3))
    assert state.outcomes["c1"].status == "invalid_arguments"
    assert state.outcomes["c1_repaired"].status in ("ok", "invalid_arguments")
    assert all(STEPS.accepts(path) for path in went)
