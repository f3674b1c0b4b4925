"""`portside engines`: engines of our own, up, down and how they do."""

from bot.cli.printing import out, until_up
from bot.cli.running import COULD_NOT, DONE
from bot.settings import Settings, engine_config
from sandbox import local
from sandbox.engines import EngineStatus


async def up(settings: Settings) -> int:
    """Start the engines and keep them until `down`."""
    return _told(await until_up(local.up(engine_config(settings))))


async def down(settings: Settings) -> int:
    """Stop the engines and put the machine back."""
    await local.down(engine_config(settings))
    return DONE


async def status(settings: Settings) -> int:
    """One line for each engine; done only when both are ready."""
    return _told(await local.status(engine_config(settings)))


def _told(states: tuple[EngineStatus, ...]) -> int:
    for state in states:
        out("  ".join(word for word in (state.engine, state.state, state.version, state.address, state.detail) if word))
    return DONE if states and all(state.state == "ready" for state in states) else COULD_NOT


async def kubeconfig(settings: Settings) -> int:
    """Print the path of an admin's kubeconfig."""
    out(str(local.kubeconfig(engine_config(settings))))
    return DONE
