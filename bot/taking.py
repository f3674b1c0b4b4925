"""A demo to be typed by oneself, or kept: parts made of its plan. Nothing is run for them."""

from collections.abc import Iterable

from bot.parts import Code, Part, Text
from sandbox.demo import Demo, Options
from sandbox.events import NAMES
from sandbox.listing import header, sections
from sandbox.takehome import files


def present_commands(demo: Demo, options: Options) -> Iterable[Part]:
    """What a learner would type, a listing for each side."""
    yield Code(header(demo, options), "sh")
    for engine, text in sections(demo, options).items():
        yield Text(f"What you would type for {NAMES[engine]}:")
        yield Code(text, "sh")


def present_files(demo: Demo, options: Options) -> Iterable[Part]:
    """The files, each with its name."""
    for name, text in files(demo, options).items():
        yield Text(f"`{name}`:")
        yield Code(text.rstrip(), "yaml")
