"""Docker's blocking calls from a loop, and what docker's library raises as errors of our own."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import docker
import requests
import urllib3

from sandbox.errors import DemoFailed, EngineUnavailable, ImageMissing, NameTaken, PortTaken
from sandbox.streams import to_the_end

Answer = TypeVar("Answer")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what docker and the libraries below it raise into our own errors."""
    try:
        yield
    except docker.errors.ImageNotFound as error:
        raise ImageMissing(
            f"The demo image is not in the Docker engine ({error.explanation}). Start the engines again with portside "
            "engines up; of an image of your own that PORTSIDE_DEMO_IMAGE names, pull the tags :2 and :never-ready too."
        ) from error
    except docker.errors.APIError as error:
        if "port is already allocated" in str(error):
            raise PortTaken(str(error.explanation).rpartition("failed: ")[2]) from error
        if "is already in use by container" in str(error):
            raise NameTaken(str(error.explanation)) from error
        raise DemoFailed(f"Docker refused a step of the demo: {error.explanation or error}") from error
    except (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise EngineUnavailable(
            "Docker does not answer any more. Nothing outside this run was touched, and whatever is left of it is "
            'removed once its time is over. See how it does with "portside engines status", then start the demo again.'
        ) from error


async def call(work: Callable[[], Answer]) -> Answer:
    """Cross from docker's blocking calls to ours.

    A thread cannot be cancelled: what it is making would appear after the clean-up. So a cancellation waits for it,
    which takes at most the client's time-out.
    """

    def guarded() -> Answer:
        with translated():
            return work()

    return await to_the_end(asyncio.to_thread(guarded))
