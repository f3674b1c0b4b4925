"""What a room guesses of each engine before a demo acts, and what the run then measured of it."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.events import Engine, Result
from sandbox.figures import back_after


@dataclass(frozen=True)
class Prediction:
    """One question, asked for each engine; `measured` says in a few words what a completed run has shown."""

    question: str
    guesses: tuple[str, ...]
    measured: Callable[[Result, Engine], str]


def _back(result: Result, engine: Engine) -> str:
    return back_after(result.engines[engine]).text


BACK = Prediction("How long until it answers again?", ("Under 5 s", "Within 30 s", "Not within 30 s"), _back)
