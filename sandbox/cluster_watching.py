"""What a cluster has, listed and then watched: the pods, events and nodes as they change."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from sandbox.cluster_api import Api, Refused
from sandbox.cluster_patience import UNREACHABLE
from sandbox.events import Engine, Instance, Observed, Snapshot
from sandbox.observing import Json, cluster_observation, ended_containers, is_client, node_ready, pod_instance

_PAUSE = 0.25


@dataclass(frozen=True)
class State:
    """What is there of a kind, if it was `listed` anew, or what has changed in it, and what has gone."""

    listed: bool
    changed: list[Json]
    gone: list[Json]


async def states(
    api: Api, path: str, listing: Callable[[], Coroutine[Any, Any, dict[str, Any]]]
) -> AsyncGenerator[State, None]:
    """List, then watch from there; list again where the version is too old or the connection was lost."""
    while True:
        listed = await listing()
        yield State(True, listed["items"], [])
        version = listed["metadata"]["resourceVersion"]
        with contextlib.suppress(Refused, *UNREACHABLE):
            while True:
                async with aclosing(api.watch(path, version)) as changes:
                    async for change in changes:
                        thing = change["object"]
                        version = thing["metadata"]["resourceVersion"]
                        gone = change["type"] == "DELETED"
                        yield State(False, [] if gone else [thing], [thing] if gone else [])
        await asyncio.sleep(_PAUSE)  # a server that lists and refuses to be watched is not asked without a break


async def watched_pods(following: AsyncGenerator[State, None]) -> AsyncGenerator[Snapshot | Observed, None]:
    """Yield the pods whenever one changes, and which of their containers ended and why."""
    pods: dict[str, Json] = {}
    shown: tuple[Instance, ...] | None = None
    async with aclosing(following):
        async for state in following:
            before, pods = pods, ({} if state.listed else pods) | {_uid(pod): pod for pod in state.changed}
            for pod in state.changed:
                for observed in () if is_client(pod) else ended_containers(before.get(_uid(pod)), pod):
                    yield observed
            for pod in state.gone:
                pods.pop(_uid(pod), None)
            if (now := instances(pods.values())) != shown:
                shown = now
                yield Snapshot(engine=Engine.KUBERNETES, instances=now)


async def watched_events(following: AsyncGenerator[State, None]) -> AsyncGenerator[Observed, None]:
    """Yield each report once, though it is listed again after the connection was lost."""
    seen: set[str] = set()
    async with aclosing(following):
        async for state in following:
            for event in state.changed:
                version = event["metadata"]["resourceVersion"]
                if version not in seen and (observed := cluster_observation(event)):
                    yield observed
                seen.add(version)


async def watched_nodes(following: AsyncGenerator[State, None]) -> AsyncGenerator[dict[str, bool], None]:
    """Yield which nodes there are and whether each is ready, now and whenever that changes."""
    ready: dict[str, bool] = {}
    shown = None
    async with aclosing(following):
        async for state in following:
            ready = ({} if state.listed else ready) | dict(map(node_ready, state.changed))
            for node in state.gone:
                ready.pop(node["metadata"]["name"], None)
            if ready != shown:
                shown = dict(ready)
                yield dict(ready)


def instances(pods: Iterable[Json]) -> tuple[Instance, ...]:
    """Return the copies of the app among pods, by name."""
    return tuple(sorted((pod_instance(pod) for pod in pods if not is_client(pod)), key=lambda instance: instance.name))


def _uid(thing: Json) -> str:
    return str(thing["metadata"]["uid"])
