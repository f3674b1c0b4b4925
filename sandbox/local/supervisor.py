"""The box's supervisor: runs what its keeper tells it, starts again what dies, and ends with its keeper.

It knows nothing of engines. JSON lines come in on standard input: `{"run": NAME, "argv": [...], "log": PATH}` keeps a
program running, `{"call": ID, "stop": NAME}` ends it for good, `{"call": ID, "argv": [...]}` runs one to its end.
JSON lines go out: `{"ready": true}`, `{"ended": NAME, "code": N}` each time a program has died,
`{"called": ID, "code": N, "output": TEXT}`.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import IO, Any

_PAUSE = 1.0
_LOG_LIMIT = 4 << 20
_OUTPUT_LIMIT = 64 << 10


def report(**facts: object) -> None:
    """Tell the keeper."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; one that has grown too long begins anew."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.unlink()
    return path.open("ab")


async def keep_running(name: str, argv: list[str], log: Path) -> None:
    """Start a program, and again each time that it has died."""
    while True:
        with open_log(log) as output:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
            )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
        report(ended=name, code=code)
        await asyncio.sleep(_PAUSE)


async def call(number: int, argv: list[str]) -> None:
    """Run a program to its end, and report what it said."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    report(called=number, code=process.returncode, output=output[-_OUTPUT_LIMIT:].decode(errors="replace"))


async def stop(number: int, program: "asyncio.Task[None] | None") -> None:
    """End a program that is kept running, and report it; one that is not is fine."""
    if program:
        program.cancel()
        await asyncio.wait([program])
    report(called=number, code=0, output="")


def obey(tasks: asyncio.TaskGroup, running: "dict[str, asyncio.Task[None]]", order: dict[str, Any]) -> None:
    """Do one thing that the keeper asks for."""
    if "stop" in order:
        tasks.create_task(stop(order["call"], running.pop(order["stop"], None)))
    elif "run" in order:
        if order["run"] not in running:
            program = keep_running(order["run"], order["argv"], Path(order["log"]))
            running[order["run"]] = tasks.create_task(program)
    else:
        tasks.create_task(call(order["call"], order["argv"]))


async def supervise() -> None:
    """Obey until the keeper has gone; then this process ends, and with it the box."""
    orders = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    report(ready=True)
    running: dict[str, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as tasks:
        while line := await orders.readline():
            obey(tasks, running, json.loads(line))
        raise EOFError


def main() -> None:
    """Supervise the box."""
    try:
        asyncio.run(supervise())
    except* (EOFError, BrokenPipeError):
        pass  # the keeper has gone; tini follows, and with it everything in the box


if __name__ == "__main__":
    main()
