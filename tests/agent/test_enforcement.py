"""Grammars in the loop: as output types, watched while they are written, repaired under their own constraint."""

from __future__ import annotations

from typing import Any

import pytest
from lark import Token, Tree

from jigwork import Agent, ArgumentsDelta, AttemptDiscarded, Grammar, OutputError, tool
from jigwork.agent.models.profiles import Profile
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
    wrong = [{"name": "go", "arguments": {"path": "left 1 right 2"}}]
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
    wrong = [{"name": "go", "arguments": {"path": "up"}}]
    cut = {"text": "left 1", "incomplete": "max_output_tokens"}
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
    script = [Reply.of({"calls": [call], "chunk": 3}), [right], "There."]
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
        script = [Reply.of({"calls": [call], "chunk": 2}), "Done"]
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
        script = [Reply.of({"calls": [{"name": "speak", "arguments": raw}], "chunk": chunk}), "Done"]
        with Agent(ScriptedModel(script, profile=CHECKED), tools=[speak]).stream_sync("go") as run:
            run.wait()
        assert run.result.calls[0].outcome is not None
        assert run.result.calls[0].outcome.output == 'say "é😀 你\n!"'
