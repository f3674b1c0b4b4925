"""Who needs the engines and who keeps them: counted by the kernel, so that the dead are not counted."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.local.locks import Locks

OTHER = """
import sys
from pathlib import Path
from sandbox.local.locks import Locks

lock = getattr(Locks(Path(sys.argv[1])), sys.argv[2])()
print("holds" if lock else "holds nothing", flush=True)
sys.stdin.read()
"""


class Other:
    """Another process that takes one lock and holds it until it is killed."""

    def __init__(self, home: Path, lock: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(home), lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.said = self._process.stdout.readline().strip() if self._process.stdout else ""

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_there_is_one_keeper_and_everybody_sees_who_until_it_is_killed(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    assert locks.keeper() is None

    first, second = Other(tmp_path, "keep"), Other(tmp_path, "keep")
    seen = locks.keeper()
    second.kill()
    still = locks.keeper()
    first.kill()

    assert (first.said, second.said) == ("holds", "holds nothing")
    assert seen == still == first.pid
    assert locks.keeper() is None


def test_nobody_is_the_only_one_while_a_user_lives(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    users = [Other(tmp_path, "hold") for _ in range(2)]

    assert locks.claim() is None
    users[0].kill()
    assert locks.claim() is None
    users[1].kill()
    claimed = locks.claim()
    assert claimed is not None
    claimed.close()


def test_the_last_user_to_leave_finds_itself_alone(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    mine, other = locks.hold(), Other(tmp_path, "hold")

    assert locks.claim(mine) is None
    other.kill()
    alone = locks.claim(locks.hold())
    assert alone is not None
    alone.close()


@pytest.mark.parametrize("taken", ["hold", "claim"])
def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path, taken: str) -> None:
    Other(tmp_path, taken).kill()
    claimed = Locks(tmp_path).claim()

    assert claimed is not None
    claimed.close()
