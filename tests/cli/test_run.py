"""`jigwork run`: a user's agent, shown as text, as a document, as lines; stopped, paused, and gone on with."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


def test_text_and_steps(project: Path, cli: Cli) -> None:
    """Text, calls and their outcomes are shown, without escapes; a failing call does not hide its siblings."""
    done = cli("run", "agent.py:agent", "add", "these")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Let me see." and lines[-1] == "It is 3."
    assert "call    add(a=1, b=2)" in lines
    assert any(line.startswith("ok      add: 3") for line in lines)
    assert any(line.startswith("not ok  fail: ") and "no luck" in line for line in lines)
    assert any("add: invalid arguments: " in line for line in lines)
    assert any("ad: unknown tool: " in line for line in lines)
    assert "\x1b" not in done.out


def test_document(project: Path, cli: Cli) -> None:
    """--json prints one document with output, calls with outcomes, usage and items."""
    done = cli("run", "agent:agent", "add", "--json")
    assert (done.code, done.err) == (0, "")
    document = done.json
    assert (document["status"], document["output"]) == ("finished", "It is 3.")
    statuses = [call["outcome"]["status"] for call in document["calls"]]
    assert statuses == ["ok", "failed", "invalid_arguments", "unknown_tool"]
    assert document["usage"]["requests"] == 2 and document["model"] == {"name": "scripted"}
    assert [item["type"] for item in document["items"]].count("function_call_output") == 4


def test_lines(project: Path, cli: Cli) -> None:
    """--jsonl prints an event per line, the result last, and the deltas make up the text."""
    done = cli("run", "agent.py:agent", "add", "--jsonl")
    events = [json.loads(line) for line in done.out.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "RunStarted" and kinds[-2:] == ["RunFinished", "Result"]
    assert kinds.count("CallSettled") == 4
    turn = events[kinds.index("TurnStarted", kinds.index("CallSettled")) :]
    assert "".join(event["text"] for event in turn if event["type"] == "TextDelta") == "It is 3."


@pytest.mark.parametrize("words", [[], ["-"]])
def test_input_from_a_pipe(project: Path, cli: Cli, words: list[str]) -> None:
    """Without INPUT, or with "-", stdin is the input."""
    done = cli("run", "agent.py:agent", *words, "--json", stdin="from the pipe\n")
    assert done.json["items"][0]["content"] == "from the pipe"


def test_nothing_to_do(project: Path, cli: Cli) -> None:
    """Without any input, the command says what it needs."""
    done = cli("run", "agent.py:agent")
    assert done.code == 2 and "Give an INPUT" in done.err


def test_dependencies(project: Path, cli: Cli) -> None:
    """--deps names what the tools need; without it the error says so."""
    done = cli("run", "agent.py:with_deps", "who?", "--deps", "agent.py:deps", "--json")
    assert done.json["calls"][0]["outcome"]["output"] == "It is Ada."
    assert cli("run", "agent.py:with_deps", "who?").code == 2


def test_only_documents_on_stdout(project: Path, process: Cli) -> None:
    """What tools print, and programs that they start, is not on stdout beside the document."""
    done = process("run", "agent.py:loud", "hush", "--json")
    assert done.code == 0, done.err
    assert done.json["output"] == "Quiet."
    assert "SHOUTED\n" in done.err and "SHOUTED BY A PROGRAM" in done.err


def test_approval_without_a_terminal(project: Path, cli: Cli) -> None:
    """A call that waits leaves a state file and the exact commands that approve or deny it."""
    done = cli("run", "agent.py:payer", "pay", "--state", "pay.json")
    assert done.code == 1 and "waiting for approval: call_1 (pay)" in done.err
    assert not (project / "paid.txt").exists()
    approve, deny = (shlex.split(line)[1:] for line in done.err.splitlines()[1:])
    assert approve == ["run", "agent.py:payer", "--state", "pay.json", "--approve", "all"]
    assert deny[-2:] == ["--deny", "all"]
    again = cli(*approve)
    assert again.code == 0 and again.out.endswith("Done.\n")
    assert (project / "paid.txt").read_text() == "20"
    assert (project / "calls.txt").read_text() == "add\n", "the sibling ran once"


def test_denial_tells_the_model_why(project: Path, cli: Cli) -> None:
    """--deny ID=REASON settles the call as denied, with the reason."""
    first = cli("run", "agent.py:payer", "pay", "--state", "pay.json", "--json")
    assert first.code == 1 and first.json["status"] == "paused"
    assert [approval["call_id"] for approval in first.json["approvals"]] == ["call_1"]
    assert shlex.split(first.json["resume"])[-2:] == ["--approve", "all"]
    done = cli("run", "agent.py:payer", "--state", "pay.json", "--deny", "call_1=too much", "--json")
    outcome = done.json["calls"][0]["outcome"]
    assert outcome["status"] == "denied" and "too much" in outcome["output"]
    assert not (project / "paid.txt").exists()


def test_deciding_what_does_not_wait(project: Path, cli: Cli) -> None:
    """An id that does not wait, or no state file, is an error with the fix."""
    assert "--state FILE" in cli("run", "agent.py:payer", "x", "--approve", "all").err
    cli("run", "agent.py:payer", "pay", "--state", "pay.json")
    done = cli("run", "agent.py:payer", "--state", "pay.json", "--approve", "call_9")
    assert done.code == 1 and "call_1" in done.err


def test_a_failure_keeps_what_was_done(project: Path, cli: Cli) -> None:
    """A run that fails after a tool has acted leaves its state and says how to go on."""
    done = cli("run", "agent.py:broken", "go")
    assert done.code in (1, 2) and "go on with" in done.err, done.err
    (state,) = project.glob("jigwork-run_*.state.json")
    assert json.loads(state.read_text())["outcomes"]["call_1"]["status"] == "ok"
    assert shlex.split(done.err.splitlines()[-1]) == [
        "jigwork",
        "run",
        "agent.py:broken",
        "--state",
        state.name,
    ]


def test_a_state_goes_on(project: Path, cli: Cli) -> None:
    """--state keeps the conversation: a second input comes after the first."""
    cli("run", "agent.py:agent", "one", "--state", "talk.json")
    (project / "calls.txt").unlink()
    done = cli("run", "agent.py:sleeper", "two", "--state", "talk.json", "--json")
    assert done.code == 0 and done.json["output"].startswith("Awake after")
    users = [item["content"] for item in done.json["items"] if item.get("role") == "user"]
    assert users == ["one", "two"]
    assert not (project / "calls.txt").exists()


def test_turn_limit(project: Path, cli: Cli) -> None:
    """--turns stops the run, with the state kept."""
    done = cli("run", "agent.py:agent", "add", "--turns", "1", "--json")
    assert done.code == 1 and done.json["error"]["type"] == "LimitReached"
    assert Path(done.json["state_file"]).exists()


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--state", "mine.json"]])
def test_ctrl_c_leaves_a_state_that_goes_on(project: Path, cli: Cli, arguments: list[str]) -> None:
    """The first Ctrl-C settles the calls, writes the state, and prints the command that goes on."""
    running = subprocess.Popen(
        [sys.executable, "-m", "jigwork", "run", "agent.py:sleeper", "sleep", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _until((project / "asleep").exists)
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130 and time.monotonic() - began < 20
    if arguments == ["--json"]:
        resume = shlex.split(json.loads(out)["resume"])
    else:
        resume = shlex.split(err.splitlines()[-1])
        assert "Traceback" not in err
    state = Path(resume[resume.index("--state") + 1])
    assert (state.name == "mine.json") == (arguments == ["--state", "mine.json"])
    outcomes = json.loads(state.read_text())["outcomes"]
    assert [outcome["status"] for outcome in outcomes.values()] == ["ok", "cancelled"]
    done = cli(*resume[1:])
    assert done.code == 0 and "Awake after 2 calls." in done.out
    assert (project / "calls.txt").read_text() == "add\n", "what had run was not run again"


def test_ctrl_c_just_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt between the start of a run and its first event leaves nothing running: the calls are settled."""
    from jigwork import Agent, RunState, ScriptedModel
    from jigwork.agent.portal import run_in_portal

    started = threading.Event()

    async def nap() -> str:
        """Sleep."""
        started.set()
        await asyncio.sleep(60)
        return "slept"

    def interrupted(coroutine: Any) -> Any:
        monkeypatch.setattr("jigwork.agent.stream.run_in_portal", run_in_portal)
        run_in_portal(coroutine)
        assert started.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr("jigwork.agent.stream.run_in_portal", interrupted)
    state = RunState()
    agent = Agent(ScriptedModel([[{"name": "nap", "arguments": {}}]]), tools=[nap])
    with pytest.raises(KeyboardInterrupt), agent.stream_sync("go", state=state):
        raise AssertionError("the block was entered")
    assert [outcome.status for outcome in state.outcomes.values()] == ["cancelled"]


