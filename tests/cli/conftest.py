"""A command line to test: in this process, as a process of its own, or on a terminal that a test types into."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jigwork.agent import pytest_plugin

jigwork_server = pytest_plugin.jigwork_server
"""The fixture that users get, also where the plugin is not installed."""

COMMAND = [sys.executable, "-m", "jigwork"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0

# Make stdin the terminal of a session of its own, as a shell does, and become the program.
ON_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)

AGENT = '''
"""An agent of a user, with tools in a folder beside it."""
from pathlib import Path

from jigwork import Agent, ScriptedModel

import helpers
from tools import add, fail, nap, pay, shout

agent = Agent(
    ScriptedModel(
        [
            {
                "text": "Let me \\x1b[31msee\\x1b[0m.",
                "calls": [
                    {"name": "add", "arguments": {"a": 1, "b": 2}},
                    {"name": "fail", "arguments": {}},
                    {"name": "add", "arguments": {"a": "one"}},
                    {"name": "ad", "arguments": {}},
                ],
            },
            "It is 3.",
        ]
    ),
    tools=[add, fail],
)
payer = Agent(
    ScriptedModel([[{"name": "pay", "arguments": {"amount": 20}}, {"name": "add", "arguments": {"a": 4}}], "Done."]),
    tools=[pay, add],
)


def sleeper():
    """Sleep in the second turn; awake, when there is a history already."""

    def say(request):
        calls = [item for item in request.items if item["type"] == "function_call"]
        if not calls:
            return [{"name": "add", "arguments": {"a": 1, "b": 2}}]
        return [{"name": "nap", "arguments": {}}] if len(calls) == 1 else f"Awake after {len(calls)} calls."

    return Agent(ScriptedModel(say), tools=[nap, add])


stubborn = Agent(ScriptedModel([[{"name": "cling", "arguments": {}}]]), tools=[helpers.cling])
both = Agent(
    ScriptedModel([[{"name": "pay", "arguments": {"amount": 1}}, {"name": "pay", "arguments": {"amount": 2}}], "Done."]),
    tools=[pay],
)
loud = Agent(ScriptedModel([[{"name": "shout", "arguments": {}}], "Quiet."]), tools=[shout])
broken = Agent(ScriptedModel([[{"name": "add", "arguments": {"a": 1}}]]), tools=[add])
with_deps = Agent(ScriptedModel([[{"name": "who", "arguments": {}}], "So it is."]), tools=[helpers.who], deps_type=str)


def deps():
    return "Ada"
'''

TOOLS = '''
"""Tools of a user."""
import os
import time
from pathlib import Path

from jigwork import ToolError, tool


@tool
def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    import helpers

    with Path("calls.txt").open("a") as file:
        file.write("add\\n")
    return helpers.total(a, b)


@tool
def fail() -> str:
    """Fail."""
    raise ToolError("no \\x1b]0;title\\x07luck")


@tool(approval="always")
def pay(amount: int) -> str:
    """Pay somebody."""
    Path("paid.txt").write_text(str(amount))
    return f"paid {amount}"


@tool
def nap() -> str:
    """Sleep for a long time."""
    Path("asleep").touch()
    time.sleep(60)
    return "slept"


@tool
def shout() -> str:
    """Print where only documents belong."""
    print("SHOUTED")
    os.system("echo SHOUTED BY A PROGRAM")
    return "shouted"
'''

HELPERS = '''
"""What the tools share."""
import asyncio
from pathlib import Path

from jigwork import RunContext


def total(a, b):
    return a + b


async def cling() -> str:
    """Do not let go."""
    while True:
        try:
            Path("asleep").touch()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            Path("clinging").touch()


def who(context: RunContext[str]) -> str:
    """Say who it is."""
    return f"It is {context.deps}."
'''


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


Cli = Callable[..., Done]


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes of this session keep compiled modules: the first one compiles, the others are quick."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture(autouse=True)
def surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, bytecode: Path
) -> None:
    """Keep histories out of the home folder, and colours out of what is compared."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo database."""
    path = tmp_path_factory.mktemp("db") / "shop.db"
    subprocess.run([sys.executable, ROOT / "examples/shop.py", path], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder, with `agent.py`, `tools/` and `helpers.py`, as the working folder."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "agent.py").write_text(AGENT)
    (tmp_path / "tools/__init__.py").write_text(TOOLS)
    (tmp_path / "helpers.py").write_text(HELPERS)
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line in this process: `cli("ask", "count orders", "--db", path, stdin="")`."""
    from jigwork.agent.cli.app import run_arguments

    def run(*arguments: str | Path, stdin: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = run_arguments([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Cli:
    """Run a command line as a process with pipes: `process("--help", env={"LC_ALL": "C"})`."""

    def run(*arguments: str | Path, stdin: str | bytes = b"", env: dict[str, str] | None = None) -> Done:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            input=given,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
            env={**os.environ, **(env or {})},
        )
        return Done(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    return run


class Terminal:
    """A process on a terminal of its own. What it shows is read without escapes; `raw` has them."""

    def __init__(self, arguments: list[str], *, env: dict[str, str], columns: int) -> None:
        self.raw = ""
        self._seen = 0
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._master = master
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **env},
        )
        os.close(slave)

    @property
    def text(self) -> str:
        """All that was shown, without escapes."""
        return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]].*?(?:\x07|\x1b\\)|\x1b.|\r", "", self.raw)

    def expect(self, wanted: str) -> str:
        """Wait until this is shown after what was expected before; return what came until then."""
        ends = time.monotonic() + PATIENCE
        while (at := self.text.find(wanted, self._seen)) < 0:
            if time.monotonic() > ends or not self._read(0.2):
                raise AssertionError(
                    f"{wanted!r} did not come; the terminal shows:\n{self.text[self._seen :]}"
                )
        start, self._seen = self._seen, at + len(wanted)
        return self.text[start : self._seen]

    def type(self, text: str) -> None:
        """Type; "\\r" is the Return key, "\\x03" Ctrl-C, "\\x04" Ctrl-D, "\\t" Tab."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and self._read(0.2):
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Let go of everything."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False when the process is gone and nothing more will come."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        if b"\x1b[6n" in data:  # where is the cursor?
            os.write(self._master, b"\x1b[30;1R")
        self.raw += data.decode("utf-8", "replace")
        return True


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Run a command line on a terminal: `terminal("ask", "--db", path, columns=60)`."""
    running: list[Terminal] = []

    def start(*arguments: str | Path, env: dict[str, str] | None = None, columns: int = 100) -> Terminal:
        running.append(Terminal([*COMMAND, *map(str, arguments)], env=env or {}, columns=columns))
        return running[-1]

    yield start
    for each in running:
        each.close()
