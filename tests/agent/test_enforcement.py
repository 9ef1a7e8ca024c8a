"""Grammars in the loop: as output types, watched while they are written, repaired under their own constraint."""

from __future__ import annotations

import itertools
import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from lark import Token, Tree

from jigwork import (
    Agent,
    ArgumentsDelta,
    AttemptDiscarded,
    Grammar,
    LimitReached,
    Limits,
    OpenAIModel,
    OutputError,
    RunResult,
    RunState,
    UsageUpdated,
    tool,
)
from jigwork.agent.cli.spending import spending
from jigwork.agent.models.profiles import Profile
from jigwork.agent.server import LocalServer
from jigwork.agent.watch import GrammarWatch
from jigwork.grammars import library
from jigwork.testing import Reply, ScriptedModel

GO = Grammar.from_lark(
    'start: step (", " step)*\nstep: WAY " " NUMBER\nWAY: "left" | "right"\nNUMBER: /[0-9]{1,3}/'
)

NATIVE = Profile(custom_tools=True)
CHECKED = Profile()
CONSTRAINED = Profile(response_grammar="llamacpp")


@tool(grammar=GO)
def go(path: str) -> str:
    """Go."""
    return f"went {path}"


def steps(tree: Tree[Token]) -> int:
    """Count the steps."""
    return len(tree.children)


@pytest.mark.parametrize("profile", [NATIVE, CHECKED, CONSTRAINED])
def test_a_grammar_may_be_the_output(profile: Profile) -> None:
    """Whoever enforces it, the answer is a text of the grammar, or a value made of its tree."""
    answer: Any = "left 1, right 20"
    if profile is NATIVE:
        answer = [{"name": "final_answer", "input": answer}]
    model = ScriptedModel([answer, answer], profile=profile)
    assert Agent(model, output=GO).run_sync("go").output == "left 1, right 20"
    assert Agent(model, output=(GO, steps)).run_sync("go").output == 2
    request = model.requests[0]
    assert bool(request.tools) == (profile is NATIVE)
    assert (request.constraint == GO) == (profile is CONSTRAINED)
    assert ("WAY" in (request.instructions or "")) == (profile is not NATIVE)


def test_an_answer_outside_the_grammar_is_explained_and_asked_again() -> None:
    """The model reads where it left the grammar and what may stand there."""
    model = ScriptedModel(["left 1, rigt 20", "left 1, right 20"], profile=CHECKED)
    assert Agent(model, output=GO).run_sync("go").output == "left 1, right 20"
    assert "right" in model.requests[1].items[-1]["content"]
    with pytest.raises(OutputError, match="left"):
        Agent(ScriptedModel(["up 1"] * 3, profile=CHECKED), output=GO).run_sync("go")


def test_a_wrong_answer_is_asked_again_under_the_constraint_even_with_tools() -> None:
    """The first request leaves room for calls, the second for nothing but the answer."""
    model = ScriptedModel(["up 1", "left 1"], profile=CONSTRAINED)
    assert Agent(model, tools=[go], output=GO).run_sync("go").output == "left 1"
    assert [r.constraint for r in model.requests] == [None, GO]
    assert [len(r.tools) for r in model.requests] == [1, 0]


def test_a_refused_text_is_repaired_by_a_constrained_request() -> None:
    """The answer is the text alone, becomes a call of the same tool, and the model goes on from its result."""
    wrong: Any = [{"name": "go", "arguments": {"path": "left 1 right 2"}}]
    model = ScriptedModel([wrong, "left 1, right 2", "There."], profile=CONSTRAINED)
    with Agent(model, tools=[go]).stream_sync("go") as run:
        deltas = [e for e in run if isinstance(e, ArgumentsDelta)]
    result = run.result
    assert [c.outcome.status for c in result.calls if c.outcome] == ["invalid_arguments", "ok"]
    assert result.calls[1].call_id == "call_1_repaired" and result.output == "There."
    assert model.requests[1].constraint == GO and model.requests[1].tools == ()
    assert "corrected text" in model.requests[1].items[-1]["content"]
    assert all("corrected text" not in str(item.get("content")) for item in result.items)
    assert "".join(d.text for d in deltas if d.call_id == "call_1_repaired") == "left 1, right 2"


def test_a_repair_that_was_cut_is_not_run_and_not_repaired_again() -> None:
    """The budget of one is kept; the model gets its turn."""
    wrong: Any = [{"name": "go", "arguments": {"path": "up"}}]
    cut: Any = {"text": "left 1", "incomplete": "max_output_tokens"}
    result = Agent(ScriptedModel([wrong, cut, "I give up."], profile=CONSTRAINED), tools=[go]).run_sync("go")
    assert [c.outcome.status for c in result.calls if c.outcome] == ["invalid_arguments", "invalid_arguments"]
    assert result.output == "I give up."


