"""Logs go to standard error, one line each, and never hold a message's text or a secret."""

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("bm25s", "httpx", "chromadb", "urllib3", "docker", "kubernetes", "openai", "asyncio", "uvicorn")


def start(verbose: bool = False) -> None:
    """Log what an operator has to know; with `verbose` also what is merely interesting."""
    logging.basicConfig(stream=sys.stderr, format=FORMAT, level=logging.INFO if verbose else logging.WARNING)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
