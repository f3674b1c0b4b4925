"""The `portside` command: it only wires. What a command needs is imported when that command runs."""

# ruff: noqa: PLC0415 - the heavy libraries take a second to import, and `portside --help` needs none of them

import difflib
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

CURRICULUM = "curriculum"
SLOWEST, FASTEST = 0.1, 1000


class Commands(click.Group):
    """A group that names the nearest command for one that it does not know."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command. Raises a usage error with the nearest names."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            near = difflib.get_close_matches(args[0], names, cutoff=0.5) or names
            ctx.fail(f'There is no command "{args[0][:40]}". Nearest: {", ".join(near)}.')
        return super().resolve_command(ctx, args)


class CollectionName(click.ParamType[str]):
    """A name that can be told and typed again."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name. Raises a usage error where it is empty or not text."""
        if not value.strip() or not value.isprintable():
            self.fail("A collection needs a name of printable characters, for example: handbook", param, ctx)
        return value


class Speed(click.ParamType[float]):
    """How many times as fast; also not "nan", which no range refuses."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises a usage error where nothing can be played at it."""
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not SLOWEST <= speed <= FASTEST:
            self.fail(f"The speed is a number from {SLOWEST} to {FASTEST}, for example: 4", param, ctx)
        return speed


def example(text: str) -> str:
    """The line that shows how a command is typed."""
    return f"Example: {text}"


def run(module: str, function: str, *arguments: Any) -> NoReturn:
    """Read the settings, then run a command's coroutine to its exit status."""
    from importlib import import_module

    from bot import logs
    from bot.cli import running
    from bot.errors import BadSettings
    from bot.settings import read_settings

    try:
        settings = read_settings()
    except BadSettings as error:
        raise click.UsageError(str(error)) from error
    with logs.kept(settings.data):
        running.run(getattr(import_module(f"bot.cli.{module}"), function)(settings, *arguments))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example('portside ask "What is a pod?"'),
)
@click.version_option(version("portside"))
def main() -> None:
    """The tutor that teaches Docker and Kubernetes by showing them side by side."""


@main.command(epilog=example("portside web"))
def web() -> NoReturn:
    """Serve the tutor's page, with engines behind it."""
    run("serving", "serve_web")


@main.command(epilog=example("SLACK_BOT_TOKEN=xoxb-… SLACK_APP_TOKEN=xapp-… portside slack"))
def slack() -> NoReturn:
    """Talk with a Slack workspace, with engines behind it."""
    run("serving", "serve_chat", "slack")


@main.command(epilog=example("DISCORD_TOKEN=… portside discord"))
@click.option("--invite", is_flag=True, help="Only print the link that invites the bot, with the least permissions.")
def discord(invite: bool) -> NoReturn:
    """Talk on Discord, with engines behind it."""
    if invite:
        run("serving", "invite")
    run("serving", "serve_chat", "discord")


@main.command(epilog=example("portside serve"))
def serve() -> NoReturn:
    """Serve the page and every chat that has tokens, in one process."""
    run("serving", "serve_all")


@main.command(epilog=example("portside chat"))
def chat() -> NoReturn:
    """Talk with the tutor in the terminal."""
    run("serving", "chat")


@main.command(epilog=example('portside ask "Does Docker restart a container that hangs?"'))
@click.argument("words", metavar="[QUESTION]", nargs=-1)
@click.option("--batch", type=click.File(encoding="utf-8"), help="Answer each JSON object of a file; - is stdin.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--collection", type=CollectionName(), default=CURRICULUM, show_default=True, help="Answer from these pages alone."
)
def ask(words: tuple[str, ...], batch: TextIO | None, as_json: bool, collection: str) -> NoReturn:
    """Answer a question with its sources, or refuse it."""
    if len(words) > 1 or bool(words) == (batch is not None):
        raise click.UsageError(
            'Give one question, in quotation marks, as in: portside ask "What is a pod?", or a file with --batch.'
        )
    if batch is not None:
        run("asking", "ask_batch", batch, collection)
    run("asking", "ask", words[0], collection, as_json)


