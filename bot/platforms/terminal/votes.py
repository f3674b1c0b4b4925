"""A vote in a terminal: what may be guessed by which key. Pure."""

from collections.abc import Iterable
from itertools import count
from math import ceil

from bot.parts import Card, Poll, Reply
from bot.strip import LEFT


def ballot_lines(poll: Poll, width: int) -> Iterable[str]:
    """What may be guessed, how many have, and for how long."""
    left = f"{ceil(poll.left or 0.0)} s left"
    question = f"Predict first. {poll.question}"
    yield question + left.rjust(width - len(question))
    keys = count(1)
    for ballot in poll.ballots:
        guesses = [f"[{next(keys)}] {guess.label}: {guess.votes}" for guess in ballot.guesses]
        yield f"  {ballot.name.ljust(LEFT)}{'  '.join(guesses)}"
    yield "  Press a number to guess, g to go on at once."


def pressed(reply: Reply, key: str) -> str | None:
    """The message of a key, while there is a vote."""
    poll = next((part.vote for part in reply if isinstance(part, Card) and part.vote), None)
    if poll is None:
        return None
    guesses = [guess for ballot in poll.ballots for guess in ballot.guesses]
    return ({str(n): guess.command for n, guess in enumerate(guesses, 1)} | {"g": poll.go}).get(key)
