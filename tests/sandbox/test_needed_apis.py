"""An API that a demo cannot do without: waited for, or refused with what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from test_cluster import FakeApi, served

from sandbox.cluster_api import Api
from sandbox.cluster_services import available
from sandbox.errors import EngineUnavailable

NAME = "v1beta1.metrics.k8s.io"
PATH = f"/apis/apiregistration.k8s.io/v1/apiservices/{NAME}"


def told(status: str, message: str = "") -> tuple[int, Any]:
    return 200, {"status": {"conditions": [{"type": "Available", "status": status, "message": message}]}}


async def ask(folder: Path, *answers: tuple[int, Any], within: float = 5.0) -> int:
    """Wait for the API; return how often it was asked for."""
    api = FakeApi()
    api.on("GET", PATH, *answers)
    async with served(api, folder) as endpoint:
        client = await Api.connect(endpoint)
        try:
            await available(client, NAME, within)
        finally:
            await client.close()
    return len(api.seen)


async def test_an_api_that_has_just_been_started_is_waited_for(tmp_path: Path) -> None:
    assert await ask(tmp_path, (200, {}), told("False"), told("True")) == 3


async def test_a_cluster_without_the_api_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=rf"has no {NAME} API.*Install metrics-server"):
        await ask(tmp_path, (404, {"message": "not found"}))


async def test_an_api_that_does_not_answer_is_refused_in_the_clusters_words(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"no namespace can be deleted either.*no endpoints found\."):
        await ask(tmp_path, told("False", "no endpoints found."), within=0.0)
