"""V4A diffs: applied at the one place that is meant, or not at all; and the tools that apply them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork import ToolError
from jigwork.tools import RunContext, apply_patch
from jigwork.tools.box import patch
from jigwork.tools.box.patches import apply_diff, created_text

SHOP = """class Shop:
    def price(self):
        return 1

    def name(self):
        return 'shop'


class Stall:
    def price(self):
        return 1
"""

# Before, diff, after.
APPLIED: dict[str, tuple[str, str, str]] = {
    "one line": ("a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n"),
    "without a header": ("a\nb\n", "-b\n+B\n", "a\nB\n"),
    "an anchor": (
        SHOP,
        "@@ class Stall:\n     def price(self):\n-        return 1\n+        return 2",
        SHOP[: SHOP.rindex("1")] + "2\n",
    ),
    "two anchors": (
        SHOP,
        "@@ class Stall:\n@@     def price(self):\n-        return 1\n+        return 2",
        SHOP[: SHOP.rindex("1")] + "2\n",
    ),
    "two changes": ("1\n2\n3\n4\n", "@@\n-1\n+I\n@@\n-4\n+IV\n", "I\n2\n3\nIV\n"),
    "lines that come": ("a\nc\n", "@@\n a\n+b\n c", "a\nb\nc\n"),
    "lines that go": ("a\nb\nc\n", "@@\n a\n-b\n-c", "a\n"),
    "after an anchor": ("a\nb\n", "@@ a\n+x", "a\nx\nb\n"),
    "at the end": ("x\ny\nx\n", "@@\n-x\n+z\n*** End of File", "x\ny\nz\n"),
    "added at the end": ("x\n", "@@\n+y\n*** End of File\n", "x\ny\n"),
    "an empty file": ("", "+a\n+b", "a\nb\n"),
    "everything goes": ("a\n", "-a", ""),
    "an empty line of context": ("a\n\nb\n", "@@\n a\n\n-b\n+c", "a\n\nc\n"),
    "no line end at the end": ("a\nb", "@@\n a\n-b\n+c", "a\nc"),
    "white space at ends of lines": ("a  \nb\n", "@@\n a\n-b\n+c", "a  \nc\n"),
    "line ends of Windows": ("a\r\nb\r\n", "@@\n a\n-b\n+c\n", "a\r\nc\r\n"),
    "mixed line ends": ("a\r\nb\n", "@@\n a\n-b\n+c\n", "a\r\nc\n"),
    "a diff with line ends of Windows": ("a\nb\n", "@@\r\n a\r\n-b\r\n+c\r\n", "a\nc\n"),
    "letters of all alphabets": ("ä\n日本\n", "@@\n ä\n-日本\n+👍", "ä\n👍\n"),
    "lines that look like marks": ("-- a\n++ b\n", "@@\n -- a\n-++ b\n+@@ c", "-- a\n@@ c\n"),
}


@pytest.mark.parametrize("name", APPLIED)
def test_applied(name: str) -> None:
    """The change is made where its context stands; everything else stays, byte for byte."""
    before, diff, after = APPLIED[name]
    assert apply_diff(before, diff) == after


REFUSED: dict[str, tuple[str, str, str]] = {
    "not there": ("a\nb\n", "@@\n-x\n+y", "These lines are not in the file:\nx"),
    "at two places": ("a\nb\na\n", "@@\n-a\n+A", r"stand at 2 places \(lines 1, 3\): give more context"),
    "an unknown anchor": (
        "def f():\n",
        "@@ def g():\n+x",
        "no line 'def g..:' for '@@'; line 1 is the nearest",
    ),
    "half of it": ("a\nb\nc\n", "@@\n a\n b\n-x", r"the first 2 are, then line 3 is another one than 'x'"),
    "beyond the end": ("a\nb\n", "@@\n a\n b\n-c", "then the file ends"),
    "another indentation": ("  a\n", "@@\n-a\n+b", "with another indentation"),
    "in another order": ("1\n2\n", "@@\n-2\n+II\n@@\n-1\n+I", "changes come in the order of the file"),
    "no context": ("a\n", "+b", "could go anywhere"),
    "nothing to change": ("a\n", "@@\n a", "changes nothing"),
    "an empty diff": ("a\n", "", "changes nothing"),
    "not at the end": ("a\nb\n", "@@\n-a\n+c\n*** End of File", "does not end with these lines"),
    "another mark": ("a\n", "@@\n~a", "begins with none of"),
    "a unified diff": ("a\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b", "not in the file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """What fits nowhere, or at several places, is refused with what is wrong with it; the file is not quoted."""
    before, diff, words = REFUSED[name]
    with pytest.raises(ToolError, match=words):
        apply_diff(before, diff)


LINE = st.text(alphabet="ab -+@", max_size=4)


@given(st.lists(LINE, min_size=1, max_size=12), st.lists(LINE, max_size=12), st.data())
def test_a_change_is_that_change_or_an_error(old: list[str], new: list[str], data: Any) -> None:
    """A diff with all of the text around the change gives the new text; with less, that or an error, nothing else."""
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    around = data.draw(st.integers(0, 12))
    before, after = old[max(start - around, 0) : start], old[end : end + around]
    lines = [*(f" {x}" for x in before), *(f"-{x}" for x in old[start:end]), *(f"+{x}" for x in new)]
    text = "".join(f"{x}\n" for x in old)
    wanted = "".join(f"{x}\n" for x in [*old[:start], *new, *old[end:]])
    try:
        made = apply_diff(text, "\n".join(["@@", *lines, *(f" {x}" for x in after)]))
    except ToolError:
        assert around < len(old) or (start == end and not new) or any(x != x.rstrip() for x in old)
        return
    assert made == wanted or any(x != x.rstrip() for x in old)


def test_new_files() -> None:
    """Every line of a new file begins with a plus."""
    assert created_text("+a\n+\n++b") == "a\n\n+b\n"
    assert created_text("") == ""
    with pytest.raises(ToolError, match=r"Line 2 .* does not begin with '\+'"):
        created_text("+a\nb")


def change(folder: Path, kind: str, path: str, diff: str | None = None, **options: Any) -> str:
    tool = apply_patch(folder, **options)
    decoded = tool.decode({"type": kind, "path": path, "diff": diff})
    assert decoded.ok, decoded.error
    return str(tool.call(RunContext(None), decoded))


OUT = [
    "../x",
    "/etc/x",
    "a/../../x",
    "link/x",
    "file",
    "~/x",
    "a\0b",
    "x" * 2000,
    "",
    ".",
    "..",
    ".git/config",
    "a/\u202e",
    "C:\\..\\x",
]


@pytest.mark.parametrize("kind", ["create_file", "update_file", "delete_file"])
@pytest.mark.parametrize("path", OUT)
def test_no_way_out_of_the_folder(kind: str, path: str, tmp_path: Path) -> None:
    """Neither paths nor links lead out, and nothing outside changes."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "x").write_text("safe\n")
    (inside / "link").symlink_to(outside)
    (inside / "file").symlink_to(outside / "x")
    with pytest.raises(ToolError):
        change(inside, kind, path, "+x" if kind == "create_file" else "-safe\n+gone")
    assert (outside / "x").read_text() == "safe\n" and sorted(os.listdir(outside)) == ["x"]
    assert sorted(os.listdir(inside)) == ["file", "link"]


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    """A file with another name elsewhere keeps its text there; modes stay, without the bits that give rights away."""
    outside, inside = tmp_path / "other.txt", tmp_path / "inside"
    inside.mkdir()
    outside.write_text("a\n")
    (inside / "a.txt").hardlink_to(outside)
    outside.chmod(0o4750)
    change(inside, "update_file", "a.txt", "-a\n+b")
    assert (outside.read_text(), (inside / "a.txt").read_text()) == ("a\n", "b\n")
    assert (inside / "a.txt").stat().st_mode & 0o7777 == 0o750
    for kind, path, diff, words in (
        ("create_file", "a.txt", "+x", "is there already"),
        ("update_file", "none", "-a", "There is no none"),
        ("delete_file", "none", None, "There is no none"),
        ("update_file", "pipe", "-a", "no ordinary file"),
        ("delete_file", "pipe", None, "no ordinary file"),
        ("delete_file", "d", None, "no ordinary file"),
    ):
        (inside / "d").mkdir(exist_ok=True)
        if not (inside / "pipe").exists():
            os.mkfifo(inside / "pipe")
        with pytest.raises(ToolError, match=words):
            change(inside, kind, path, diff)


