"""A model file in this process: what llama.cpp may write under masks, and what is left when it is stopped.

The models are chains: their next token depends on the last one alone, so that a test says what they say.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from jigwork import (
    Agent,
    ArgumentsDelta,
    GGUFModel,
    Grammar,
    IncompleteError,
    Limits,
    OpenAIModel,
    RunCancelled,
    RunState,
    Settings,
    TextDelta,
    tool,
)
from jigwork.agent.models.gguf_engine import Engine, EngineOptions
from jigwork.agent.server import LocalServer, ModelEngine
from jigwork.errors import ConfigurationError, ContextOverflowError, DeadlineError, SettingsError

pytestmark = [pytest.mark.external, pytest.mark.slow]

WriteModel = Callable[..., Path]


@pytest.fixture(scope="module")
def wild(write_model: WriteModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says anything, and never ends by itself."""
    return write_model(tmp_path_factory.mktemp("gguf") / "wild.gguf")


def small(path: Path, **options: Any) -> GGUFModel:
    """A model for a machine that has more to do."""
    return GGUFModel(path, threads=1, **options)


STEP = Grammar.from_lark('start: WAY " " NUMBER\nWAY: "left" | "right"\nNUMBER: /[0-9]{1,3}/')
STEPS = Grammar.from_lark('start: step (", " step)*\nstep: WAY " " N\nWAY: "left" | "right"\nN: /[0-9]{1,3}/')
QUIET = Settings(temperature=0, max_output_tokens=80)


@tool(grammar=STEP)
def go(path: str) -> str:
    """Go."""
    return f"went {path}"


def calling(name: str, arguments: Sequence[str]) -> list[str]:
    return ["<tool_call>", f'\n{{"name": "{name}"', ', "arguments": ', *arguments, "}\n</tool_call>"]


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "jigwork-gguf"]


def test_an_answer_is_of_its_grammar_whatever_the_model_would_say(
    write_model: WriteModel, tmp_path: Path
) -> None:
    """Random weights under masks write nothing but texts of the grammar; the tokens are counted."""
    wild, whole = write_model(tmp_path / "m.gguf", ends=True), 0
    for seed in range(8):
        agent = Agent(small(wild), output=STEPS, output_retries=0, settings=Settings(seed=seed))
        try:
            result = agent.run_sync("Go", settings=Settings(max_output_tokens=120, temperature=1.0))
        except IncompleteError as error:
            assert error.reason == "max_output_tokens"
            continue
        whole += 1
        assert STEPS.accepts(result.output) and len(result.requests) == 1
        assert result.requests[0].enforcement == "masked"
        assert result.usage.input_tokens > 10 and 0 < result.usage.output_tokens <= 120
        assert result.usage.unreported == 0
        body = result.requests[0].body
        assert body is not None and str(body["grammar"]).startswith("%llguidance")
    assert whole >= 4


def test_a_grammar_tool_is_called_with_a_text_of_its_grammar(write_model: WriteModel, tmp_path: Path) -> None:
    """The model would write `up and away`; from the name of the tool on, the mask decides, and the record says so."""
    says = calling("go", ['{"input": "', "up", " and", ' away"}'])
    model = small(write_model(tmp_path / "m.gguf", says))
    with Agent(model, tools=[go]).stream_sync("Go", settings=QUIET, limits=Limits(tool_calls=1)) as run:
        deltas: list[ArgumentsDelta] = []
        for event in run:
            if isinstance(event, ArgumentsDelta):
                deltas.append(event)
            if len(run.state.outcomes) == 1:
                run.cancel()
                break
    call = next(item for item in run.state.items if item["type"] == "custom_tool_call")
    outcome = run.state.outcomes[call["call_id"]]
    assert outcome.ok and outcome.enforcement == "masked" and STEP.accepts(call["input"])
    own = [d.text for d in deltas if d.call_id == call["call_id"]]
    assert "".join(own) == call["input"] and len(own) > 1
    usage = run.state.requests[0].usage
    assert usage.requests == 1 and usage.cached_tokens > usage.input_tokens / 3  # nothing is read twice


