"""The console script: `jigwork`, or `python -m jigwork`."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> int:
    """Run the command line; without its extra, say which one it wants and exit with 2."""
    try:
        import_module("click")
    except ImportError:
        print("jigwork: the command line needs an extra: pip install 'jigwork[cli,sql]'", file=sys.stderr)
        return 2
    from jigwork.agent.cli import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
