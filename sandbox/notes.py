"""The note that the app keeps for whoever gives it one: how to write and read it, and what it answers."""

from sandbox.errors import DemoFailed
from sandbox.http import Answer

NOTE = "remember me"
_WRITTEN, _READ, _NO_NOTE = 204, 200, 404


def write(address: object) -> str:
    """Return what a learner would type to write the note."""
    return f"curl -sS -X PUT -d '{NOTE}' http://{address}/data"


def read(address: object) -> str:
    """Return what a learner would type to read the note."""
    return f"curl -sS http://{address}/data"


def wrote(name: str, answer: Answer) -> None:
    """Make sure that an app has written the note. Raises DemoFailed."""
    if answer.status != _WRITTEN:
        said = answer.body.decode(errors="replace").strip()
        raise DemoFailed(
            f"The app in {name} could not write its note ({answer.status}: {said}). If you named an image in "
            "PORTSIDE_DEMO_IMAGE, build it anew from sandbox/image: it has a folder for data now."
        )


def answered(name: str, answer: Answer) -> str | None:
    """Return what was read back; None where there is no note."""
    if answer.status == _NO_NOTE:
        return None
    if answer.status != _READ:
        raise DemoFailed(f"The app in {name} answered {answer.status} when asked for its note. Start the demo again.")
    return answer.body.decode(errors="replace")
