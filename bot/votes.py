"""Predict first: what the room guesses before a demo acts. Counting, and one event that closes the vote."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import replace

from bot.parts import Ballot, Card, Guess, Poll
from sandbox.demo import Demo, Options
from sandbox.events import NAMES, Engine, Event, Measured, Result
from sandbox.figures import back_after
from sandbox.streams import Mixture

QUESTION = "How long until it answers again?"
GUESSES = ("Under 5 s", "Within 30 s", "Not within 30 s")
GO = "go"
OVER = "This vote is over. The next demo with a fault has one of its own."
NOT_YOURS = "Only who started the demo can go on at once. The vote closes by itself."
GOING = "The vote is closed. The fault comes as soon as both sides are serving."
NO_GUESS = "There is no such guess. Press one of the buttons."

Choice = tuple[Engine, int]
CHOICES: Mapping[str, Choice] = {f"{engine} {n + 1}": (engine, n) for engine in Engine for n in range(len(GUESSES))}


class Vote:
    """The vote of one run, open from its start for so many seconds, by the loop's clock.

    Each person's last guess about an engine counts.
    """

    def __init__(self, owner: str, seconds: float) -> None:
        self.name = secrets.token_hex(4)
        self.seconds = seconds
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
        if choice not in CHOICES:
            return NO_GUESS
        engine, guess = CHOICES[choice]
        self._guesses[voter, engine] = guess
        self._tell()
        return f"Noted: {NAMES[engine]} {GUESSES[guess].lower()}. Until the vote closes you may change it."

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
        return replace(card, poll=self._poll(event.engines if isinstance(event, Result) else {}))

    def _poll(self, measured: Mapping[Engine, Measured]) -> Poll:
        closed = self._closed.is_set()
        left = None if closed else max(0.0, self._end - asyncio.get_running_loop().time())
        ballots = tuple(self._ballot(engine, closed, measured.get(engine)) for engine in Engine)
        return Poll(QUESTION, ballots, left, f"/vote {self.name} {GO}")

    def _ballot(self, engine: Engine, closed: bool, measured: Measured | None) -> Ballot:
        votes = Counter(guess for (_, about), guess in self._guesses.items() if about is engine)
        guesses = tuple(
            Guess(label, votes[n], f"/vote {self.name} {engine} {n + 1}") for n, label in enumerate(GUESSES)
        )
        return Ballot(NAMES[engine], guesses, _outcome(guesses, measured) if closed else "")


async def _put(events: AsyncGenerator[Event, None], mixture: Mixture[Event | None]) -> None:
    async with aclosing(events):
        async for event in events:
            mixture.put(event)


def _outcome(guesses: tuple[Guess, ...], measured: Measured | None) -> str:
    """How many guessed what, and what was measured, once it is."""
    counts = ", ".join(f"{guess.votes} said {guess.label.lower()}" for guess in guesses if guess.votes)
    figure = f" Measured: {back_after(measured).text}." if measured else ""
    return f"{counts or 'nobody guessed'}.{figure}"


class Votes:
    """All votes of this process that are open: one for each run with a fault, `seconds` long."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._open: dict[str, Vote] = {}

    @contextmanager
    def opened(self, options: Options, owner: str) -> Iterator[Vote]:
        """A vote for one run; of no seconds, and so closed, where nobody is to be asked."""
        vote = Vote(owner, self._seconds if options.fault else 0.0)
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
