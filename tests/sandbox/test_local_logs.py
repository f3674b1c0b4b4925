"""Why engines did not come up, where only a program's log says it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.engines import EngineConfig
from sandbox.errors import EngineUnavailable
from sandbox.events import Engine
from sandbox.local.layout import Layout
from sandbox.local.reports import read_report
from sandbox.local.starting import Starting

REACHED = 'E1125 kubelet.go:1780] "Failed to start cAdvisor" err="inotify_init: too many open files"\n'
ADVICE = (
    f'The log of kubelet-node1 says "{REACHED.strip()}". The machine\'s limit of inotify instances is most likely '
    'reached, as by a fifth cluster on it: raise it with "sysctl fs.inotify.max_user_instances=512", then start the '
    "engines again."
)


@dataclass
class Alive:
    """As much of a box as is asked when an engine fails."""

    alive: bool = True


async def fails() -> None:
    raise EngineUnavailable("It does not get ready.")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", f"up\n{REACHED}up\n", f" {ADVICE}"),
        ("grown too long\n" * 100, REACHED, f" {ADVICE}"),
        (REACHED, f"{REACHED}up\n", ""),
        ("", "up\n", ""),
    ],
    ids=["reached", "reached in a log that began anew", "reached by an earlier box", "not reached"],
)
async def test_an_engine_that_fails_is_told_with_the_machines_limit_that_a_program_met(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    config = EngineConfig(tmp_path, tmp_path / "cache")
    layout = Layout.of(config)
    layout.logs.mkdir(parents=True)
    (layout.logs / "kubelet-node1.log").write_text(before)
    starting = Starting(config, layout, cluster=True)
    (layout.logs / "kubelet-node1.log").write_text(after)

    await starting._live(Alive(), Engine.KUBERNETES, fails())

    assert read_report(layout.report).status(Engine.KUBERNETES).detail == f"It does not get ready.{said}"
