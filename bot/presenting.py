"""From answers, engines and the catalogue to parts: pure functions. A demo's card is in `bot.cards`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.commands import COMMANDS
from bot.limits import Ahead
from bot.markdown import blocks, settled
from bot.parts import Catalogue, Choice, Choices, Entry, Part, Progress, Source, Sources, Step, Text
from knowledge import Answer
from sandbox.demo import Demo, Options
from sandbox.engines import EngineStatus, State, StepState
from sandbox.events import NAMES, Fault

# Words of a question that name a fault of a demo, by how learners say it.
FAULT_WORDS = {
    Fault.HANG: re.compile(
        r"\b(hang|hung|fr[eo]+z|stuck|deadlock|unhealthy|health|liveness|readiness|probe)", re.IGNORECASE
    ),
    Fault.OOM: re.compile(r"\b(oom|memory|leak)", re.IGNORECASE),
    Fault.REMOVE: re.compile(r"\b(remov|delet|rm\b|replac|desired|replica)", re.IGNORECASE),
    Fault.CRASH: re.compile(r"\bcrash", re.IGNORECASE),
    Fault.POWER: re.compile(r"\b(power|machine|node|host)", re.IGNORECASE),
}
# What to ask about what a fault has shown.
EXPLAINED = {
    Fault.CRASH: "Who restarts a container that has crashed?",
    Fault.HANG: "Why does Docker not restart a container that hangs?",
    Fault.OOM: "What happens to a container that goes over its memory limit?",
    Fault.REMOVE: "Who replaces a pod that was deleted?",
    Fault.POWER: "What happens when a node dies?",
}
# An engine that tells no steps is one step.
WHOLE_STEP: Mapping[State, StepState] = {"ready": "done", "building": "now", "starting": "now", "failed": "failed"}


def present_answer(answer: Answer, demos: Mapping[str, Demo]) -> Iterable[Part]:
    """A finished answer: its text, its code, its sources, and what can be seen happen."""
    yield from present_text(answer.answer)
    if answer.citations:
        yield Sources(tuple(Source(c.n, c.title, c.source, c.heading, c.url, c.text) for c in answer.citations))
    if answer.demo is not None and answer.demo in demos:
        yield Choices((Choice("See it happen", demo_command(demos[answer.demo], answer.question), primary=True),))


def present_text(text: str) -> Iterable[Part]:
    """An answer's words, its code and its tables, each a part of its own."""
    for place, part in enumerate(blocks(text)):
        yield replace(part, key=f"answer {place}")


def present_growing(text: str) -> Iterable[Part]:
    """What an answer that is still being written says so far: parts that are replaced where they stand."""
    return present_text(settled(text))


def demo_command(demo: Demo, question: str) -> str:
    """The message that runs a demo, with the fault that a question speaks of."""
    named = named_fault(demo, question)
    return f"/demo {demo.name}" + (f" --fault {named}" if named else "")


def named_fault(demo: Demo, question: str) -> Fault | None:
    """The fault of a demo that a question speaks of."""
    return next(
        (fault for fault, words in FAULT_WORDS.items() if fault in demo.faults and words.search(question)), None
    )


def run_command(demo: Demo, options: Options, word: str = "/demo") -> str:
    """The message that runs a demo in the same way, or with another word does another thing with such a run."""
    fault = f" --fault {options.fault}" if options.fault else ""
    replicas = f" --replicas {options.replicas}" if options.replicas != demo.replicas[0] else ""
    return f"{word} {demo.name}{fault}{replicas}"


def again(demo: Demo, options: Options) -> Choices:
    """What may be done after a demo: the same in another way, and to ask what was seen."""
    return Choices((*_variations(demo, options), *of_a_run(demo, options)))


def of_a_run(demo: Demo, options: Options) -> tuple[Choice, ...]:
    """What may be done with a run that was seen: type it, keep its files, and ask about it."""
    return (
        Choice("Show me the commands", run_command(demo, options, "/commands")),
        Choice("Take it home", run_command(demo, options, "/export")),
        Choice("Explain this", EXPLAINED[options.fault] if options.fault else demo.explain),
    )


def next_fault(demo: Demo, fault: Fault | None) -> Fault | None:
    """The fault to watch after one; None where a demo has no other."""
    if fault is None or len(demo.faults) == 1:
        return None
    return demo.faults[(demo.faults.index(fault) + 1) % len(demo.faults)]


def _variations(demo: Demo, options: Options) -> Iterable[Choice]:
    following = next_fault(demo, options.fault)
    if following:
        other = run_command(demo, replace(options, fault=following))
        yield Choice("Again with another fault", other, primary=True)
    if (most := max(demo.replicas)) != options.replicas:
        yield Choice(f"Again with {most} copies", run_command(demo, replace(options, replicas=most)))
    if not following:
        yield Choice("Run it again", run_command(demo, options))


def present_catalogue(demos: Mapping[str, Demo]) -> Catalogue:
    """The demos that can be run here."""
    return Catalogue(tuple(map(_entry, demos.values())))


def _entry(demo: Demo) -> Entry:
    usual = Options(replicas=demo.replicas[0])
    faults = [Choice(fault, run_command(demo, replace(usual, fault=fault))) for fault in demo.faults]
    copies = [_copies(demo, replace(usual, replicas=number)) for number in demo.replicas[1:]]
    return Entry(demo.title, demo.question, f"/demo {demo.name}", demo.seconds, (*faults, *copies))


def _copies(demo: Demo, options: Options) -> Choice:
    many = "1 copy" if options.replicas == 1 else f"{options.replicas} copies"
    return Choice(many, run_command(demo, options))


def present_help() -> Part:
    """What can be said."""
    commands = "\n".join(f"- {line}" for line in COMMANDS.values())
    return Text(f"Ask about Docker and Kubernetes in your own words. The commands are:\n\n{commands}")


def present_queue(ahead: Ahead | None, seconds: float) -> Progress:
    """Where a demo stands that has waited so long; with none ahead it is its turn."""
    if not ahead:
        return Progress("It is this demo's turn", (), seconds, key="queue")
    before = "One demo comes first" if ahead.demos == 1 else f"{ahead.demos} demos come first"
    steps = (Step(before, "now", None), Step("This demo", "next", None))
    note = f"It begins by itself, in about {ahead.seconds:.0f} s."
    return Progress("Waiting for its turn", steps, seconds, note, key="queue")


def present_engines(engines: Sequence[EngineStatus]) -> Progress | None:
    """What is being prepared, or None where nothing is on its way."""
    busy = [engine for engine in engines if engine.state in ("building", "starting")]
    if not busy:
        return None
    building = any(engine.state == "building" for engine in busy)
    title = "Kubernetes is being built, once" if building else "The engines are starting"
    steps = tuple(step for engine in engines for step in _steps(engine))
    seconds = sum(step.seconds or 0.0 for step in steps)
    note = "Questions work already." + (" The next start uses what is built now." if building else "")
    return Progress(title, steps, seconds, note)


def elapsed(seconds: float) -> str:
    """A time as people say it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _steps(engine: EngineStatus) -> Iterable[Step]:
    if engine.steps:
        return [Step(step.title, step.state, step.seconds, step.fraction) for step in engine.steps]
    state = WHOLE_STEP.get(engine.state)
    return [Step(f"{NAMES[engine.engine]} engine", state, None)] if state else []