WRONG_CALLS: list[tuple[Profile, dict[str, Any]]] = [
    (NATIVE, {"name": "go", "input": "left 1, up 2, right 3, right 4"}),
    (CHECKED, {"name": "go", "arguments": {"path": "left 1, up 2, right 3, right 4"}}),
]


@pytest.mark.parametrize(("profile", "call"), WRONG_CALLS)
def test_a_stream_is_cut_where_a_text_leaves_its_grammar(profile: Profile, call: dict[str, Any]) -> None:
    """The rest is not waited for, the model is told where, and what it cost is not hidden."""
    right = {**call, **({"input": "left 1"} if "input" in call else {"arguments": {"path": "left 1"}})}
    script: list[Any] = [Reply.of({"calls": [call], "chunk": 3}), [right], "There."]
    with Agent(ScriptedModel(script, profile=profile), tools=[go]).stream_sync("go") as run:
        events = list(run)
    written = ""
    for event in events:
        if isinstance(event, AttemptDiscarded):
            break
        written += event.text if isinstance(event, ArgumentsDelta) else ""
    assert "right 4" not in written
    assert [c.outcome.status for c in run.result.calls if c.outcome] == ["ok"]
    assert [r.status for r in run.result.requests] == ["cut", "completed", "completed"]
    assert run.result.usage.unreported == 1
    assert any("stopped while you wrote it" in str(i.get("content")) for i in run.result.items)


@pytest.mark.parametrize("profile", [NATIVE, CHECKED])
def test_a_text_that_can_be_rewritten_is_not_cut(profile: Profile) -> None:
    """Where a tool reads texts beside its grammar, each is read to its end; what ran is in the record."""
    tolerant = tool(grammar=GO, rewrite=lambda text: text.replace(";", ","))(go.function)
    text = "left 1; right 2; left 3"
    call = {"name": "go", "input": text} if profile is NATIVE else {"name": "go", "arguments": {"path": text}}
    script: list[Any] = [Reply.of({"calls": [call], "chunk": 3}), "There."]
    with Agent(ScriptedModel(script, profile=profile), tools=[tolerant]).stream_sync("go") as run:
        run.wait()
    assert [r.status for r in run.result.requests] == ["completed", "completed"]
    outcome = run.result.calls[0].outcome
    assert outcome is not None and outcome.output == "went left 1, right 2, left 3"
    assert outcome.repairs == ("wrote the text as the grammar has it: left 1, right 2, left 3",)


LONG = ", ".join(f"left {n}" for n in range(100, 180))
WRONG = f"{LONG[:200]} up {LONG[204:]}"  # as long as LONG, and wrong after 200 characters


def served(script: list[Any], *, endpoint: Any = "responses", watch: bool = True, output: Any = str) -> Any:
    """Stream a run with the tool `go` from the local server, which counts tokens by a rule of its own."""
    name = "gpt-5.2" if endpoint == "responses" else "anything"
    tools = [] if output is not str else [go]
    with LocalServer(script) as server:
        model = OpenAIModel(name, base_url=server.base_url, endpoint=endpoint)
        with Agent(model, tools=tools, watch=watch, output=output).stream_sync("go") as run:
            events = list(run)
    return run.result, events


CALLS: list[tuple[Any, str]] = [("responses", "input"), ("chat", "arguments")]


@pytest.mark.parametrize(("endpoint", "key"), CALLS)
def test_what_a_cut_cost_and_what_it_saved_is_counted(endpoint: Any, key: str) -> None:
    """Written and saved tokens together are what the server counts for the whole text, within a tenth."""

    def call(text: str) -> dict[str, Any]:
        return {"calls": [{"name": "go", key: text if key == "input" else {"path": text}}]}

    script = [call(WRONG), call(LONG), "There."]
    whole, _ = served(script, endpoint=endpoint, watch=False)
    result, events = served(script, endpoint=endpoint)
    assert [r.status for r in result.requests] == ["cut", "completed", "completed"]
    record, usage = result.requests[0], result.requests[0].usage
    assert usage.unreported == 1 and usage.output_tokens == usage.input_tokens == 0
    assert record.cut is not None and record.cut.name == "go"
    assert 200 <= record.cut.written_bytes <= 250
    counted = whole.requests[0].usage  # the same request, and the same reply, to its end
    assert usage.estimated_input_tokens == pytest.approx(counted.input_tokens, rel=0.35)
    spent = usage.estimated_output_tokens + usage.saved_tokens
    assert spent == pytest.approx(counted.output_tokens, rel=0.1)
    assert record.cut.saved_tokens == usage.saved_tokens == result.usage.saved_tokens > 100
    assert result.usage.output_tokens < whole.usage.output_tokens
    said = [e for e in events if isinstance(e, AttemptDiscarded)]
    assert f"after about {usage.estimated_output_tokens} tokens" in said[0].reason
    updates = [e for e in events if isinstance(e, UsageUpdated)]
    assert updates[0].usage == replace(usage, saved_tokens=0) and updates[-1].total == result.usage
    line = spending(result, Profile())
    assert line is not None and "3 requests" in line and "1 of them cut where a text left its grammar" in line
    assert f"{result.usage.saved_tokens:,} saved" in line
    again = RunState.from_json(result.state.to_json())
    assert again.usage == result.usage and again.requests[0].cut == record.cut


