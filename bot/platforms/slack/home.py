"""What people find before they ask: the catalogue in App Home, and prompts in the assistant's pane. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.commands import COMMANDS
from bot.platforms.slack.blocks import Block, actions, button, context, header, sections
from bot.platforms.slack.render import SAY
from bot.platforms.slack.text import escaped
from sandbox.demo import Demo

QUESTIONS = (
    "Why is Docker alone not enough?",
    "My container hangs but does not exit. Does anything restart it?",
    "What is a pod, compared with a container?",
)
PROMPTS = 4


def home(demos: Mapping[str, Demo], user: str) -> dict[str, Any]:
    """The view of App Home: what can be asked and what can be watched."""
    told: list[Block] = [
        header("Docker and Kubernetes, side by side"),
        *sections(
            "Ask here in *Messages*, mention me in a channel, or type a command. The sources stand under each answer."
        ),
        *context(*(escaped(usage) for usage in COMMANDS.values())),
        *(block for demo in demos.values() for block in _demo(demo, user)),
    ]
    return {"type": "home", "blocks": told}


def _demo(demo: Demo, user: str) -> list[Block]:
    faults = f" Faults: {', '.join(demo.faults)}." if demo.faults else ""
    told = f"*{escaped(demo.question)}*\n{escaped(f'Takes up to {demo.seconds:.0f} s.{faults}')}"
    return [
        *sections(told),
        *actions(f"demo_{demo.name}", [button(demo.title, f"{SAY}.0", f"{user} /demo {demo.name}", True)]),
    ]


def prompts(demos: Mapping[str, Demo]) -> list[dict[str, str]]:
    """What the assistant's pane suggests: questions, and a demo to watch."""
    asked = [{"title": question, "message": question} for question in QUESTIONS]
    watched = [{"title": f"{demo.question} (demo)", "message": f"/demo {demo.name}"} for demo in demos.values()]
    return [*asked, *watched][:PROMPTS]
