"""What can go wrong in a sandbox, each with a sentence fit for the learner: what is wrong, and what to do.

SandboxError
├── UnknownDemo          no demo has that name
├── BadRequest           a fault or a number that the demo does not take
├── EngineUnavailable    an engine cannot be had here, or does not answer any more
├── ImageMissing         the demo image is not in the engine
├── QuotaExceeded        the sandbox would take more than it may
├── DemoTimedOut         the demo took longer than it may
├── NoRecording          there is no recorded run of that name, or a file that cannot be recorded to
├── BadRecording         a file is no recording that can be played
├── CannotExport         there is a file already, or a folder that cannot be written to
└── DemoFailed           a step of the demo did not do what it must before the rest makes sense
    ├── PortTaken        another container has published that port
    └── NameTaken        another container has that name
"""


class SandboxError(Exception):
    """Something went wrong in a sandbox."""


class UnknownDemo(SandboxError):
    """No demo has that name."""


class BadRequest(SandboxError):
    """The demo does not take that."""


class EngineUnavailable(SandboxError):
    """An engine cannot be had here, or does not answer any more."""


class ImageMissing(SandboxError):
    """The demo image is not in the engine."""


class QuotaExceeded(SandboxError):
    """The sandbox would take more than it may; `said` is what the API server itself said of it."""

    def __init__(self, said: str) -> None:
        super().__init__(f"The demo would take more than its namespace may: {said}")
        self.said = said


class DemoTimedOut(SandboxError):
    """The demo took longer than it may."""


class NoRecording(SandboxError):
    """There is no recorded run of that name, or a file that cannot be recorded to."""


class BadRecording(SandboxError):
    """A file is no recording that can be played."""


class CannotExport(SandboxError):
    """There is a file already, or a folder that cannot be written to."""


class DemoFailed(SandboxError):
    """A step of the demo did not do what it must before the rest makes sense."""


class PortTaken(DemoFailed):
    """Another container has published that port."""


class NameTaken(DemoFailed):
    """Another container has that name."""