def test_nothing_is_saved_before_a_text_was_accepted_and_nothing_by_a_shorter_one() -> None:
    """What the server would have written is not known: no figure is made up for it."""
    never: RunResult[str] = served([[{"name": "go", "input": WRONG}], "I give up."])[0]
    cut = never.requests[0].cut
    assert cut is not None and cut.saved_tokens is None and never.usage.saved_tokens == 0
    assert never.usage.estimated_output_tokens > 0
    short: RunResult[str] = served(
        [[{"name": "go", "input": WRONG}], [{"name": "go", "input": "left 1"}], "."]
    )[0]
    cut = short.requests[0].cut
    assert cut is not None and cut.saved_tokens == 0


def test_a_cut_counts_against_the_limit_of_tokens() -> None:
    """A server that never says what a cut stream cost does not make it free."""
    wrong = Reply.of({"calls": [{"name": "go", "input": WRONG}]})
    model = ScriptedModel([wrong, wrong, "There."])
    with (
        pytest.raises(LimitReached) as caught,
        Agent(model, tools=[go]).stream_sync("go", limits=Limits(tokens=60)) as run,
    ):
        run.wait()
    assert caught.value.limit == "tokens" and [r.status for r in run.state.requests] == ["cut"]


@pytest.mark.parametrize("profile", [CHECKED, CONSTRAINED])
def test_an_answer_is_cut_where_it_leaves_its_grammar(profile: Profile) -> None:
    """The text of a final answer is followed as a call's is, also on a server that was told the grammar."""
    script: list[Any] = [
        Reply(text=f"left 1, up 2{', left 3' * 40}", chunk=4),
        "left 1, left 2" + ", left 3" * 40,
    ]
    model = ScriptedModel(script, profile=profile)
    with Agent(model, output=GO).stream_sync("go") as run:
        run.wait()
    assert run.result.output.startswith("left 1, left 2")
    assert [r.status for r in run.result.requests] == ["cut", "completed"]
    assert run.result.usage.saved_tokens > 50
    assert "Your answer was stopped" in model.requests[1].items[-1]["content"]
    said = Reply(text="First I look at the map, then I go.", calls=(), chunk=4)
    with Agent(ScriptedModel([said, "left 1"], profile=profile), tools=[go], output=GO).stream_sync(
        "go"
    ) as run:
        run.wait()
    assert [r.status for r in run.result.requests] == [
        "completed"
    ] * 2  # it might have been said before a call


def test_a_stream_that_broke_and_begins_anew_is_followed_anew() -> None:
    """What came before the connection broke is no part of the text that is followed."""
    call = {"name": "go", "input": "left 1, right 2, left 3, right 4"}
    broken = {"calls": [call], "chunk": 4, "fault": {"drop": True, "after": 8}}
    result, events = served([broken, {"calls": [call], "chunk": 4}, "There."])
    assert any(isinstance(e, AttemptDiscarded) for e in events)
    assert [r.status for r in result.requests] == ["completed", "completed"]
    assert result.usage.saved_tokens == 0 and result.calls[0].outcome.ok


def test_a_repair_is_watched_as_the_text_that_it_is() -> None:
    """A server that was told the grammar and ignored it is stopped where that shows."""
    wrong: Any = [{"name": "go", "arguments": {"path": " up"}}]  # white space first: not cut, but refused
    ignored = Reply(text="left 1, then up and up and up and up", chunk=4)
    model = ScriptedModel([wrong, ignored, "There."], profile=CONSTRAINED)
    with Agent(model, tools=[go]).stream_sync("go") as run:
        run.wait()
    assert [r.status for r in run.result.requests] == ["completed", "cut", "completed"]
    assert model.requests[1].constraint == GO


