"""`JIGWORK_LOG=debug`: what is sent and received, on stderr, without keys."""

from __future__ import annotations

import logging
import os

__all__ = ["log", "setup_from_environment"]

log = logging.getLogger("jigwork.wire")

_done = False


def setup_from_environment() -> None:
    """Give the `jigwork` logger a handler and the level that JIGWORK_LOG names, once; without it do nothing."""
    global _done
    level = os.environ.get("JIGWORK_LOG", "").strip().upper()
    if _done or not level:
        return
    _done = True
    number = logging.getLevelNamesMapping().get(level)
    if number is None:
        logging.getLogger("jigwork").warning("JIGWORK_LOG=%s is no level: use debug, info or warning", level)
        return
    logger = logging.getLogger("jigwork")
    logger.setLevel(number)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger.addHandler(handler)