PATCH = """*** Begin Patch
*** Update File: a.txt
@@
-a
+A
*** Add File: new/b.txt
+b
*** Delete File: c.txt
*** Update File: d.txt
*** Move to: e.txt
@@
-d
+D
*** End Patch"""


def all_at_once(folder: Path, text: str) -> str:
    tool = patch(folder)
    decoded = tool.decode({"patch": text})
    assert decoded.ok
    return str(asyncio.run(_call(tool, decoded)))


async def _call(tool: Any, decoded: Any) -> Any:
    return tool.call(RunContext(None), decoded)


def test_several_files_at_once(tmp_path: Path) -> None:
    """The function tool changes several files by one patch: all of them, or, where one does not fit, none."""
    for name in "acd":
        (tmp_path / f"{name}.txt").write_text(f"{name}\n")
    with pytest.raises(ToolError, match=r"d\.txt was not changed"):
        all_at_once(tmp_path, PATCH.replace("-d", "-x"))
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "c.txt", "d.txt"]
    assert (tmp_path / "a.txt").read_text() == "a\n"
    assert all_at_once(tmp_path, PATCH) == (
        "a.txt was changed. new/b.txt was made. c.txt was deleted. d.txt was moved to e.txt."
    )
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "e.txt", "new"]
    for wrong, words in (
        ("", "is empty"),
        ("hello", "begins with"),
        (PATCH.replace("c.txt", "./a.txt").replace("a.txt\n@@", "a.txt\n@@", 1), "."),
        ("*** Delete File: a.txt\n*** Delete File: a.txt", "names every file once"),
    ):
        with pytest.raises(ToolError, match=words):
            all_at_once(tmp_path, wrong)
    assert patch(tmp_path).options.approval == "always"