def test_the_watch_can_be_switched_off_and_gives_up_by_itself() -> None:
    """A model that never gets it right is not cut for ever."""
    wrong = Reply.of({"calls": [{"name": "go", "input": "up 2"}], "chunk": 1})
    with Agent(ScriptedModel([wrong, "Done"]), tools=[go], watch=False).stream_sync("go") as run:
        run.wait()
    assert [c.outcome.status for c in run.result.calls if c.outcome] == ["invalid_arguments"]
    with Agent(ScriptedModel([wrong] * 4 + [Reply(text="Done")]), tools=[go]).stream_sync("go") as run:
        run.wait()
    assert [r.status for r in run.result.requests] == ["cut"] * 3 + ["completed"] * 2


@pytest.mark.parametrize("text", ["left 1", "  left 1\n", "```\nleft 1\n```", "left 1, right 22"])
def test_what_is_taken_in_the_end_is_never_cut(text: str) -> None:
    """White space and fences around a text are taken off, so they are no reason to stop."""
    for call in ({"name": "go", "input": text}, {"name": "go", "arguments": {"path": text}}):
        profile = NATIVE if "input" in call else CHECKED
        script: list[Any] = [Reply.of({"calls": [call], "chunk": 2}), "Done"]
        with Agent(ScriptedModel(script, profile=profile), tools=[go]).stream_sync("go") as run:
            run.wait()
        assert [c.outcome.status for c in run.result.calls if c.outcome] == ["ok"]


def test_escapes_in_arguments_are_followed_too() -> None:
    """A text inside JSON is followed as the text that it is, however it is escaped and split."""
    said = Grammar.from_lark(r'start: /say "[^"\\]*"/')

    @tool(grammar=said)
    def speak(line: str) -> str:
        """Speak."""
        return line

    raw = r'{"line": "say \"\u00e9\ud83d\ude00 \u4f60\n!\""}'
    for chunk in range(1, 9):
        script: list[Any] = [
            Reply.of({"calls": [{"name": "speak", "arguments": raw}], "chunk": chunk}),
            "Done",
        ]
        with Agent(ScriptedModel(script, profile=CHECKED), tools=[speak]).stream_sync("go") as run:
            run.wait()
        assert run.result.calls[0].outcome is not None
        assert run.result.calls[0].outcome.output == 'say "é😀 你\n!"'


@pytest.mark.parametrize("name", ["json", "csv", "lucene", "latex_math", "unified_diff"])
def test_the_watch_and_the_last_word_agree(name: str) -> None:
    """However a text comes in pieces and in escapes: one of the grammar is never cut, and of the others exactly those
    that no text of the grammar begins with, white space and fences aside."""
    grammar = library(name)

    @tool(grammar=grammar)
    def take(text: str) -> str:
        """Take."""
        return text

    rng = random.Random(4)
    for text in grammar.sample(12, seed=2):
        for wanted in (text, _mutated(text, rng)):
            explanation = grammar.explain(wanted)
            lost = not explanation.accepted and not explanation.unfinished
            for written, custom in ((wanted, True), (_escaped(wanted, rng), False)):
                watch = GrammarWatch({"take": take}, custom=custom)
                left, place = None, 0
                while place < len(written) and left is None:
                    step = rng.randint(1, 9)
                    left = watch.add(ArgumentsDelta(written[place : place + step], 0, "c", "take"))
                    place += step
                if left is not None:
                    assert lost and left.written == len(written[:place].encode())
                elif lost:
                    assert (
                        wanted.strip() != wanted
                        or "`" in wanted
                        or not explanation.text[explanation.position :].strip()
                    )


def test_a_slow_server_is_no_slow_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the time spent on following a text is limited; a text that takes too long to follow is not followed."""
    watch = GrammarWatch({"go": go}, custom=True)
    assert watch.add(ArgumentsDelta("left 1", 0, "c", "go")) is None
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 3600)
    assert watch.add(ArgumentsDelta(", right 1", 0, "c", "go")) is None
    left = watch.add(ArgumentsDelta(", up", 0, "c", "go"))
    assert left is not None and left.written == len("left 1, right 1, up")
    slow = GrammarWatch({"go": go}, custom=True)
    ticks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 60.0 * next(ticks))
    assert [slow.add(ArgumentsDelta(text, 0, "c", "go")) for text in ("left", " up", " up")] == [None] * 3


def _mutated(text: str, rng: random.Random) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(["é", "Q", "}", "\\", '"', ""]) + text[place + rng.randint(0, 2) :]


def _escaped(text: str, rng: random.Random) -> str:
    """The text in the JSON of the arguments, each character in one of its spellings."""
    inner = "".join(
        json.dumps(c)[1:-1] if rng.random() < 0.5 else json.dumps(c, ensure_ascii=False)[1:-1] for c in text
    )
    return f'{{ "text" : "{inner}"}}'
