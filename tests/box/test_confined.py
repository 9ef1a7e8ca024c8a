"""Shells that are kept in a folder: nothing outside is read, changed, reached or left running."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jigwork import ToolError
from jigwork.errors import ConfigurationError
from jigwork.tools import RunContext, hosted_shell, local_shell
from jigwork.tools.box import confined as module
from jigwork.tools.box.confined import can_confine

pytestmark = pytest.mark.skipif(not can_confine(), reason="needs Linux with Landlock")


def run(folder: Path, *commands: str, **options: Any) -> list[dict[str, Any]]:
    """Run commands through the tool, without asking anybody."""
    shell = hosted_shell(folder, **options)
    decoded = shell.decode({"commands": list(commands)})
    assert decoded.ok, decoded.error
    return [dict(part) for part in asyncio.run(shell.call(RunContext(None), decoded)).parts]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a secret beside it, and links that lead to that."""
    (tmp_path / "secret.txt").write_text("the secret")
    (tmp_path / "outside").mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.txt").write_text("alpha")
    (inside / "file").symlink_to(tmp_path / "secret.txt")
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "up").symlink_to("..")
    return inside


READS = [
    "cat ../secret.txt",
    "cat {up}/secret.txt",
    "cat file",
    "cat up/secret.txt",
    "cd .. && cat secret.txt",
    "cp file copy; cat copy",
    "ln ../secret.txt hard; cat hard",
    "cat /proc/self/root{up}/secret.txt",
    "cat /proc/self/cwd/../secret.txt",
    "cat /proc/{pid}/environ",
    "cat /proc/{pid}/cwd/../secret.txt",
    "tar cf - ../secret.txt",
    "{python} -c \"print(open('../secret.txt').read())\"",
    "bash -c 'exec 3< ../secret.txt; cat <&3'",
    "ln -s ../secret.txt new; cat new",
    "mkdir -p a/b && mv a/b .. ; cat ../secret.txt",
]


