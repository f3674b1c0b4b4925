"""What a learner asks for, read from the text of a message. The one list of commands."""

import difflib
import getopt
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.errors import BadMessage

MAX_CHARACTERS = 8_000

_DIGITS = 4  # no demo takes a number with more
_SAMPLE = "selfheal --fault hang"
_EXAMPLE = f"Type for example: /demo {_SAMPLE}"


@dataclass(frozen=True)
class Ask:
    """A question."""

    question: str


@dataclass(frozen=True)
class RunDemo:
    """A demo to run, with the fault that was named."""

    name: str
    fault: str | None = None
    replicas: int | None = None


@dataclass(frozen=True)
class Replay:
    """A recorded run to play, of a demo with the fault that was named."""

    name: str
    fault: str | None = None


@dataclass(frozen=True)
class CastVote:
    """A guess in a vote, or the wish to go on."""

    vote: str
    choice: str


@dataclass(frozen=True)
class ShowCommands:
    """What a learner would type for such a run."""

    name: str
    fault: str | None = None
    replicas: int | None = None


@dataclass(frozen=True)
class TakeHome:
    """The files of such a run, to keep."""

    name: str
    fault: str | None = None
    replicas: int | None = None


@dataclass(frozen=True)
class ListDemos:
    """The catalogue."""


@dataclass(frozen=True)
class Help:
    """What can be said."""


@dataclass(frozen=True)
class Unknown:
    """No command of ours; `reason` is the sentence that says so."""

    reason: str


Command = Ask | RunDemo | Replay | CastVote | ShowCommands | TakeHome | ListDemos | Help | Unknown

COMMANDS = {
    "/ask": "`/ask QUESTION`: an answer with its sources; the question alone does the same",
    "/demo": "`/demo NAME [--fault FAULT] [--replicas N]`: live on both engines; `/demo` alone lists the demos",
    "/replay": "`/replay NAME [--fault FAULT]`: a run that was recorded, where no engine is at hand",
    "/commands": "`/commands NAME [--fault FAULT] [--replicas N]`: what you would type to see the same",
    "/export": "`/export NAME [--fault FAULT] [--replicas N]`: its manifest and compose file, to take home",
    "/help": "`/help`: this list",
}


def read(text: str) -> str:
    """A message's text, trimmed. Raises `BadMessage` where there is nothing to read in it."""
    if len(text) > MAX_CHARACTERS:
        raise BadMessage(
            f"That message has {len(text)} characters, more than {MAX_CHARACTERS}. Ask in a few sentences."
        )
    if any(map(_is_no_text, text)):
        raise BadMessage("That message is not text. Ask in words, or paste the output as text.")
    if not text.strip():
        raise BadMessage("That message is empty. Ask a question, or type /help.")
    return text.strip()


def _is_no_text(sign: str) -> bool:
    """A control character, or what stands for bytes that are not UTF-8: half of a pair, or the sign for "unknown"."""
    return (ord(sign) < ord(" ") and sign not in "\n\r\t") or "\ud800" <= sign <= "\udfff" or sign == "\ufffd"


def parse(text: str) -> Command:
    """What a message asks for; text that is no command is a question."""
    word, _, rest = text.partition(" ")
    if not word.startswith("/"):
        return Ask(text)
    if command := _READERS.get(word.lower()):
        return command(rest)
    near = difflib.get_close_matches(word.lower(), COMMANDS, cutoff=0.5) or sorted(COMMANDS)
    return Unknown(f"There is no command {word[:40]}. Nearest: {', '.join(near)}.")


def _ask(rest: str) -> Command:
    if rest.strip():
        return Ask(rest.strip())
    return Unknown("Put the question behind /ask, for example: /ask What is a pod?")


def _replay(rest: str) -> Command:
    demo = _demo(rest)
    if isinstance(demo, RunDemo):
        return Replay(demo.name, demo.fault)
    return Unknown("A replay takes a demo's name and a fault. Type for example: /replay selfheal --fault hang")


def _commands(rest: str) -> Command:
    demo = _demo(rest)
    if isinstance(demo, RunDemo):
        return ShowCommands(demo.name, demo.fault, demo.replicas)
    return demo if isinstance(demo, Unknown) else Unknown(f"Name a demo, for example: /commands {_SAMPLE}")


def _export(rest: str) -> Command:
    demo = _demo(rest)
    if isinstance(demo, RunDemo):
        return TakeHome(demo.name, demo.fault, demo.replicas)
    return demo if isinstance(demo, Unknown) else Unknown(f"Name a demo, for example: /export {_SAMPLE}")


def _demo(rest: str) -> Command:
    try:
        words = shlex.split(rest)
    except ValueError:
        return Unknown("A quotation mark is not closed. Type for example: /demo selfheal --fault hang")
    if not words:
        return ListDemos()
    try:
        options, names = getopt.gnu_getopt(words, "", ["fault=", "replicas="])
    except getopt.GetoptError as error:
        return Unknown(f"The {error.msg}. {_EXAMPLE}")
    if len(names) != 1:
        return Unknown(f"A demo takes one name. {_EXAMPLE}")
    chosen = dict(options)
    replicas = chosen.get("--replicas")
    if replicas is not None and not (replicas.isascii() and replicas.isdigit() and len(replicas) <= _DIGITS):
        return Unknown("The copies are a number. Type for example: /demo scale --replicas 3")
    return RunDemo(names[0], chosen.get("--fault"), None if replicas is None else int(replicas))


def _vote(rest: str) -> Command:
    vote, _, choice = rest.strip().partition(" ")
    return CastVote(vote, choice.strip())


_READERS: Mapping[str, Callable[[str], Command]] = {
    "/ask": _ask,
    "/demo": _demo,
    "/replay": _replay,
    "/commands": _commands,
    "/export": _export,
    "/help": lambda _: Help(),
    "/vote": _vote,  # what the buttons of a vote say: nobody has to know it, so it is not in the list
}
