"""The box's supervisor on its own: it runs what it is told, starts again what dies, and ends with its keeper."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.local.supervisor import open_log


class Keeper:
    """The other end of a supervisor's line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._orders, self._reports = process, process.stdin, process.stdout

    def tell(self, **order: object) -> None:
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._reports.readline())
        return heard

    def go(self) -> int:
        self._orders.close()
        return self.process.wait(timeout=10)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    argv = (sys.executable, "-m", "sandbox.local.supervisor")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        keeper = Keeper(process)
        assert keeper.hear() == {"ready": True}
        yield keeper
        process.kill()


def test_a_call_is_answered_with_its_status_and_all_it_said(keeper: Keeper) -> None:
    keeper.tell(call=7, argv=["sh", "-c", "echo one; echo two >&2; exit 3"])

    assert keeper.hear() == {"called": 7, "code": 3, "output": "one\ntwo\n"}


def test_a_program_that_dies_is_reported_and_started_again_with_its_log_continued(
    keeper: Keeper, tmp_path: Path
) -> None:
    log = tmp_path / "web.log"
    keeper.tell(run="web", argv=["sh", "-c", "echo started; exit 5"], log=str(log))

    assert [keeper.hear() for _ in range(2)] == [{"ended": "web", "code": 5}] * 2
    assert log.read_text().splitlines()[:2] == ["started", "started"]


def test_without_a_keeper_it_ends(keeper: Keeper) -> None:
    assert keeper.go() == 0


def test_a_log_that_has_grown_too_long_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_bytes(b"x" * (5 << 20))

    with open_log(path) as log:
        log.write(b"new")

    assert path.read_bytes() == b"new"


def test_a_program_that_is_stopped_ends_and_is_not_started_again_until_it_is_told_to(
    keeper: Keeper, tmp_path: Path
) -> None:
    log = tmp_path / "web.log"
    order = {"run": "web", "argv": ["sh", "-c", "echo $$; exec sleep 100"], "log": str(log)}

    keeper.tell(**order)
    keeper.tell(**order)  # it runs already
    while not log.exists() or not log.read_text():
        """Until it runs."""
    keeper.tell(call=1, stop="web")
    stopped = keeper.hear()
    keeper.tell(call=2, stop="web")
    again = keeper.hear()
    pids = log.read_text().split()

    assert (stopped["called"], again["called"]) == (1, 2)
    assert len(pids) == 1
    assert not Path(f"/proc/{pids[0]}").exists()