@pytest.mark.parametrize("command", READS)
def test_nothing_outside_is_read(command: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parents, absolute paths, links of both kinds, /proc and open files lead nowhere."""
    monkeypatch.setenv("SECRET_KEY", "the secret")
    (entry,) = run(place, command.format(up=place.parent, pid=os.getpid(), python=sys.executable))
    assert "the secret" not in entry["stdout"] + entry["stderr"]


WRITES = [
    "echo x > ../secret.txt",
    "echo x > file",
    "echo x > folder/new",
    "rm ../secret.txt",
    "rm -r ../outside",
    "mv a.txt ../b.txt",
    "mv ../secret.txt here",
    "touch ../new",
    "mkdir ../new",
    "truncate -s 0 up/secret.txt",
    "cp a.txt {up}/outside/",
    "mkfifo ../pipe",
    "ln a.txt ../linked",
    "ln -s x ../linked",
]


@pytest.mark.parametrize("command", WRITES)
def test_nothing_outside_is_changed(command: str, place: Path) -> None:
    """Whatever is tried, what is outside stays as it was."""
    run(place, command.format(up=place.parent))
    assert (place.parent / "secret.txt").read_text() == "the secret"
    assert sorted(p.name for p in place.parent.iterdir()) == ["inside", "outside", "secret.txt"]
    assert not list((place.parent / "outside").iterdir())


def test_what_is_inside_may_be_used(place: Path) -> None:
    """Files are made, moved and removed; pipes, loops and programs work; a scratch folder is there and gone after."""
    said = run(
        place,
        "mkdir d && mv a.txt d/b.txt && cat d/b.txt",
        "for i in 1 2 3; do echo $i; done | tac | paste -sd,",
        'echo x > "$TMPDIR/t" && cat "$TMPDIR/t" && echo "$HOME"',
        f"{sys.executable} -c 'import json, tempfile; print(json.dumps([1]))' 2>&1",
        "echo lost > /dev/null && rm -r d && ls",
    )
    text = [entry["stdout"] for entry in said]
    assert "alpha" in text[0] and "3,2,1" in text[1] and f"x\n{place}" in text[2] and "[1]" in text[3]
    assert all(entry["outcome"] == {"type": "exit", "exit_code": 0} for entry in said)


def test_no_connection_unless_it_is_allowed(place: Path) -> None:
    """TCP is refused by the kernel; with network it is not."""
    if module.landlock_version() < 4:
        pytest.skip("this kernel cannot refuse connections")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        connect = f"{sys.executable} -c \"import socket; socket.create_connection(('127.0.0.1', {port})); print('there')\""
        assert "there" not in run(place, connect)[0]["stdout"]
        assert "there" in run(place, connect, network=True)[0]["stdout"]


def test_nothing_is_left_running(place: Path) -> None:
    """What is sent to the background, and what makes itself a daemon, ends with the call; so does what takes too long."""
    began = time.monotonic()
    mark = f"1234{os.getpid()}"
    said = run(
        place,
        f"sleep {mark} & echo started",
        f"setsid sleep {mark} & sleep 0.2; echo more",
        f"sleep {mark}",
        seconds=1.5,
    )
    assert time.monotonic() - began < 8
    assert [e["outcome"]["type"] for e in said] == ["exit", "exit", "timeout"]
    left = [p for p in Path("/proc").iterdir() if p.name.isdigit() and mark in _command(p)]
    assert not left


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_output_is_limited(place: Path) -> None:
    """A flood keeps its two ends; what the model asks for may be less, never more."""
    (entry,) = run(place, "yes | head -c 5000000; echo the end", max_output=2000)
    assert len(entry["stdout"]) < 2400 and "left out" in entry["stdout"] and "the end" in entry["stdout"]
    shell = hosted_shell(place)
    decoded = shell.decode({"commands": ["yes | head -c 50000"], "max_output_length": 300})
    (part,) = asyncio.run(shell.call(RunContext(None), decoded)).parts
    assert len(part["stdout"]) < 700


LINES: list[tuple[str, str | None]] = [
    ("echo hi", "hi"),
    ("echo 'a b' | tr a-z A-Z", "A B"),
    ("echo a; echo b && echo c", "a\nb\nc"),
    ("cat a.txt || echo no", "alpha"),
    ("echo '$HOME; `x` > y'", "$HOME; `x` > y"),
    ('echo "it is"', "it is"),
    ("rm a.txt", None),
    ("echo x > y", None),
    ("echo $HOME", None),
    ("echo `id`", None),
    ("echo $(id)", None),
    ('echo "$HOME"', None),
    ("cat *", None),
    ("echo hi &", None),
    ("echo a |", None),
    ("; echo a", None),
    ("echo hi\nrm a.txt", None),
    ("echo 'hi", None),
    ("'e'cho hi; rm a.txt", None),
    ("git push", None),
    ("X=1 echo hi", None),
    ("echo a || rm a.txt", None),
    ("echo {a,b}", None),
    ("./echo", None),
    ("e\\cho hi", None),
    ("echo a'$'b", "a$b"),
    ("", None),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
@pytest.mark.parametrize("confine", [True, False])
def test_allowed_programs(line: str, expected: str | None, confine: bool, place: Path) -> None:
    """Only these programs run, joined or alone; what only a shell could tell is refused, and nothing runs then."""
    (entry,) = run(place, line, allow=["echo", "cat", "ls", "tr", "git status"], confine=confine)
    if expected is None:
        assert entry["outcome"]["exit_code"] == 126 and not entry["stdout"]
    else:
        assert f"\n{expected}\n" in entry["stdout"]
    assert (place / "a.txt").exists() and not (place / "y").exists()


@pytest.mark.parametrize(
    "argument", ["../secret.txt", "file", "up/secret.txt", "/etc/passwd", "--x=/etc/passwd", "~/x"]
)
def test_paths_out_without_the_kernel(argument: str, place: Path) -> None:
    """Where the kernel does not keep it in, an argument that can be seen to lead out is refused."""
    (entry,) = run(place, f"cat '{argument}'", allow=["cat"], confine=False)
    assert entry["outcome"]["exit_code"] == 126 and "leads out of the folder" in entry["stderr"]


def exec_(folder: Path, *command: str, **action: Any) -> str:
    shell = local_shell(folder, **action.pop("options", {}))
    decoded = shell.decode({"type": "exec", "command": list(command), "env": {}, **action})
    assert decoded.ok, decoded.error
    return str(asyncio.run(shell.call(RunContext(None), decoded)))


def test_the_older_shell(place: Path) -> None:
    """It runs a program in a folder below, without a shell in between, and refuses other users and other folders."""
    (place / "d").mkdir()
    assert '"exit_code": 0' in exec_(place, "ls", "-a") and "a.txt" in exec_(place, "ls")
    assert "$HOME" in exec_(place, "echo", "$HOME")
    assert "/inside/d" in exec_(place, "pwd", working_directory="d")
    assert "up" in exec_(place, "env", env={"WHERE": "up"})
    assert '"timed_out": true' in exec_(place, "sleep", "5", timeout_ms=200)
    for wrong, words in (
        ({"user": "root"}, "another user"),
        ({"working_directory": ".."}, "no folder below"),
        ({"working_directory": "up"}, "no folder below"),
        ({"env": {"A": "b"}, "options": {"allow": ["ls"]}}, "Variables cannot be set"),
    ):
        with pytest.raises(ToolError, match=words):
            exec_(place, "ls", **wrong)
    with pytest.raises(ToolError, match="no program 'nothing-like-it'"):
        exec_(place, "nothing-like-it")


def test_variables_open_nothing(place: Path) -> None:
    """What a model sets for a program neither opens a folder nor reaches the launcher, which is not limited yet."""
    secret = str(place.parent / "secret.txt")
    assert "the secret" not in exec_(place, "cat", secret, env={"PATH": str(place.parent)})
    said = exec_(place, "echo", "x", env={"LD_PRELOAD": "./none.so", "PYTHONSTARTUP": secret})
    assert said.count("none.so") <= 2  # once by the loader of the program, in stderr and its source
    assert exec_(place, "true", env={"LD_PRELOAD": "./none.so"}).count("cannot be preloaded") == 1


def test_where_it_cannot_be_confined(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot keep a program in a folder is an error at construction, unless that is wanted."""
    monkeypatch.setattr(module, "can_confine", lambda: False)
    with pytest.raises(ConfigurationError, match="say confine=False"):
        hosted_shell(place)
    assert hosted_shell(place, confine=False).name == "shell"
    with pytest.raises(ConfigurationError, match="is no folder"):
        hosted_shell(place / "none")
    with pytest.raises(ConfigurationError, match="no program 'nothing-like-it'"):
        hosted_shell(place, allow=["nothing-like-it"], confine=False)
