"""Keeps the lines of a run in a file, which is there under its name only once it is whole."""

import json
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sandbox.errors import NoRecording
from sandbox.events import Event, Result, Started
from sandbox.runs import to_json


class Recorder:
    """Writes beside the final name from the first event on, and moves there after the result.

    `file` None means a name of its own in `folder`: demo, fault, time and run. What exists is never overwritten.
    """

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._file = file
        self._began = datetime.now(UTC)
        self._name = ""
        self._whole = False
        self._error: OSError | None = None
        if file and (file.exists() or file.is_symlink()):
            raise NoRecording(f"{file} exists already. Choose another name, or remove it.")
        try:
            if file is None:
                folder.mkdir(parents=True, exist_ok=True)
            number, path = tempfile.mkstemp(prefix=".recording-", dir=file.parent if file else folder)
        except OSError as error:
            raise _cannot(file or folder, error) from error
        self._partial = Path(path)
        self._stream = os.fdopen(number, "w", encoding="utf-8")

    def take(self, event: Event) -> None:
        """Write one more event. A run is not to end because its recording does: `close` tells of that."""
        if isinstance(event, Started) and event.engines:
            event = replace(event, recorded=f"{self._began:%Y-%m-%d}")
            self._name = f"{_words(event)}-{self._began:%Y-%m-%dT%H%M%SZ}-{event.run}.jsonl"
        self._whole = isinstance(event, Result) and bool(self._name)
        try:
            self._stream.write(json.dumps(to_json(event), ensure_ascii=False) + "\n")
        except OSError as error:
            self._error = error

    def close(self) -> Path | None:
        """Give the file its name and return it; None where there was no run. Raises `NoRecording`."""
        file = self._file or self._partial.with_name(self._name)
        try:
            self._stream.close()
            if self._error:
                raise self._error
            if not self._whole:
                return None
            self._partial.chmod(0o644)
            os.link(self._partial, file)  # unlike a rename it never takes the place of another file
        except OSError as error:
            raise _cannot(file, error) from error
        finally:
            self._partial.unlink(missing_ok=True)
        return file


def _words(event: Started) -> str:
    return f"{event.demo}-{event.fault}" if event.fault else event.demo


def _cannot(path: Path, error: OSError) -> NoRecording:
    return NoRecording(f"{path} cannot be written: {error.strerror}. Choose another file for the recording.")
