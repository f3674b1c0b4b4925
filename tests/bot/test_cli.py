"""The command line: exactly its forms and exit statuses, and one clear sentence for what is wrong."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import FakeLab

from bot.__main__ import main
from bot.cli.showing import Run, as_lines
from sandbox.demo import Options
from sandbox.demos import load_demos
from sandbox.events import Fault
from sandbox.local.engines import missing
from sandbox.sandbox import OpenSandbox

COMMANDS = [
    "web",
    "chat",
    "slack",
    "discord",
    "serve",
    "ask",
    "search",
    "ingest",
    "demo",
    "replay",
    "selftest",
    "reaper",
    "engines",
]
ENGINES = ["up", "down", "status", "kubeconfig"]
LATER = ["eval", "doctor"]
PAGE = """---
title: Lighthouses
---
# Lighthouses

A lighthouse shows sailors where the rocks are. Its keeper lights the lamp every evening at dusk.

## The lamp

The lamp of a lighthouse burns oil, and a lens throws its light twenty miles out to sea.
"""
# A demo on a sandbox without engines, run as the command runs it: for signals, which need a process of their own.
PROGRAM = """
from contextlib import nullcontext
from fakes import QUICK, FakeLab
from dataclasses import replace
from bot.cli import running, showing
from sandbox.demos import load_demos
from sandbox.demo import Options
from sandbox.events import Fault

async def work():
    lab = FakeLab(replace(QUICK, observe=60.0))
    run = showing.Run(load_demos()["selfheal"], Options(Fault.HANG), nullcontext(lab.open))
    await showing.as_lines(run)
    return running.DONE

running.run(work())
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    os.environ["PORTSIDE_DATA"] = str(tmp_path / "data")
    return tmp_path / "data"


def portside(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), *(["engines", name] for name in ENGINES)])
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    result = portside(*command, "--help")

    assert result.exit_code == 0
    assert "Example: " in result.stdout


@pytest.mark.parametrize("command", LATER)
def test_commands_of_later_releases_are_absent(command: str) -> None:
    assert portside(command).exit_code == 2


