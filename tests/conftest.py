"""What all tests share: no live test is skipped unseen, and in CI none is skipped at all."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A machine that is busy with other things is no failure of ours.
settings.register_profile("portside", deadline=None)
settings.load_profile("portside")

LIVE = "tests/live/"
skipped: list[tuple[str, str]] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and LIVE in item.nodeid and not hasattr(report, "wasxfail"):
        skipped.append((item.nodeid, str(report.longrepr[2]).removeprefix("Skipped: ")))
    return report


def required() -> bool:
    """Whether a missing engine is a failure (in CI) rather than a visible skip (on a laptop)."""
    return os.environ.get("PORTSIDE_REQUIRE_LIVE") == "1"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped and required() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not skipped:
        return
    terminalreporter.section(f"{len(skipped)} live tests skipped")
    for reason in sorted({reason for _, reason in skipped}):
        count = sum(other == reason for _, other in skipped)
        terminalreporter.line(f"{count}: {reason}", red=required(), yellow=not required())
    if required():
        terminalreporter.line("PORTSIDE_REQUIRE_LIVE=1: a skipped live test is a failure.", red=True)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Each test starts from the same environment, without the operator's settings."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(("PORTSIDE_", "OPENAI_", "DOCKER_", "SLACK_", "DISCORD_"))]:
        if name not in {"PORTSIDE_REQUIRE_LIVE", "PORTSIDE_SHOTS"}:
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)
