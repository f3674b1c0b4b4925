"""Finished runs are kept, and an answer cites the newest: measured figures alone, and never in a refusal."""

import json
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEngines, FakeLab
from test_tutor import Parrot, reply

from bot.citing import cite, told, with_run
from bot.cli.showing import Run, as_lines
from bot.parts import Sources, Text
from bot.state.runs import Finished, Kept, KeptRuns, Runs, RunsHere
from bot.tutor import Tutor
from knowledge import Answer, Citation, Delta, Turn
from sandbox.demo import Options
from sandbox.demos import load_demos
from sandbox.events import Engine, Fault, Measured, Result

DEMOS = load_demos()
HANG = "Does Docker restart a container that hangs?"
AWAY = Measured(False, None, 30.0, 300, 300, 30.0, ())
PAGE = Citation(1, "Restart policies", "docker/restart-policies.md", "Exit", None, "It acts on an exit.")
ANSWER = Answer(HANG, "It does not. [1]", "extractive", False, (PAGE,), (), "selfheal", 0.1)


def back(seconds: float, failed: int = 34) -> Measured:
    return Measured(True, seconds, 30.0, 300, failed, seconds, ("kubelet",))


def result(docker: Measured, kubernetes: Measured, fault: Fault | None = Fault.HANG) -> Result:
    lanes = {Engine.DOCKER: docker, Engine.KUBERNETES: kubernetes}
    return Result(demo="selfheal", fault=fault, completed=True, error=None, cleaned_up=True, engines=lanes)


def run(one: Result, headline: str = "") -> Finished:
    versions = {Engine.DOCKER: "20.10", Engine.KUBERNETES: "1.37"}
    return Finished("selfheal", one.fault, 1, "2026-11-25 00:52", versions, headline, one)


class Covered(Parrot):
    """Answers from one page that has a demo, or refuses what it is told to."""

    def __init__(self, refused: bool = False) -> None:
        super().__init__()
        self.refused = refused

    async def answer(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[Delta | Answer, None]:
        yield replace(ANSWER, question=question, refused=self.refused, citations=() if self.refused else (PAGE,))


@pytest.mark.parametrize(
    ("docker", "kubernetes", "said"),
    [
        (AWAY, back(3.44), " Kubernetes was back after 3.4 s, Docker not within 30 s."),
        (back(0.4), back(2.1), " Docker was back after 0.4 s, Kubernetes after 2.1 s."),
        (AWAY, AWAY, " Docker was not back within 30 s, Kubernetes not within 30 s."),
        (AWAY, back(0.0, failed=0), " Kubernetes failed no request, Docker was not back within 30 s."),
    ],
)
def test_the_sentence_says_what_was_measured_the_quicker_first(
    docker: Measured, kubernetes: Measured, said: str
) -> None:
    assert told(result(docker, kubernetes), "") == said


def test_a_run_without_a_recovery_is_told_by_its_own_first_finding() -> None:
    nothing = replace(AWAY, recovered=None)

    assert told(result(nothing, nothing), "Kubernetes took 2 commands, Docker 6.").startswith(": Kubernetes took 2")
    assert told(result(nothing, nothing), "") == ""
    assert cite(ANSWER, Kept(1, run(result(nothing, nothing))), said=True) == ANSWER


def test_the_run_is_the_next_numbered_source() -> None:
    cited = cite(ANSWER, Kept(41, run(result(AWAY, back(3.44)))), said=True)

    sentence = "In run 41 on this server Kubernetes was back after 3.4 s, Docker not within 30 s. [2]"
    assert cited.answer == f"It does not. [1]\n\n{sentence}"
    assert cited.citations[:1] == (PAGE,)
    source = cited.citations[1]
    assert (source.n, source.source, source.url) == (2, "run 41", None)
    assert source.heading == "selfheal, fault hang, 2026-11-25 00:52 UTC, Docker 20.10, Kubernetes 1.37"
    assert "Kubernetes: 34 of 300 requests failed, kubelet acted." in source.text


def test_a_fault_that_the_question_does_not_name_is_named_with_the_run() -> None:
    cited = cite(ANSWER, Kept(7, run(result(AWAY, back(3.4)))), said=False)

    assert "In run 7 on this server (fault: hang) Kubernetes was back after 3.4 s" in cited.answer


@pytest.mark.parametrize("shared", [True, False])
async def test_the_newest_run_of_the_demo_and_fault_is_found_also_by_another_process(
    tmp_path: Path, shared: bool
) -> None:
    here = RunsHere()
    write, read = (KeptRuns(tmp_path), KeptRuns(tmp_path)) if shared else (here, here)
    numbers = [await write.keep(run(result(AWAY, back(seconds)))) for seconds in (3.0, 4.0)]
    await write.keep(run(result(AWAY, back(5.0), Fault.REMOVE)))

    assert numbers == [1, 2]
    assert await read.newest("selfheal", Fault.HANG) == Kept(2, run(result(AWAY, back(4.0))))
    assert await read.newest("selfheal", Fault.CRASH) is None
    assert await read.newest("selfheal", None) is None


async def test_a_demo_in_a_chat_is_cited_by_the_next_answer() -> None:
    runs = RunsHere()
    one = Tutor(Covered(), DEMOS, FakeEngines(), FakeLab().open, runs=runs)
    before = await reply(one, HANG)
    await reply(one, "/demo selfheal --fault hang", author="bob", conversation="there")
    after = await reply(one, HANG)

    assert "In run" not in str(before)
    text, sources = after[0], after[1]
    assert isinstance(text, Text)
    assert isinstance(sources, Sources)
    assert "In run 1 on this server Kubernetes was back after" in text.text
    assert [source.source for source in sources.sources] == ["docker/restart-policies.md", "run 1"]


async def test_a_refused_answer_cites_nothing() -> None:
    runs = RunsHere()
    await runs.keep(run(result(AWAY, back(3.4))))

    assert "run 1" not in str(
        await reply(Tutor(Covered(refused=True), DEMOS, FakeEngines(), FakeLab().open, runs=runs), HANG)
    )


async def test_a_run_of_the_command_line_is_kept_and_one_that_failed_is_not(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for lab in (FakeLab(docker_goes=True), FakeLab()):
        await as_lines(Run(DEMOS["selfheal"], Options(Fault.CRASH), nullcontext(lab.open), runs=KeptRuns(tmp_path)))
    last = json.loads(capfdbinary.readouterr().out.splitlines()[-1])
    kept = await KeptRuns(tmp_path).newest("selfheal", Fault.CRASH)

    assert kept is not None
    assert (kept.number, kept.run.result.run, kept.run.engines[Engine.DOCKER]) == (1, last["run"], "0.0.0")


@pytest.mark.parametrize("broken", ["folder", "file"])
async def test_where_runs_cannot_be_read_answers_still_come_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    data = tmp_path / "data"
    if broken == "folder":
        data.write_text("a file")
    else:
        data.mkdir()
        (data / "runs.db").write_bytes(b"junk" * 5000)
    runs: Runs = KeptRuns(data)

    with caplog.at_level(logging.WARNING):
        assert await with_run(ANSWER, DEMOS, runs) == ANSWER
        parts = await reply(Tutor(Covered(), DEMOS, FakeEngines(), FakeLab().open, runs=runs), "/demo selfheal")

    assert "runs.db cannot be used" in caplog.text
    assert "a run of selfheal is not kept" in caplog.text
    assert parts