def test_help_loads_none_of_the_heavy_libraries() -> None:
    heavy = (
        "chromadb",
        "kubernetes",
        "docker",
        "onnxruntime",
        "numpy",
        "pydantic",
        "rich",
        "starlette",
        "slack_bolt",
        "discord",
    )
    code = f"import sys, bot.__main__; print([name for name in {heavy} if name in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["aks", "why"], 'There is no command "aks". Nearest: ask'),
        (["engines", "stat"], 'There is no command "stat". Nearest: status'),
        (["ask"], "Give one question"),
        (["ask", "why", "--batch", "-"], "Give one question"),
        (["ask", "why", "--batch", "/nowhere"], "No such file"),
        (["ask", "What", "is", "a", "pod?"], "in quotation marks"),
        (["ask", ""], "That message is empty."),
        (["ask", "x" * 100_000], "Ask in a few sentences."),
        (["ask", "\x07\x08"], "That message is not text."),
        (["ask", os.fsdecode(b"\xff\xfe why")], "That message is not text."),
        (["search", " ", "--json"], "That message is empty."),
        (["demo", "selfheel"], "Nearest: selfheal"),
        (["demo", "selfheal", "--fault", "boom"], "It takes: crash, hang, oom, remove."),
        (["demo", "selfheal", "--replicas", "9"], "It takes: 1, 2, 3."),
        (["demo"], "Missing argument"),
        (["demo", "selfheal", "--record", "tests"], "tests exists already. Choose another name, or remove it."),
        (["demo", "selfheel", "--commands"], "Nearest: selfheal"),
        (["demo", "selfheal", "--commands", "--replicas", "9"], "It takes: 1, 2, 3."),
        (["demo", "selfheal", "--commands", "--json"], "give one of them, without --json and --record."),
        (["demo", "selfheal", "--commands", "--export", "x"], "give one of them"),
        (["demo", "selfheal", "--export"], "requires an argument"),
        (["demo", "selfheal", "--export", "README.md"], "README.md exists already, and nothing was written."),
        (["replay"], "Missing argument"),
        (["selftest", "selfheel"], "Nearest: selfheal"),
        (["selftest", "--runs", "0"], "1<=x<=100"),
        (["replay", "selfheel"], "Nearest: selfheal-"),
        (["replay", "selfheal", "--fault", "boom"], "It takes: crash, hang, oom, remove."),
        (["replay", "selfheal", "--speed", "nan"], "The speed is a number from 0.1 to 1000"),
        (["replay", "selfheal", "--speed", "0"], "The speed is a number from 0.1 to 1000"),
        (["replay", "selfheal", "--speed", "fast"], "The speed is a number from 0.1 to 1000"),
        (["replay", "nowhere.jsonl"], "There is no file nowhere.jsonl."),
        (["replay", "README.md", "--fault", "hang"], "the file README.md is one run. Leave it out."),
        (["reaper", "--twice"], "No such option"),
        (["ingest"], "Missing argument"),
        (["ask", "why", "--collection", "no-such"], "There is no collection"),
        (["ingest", ".", "--collection", " "], "A collection needs a name"),
        (["search", "why", "--collection", os.fsdecode(b"\xff")], "A collection needs a name"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(arguments: list[str], said: str, data: Path) -> None:
    result = portside(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_the_commands_of_a_demo_are_printed_as_a_shell_takes_them() -> None:
    result = portside("demo", "selfheal", "--fault", "hang", "--commands")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "\ncurl -X POST http://$ADDRESS:8080/fault/hang\n" in result.stdout
    assert "\nkubectl apply -f web.yaml\n" in result.stdout


def test_the_files_of_a_demo_are_written_once(tmp_path: Path) -> None:
    first = portside("demo", "scale", "--export", str(tmp_path / "home"))
    second = portside("demo", "scale", "--export", str(tmp_path / "home"))

    assert (first.exit_code, first.stdout) == (
        0,
        f"wrote {tmp_path}/home/web.yaml\nwrote {tmp_path}/home/compose.yaml\n",
    )
    assert (second.exit_code, second.stdout) == (2, "")
    assert "web.yaml exists already, and nothing was written." in second.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("not json\n", "Line 1 of the batch"),
        ('{"qid": "1", "question": "What is a pod?"}\n{"question": "no id"}\n', "Line 2 of the batch"),
        ('{"qid": "1", "question": 7}\n', "Line 1 of the batch"),
        (b'{"qid": "1", "question": "\xff\xfe"}\n', "not UTF-8"),
    ],
)
def test_a_batch_that_is_none_answers_nothing_and_names_the_line(lines: str | bytes, said: str, data: Path) -> None:
    result = portside("ask", "--batch", "-", "--json", stdin=lines)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_bad_setting_is_named_and_status_2() -> None:
    os.environ["PORTSIDE_WEB_PORT"] = "http"

    result = portside("web")

    assert result.exit_code == 2
    assert "PORTSIDE_WEB_PORT" in result.stderr


def test_a_port_in_use_is_said_before_anything_is_started(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        os.environ["PORTSIDE_WEB_PORT"] = str(taken.getsockname()[1])
        result = portside("web")

    assert result.exit_code == 1
    assert "choose another one with PORTSIDE_WEB_PORT" in result.stderr
    assert not (data / "knowledge").exists()


def test_a_data_folder_that_cannot_be_written_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "page.md").write_text(PAGE)
    os.environ["PORTSIDE_DATA"] = str(tmp_path / "file" / "data")

    result = portside("ingest", str(tmp_path / "page.md"))

    assert result.exit_code == 1
    assert result.stderr.startswith("portside: ")
    assert "Check that it can be written" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("locale", "shown"), [("C", "..."), ("C.UTF-8", "…")])
