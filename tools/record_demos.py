"""Record every demo and fault on real engines into sandbox/recordings, which ships: `make recordings [DEMOS="…"]`."""
# ruff: noqa: INP001, T201 - a script, which speaks by printing

import asyncio
import os
import sys
import tempfile
from contextlib import aclosing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.settings import engine_config, read_settings  # noqa: E402 - the path comes first
from sandbox import local  # noqa: E402
from sandbox.demo import Demo, Options, perform  # noqa: E402
from sandbox.demos import load_demos  # noqa: E402
from sandbox.engines import Engines  # noqa: E402
from sandbox.events import Result  # noqa: E402
from sandbox.lab import Lab  # noqa: E402
from sandbox.recording import Recorder  # noqa: E402

FOLDER = ROOT / "sandbox/recordings"


async def record(engines: Engines, demo: Demo, options: Options) -> None:
    """Replace one recording; the old one stays where the run is not what a learner should see."""
    name = f"{demo.name}-{options.fault}" if options.fault else demo.name
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        recorder = Recorder(Path(folder))
        async with aclosing(perform(demo, options, "recordings", Lab(engines).open)) as events:
            async for event in events:
                recorder.take(event)
        file = recorder.close()
        if not (file and isinstance(event, Result) and event.completed and event.cleaned_up):
            sys.exit(f"{name} was not recorded: {getattr(event, 'error', None) or 'it was not cleaned up'}")
        file.replace(FOLDER / f"{name}.jsonl")
    print(f"{name}: {event.t:.1f} s", flush=True)


async def main(names: list[str]) -> None:
    """Record the named demos, or all of them, one run after the other: so none is slowed by another."""
    demos = load_demos()
    async with local.open_engines(engine_config(read_settings())) as engines:
        for name in names or demos:
            for fault in demos[name].faults or (None,):
                await record(engines, demos[name], Options(fault, demos[name].replicas[0]))


if __name__ == "__main__":
    os.umask(0o022)
    asyncio.run(main(sys.argv[1:]))
