"""Docker in docker's verbs: one run's containers on one engine. Only it and its `containers_` import `docker`."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Any, Self

import docker
from docker.models.containers import Container as Made

from sandbox import containers_images, containers_networks, http
from sandbox.clients import choose
from sandbox.containers_arguments import alias, locked_in, published, wanted
from sandbox.containers_calls import call, translated
from sandbox.containers_dial import dial, is_here
from sandbox.containers_images import Told
from sandbox.containers_objects import found, labels_of, remove, title
from sandbox.containers_streams import followed, lines
from sandbox.docker_run import Build, Container
from sandbox.engines import DockerEndpoint
from sandbox.errors import DemoFailed
from sandbox.events import EngineInfo, Instance, Observed
from sandbox.names import BOT, CLIENT, CLIENT_APP, MANAGED_BY, OWNER, PART, RUN, Due, Tag
from sandbox.observing import container_instance, docker_observation
from sandbox.quota import PORT
from sandbox.routes import Address, require_local
from sandbox.sandbox import Target
from sandbox.streams import stop

_PORTS = range(20_000, 30_000)
STOP_SECONDS = 10
_ADVICE = "Run Portside on the machine that Docker runs on, or unset DOCKER_HOST for an engine of ours."


class Containers:
    """The containers and the network of one run."""

    def __init__(self, client: docker.DockerClient, endpoint: DockerEndpoint, tag: Tag, info: EngineInfo) -> None:
        self._client = client
        self._endpoint = endpoint
        self._numbers = count(1)
        self.client = choose(self, endpoint.far)
        self.tag = tag
        self.info = info
        self.registry = endpoint.registry

    @classmethod
    async def connect(cls, endpoint: DockerEndpoint, tag: Tag) -> Self:
        """Reach the engine; nothing is made yet."""
        client = await call(lambda: dial(endpoint.host))
        version = await call(client.version)
        far = endpoint.far or not (endpoint.ours or await call(lambda: is_here(client)))
        where = f"{endpoint.where}, asked from a container beside the app" if far else endpoint.where
        return cls(client, replace(endpoint, far=far), tag, EngineInfo(version["Version"], where))

    async def close(self) -> None:
        """Give the connections back."""
        await call(self._client.close)

    async def network_create(self) -> None:
        """Make the run's own network: its containers are reached by address, and have no way out.

        An engine of ours stands in a box without a way out, and is reached from outside of it; on any other engine
        nothing but the machine itself reaches them.
        A client elsewhere waits in it from the beginning: a fault must not be late by what its start would take.
        """
        create = containers_networks.create if self._endpoint.ours else containers_networks.create_closed
        await call(lambda: create(self._client, self.tag.place, self._labels()))
        if self._endpoint.far:
            await self._run_client(CLIENT_APP, "pause")

    async def run(self, container: Container) -> None:
        """Start a container of the demo image."""
        await self._start(container, {})

    async def _start(self, container: Container, labels: dict[str, str]) -> Made:
        arguments = locked_in(self.tag.place) | wanted(container) | {"labels": self._labels() | labels}
        if container.publish:
            arguments |= published(self._client, container.publish, self._endpoint.publish, self.tag.place)
        image = container.image or self._endpoint.images.of(container.version)
        created = await call(lambda: self._client.containers.create(image, **arguments))
        await call(created.start)
        return created

    async def memory(self) -> int:
        """Return how much memory the host has, in bytes, as `docker info` says."""
        return int((await call(self._client.info))["MemTotal"])

    async def build(self, image: Build, told: Told) -> None:
        """Build an image of the run's own, and tell what the builder says."""
        source, tell = self._endpoint.image, containers_images.told_in_loop(told)
        # Who asked for it goes to no registry.
        labels = {name: value for name, value in self._labels().items() if name != OWNER}
        await call(lambda: containers_images.build(self._client, image, source, labels, tell))

    async def push(self, image: str, told: Told) -> str:
        """Push an image to the registry of its name, tell what is said, and return its digest."""
        tell = containers_images.told_in_loop(told)
        return await call(lambda: containers_images.push(self._client, image, tell))

    async def free_port(self) -> int:
        """Return a port of the machine that no container of this engine has published."""
        # The bare list: to inspect each container would wait for those that other runs are starting.
        running = await call(lambda: self._client.api.containers(all=True))
        taken = {port["PublicPort"] for one in running for port in one["Ports"] if "PublicPort" in port}
        return secrets.choice([port for port in _PORTS if port not in taken])

    def _labels(self) -> dict[str, str]:
        return self.tag.labels() | self.tag.expiry()

    async def ps(self) -> tuple[Instance, ...]:
        """Say what runs now, and what has stopped."""
        here = await call(lambda: self._client.containers.list(all=True, filters=self._filter(), ignore_removed=True))
        apps = (container.attrs for container in here if CLIENT not in container.labels)
        return tuple(sorted((container_instance(app) for app in apps), key=lambda one: one.name))

    def _filter(self) -> dict[str, Any]:
        part = [f"{PART}={self.tag.part}"] if self.tag.part else []
        return {"label": [f"{RUN}={self.tag.run}", f"{MANAGED_BY}={BOT}", *part]}

    def part(self, tag: Tag) -> "Containers":
        """Return the containers of one part of the run, or of another owner, on the same connections."""
        return Containers(self._client, self._endpoint, tag, self.info)

    def published(self, port: int) -> Address:
        """Return where this run's client finds a published port: on this machine, if that is this process.

        A client beside the app stands in the run's network, from where Docker lets nobody through to a port of the
        machine. There it asks for whoever has published the port, by a name in that network: the same one container at
        a time, but without Docker's port in between.
        """
        if self._endpoint.far:
            return Address(alias(port), PORT)
        return require_local(Address(self._endpoint.publish, port), _ADVICE)

    async def address(self, name: str) -> Address:
        """Return where a container answers by itself to this run's client: on this machine, if that is this process."""
        container = await call(lambda: self._client.containers.get(name))
        address = container.attrs["NetworkSettings"]["Networks"][self.tag.place]["IPAddress"]
        if not address:
            raise DemoFailed(
                f"The container {name} has ended before its time. If you named an image in PORTSIDE_DEMO_IMAGE, it "
                "must be the one that sandbox/image makes."
            )
        own = Address(address, PORT)
        return own if self._endpoint.far else require_local(own, _ADVICE)

    async def tell(self, name: str, path: str) -> None:
        """Post to the app in a container, for example to break it. Raises DemoFailed where it does not accept."""
        await http.tell(await self.address(name), path, self._send)

    async def ask(self, name: str, method: str, path: str, body: bytes = b"") -> http.Answer:
        """Ask the app in a container for something of its own, for example its note."""
        return await http.ask(await self.address(name), method, path, body, self._send)

    @property
    def _send(self) -> http.Send:
        return self._send_from_beside if self._endpoint.far else http.request

    async def first_answer(self, target: Target) -> None:
        """Return once an app answers to the client that waits beside it."""
        while True:
            with contextlib.suppress(http.NoAnswer):
                answer = await self._send_from_beside(target.address, "GET", "/", target.pace.timeout)
                if answer.status == http.GOOD:
                    return
            await asyncio.sleep(target.pace.interval)

    async def _send_from_beside(
        self,
        address: Address,
        method: str,
        path: str,
        timeout: float,  # noqa: ASYNC109 - of one request
        body: bytes = b"",
    ) -> http.Answer:
        """Send a request as `http.request` does, from the client that waits beside the app."""
        words = ["/web", "send", method, f"{address}{path}", f"{timeout:g}s", body.decode()]
        waiting = await call(lambda: self._client.containers.get(self.tag.container(CLIENT_APP)))
        done = await call(lambda: waiting.exec_run(words))
        written = done.output if isinstance(done.output, bytes) else b""
        if done.exit_code:
            raise http.NoAnswer(written.decode(errors="replace").strip() or f"exit code {done.exit_code}")
        status, _, said = written.partition(b"\n")
        return http.Answer(int(status), said)

    async def follow(self, words: tuple[str, ...], ended: asyncio.Event) -> AsyncGenerator[str, None]:
        """Run our program in a container beside the apps, as `docker logs --follow` shows it; stop it when it is time.

        A run has few of these, and its clean-up removes them with the rest.
        """
        container = await self._run_client(f"{CLIENT_APP}{next(self._numbers)}", " ".join(words))
        stream = await call(lambda: container.logs(stream=True, follow=True))
        stopping = asyncio.create_task(_stop_at(ended, container))
        try:
            async with aclosing(lines(followed(stream))) as written:
                async for line in written:
                    yield line
        finally:
            await stop(stopping)

    async def _run_client(self, app: str, command: str) -> Made:
        return await self._start(Container(self.tag.container(app), command=command), {CLIENT: "true"})

    async def stop(self, name: str) -> None:
        """Stop a container, as `docker stop` does."""
        container = await call(lambda: self._client.containers.get(name))
        await call(lambda: container.stop(timeout=STOP_SECONDS))

    async def volume_create(self, name: str) -> None:
        """Make a named volume of the run."""
        await call(lambda: self._client.volumes.create(name, labels=self._labels()))

    async def rm(self, name: str) -> None:
        """Remove a container, running or not."""
        container = await call(lambda: self._client.containers.get(name))
        await call(lambda: container.remove(force=True, v=True))

    async def events(self) -> AsyncGenerator[Observed, None]:
        """Yield what the engine reports about the run's containers from now on. Raises EngineUnavailable at its end."""
        stream = await call(lambda: self._client.events(decode=True, filters=self._filter()))
        async with aclosing(followed(stream)) as reports:
            async for report in reports:
                if observed := docker_observation(report):
                    yield observed
        with translated():
            raise ConnectionError("the stream of events ended")

    async def prune(self) -> list[str]:
        """Remove everything of this run; return what was removed."""
        return await call(lambda: remove(found(self._client, self._filter())))

    async def left(self) -> list[str]:
        """Look what is still there of this run."""
        return await call(lambda: [title(thing) for thing in found(self._client, self._filter())])


async def _stop_at(ended: asyncio.Event, container: Made) -> None:
    await ended.wait()
    await call(lambda: container.kill("SIGTERM"))


async def sweep(endpoint: DockerEndpoint, due: Due, most: int) -> list[str]:
    """Remove at most so many objects of ours that are due by their labels, whoever made them."""

    def work() -> list[str]:
        with contextlib.closing(dial(endpoint.host)) as client:
            ours = found(client, {"label": [f"{MANAGED_BY}={BOT}"]})
            return remove([thing for thing in ours if due(labels_of(thing))][:most])

    return await call(work)
