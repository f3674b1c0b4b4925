"""Slash commands, their completion, the modal and the message menu: everything that is asked by an interaction."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import discord
from discord import app_commands, ui

from bot.platforms.discord.reading import words
from bot.platforms.discord.reception import Reception
from sandbox.demo import Demo

QUESTION = 4_000  # characters that a modal takes
CHOICES = 25
Interaction = discord.Interaction[Any]
Value = TypeVar("Value", str, int)


def install(tree: app_commands.CommandTree[Any], reception: Reception) -> None:
    """Every command of the one list, and the menu of a message."""

    @tree.command(description="Ask about Docker and Kubernetes; without a question, a larger field opens")
    @app_commands.describe(question="In your own words", private="Only you see the answer, and may share it")
    async def ask(interaction: Interaction, question: str | None = None, private: bool = False) -> None:
        if question is None:
            await interaction.response.send_modal(Question(reception, private))
        else:
            await reception.take(interaction, f"/ask {question}", private=private)

    @tree.command(description="The same fault on real Docker and real Kubernetes; without a name, the list")
    @app_commands.describe(name="Which demo", fault="What breaks", replicas="How many copies")
    async def demo(
        interaction: Interaction, name: str | None = None, fault: str | None = None, replicas: int | None = None
    ) -> None:
        await reception.take(interaction, typed_out("/demo", name, fault, replicas))

    @tree.command(description="A run that was recorded, where no engine is at hand")
    @app_commands.describe(name="Which demo", fault="What breaks")
    async def replay(interaction: Interaction, name: str, fault: str | None = None) -> None:
        await reception.take(interaction, typed_out("/replay", name, fault))

    @tree.command(name="commands", description="What you would type to see a demo by yourself")
    @app_commands.describe(name="Which demo", fault="What breaks", replicas="How many copies")
    async def typing(
        interaction: Interaction, name: str, fault: str | None = None, replicas: int | None = None
    ) -> None:
        await reception.take(interaction, typed_out("/commands", name, fault, replicas))

    @tree.command(description="The manifest and the compose file of a demo, to take home")
    @app_commands.describe(name="Which demo", fault="What breaks", replicas="How many copies")
    async def export(
        interaction: Interaction, name: str, fault: str | None = None, replicas: int | None = None
    ) -> None:
        await reception.take(interaction, typed_out("/export", name, fault, replicas))

    for command in (demo, replay, typing, export):
        complete(command, reception)

    @tree.command(name="help", description="What can be said")
    async def helping(interaction: Interaction) -> None:
        await reception.take(interaction, "/help", private=True)

    @tree.context_menu(name="Explain this")
    async def explain(interaction: Interaction, message: discord.Message) -> None:
        await reception.take(interaction, f"/ask {words(message, reception.us)}")


def complete(command: app_commands.Command[Any, ..., None], reception: Reception) -> None:
    """What Discord suggests for the options of a command while they are typed: what the demos take."""

    def named(interaction: Interaction) -> Iterable[Demo]:
        """The demo whose name is typed, or all while it is none."""
        known = reception.offered.get(str(interaction.namespace["name"]))
        return [known] if known else reception.offered.values()

    async def names(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return completed({f"{one.name}: {one.question}": one.name for one in reception.offered.values()}, typed)

    async def faults(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return completed({fault.value: fault.value for one in named(interaction) for fault in one.faults}, typed)

    async def copies(interaction: Interaction, typed: str | int) -> list[app_commands.Choice[int]]:
        known = sorted({number for one in named(interaction) for number in one.replicas})
        return completed({str(number): number for number in known}, str(typed))

    suggestions: dict[str, Any] = {"name": names, "fault": faults, "replicas": copies}
    for option, suggest in suggestions.items():
        if command.get_parameter(option):
            command.autocomplete(option)(suggest)


def typed_out(command: str, name: str | None, fault: str | None, replicas: int | None = None) -> str:
    """The message that says the same."""
    options = [name and shlex.quote(name), fault and f"--fault {shlex.quote(fault)}"]
    copies = [] if replicas is None else [f"--replicas {replicas}"]
    return " ".join([command, *filter(None, options), *copies])


def completed(found: Mapping[str, Value], typed: str) -> list[app_commands.Choice[Value]]:
    """What begins or goes on with what is typed."""
    fitting = [(label, value) for label, value in found.items() if typed.lower() in label.lower()]
    return [app_commands.Choice(name=label[:100], value=value) for label, value in fitting[:CHOICES]]


class Question(ui.Modal, title="Ask about Docker and Kubernetes"):
    """A field for a longer question."""

    def __init__(self, reception: Reception, private: bool) -> None:
        super().__init__()
        self._reception = reception
        self._private = private
        self._text: ui.TextInput[Any] = ui.TextInput(style=discord.TextStyle.paragraph, max_length=QUESTION)
        hint = "Output of a terminal may stand in it."
        self.add_item(ui.Label(text="Your question", description=hint, component=self._text))

    async def on_submit(self, interaction: Interaction) -> None:
        """Answer it."""
        await self._reception.take(interaction, f"/ask {self._text.value}", private=self._private)
