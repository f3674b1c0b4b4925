"""Predict first: what the room guesses before a demo acts. Counting, and one event that closes the vote."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace

from bot.parts import Ballot, Card, Guess, Poll
from sandbox.demo import Demo, Options
from sandbox.events import NAMES, Engine, Event, Result
from sandbox.predicting import Prediction
from sandbox.streams import Mixture

GO = "go"
OVER = "This vote is over. The next demo has one of its own."
NOT_YOURS = "Only who started the demo can go on at once. The vote closes by itself."
GOING = "The vote is closed. The demo goes on as soon as both sides are ready."
NO_GUESS = "There is no such guess. Press one of the buttons."


class Vote:
    """The vote of one run, open from its start for so many seconds, by the loop's clock.

    Each person's last guess about an engine counts.
    """

    def __init__(self, owner: str, seconds: float, asked: Prediction) -> None:
        self.name = secrets.token_hex(4)
        self.seconds = seconds
        self._asked = asked
        self._choices = {f"{engine} {n}": (engine, n - 1) for engine in Engine for n, _ in enumerate(asked.guesses, 1)}
        self._owner = owner
        self._guesses: dict[tuple[str, Engine], int] = {}
        self._closed = asyncio.Event()
        self._tell: Callable[[], None] = lambda: None
        loop = asyncio.get_running_loop()
        self._end = loop.time() + seconds
        self._timer = loop.call_later(seconds, self.close)
        if not seconds:
            self.close()

    def cast(self, voter: str, choice: str) -> str:
        """Take a guess, or the owner's wish to go on; what the voter is told."""
        if self._closed.is_set():
            return OVER
        if choice == GO:
            return self._go(voter)
        if choice not in self._choices:
            return NO_GUESS
        engine, guess = self._choices[choice]
        self._guesses[voter, engine] = guess
        self._tell()
        return f"Noted: {NAMES[engine]} {self._asked.guesses[guess].lower()}. Until the vote closes you may change it."

    def _go(self, voter: str) -> str:
        if voter != self._owner:
            return NOT_YOURS
        self.close()
        return GOING

    def close(self) -> None:
        """Take no more guesses."""
        self._timer.cancel()
        self._closed.set()
        self._tell()

    async def wait(self) -> None:
        """Wait until it is closed."""
        await self._closed.wait()

    async def news(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event | None, None]:
        """Yield the events of the run, and None whenever the vote has changed."""
        mixture = Mixture[Event | None]()
        self._tell = lambda: mixture.put(None)
        async with aclosing(mixture.until(_put(events, mixture))) as items:
            async for item in items:
                yield item

    def on(self, card: Card, event: Event | None = None) -> Card:
        """The card with the vote as it is now; nothing of a vote that nobody took part in is left at its end."""
        if self._closed.is_set() and not self._guesses:
            return card
        return replace(card, poll=self._poll(event if isinstance(event, Result) and event.completed else None))

    def _poll(self, result: Result | None) -> Poll:
        left = None if self._closed.is_set() else max(0.0, self._end - asyncio.get_running_loop().time())
        ballots = tuple(self._ballot(engine, result) for engine in Engine)
        return Poll(self._asked.question, ballots, left, f"/vote {self.name} {GO}")

    def _ballot(self, engine: Engine, result: Result | None) -> Ballot:
        votes = Counter(guess for (_, about), guess in self._guesses.items() if about is engine)
        guesses = tuple(
            Guess(label, votes[n], f"/vote {self.name} {engine} {n + 1}") for n, label in enumerate(self._asked.guesses)
        )
        measured = self._asked.measured(result, engine) if result else ""
        return Ballot(NAMES[engine], guesses, _outcome(guesses, measured) if self._closed.is_set() else "")


async def _put(events: AsyncGenerator[Event, None], mixture: Mixture[Event | None]) -> None:
    async with aclosing(events):
        async for event in events:
            mixture.put(event)


def _outcome(guesses: tuple[Guess, ...], measured: str) -> str:
    """How many guessed what, and what was measured, once it is."""
    counts = ", ".join(f"{guess.votes} said {guess.label.lower()}" for guess in guesses if guess.votes)
    figure = f" Measured: {measured}." if measured else ""
    return f"{counts or 'nobody guessed'}.{figure}"


class Votes:
    """All votes of this process that are open: one for each run, `seconds` long; of no seconds nobody is asked."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._open: dict[str, Vote] = {}

    @contextmanager
    def opened(self, demo: Demo, owner: str) -> Iterator[Vote]:
        """A vote for one run."""
        vote = Vote(owner, self._seconds, demo.prediction)
        self._open[vote.name] = vote
        try:
            yield vote
        finally:
            vote.close()
            del self._open[vote.name]

    def cast(self, vote: str, voter: str, choice: str) -> str:
        """Take a guess; what the voter is told."""
        found = self._open.get(vote)
        return found.cast(voter, choice) if found else OVER


def with_vote(demo: Demo, options: Options, vote: Vote) -> tuple[Demo, Options]:
    """The demo that waits for the vote before it acts, with as much more time as that may take."""
    return replace(demo, deadline=demo.deadline + vote.seconds), replace(options, guesses=vote.wait)