@pytest.mark.parametrize("choice", ["go", "required", {"type": "custom", "name": "go"}])
def test_a_forced_call_needs_no_form_of_the_model(wild: Path, choice: Any) -> None:
    """A model that could never call a tool by itself writes the text of one that is forced."""
    outcomes: list[Any] = []
    for seed in range(4):
        state = RunState()
        agent = Agent(small(wild), tools=[go], settings=Settings(max_output_tokens=40, seed=seed))
        with pytest.raises(IncompleteError):  # it talks for ever afterwards
            agent.run_sync("Go", state=state, settings=Settings(tool_choice=choice))
        outcomes += state.outcomes.values()
    assert len(outcomes) == 4 and {o.enforcement for o in outcomes} == {"masked"}
    assert all(o.ok for o in outcomes)


class Pick(BaseModel):
    """One of four."""

    size: Literal[1, 2]
    colour: Literal["red", "blue"]


def test_a_forced_function_gets_arguments_of_its_schema(wild: Path) -> None:
    """The JSON of the arguments is written under a mask too."""
    got: list[tuple[int, str]] = []

    @tool
    def pick(size: Literal[1, 2], colour: Literal["red", "blue"]) -> str:
        """Pick one."""
        got.append((size, colour))
        return "picked"

    for seed in range(4):
        agent = Agent(small(wild), tools=[pick, go], settings=Settings(max_output_tokens=60, seed=seed))
        with pytest.raises(IncompleteError):
            agent.run_sync("Pick", settings=Settings(tool_choice="pick"))
    assert len(got) == 4 and all(size in (1, 2) and colour in ("red", "blue") for size, colour in got)


def test_a_schema_holds_the_answer(wild: Path) -> None:
    """Structured output comes right at the first try, and as short as it can be."""
    for seed in range(4):
        result = Agent(small(wild), output=Pick).run_sync(
            "Pick", settings=Settings(seed=seed, temperature=2.0)
        )
        assert isinstance(result.output, Pick) and len(result.requests) == 1
        assert result.usage.output_tokens < 60


def test_functions_are_called_in_the_form_of_the_template(write_model: WriteModel, tmp_path: Path) -> None:
    """What the model says as its template has it becomes a call; what it says after the result is the answer."""
    got: list[int] = []

    @tool
    def double(n: int) -> int:
        """Double a number."""
        got.append(n)
        return 2 * n

    says = calling("double", ['{"n": 21}'])
    state = RunState()
    agent = Agent(small(write_model(tmp_path / "m.gguf", says)), tools=[double])
    with pytest.raises(Exception, match="limit of 2 turns"):
        agent.run_sync("Double 21", state=state, settings=QUIET, limits=Limits(turns=2))
    assert got == [21, 21]
    assert [item["type"] for item in state.items][:3] == ["message", "function_call", "function_call_output"]


def test_a_structured_answer_and_tools_go_together(write_model: WriteModel, tmp_path: Path) -> None:
    """With a schema for its answer llama.cpp could call nothing: the answer is a call itself."""
    arguments = '{"size": 2, "colour": "red"}'
    model = small(write_model(tmp_path / "m.gguf", calling("final_answer", [arguments])))
    result = Agent(model, tools=[go], output=Pick).run_sync("Pick", settings=QUIET)
    assert result.output == Pick(size=2, colour="red")


def test_what_a_transform_refuses_is_fed_back(wild: Path) -> None:
    """A text of the grammar may still be wrong; the model is told why, and asked again."""
    seen: list[str] = []

    def first_right(tree: Any) -> str:
        seen.append(str(tree.children[0]))
        if len(seen) < 3:
            raise ValueError("this way is closed")
        return "through"

    result = Agent(small(wild), output=(STEP, first_right)).run_sync("Go", settings=Settings(seed=5))
    assert result.output == "through" and len(result.requests) == 3
    assert sum("this way is closed" in str(item.get("content")) for item in result.items) == 2


