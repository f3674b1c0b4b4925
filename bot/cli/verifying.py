"""`portside selftest`: whether the demos still do on these engines what their lessons say."""

from dataclasses import asdict
from typing import Any

from bot.cli.printing import err, out, out_json
from bot.cli.running import COULD_NOT, DONE
from bot.cli.showing import lab, owner
from bot.settings import Settings
from bot.state.runs import KeptRuns, SelfTest, keeping
from bot.verifying import verify
from sandbox.demo import Demo, Options, choose, perform
from sandbox.demos import load_demos
from sandbox.errors import EngineUnavailable
from sandbox.events import NAMES
from sandbox.sandbox import OpenSandbox


async def selftest(settings: Settings, names: tuple[str, ...], times: int, as_json: bool) -> int:
    """Test the named demos, or all of them; done only if each behaves."""
    demos = load_demos()
    chosen = [choose(demos, name, None)[0] for name in dict.fromkeys(names)] or list(demos.values())
    runs, behaved = KeptRuns(settings.data), True
    async with lab(settings) as open_sandbox:
        for demo in chosen:
            try:
                tests = await tested(demo, times, open_sandbox, runs)
            except EngineUnavailable as error:
                if names or not demo.alone:
                    raise
                err(f"{demo.name} is left out. {error}")
                continue
            behaved = behaved and not any(test.reason for test in tests)
            if as_json:
                out_json(as_object(demo, tests))
            else:
                out(line(demo, tests))
    return DONE if behaved else COULD_NOT


async def tested(demo: Demo, times: int, open_sandbox: OpenSandbox, runs: KeptRuns) -> list[SelfTest]:
    """Test each fault of a demo, one after the other: so none is slowed by another."""
    tests = []
    for options in [Options(fault, demo.replicas[0]) for fault in demo.faults or (None,)]:
        err(f"testing {demo.name}{f', fault {options.fault}' if options.fault else ''}")

        def performed(options: Options = options) -> Any:
            return keeping(perform(demo, options, owner(), open_sandbox), runs)

        tests.append(await verify(demo, options.fault, times, performed))
        await runs.tested(tests[-1])
    return tests


def as_object(demo: Demo, tests: list[SelfTest]) -> dict[str, Any]:
    """A demo's tests as one JSON object."""
    reasons = [test.reason for test in tests if test.reason]
    faults = [{key: value for key, value in asdict(test).items() if key != "demo"} for test in tests]
    return {"demo": demo.name, "passed": not reasons, "reason": next(iter(reasons), None), "faults": faults}


def line(demo: Demo, tests: list[SelfTest]) -> str:
    """A demo's tests as one line: what differs, or what was measured."""
    differ = [f"{_named(test)}{test.reason}" for test in tests if test.reason]
    if differ:
        return f"× {demo.name}  {' '.join(differ)}"
    return f"✓ {demo.name}  {'; '.join(f'{_named(test)}{_figures(test)}' for test in tests)}"


def _named(test: SelfTest) -> str:
    return f"{test.fault}: " if test.fault else ""


def _figures(test: SelfTest) -> str:
    lanes = [f"{NAMES[e]} back after {one.p50:.1f} s (p95 {one.p95:.1f} s)" for e, one in test.recovery.items() if one]
    return ", ".join([*lanes, f"a run took {test.duration.p50:.1f} s"])