def test_ctrl_c_before_the_first_step() -> None:
    """An interrupt that comes before the run's first step ends it too, and does not wait for ever."""
    from jigwork.agent.portal import run_in_portal

    async def value() -> int:
        return 1

    async def sleep(seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - the loop is busy: start and cancellation reach it together

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    assert run_in_portal(value()) == 1
    before = signal.signal(signal.SIGALRM, interrupt)
    busy = threading.Thread(target=run_in_portal, args=(sleep(0.6),))
    try:
        busy.start()
        time.sleep(0.2)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            run_in_portal(value())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        busy.join()
    assert run_in_portal(value()) == 1


def test_a_second_ctrl_c_ends_it_at_once(project: Path) -> None:
    """A tool that does not let go is left behind by the second Ctrl-C."""
    running = subprocess.Popen(
        [sys.executable, "-m", "jigwork", "run", "agent.py:stubborn", "go"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _until((project / "asleep").exists)
        running.send_signal(signal.SIGINT)
        _until((project / "clinging").exists)
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130 and time.monotonic() - began < 20
    assert "stopped at once" in err


def test_kill_is_polite(project: Path) -> None:
    """SIGTERM writes the state too, and the exit code says which signal it was."""
    running = subprocess.Popen(
        [sys.executable, "-m", "jigwork", "run", "agent.py:sleeper", "sleep", "--state", "s.json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _until((project / "asleep").exists)
    running.terminate()
    assert running.wait(60) == 143
    assert len(json.loads((project / "s.json").read_text())["outcomes"]) == 2


def test_a_reader_that_goes_away(project: Path) -> None:
    """A broken pipe ends the run without a word."""
    running = subprocess.Popen(
        [sys.executable, "-m", "jigwork", "run", "agent.py:agent", "add", "--jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait(60) == 141


def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)