def test_settings_are_honoured(write_model: WriteModel, wild: Path, tmp_path: Path) -> None:
    """Limit, seed, stop sequence: as on any other server."""

    def say(**settings: Any) -> tuple[str, int, str | None]:
        state = RunState()
        reason = None
        try:
            Agent(small(wild)).run_sync("Hi", state=state, settings=Settings(**settings))
        except IncompleteError as error:
            reason = error.reason
        said = "".join(part["text"] for item in state.items[1:] for part in item["content"])
        return said, state.usage.output_tokens, reason

    first, tokens, reason = say(max_output_tokens=30, seed=1, temperature=1.0)
    assert (tokens, reason) == (30, "max_output_tokens")
    assert say(max_output_tokens=30, seed=1, temperature=1.0)[0] == first
    assert say(max_output_tokens=30, seed=2, temperature=1.0)[0] != first
    with pytest.raises(SettingsError, match="out of range"):
        say(temperature=9)
    model = small(write_model(tmp_path / "m.gguf", ["One", " two", " three", " four"]))
    assert Agent(model).run_sync("Count", settings=QUIET).output == "One two three four"
    assert Agent(model).run_sync("Count", settings=Settings(temperature=0, stop=" three")).output == "One two"


def test_a_cancelled_run_leaves_nothing_running(write_model: WriteModel, tmp_path: Path) -> None:
    """Generation ends where the run is cancelled, left, or out of time, and the model answers the next one."""
    model = small(write_model(tmp_path / "m.gguf", context=60_000), context=60_000)
    with Agent(model).stream_sync("Talk") as run:
        for event in run:
            if isinstance(event, TextDelta):
                assert running()
                run.cancel()
                break
        with pytest.raises(RunCancelled):
            run.wait()
    assert not running()
    for settings in (Settings(deadline=0.3), Settings(timeout=1e-6)):
        with pytest.raises(DeadlineError, match="within"):
            Agent(model).run_sync("Talk", settings=settings)
        assert not running()
    assert STEP.accepts(Agent(model, output=STEP).run_sync("Go").output)


def test_a_long_prompt_can_be_given_up_while_it_is_read(write_model: WriteModel, tmp_path: Path) -> None:
    """Nothing has been written yet, and still the end does not have to be waited for."""
    model = small(write_model(tmp_path / "m.gguf", context=60_000), context=60_000)
    Agent(model, output=STEP).run_sync("Go")  # it is loaded now
    begun = time.monotonic()
    with pytest.raises(DeadlineError):
        Agent(model).run_sync("x" * 50_000, settings=Settings(deadline=0.2))
    stopped = time.monotonic() - begun
    assert not running() and stopped < 20


def test_many_runs_at_once(wild: Path) -> None:
    """More than there are slots: the others wait, and each gets its own answer."""

    async def all_of_them() -> list[str]:
        agent = Agent(small(wild, parallel=2), output=STEP)
        runs = (agent.run(f"Go {n}", settings=Settings(seed=n)) for n in range(6))
        return [result.output for result in await asyncio.gather(*runs)]

    answers = asyncio.run(all_of_them())
    assert len(answers) == 6 and all(map(STEP.accepts, answers))


def test_a_file_is_loaded_once_and_let_go_with_its_last_model(wild: Path) -> None:
    """Models with the same options share an engine; a model that was closed loads it again."""
    one, two = GGUFModel(wild, threads=2), GGUFModel(wild, threads=2)
    agents = [Agent(model, output=STEP) for model in (one, two)]
    for agent in agents:
        agent.run_sync("Go")
    engines = [e for e in Engine.loaded() if e.options.threads == 2]
    assert len(engines) == 1
    del engines
    asyncio.run(one.aclose())
    asyncio.run(two.aclose())
    assert not [e for e in Engine.loaded() if e.options.threads == 2]
    assert STEP.accepts(agents[0].run_sync("Go").output)


def test_an_engine_that_was_never_asked_ends_too(wild: Path) -> None:
    """Loaded and let go at once, many times: none waits for ever."""
    for number in range(20):
        engine = Engine(EngineOptions(wild, context=256 + number, threads=1))
        done = threading.Thread(target=engine.stop, daemon=True)
        done.start()
        done.join(20)
        assert not done.is_alive()


