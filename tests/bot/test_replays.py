"""`--record` and `portside replay`: what happened is kept whole, and is shown again exactly."""

import asyncio
import json
import os
import re
from contextlib import aclosing, nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import FakeLab

from bot.__main__ import main
from bot.cli.showing import Run, as_lines, recording
from bot.parts import Card, Choices, Part, Text
from bot.replays import replayed
from bot.settings import read_settings
from sandbox.demo import Options
from sandbox.demos import load_demos
from sandbox.errors import NoRecording
from sandbox.events import Fault
from sandbox.replaying import MOST_BYTES, play, read, shipped

QUICK = "1000"


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> Path:
    os.environ["PORTSIDE_DATA"] = str(tmp_path / "data")
    return tmp_path / "data"


def replay(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["replay", *arguments, "--speed", QUICK])


async def record(file: str, lab: FakeLab | None = None) -> None:
    """One run on a sandbox without engines, recorded as the command does it."""
    with recording(read_settings(), file) as note:
        run = Run(load_demos()["selfheal"], Options(Fault.CRASH), nullcontext((lab or FakeLab()).open), note)
        await as_lines(run)


async def test_a_recording_holds_the_very_lines_that_were_told_but_for_its_date(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    await record(str(tmp_path / "run.jsonl"))

    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    kept = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert (told[0]["recorded"], kept[0]["recorded"][:2]) == (False, "20")
    assert kept == [told[0] | {"recorded": kept[0]["recorded"]}, *told[1:]]
    assert names(tmp_path) == ["run.jsonl"]


async def test_a_recording_without_a_name_gets_one_of_demo_fault_time_and_run(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await record("")

    (name,) = names(data / "recordings")
    assert re.fullmatch(r"selfheal-crash-20\d\d-\d\d-\d\dT\d{6}Z-fake000001\.jsonl", name)
    assert f"recorded in {data}/recordings/{name}" in capsys.readouterr().err


async def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("mine")

    with pytest.raises(NoRecording, match="exists already"):
        await record(str(tmp_path / "run.jsonl"))
    assert (tmp_path / "run.jsonl").read_text() == "mine"


async def test_a_folder_that_is_not_there_is_said_before_the_run(tmp_path: Path) -> None:
    lab = FakeLab()

    with pytest.raises(NoRecording, match="cannot be written"):
        await record(str(tmp_path / "no" / "run.jsonl"), lab)
    assert lab.opened == 0


def test_what_ends_before_its_result_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = read(shipped()["selfheal-hang"], load_demos())

    with recording(read_settings(), str(tmp_path / "run.jsonl")) as note:
        for event in recorded.events[:-1]:
            note(event)

    assert names(tmp_path) == []
    assert "nothing is recorded" in capsys.readouterr().err


@pytest.mark.parametrize("fault", load_demos()["selfheal"].faults)
def test_a_shipped_run_is_told_again_line_by_line(fault: Fault) -> None:
    told = replay("selfheal", "--fault", fault, "--json")

    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == shipped()[f"selfheal-{fault}"].read_text()


def test_it_is_drawn_as_the_live_run_and_labelled() -> None:
    drawn = replay("selfheal-hang")

    assert drawn.exit_code == 0
    assert f"(Recorded run, {date('selfheal-hang')})" in drawn.stdout
    assert "both on the machine of\n    the recording." in drawn.stdout
    assert "Measured" in drawn.stdout or "Back after" in drawn.stdout
    assert "portside replay selfheal --fault oom" in drawn.stdout


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def date(name: str) -> str:
    return str(json.loads(shipped()[name].read_text().splitlines()[0])["recorded"])


def test_lines_that_were_kept_by_hand_have_the_date_of_their_file(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    first, *others = shipped()["selfheal-crash"].read_text().splitlines()
    file.write_text("\n".join([json.dumps(json.loads(first) | {"recorded": False}), *others]))
    os.utime(file, (1_000_000_000, 1_000_000_000))

    assert json.loads(replay(str(file), "--json").stdout.splitlines()[0])["recorded"] == "2001-09-09"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "There is no line in it."),
        (b"hello\n", "Line 1 is no JSON."),
        (b"[" * 100_000, "Line 1 is no JSON."),
        (b"\xff\xfe", "It is not UTF-8 text."),
        (b"{}\n", "Line 1: its kind is none of a run's events."),
        (b"x" * (MOST_BYTES + 1), "It has more than 5 MB"),
    ],
)
def test_a_broken_file_is_one_clear_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "run.jsonl"
    file.write_bytes(content)

    refused(replay(str(file)), f"{file} is no recording that can be played. {said}")


def test_a_recording_that_is_cut_off_is_not_played_at_all(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text("".join(shipped()["selfheal-hang"].read_text().splitlines(keepends=True)[:-3]))

    refused(replay(str(file), "--json"), "it is cut off")


def test_a_run_of_another_version_says_so(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text(shipped()["selfheal-hang"].read_text().replace('"hang"', '"quake"'))

    refused(replay(str(file)), "It holds what this version does not know.")


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    refused(replay(str(tmp_path)), "It is no file.")


def refused(result: Result, said: str) -> None:
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_events_come_at_their_times_divided_by_the_speed() -> None:
    events = read(shipped()["selfheal-crash"], load_demos()).events
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with aclosing(play(events, 40.0)) as played:
        late = [loop.time() - began - event.t / 40.0 async for event in played]

    assert len(late) == len(events)
    assert min(late) >= -0.001


async def test_every_card_of_a_replay_is_labelled_and_the_next_fault_is_a_replay_too() -> None:
    recorded = read(shipped()["selfheal-remove"], load_demos())
    async with aclosing(replayed(recorded, 1000.0)) as parts:
        *cards, last = [part async for part in parts]

    assert all(isinstance(card, Card) and card.recorded == f"Recorded run, {recorded.date}" for card in cards)
    assert isinstance(last, Choices)
    assert last.choices[0].command == "/replay selfheal --fault crash"


async def test_a_run_that_failed_is_told_with_its_reason(tmp_path: Path) -> None:
    lines = shipped()["selfheal-hang"].read_text().splitlines()
    end = json.loads(lines[-1]) | {"completed": False, "error": "Docker went away.", "engines": {}}
    (tmp_path / "run.jsonl").write_text("\n".join([*lines[:-1], json.dumps(end)]))
    parts: list[Part] = []
    async with aclosing(replayed(read(tmp_path / "run.jsonl", load_demos()), 1000.0)) as played:
        parts = [part async for part in played]

    assert Text("Docker went away.") in parts
