"""The other commands: help, models, doctor, schema, serve, chat."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from jigwork.agent.cli.extras import EXTRAS
from jigwork.agent.pytest_plugin import ServerFactory

Cli = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["ask", "chat", "run", "serve", "models", "doctor", "schema"]


def test_help_names_every_command(cli: Cli) -> None:
    """The help lists the commands, each with a whole sentence."""
    out = cli("--help").out
    assert all(f"  {name} " in out for name in COMMANDS) and "...\n" not in out.partition("Commands:")[2]
    assert cli().out == out and cli("-h").out == out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    """Every command explains itself and its options."""
    done = cli(name, "--help")
    assert done.code == 0 and f"Usage: jigwork {name}" in done.out


def test_help_is_quick_and_light() -> None:
    """`jigwork --help` imports no client, no grammar engine, no database, and takes little CPU."""
    program = (
        "import sys, time, resource\nfrom jigwork.__main__ import main\nsys.argv[1:] = ['--help']\ncode = main()\n"
        "use = resource.getrusage(resource.RUSAGE_SELF)\n"
        "heavy = {'openai', 'lark', 'llguidance', 'sqlalchemy', 'sqlglot', 'rich', 'prompt_toolkit', 'pydantic'}\n"
        "print(code, sorted(heavy & set(sys.modules)), use.ru_utime + use.ru_stime, file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    last = [run.stderr.split() for run in runs]
    assert all(words[:2] == ["0", "[]"] for words in last)
    assert min(float(words[2]) for words in last) < 0.3


def test_unknown_command(cli: Cli) -> None:
    """A misspelt command is told the nearest one."""
    done = cli("modles")
    assert done.code == 2 and "did you mean 'models'?" in done.err
    assert cli("--json", "modles").code == 2


def test_models(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The known models are listed, and the one that would be used, with the reason."""
    document = cli("models", "--json").json
    assert document["default"] == {
        "name": "offline",
        "reason": "offline, because no model is named and no API key is set",
    }
    known = {model["name"]: model for model in document["models"]}
    assert (
        known["gpt-5.2"]["context_window"] == 400_000 and known["gpt-5.2"]["input_usd_per_million"] == "1.75"
    )
    assert document["aliases"]["thinking"]["model"] == "gpt-5.2"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    done = cli("models")
    assert (
        done.out.startswith("now     gpt-5.2, because OPENAI_API_KEY is set\n")
        and "sk-secret" not in done.out
    )
    monkeypatch.setenv("JIGWORK_MODEL", "gtp-5.2")
    assert "did you mean 'gpt-5.2'?" in cli("models").out


def test_models_of_a_server(cli: Cli, jigwork_server: ServerFactory) -> None:
    """--provider asks a server what it has; one that is not there is an error with its address."""
    server = jigwork_server(["Hello"])
    document = cli("models", "--provider", server.base_url, "--json").json
    assert document["offered"]["provider"] == server.base_url
    assert isinstance(document["offered"]["models"], list)
    gone = cli("models", "--provider", "http://127.0.0.1:9/v1")
    assert gone.code == 1 and "http://127.0.0.1:9/v1" in gone.err
    assert "did you mean 'ollama'?" in cli("models", "--provider", "olama").err


