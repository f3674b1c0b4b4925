"""Who needs the engines and who keeps them, counted by the kernel: a killed process is never counted.

`users` is locked, shared, by each process that needs the engines; `keeper` by the one process that keeps them.
"""

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


class Locks:
    """The lock files of one data folder."""

    def __init__(self, home: Path) -> None:
        self._home = home

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Be alone in looking for a keeper and starting one."""
        with self._open("start.lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def hold(self) -> IO[bytes]:
        """Be counted as a user until the file that is returned is closed, or this process ends."""
        file = self._open("users.lock")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    def claim(self, file: IO[bytes] | None = None) -> IO[bytes] | None:
        """Be the only one, or return None where there are users; with one's own file, where there are others."""
        mine = file or self._open("users.lock")
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            mine.close()
            return None
        return mine

    def keep(self) -> IO[bytes] | None:
        """Become the keeper until this process ends, or return None where there is one.

        A record lock, because whoever asks for its holder need not try to take it.
        """
        file = self._open("keeper.lock")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def keeper(self) -> int | None:
        """Return the keeper's process id, or None where there is none."""
        try:
            file = (self._home / "keeper.lock").open("rb")
        except FileNotFoundError:
            return None
        with file:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(process)

    def _open(self, name: str) -> IO[bytes]:
        self._home.mkdir(parents=True, exist_ok=True)
        return (self._home / name).open("ab")
