"""A sweep of engines that are not all there."""

from fakes import FakeEngines

from sandbox.engines import EngineStatus
from sandbox.events import Engine
from sandbox.reaper import Swept, sweep


async def test_an_engine_that_failed_is_told_and_an_absent_one_has_nothing_of_ours() -> None:
    failed = EngineStatus(Engine.DOCKER, "failed", detail="It does not answer. Start it.")
    absent = EngineStatus(Engine.KUBERNETES, "absent")

    swept = await sweep(FakeEngines(failed, absent))

    assert swept == Swept(removed=(), missed=("Docker could not be swept: It does not answer. Start it.",))