def test_doctor(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines are tried, variables are named and their values never shown."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    done = cli("doctor", "--json")
    found = done.json
    assert done.code == 0 and found["ok"], found
    assert [check["name"] for check in found["checks"]] == [
        "grammar engine",
        "model files",
        "run with a tool",
        "offline question",
    ]
    assert all(check["ok"] and check["message"] == "works" for check in found["checks"])
    assert found["environment"]["OPENAI_API_KEY"] is True and found["environment"]["COMETAPI_KEY"] is False
    assert found["extras"]["sql"]["ok"]
    text = cli("doctor")
    assert "sk-secret" not in done.out + text.out and "OPENAI_API_KEY" in text.out


def test_doctor_finds_what_is_wrong(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that cannot be used makes the doctor complain, with exit code 1."""
    monkeypatch.setenv("JIGWORK_MODEL", "gpt-5.2")
    done = cli("doctor")
    assert done.code == 1 and "OPENAI_API_KEY" in done.out


def test_schema(project: Path, cli: Cli) -> None:
    """The strict schema, the plain one, and what is lost, for functions, tools and models."""
    (project / "mine.py").write_text(
        "from pydantic import BaseModel, Field\n"
        "class Order(BaseModel):\n    '''An order.'''\n    count: int = Field(ge=1)\n    note: str | None = None\n"
        "def plain(x: dict[str, int]) -> int:\n    '''Take a dict.'''\n    return 1\n"
    )
    document = cli("schema", "mine.py:Order", "--json").json
    assert document["name"] and document["strict"] is True
    assert set(document["schema"]["required"]) == {"count", "note"} and document["plain"]["required"] == [
        "count"
    ]
    text = cli("schema", "mine:plain").out
    assert "says    Take a dict." in text and "sent to the model" in text and "plain\n" in text
    losses = cli("schema", "mine:plain", "--json").json
    assert losses["lossless"] == (not losses["losses"])
    wrong = cli("schema", "mine:Ordr")
    assert wrong.code == 2 and "did you mean 'Order'?" in wrong.err
    assert cli("schema", "tools:add", "--json").json["name"] == "add"


def test_chat_in_a_pipe(project: Path, cli: Cli, jigwork_server: ServerFactory) -> None:
    """Every line is a message of one conversation; tools of a module are offered and run."""
    server = jigwork_server(["Hello!", [{"name": "add", "arguments": {"a": 2, "b": 3}}], "Five."])
    arguments = (
        "chat",
        "--model",
        f"{server.base_url}#any",
        "--tools",
        "tools",
        "--instructions",
        "Be brief.",
    )
    done = cli(*arguments, stdin="Hi\n2 + 3?\n\\q\nnever sent\n")
    assert (done.code, done.err) == (0, "")
    assert "tools   add, fail, pay, nap, shout" in done.out
    assert "Hello!" in done.out and "call    add(a=2, b=3)" in done.out and done.out.endswith("Five.\n")
    assert [m["role"] for m in server.bodies[-1]["messages"]][:3] == ["system", "user", "assistant"]
    assert len(server.bodies) == 3


def test_chat_goes_on(cli: Cli, jigwork_server: ServerFactory, tmp_path: Path) -> None:
    """--state keeps a conversation; a server that fails is a line and exit code 1."""
    server = jigwork_server(["One.", "Two.", {"fault": {"status": 400, "message": "no more"}}])
    common = ("chat", "--model", f"{server.base_url}#any", "--state", tmp_path / "chat.json")
    assert cli(*common, stdin="a\n").code == 0
    assert cli(*common, stdin="b\n").code == 0
    assert [m["content"] for m in server.bodies[1]["messages"]] == ["a", "One.", "b"]
    failed = cli(*common, stdin="c\n")
    assert failed.code == 1 and "no more" in failed.err and len(failed.err.splitlines()) == 1


def test_chat_tools_of_a_file(project: Path, cli: Cli, jigwork_server: ServerFactory) -> None:
    """A file without @tool offers its own public functions; one without any is an error."""
    (project / "plain.py").write_text(
        "from json import dumps\ndef twice(x: int) -> int:\n    '''Double.'''\n    return 2 * x\ndef _no(): ...\n"
    )
    (project / "empty.py").write_text("x = 1\n")
    server = jigwork_server(["ok"])
    assert (
        "tools   twice\n"
        in cli("chat", "--model", f"{server.base_url}#m", "--tools", "plain.py", stdin="a\n").out
    )
    assert cli("chat", "--model", f"{server.base_url}#m", "--tools", "plain:twice", stdin="").code == 0
    wrong = cli("chat", "--model", f"{server.base_url}#m", "--tools", "empty.py", stdin="a\n")
    assert wrong.code == 2 and "put @tool on its functions" in wrong.err


@pytest.fixture
def served(tmp_path: Path, shop: Path) -> Any:
    """Start `jigwork serve` on a free port; return its process and base URL."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "jigwork", "serve", "--port", "0", *arguments]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving on http://127.0.0.1:"), line + str(
            process.stderr and process.stderr.read()
        )
        return process, line.split()[2]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _chat(base_url: str, text: str, key: str = "x") -> Any:
    body = {"model": "any", "messages": [{"role": "user", "content": text}]}
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    with urlopen(
        Request(f"{base_url}/chat/completions", json.dumps(body).encode(), headers), timeout=60
    ) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


def test_serve_scripted(served: Any, tmp_path: Path) -> None:
    """A file of replies is played; Ctrl-C ends the server with 0 and without noise."""
    replies = tmp_path / "replies.json"
    replies.write_text('["Grüezi 😀"]')
    process, base_url = served("--engine", "scripted", "--replies", str(replies))
    assert _chat(base_url, "Hi") == "Grüezi 😀"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_serve_offline(served: Any, shop: Path) -> None:
    """The offline engine answers on the wire; without a query tool it says what it would run."""
    _, base_url = served("--db", str(shop))
    assert "SELECT COUNT(*)" in _chat(base_url, "count stores")


def test_serve_needs_an_engine(cli: Cli, tmp_path: Path) -> None:
    """Without an engine, with a file that is not there or a port that is taken, the error says what to do."""
    assert "--replies FILE" in cli("serve").err
    assert cli("serve", "--engine", "scripted").code == 2
    missing = cli("serve", "--replies", tmp_path / "none.yaml")
    assert missing.code == 2 and "none.yaml" in missing.err
    replies = tmp_path / "r.json"
    replies.write_text("[]")
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = cli("serve", "--replies", replies, "--port", str(taken.getsockname()[1]))
    assert done.code == 1 and "another port" in done.err


def test_utf8_whatever_the_locale(project: Path, process: Cli, shop: Path) -> None:
    """Input and output are UTF-8 also where the locale is not; other bytes are an error that says so."""
    latin = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"}
    question = 'count customers where city is "São Paulo"'
    for done in (
        process("ask", "--db", shop, question, "--json", env=latin),
        process("ask", "--db", shop, "--json", stdin=question + "\n", env=latin),
    ):
        document = json.loads(done.out)
        assert done.code == 0 and document["question"] == question and document["rows"][0][0] > 0
    wrong = process("ask", "--db", shop, stdin=b"count \xff\n")
    assert wrong.code == 2 and "not UTF-8" in wrong.err


def test_quick_reader(process: Cli) -> None:
    """A reader that closes early is no error to speak of."""
    run = subprocess.Popen(
        [sys.executable, "-m", "jigwork", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None and run.stderr is not None
    run.stdout.close()
    began = time.monotonic()
    assert run.stderr.read() == b"" and run.wait(60) == 141 and time.monotonic() - began < 60


def test_extras_are_those_of_the_project() -> None:
    """What the doctor says of extras is what the project declares: each module comes with its extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared: dict[str, list[str]] = project["optional-dependencies"]
    modules = {"psycopg": "psycopg[binary]", "prompt_toolkit": "prompt-toolkit", "yaml": "pyyaml"}
    for extra, (names, _) in EXTRAS.items():
        brought = " ".join(
            [*declared[extra], *(declared["sql"] if "jigwork[sql]" in declared[extra] else [])]
        )
        assert [name for name in names if modules.get(name, name) not in brought] == []


def test_stopped_before_anything_began(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at any moment is 130 without a traceback, and a document where one was asked for."""

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jigwork.agent.cli.models.default_model", stop)
    assert cli("models").code == 130
    assert cli("models", "--json").json["error"]["message"] == "stopped by Ctrl-C"


def test_a_bug_is_not_hidden(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no error of ours leaves with its traceback; with --json a document says so first."""

    def fail() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("jigwork.agent.cli.models.default_model", fail)
    with pytest.raises(ZeroDivisionError):
        cli("models", "--json")
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "ZeroDivisionError: a bug"