def test_what_is_printed_has_signs_of_the_locale_alone(data: Path, locale: str, shown: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"} | {"LC_ALL": locale}
    command = [sys.executable, "-m", "bot", "demo", "x" * 60]
    said = subprocess.run(command, capture_output=True, env=environment, check=False).stderr.decode()

    assert f'no demo "{"x" * 40}{shown}"' in said


def test_an_index_that_is_damaged_is_said_with_how_to_have_it_anew(data: Path, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    portside("ingest", str(tmp_path / "page.md"), "--collection", "sea")
    (data / "knowledge" / "chroma" / "chroma.sqlite3").write_bytes(b"junk" * 5000)

    command = [sys.executable, "-m", "bot", "search", "lamp", "--collection", "sea"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert asked.returncode == 1
    assert f"The index in {data / 'knowledge'} is damaged" in asked.stderr
    assert "Remove that folder" in asked.stderr


def test_no_cluster_has_no_kubeconfig(data: Path) -> None:
    result = portside("engines", "kubeconfig")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "portside engines up" in result.stderr


def test_the_reaper_starts_no_engine_and_is_done_where_none_is_up(data: Path) -> None:
    result = portside("reaper", "--once")

    assert (result.exit_code, result.stdout) == (1 if missing() else 0, "")
    assert not (data / "engines").exists()


def test_pages_of_ones_own_are_taken_in_found_and_answered_from(data: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "lighthouses.md").write_text(PAGE)
    (pages / "latin1.md").write_bytes("# Caf\xe9\n\nWords.\n".encode("latin-1"))

    taken = portside("ingest", str(pages), "--collection", "sea")
    found = portside("search", "who lights the lamp", "--json", "--collection", "sea")
    asked = portside("ask", "What does the lamp of a lighthouse burn?", "--json", "--collection", "sea")
    told = portside("ask", "What does the lamp of a lighthouse burn?", "--collection", "sea")
    batch = '{"qid": "a", "question": "What does the lamp of a lighthouse burn?"}\n{"qid": "b", "question": ""}\n'
    answered = portside("ask", "--batch", "-", "--json", "--collection", "sea", stdin=batch)

    assert taken.exit_code == 0
    assert "skipped latin1.md: it is not UTF-8 text" in taken.stderr
    assert json.loads(found.stdout.splitlines()[0]).keys() == {"source", "heading", "text", "score"}
    assert json.loads(found.stdout.splitlines()[0])["source"] == "lighthouses.md"
    answer = json.loads(asked.stdout)
    fields = ["qid", "question", "answer", "mode", "refused", "citations", "hits", "demo", "seconds"]
    assert list(answer) == fields
    assert "oil" in answer["answer"]
    assert told.stdout.rstrip().endswith("lighthouses.md")
    first, second = map(json.loads, answered.stdout.splitlines())
    assert (list(first), first["qid"], second["qid"]) == (fields, "a", "b")
    assert (second["mode"], second["refused"], second["citations"], second["hits"]) == ("refused", True, [], [])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_its_clean_up_told_and_the_result_last(number: signal.Signals, status: int) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if json.loads(line)["kind"] == "fault":
                break
        run.send_signal(number)
        kinds = [json.loads(line) for line in run.stdout]

    assert run.returncode == status
    assert [event["kind"] for event in kinds[-3:]] == ["cleanup", "cleanup", "result"]
    assert (kinds[-1]["completed"], kinds[-1]["cleaned_up"], kinds[-1]["error"]) == (
        False,
        True,
        "The run was stopped.",
    )


async def test_a_run_that_is_stopped_before_its_engines_are_up_tells_a_result_and_nothing_else(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    lab, waiting = FakeLab(), asyncio.Event()

    @asynccontextmanager
    async def never_up() -> AsyncIterator[OpenSandbox]:
        waiting.set()
        await asyncio.Event().wait()
        yield lab.open

    task = asyncio.create_task(as_lines(Run(load_demos()["selfheal"], Options(Fault.CRASH), never_up())))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    (line,) = capfdbinary.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["kind"], told["completed"], told["cleaned_up"], lab.opened) == ("result", False, True, 0)


@pytest.mark.usefixtures("data")
def test_the_reaper_could_not_where_an_engine_does_not_answer(tmp_path: Path) -> None:
    os.environ["DOCKER_HOST"] = f"unix://{tmp_path}/nobody.sock"

    result = portside("reaper", "--once")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Docker could not be swept" in result.stderr
    assert "unset DOCKER_HOST" in result.stderr


@pytest.mark.usefixtures("data")
def test_a_data_folder_that_cannot_be_written_ends_engines_up_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.environ["PORTSIDE_DATA"] = str(tmp_path / "file" / "data")

    result = portside("engines", "up")

    assert result.exit_code == 1
    assert missing() or "cannot be written" in result.stdout
    assert "fault of its own" not in result.stderr


@pytest.mark.usefixtures("data")
def test_a_docker_that_does_not_answer_ends_a_demo_at_once_with_what_to_do(tmp_path: Path) -> None:
    os.environ["DOCKER_HOST"] = f"unix://{tmp_path}/nobody.sock"
    os.environ["PORTSIDE_KUBE_CONTEXT"] = "unknown"

    result = portside("demo", "selfheal", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["kind"] == "result"
    assert "unset DOCKER_HOST" in result.stderr


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["slack"], "SLACK_BOT_TOKEN is not set"),
        (["discord"], "DISCORD_TOKEN is not set"),
        (["discord", "--invite"], "DISCORD_TOKEN is not set"),
    ],
)
def test_a_chat_without_its_token_says_which_and_where_to_get_one(arguments: list[str], said: str) -> None:
    result = portside(*arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
