"""What people find before they ask: the catalogue in App Home, and prompts in the assistant's pane. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.commands import COMMANDS
from bot.platforms.slack.blocks import Block, context, header, sections
from bot.platforms.slack.render import catalogue
from bot.platforms.slack.text import escaped
from bot.presenting import present_catalogue
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
        *catalogue(present_catalogue(demos), user),
    ]
    return {"type": "home", "blocks": told}


def prompts(demos: Mapping[str, Demo]) -> list[dict[str, str]]:
    """What the assistant's pane suggests: questions, and a demo to watch."""
    asked = [{"title": question, "message": question} for question in QUESTIONS]
    watched = [{"title": f"{demo.question} (demo)", "message": f"/demo {demo.name}"} for demo in demos.values()]
    return [*asked, *watched][:PROMPTS]
