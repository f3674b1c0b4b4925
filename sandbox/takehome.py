"""Take it home: a demo's objects as a manifest and a compose file that a learner keeps."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import yaml

from sandbox.compose import compose
from sandbox.demo import Demo, Options
from sandbox.errors import CannotExport
from sandbox.plan import MANIFEST, Plan, apply

COMPOSE = "compose.yaml"


def manifests(plan: Plan) -> Mapping[str, str]:
    """Return a plan's objects as kubectl takes them, by the names of their files."""
    files = {MANIFEST: plan.manifests, **plan.files}
    return {name: yaml.safe_dump_all(objects, sort_keys=False) for name, objects in files.items()}


def files(demo: Demo, options: Options) -> Mapping[str, str]:
    """Return what there is to take home: the text of each file, by its name."""
    plan = demo.plan(options)
    return {
        **{name: _commented(demo, apply(name), text, docker=False) for name, text in manifests(plan).items()},
        COMPOSE: _commented(demo, "docker compose up", _compose_file(plan), docker=True),
    }


def _compose_file(plan: Plan) -> str:
    return yaml.safe_dump(compose(plan.containers), sort_keys=False)


def _commented(demo: Demo, line: str, text: str, docker: bool) -> str:
    return "\n".join((*_comments(demo, line, docker), text))


def _comments(demo: Demo, line: str, docker: bool) -> Iterable[str]:
    """What a file is, how to start it, and which of its side's settings are no defaults."""
    yield f"# {demo.name}: {demo.question}"
    yield f"# Start it with: {line}"
    yield "# Build the image first, as sandbox/image/Dockerfile in Portside's source says."
    settings = {name: one for name, one in demo.settings.items() if name.startswith("--") == docker}
    if settings:
        yield "# Quicker than the defaults, so that you see it happen:"
        yield from (f"#   {name} {one.used}, default {one.default}" for name, one in settings.items())


def export(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write all files or none, and never over another. Raises `CannotExport`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".portside-", dir=folder) as fresh:
            return _moved(Path(fresh), folder, files)
    except FileExistsError as error:
        there = error.filename2 or error.filename
        raise CannotExport(f"{there} exists already, and nothing was written. Name another folder.") from error
    except OSError as error:
        raise CannotExport(f"{folder} cannot be written to: {error.strerror}. Name another folder.") from error


def _moved(fresh: Path, folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write beside the final names, then give the names: unlike a rename, a link takes no other file's place."""
    for name, text in files.items():
        (fresh / name).write_text(text, encoding="utf-8")
    with ExitStack() as undo:
        for name in files:
            os.link(fresh / name, folder / name)
            undo.callback((folder / name).unlink, missing_ok=True)
        undo.pop_all()
    return tuple(folder / name for name in files)
