"""The part of a check that runs grammars: it belongs into a process that can be killed.

Run as `python -m jigwork.grammars.trial`: reads a request (JSON) from standard input and writes lines of JSON, one
for each stage that begins, each place that is about to be probed, and each finding. A grammar that hangs llguidance
hangs this process; the last line then says where.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .coverage import Coverage
from .derivation import Derivation
from .diagnostics import Diagnostic, diagnose
from .dialect import Dialect
from .embedded import embedded_texts
from .engine import Deadline, compiled, forcing_masks
from .nodes import Document
from .reader import read
from .recursion import recursion
from .structure import for_gbnf, refusal, structure
from .vocabulary import vocabulary

__all__ = ["STAGES", "main", "stages"]

STAGES = ("compile", "coverage", "dialect", "hang")
_MOST_FINDINGS = 100  # of unused rules and the like
_MOST_PROBES = 400


def stages(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Run the stages; yields what `main` writes. The first two are always run, quietly if they are not wanted."""
    text: str = request["definition"]
    wanted: list[str] = request["stages"]
    document = read(text)
    deadline = Deadline(request["seconds"])
    yield {"stage": "compile"}
    refused = refusal(document)
    if refused is not None:
        yield from ({"finding": refused.to_dict()}, {"stage": "done"})
        return
    derivation = Derivation(document, embedded_texts)
    if "compile" in wanted:
        more = for_gbnf(document) if request["target"] == "gbnf" else ()
        yield from (
            {"finding": finding.to_dict()}
            for finding in (*islice(structure(derivation), _MOST_FINDINGS), *more)
        )
    coverage = Coverage(derivation, compiled("lark", text), vocabulary("lark", text), deadline)
    yield {"stage": "coverage"}
    for finding in coverage.findings():
        if "coverage" in wanted:
            yield {"finding": finding.to_dict()}
    if "coverage" in wanted:
        for finding in recursion(coverage):
            yield {"finding": finding.to_dict()}
    if "dialect" in wanted:
        yield {"stage": "dialect"}
        for finding in Dialect(coverage, request["pattern"]).findings(lalr=request["target"] == "lark"):
            yield {"finding": finding.to_dict()}
    if "hang" in wanted:
        yield {"stage": "hang"}
        yield from _probe(coverage, text)
    if deadline.left() < 0:
        yield {"finding": _unfinished(document, request["seconds"]).to_dict()}
    yield {"stage": "done"}


def _unfinished(document: Document, seconds: float) -> Diagnostic:
    return diagnose(
        document.source,
        None,
        "W10",
        f"the check of the grammar was not finished in {seconds:g} s: not every alternative was tried",
        why="what was not checked may be wrong",
        fix="make the grammar smaller, or give the check more: check(seconds=...)",
    )


def _probe(coverage: Coverage, text: str) -> Iterator[dict[str, Any]]:
    """Ask for the mask, as a server would, at every place of the sentences; say first where."""
    sentences = sorted({*coverage.accepted, *(gap.prefix for gap in coverage.dead)}, key=len)
    seen: set[str] = set()
    masks = forcing_masks(text)
    for sentence in sentences:
        for end in range(len(sentence) + 1):
            prefix = sentence[:end]
            if prefix in seen or len(seen) > _MOST_PROBES or coverage.deadline.left() < 0:
                continue
            seen.add(prefix)
            yield {"probe": prefix}
            masks(prefix.encode())


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    size = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main() -> None:
    """Serve one request from standard input."""
    request: dict[str, Any] = json.load(sys.stdin)
    _limit_memory(request["memory"])
    try:
        for line in stages(request):
            print(json.dumps(line), flush=True)
    except MemoryError:
        print(json.dumps({"end": f"it wanted more than {request['memory']} MB"}), flush=True)
    except RecursionError:
        print(json.dumps({"end": "it is nested too deeply"}), flush=True)


if __name__ == "__main__":
    main()