@main.command(epilog=example('portside search "restart policy" --json'))
@click.argument("words")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--collection", type=CollectionName(), default=CURRICULUM, show_default=True, help="Search these pages alone."
)
def search(words: str, as_json: bool, collection: str) -> NoReturn:
    """Find the pages that fit some words, best first."""
    run("asking", "search", words, collection, as_json)


@main.command(epilog=example("portside ingest docs/ --collection handbook"))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--collection",
    type=CollectionName(),
    default=CURRICULUM,
    show_default=True,
    help="Add the pages to this collection.",
)
def ingest(paths: tuple[Path, ...], collection: str) -> NoReturn:
    """Take in Markdown files and folders, so that they can be asked about."""
    run("asking", "take_in", paths, collection)


@main.command(epilog=example("portside demo selfheal --fault hang"))
@click.argument("name")
@click.option("--fault", help="What breaks, for example crash, hang, oom or remove; the first unless named.")
@click.option("--replicas", type=int, help="How many copies, where a demo can be run with more or fewer.")
@click.option("--json", "as_json", is_flag=True, help="Every event as one JSON object a line.")
@click.option(
    "--record",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Keep the run for `portside replay`, in a new file: FILE, or one in the data folder.",
)
@click.option("--commands", is_flag=True, help="Run nothing, and print what you would type, step by step.")
@click.option(
    "--export",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Run nothing, and write the manifest and the compose file into a folder.",
)
def demo(  # noqa: PLR0913, PLR0917 - an argument for each option
    name: str,
    fault: str | None,
    replicas: int | None,
    as_json: bool,
    record: str | None,
    commands: bool,
    export: Path | None,
) -> NoReturn:
    """Run a demo on a real Docker and a real Kubernetes, and measure both."""
    if sum((as_json or record is not None, commands, export is not None)) > 1:
        raise click.UsageError("--commands and --export run nothing: give one of them, without --json and --record.")
    choice = (name, fault, replicas)
    if commands:
        run("taking", "print_commands", choice)
    if export is not None:
        run("taking", "export_files", choice, export)
    run("showing", "demo", choice, as_json, record)


@main.command(epilog=example("portside replay selfheal --fault hang --speed 4"))
@click.argument("name", metavar="FILE|NAME")
@click.option("--fault", help="Of a demo's recordings, the one with this fault; its first unless named.")
@click.option("--speed", type=Speed(), default=1, show_default=True, help="How many times as fast as it happened.")
@click.option("--json", "as_json", is_flag=True, help="Every event as one JSON object a line.")
def replay(name: str, fault: str | None, speed: float, as_json: bool) -> NoReturn:
    """Play a recorded run, yours or one that ships with Portside; no engine is needed."""
    run("replaying", "replay", name, fault, speed, as_json)


@main.command(epilog=example("portside selftest selfheal --runs 3"))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--runs", type=click.IntRange(1, 100), default=1, show_default=True, help="How often each is run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a demo and line.")
def selftest(names: tuple[str, ...], runs: int, as_json: bool) -> NoReturn:
    """Run demos on your engines and hold them against their lessons; one that differs leaves the menu."""
    run("verifying", "selftest", names, runs, as_json)


@main.command(epilog=example("portside reaper --once"))
@click.option("--once", is_flag=True, help="Sweep once and end, instead of every 30 s.")
def reaper(once: bool) -> NoReturn:
    """Remove whatever of ours is past its expiry on both engines."""
    run("showing", "reaper", once)


@main.group(cls=Commands, epilog=example("portside engines status"))
def engines() -> None:
    """A Docker and a Kubernetes of our own, where there is none."""


@engines.command(epilog=example("portside engines up"))
def up() -> NoReturn:
    """Start the engines and keep them until `down`."""
    run("engines", "up")


@engines.command(epilog=example("portside engines down"))
def down() -> NoReturn:
    """Stop the engines and put the machine back."""
    run("engines", "down")


@engines.command(epilog=example("portside engines status"))
def status() -> NoReturn:
    """Say how each engine does; status 0 only when both are ready."""
    run("engines", "status")


@engines.command(epilog=example('kubectl --kubeconfig "$(portside engines kubeconfig)" get nodes'))
def kubeconfig() -> NoReturn:
    """Print the path of an admin's kubeconfig for the local cluster."""
    run("engines", "kubeconfig")


if __name__ == "__main__":
    main()
