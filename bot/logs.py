"""Logs: one line each, never a message's text or a secret. Every reference that a learner is told stands in them."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
NAME = "portside.log"
QUIET = (
    "discord",
    "httpx",
    "chromadb",
    "urllib3",
    "docker",
    "kubernetes",
    "openai",
    "asyncio",
    "uvicorn",
    "bm25s",
    "slack_bolt",
    "slack_sdk",
)
_BYTES, _KEPT = 1_000_000, 2


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Log into a file of the data folder, so that a terminal shows one sentence and not its traceback too."""
    root, handler = logging.getLogger(), _handler(folder)
    handler.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _handler(folder: Path) -> logging.Handler:
    """The file; where it cannot be, what is worst goes to standard error."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            folder / NAME, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8"
        )
        handler.setLevel(logging.INFO)
    except OSError:
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(logging.ERROR)
    return handler
