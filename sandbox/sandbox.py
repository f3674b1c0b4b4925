"""A sandbox: one owner's throwaway containers and namespace, gone when its block ends."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Sandbox(Protocol):
    """Both sides of one run."""

    run: str


OpenSandbox = Callable[[str], AbstractAsyncContextManager[Sandbox]]