def test_what_does_not_fit_says_how_to_make_room(wild: Path) -> None:
    """The error has the size that there is, and the option that gives more."""
    model = small(wild, context=512)
    with pytest.raises(ContextOverflowError, match=r"512 tokens.*context=1024.*trained on 4,096") as caught:
        Agent(model).run_sync("x" * 3000)
    assert caught.value.status == 400


def test_a_template_without_tools_is_no_model_for_tools(write_model: WriteModel, tmp_path: Path) -> None:
    """It would never be shown them: an error, not a model that calls nothing."""
    bare = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:{{ '\\n' }}"
    path = write_model(tmp_path / "m.gguf", ["Hello"], template=bare)
    assert Agent(small(path)).run_sync("Hi", settings=QUIET).output == "Hello"
    with pytest.raises(ConfigurationError, match="no place for tools"):
        Agent(small(path), tools=[go]).run_sync("Hi")
    assert Agent(small(path, template="chatml")).run_sync("Hi", settings=QUIET).output == "Hello"


def test_a_damaged_file_is_an_error_with_the_next_step(write_model: WriteModel, tmp_path: Path) -> None:
    """A whole head over half the weights: llama.cpp refuses it, and it is said how to see why."""
    path = write_model(tmp_path / "m.gguf", ["Hello"])
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(ConfigurationError, match="verbose=True"):
        Agent(small(path)).run_sync("Hi")


def test_a_grammar_that_could_hang_an_engine_does_not(wild: Path) -> None:
    """An endless forced text ends at the limit of tokens, and the engine answers the next request."""
    trap = Grammar.from_lark('start: A "a"\nA: /a+/\n')
    with pytest.raises(IncompleteError):
        Agent(small(wild), output=trap).run_sync("Go", settings=Settings(max_output_tokens=20))
    assert STEP.accepts(Agent(small(wild), output=STEP).run_sync("Go").output)


def test_a_history_of_another_server_goes_on_here(write_model: WriteModel, tmp_path: Path) -> None:
    """Calls of both kinds and their outputs are told to this model in its own template."""
    state = RunState([
        {"type": "message", "role": "user", "content": "Go left"},
        {"type": "custom_tool_call", "call_id": "c1", "name": "go", "input": "left 1"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "went left 1"},
        {"type": "function_call", "call_id": "c2", "name": "double", "arguments": '{"n": 1}'},
        {"type": "function_call_output", "call_id": "c2", "output": "2"},
    ])  # fmt: skip
    model = small(write_model(tmp_path / "m.gguf", ["Done"]))
    assert Agent(model, tools=[go]).run_sync("And?", state=state, settings=QUIET).output == "Done"


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_a_served_file_takes_grammar_tools_from_any_client(wild: Path, endpoint: Any) -> None:
    """Behind the local server it is what OpenAI's is: custom tools, held to their grammars by the server."""
    with LocalServer(ModelEngine(small(wild))) as server:
        model = OpenAIModel("gpt-5.2", base_url=server.base_url, endpoint=endpoint)
        state = RunState()
        with pytest.raises(IncompleteError):  # it talks for ever afterwards
            Agent(model, tools=[go], settings=Settings(max_output_tokens=40)).run_sync(
                "Go", state=state, settings=Settings(tool_choice="go")
            )
    (outcome,) = state.outcomes.values()
    assert outcome.ok and outcome.enforcement == "native"


SCRIPT = """
import contextlib, sys, threading, time
from jigwork import Agent, Grammar, Settings
model, way = "gguf:" + sys.argv[1], sys.argv[2]
agent = Agent(model, output=Grammar.from_choices(["yes", "no"]))
print(agent.run_sync("?").output)
if way == "busy":
    def talk():
        with contextlib.suppress(Exception):  # the model is taken away while it talks
            Agent(model).run_sync("Talk", settings=Settings(temperature=1.0, max_output_tokens=100_000))
    threading.Thread(target=talk, daemon=True).start()
    time.sleep(0.3)
"""


@pytest.mark.parametrize("way", ["idle", "busy"])
def test_the_process_ends_cleanly(wild: Path, way: str) -> None:
    """No thread of llama.cpp outlives the interpreter, and nothing is printed that nobody asked for."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(wild), way],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.strip() in ("yes", "no")
    assert done.stderr == ""
