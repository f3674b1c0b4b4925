"""What the self-tests say of the demos: which are taken out of the menu and why, and when each was last verified."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import NoMemory
from bot.parts import Card, Part, Text
from bot.state.runs import Runs, SelfTest
from sandbox.demo import Demo

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Menu:
    """`out` has the reason of each demo that is taken out, `verified` the day of each whose faults all passed."""

    out: Mapping[str, str] = field(default_factory=dict)
    verified: Mapping[str, str] = field(default_factory=dict)

    def offered(self, demos: Mapping[str, Demo]) -> dict[str, Demo]:
        """The demos that are not taken out."""
        return {name: demo for name, demo in demos.items() if name not in self.out}


async def read_menu(demos: Mapping[str, Demo], runs: Runs) -> Menu:
    """The menu as it is now; with all demos where no self-test can be read."""
    try:
        return menu(demos, await runs.tests())
    except NoMemory as error:
        log.warning("no self-test counts: %s", error)
        return Menu()


def menu(demos: Mapping[str, Demo], tests: Sequence[SelfTest]) -> Menu:
    """What the newest self-tests say."""
    out: dict[str, str] = {}
    for test in tests:
        if test.reason:
            out.setdefault(test.demo, f"fault {test.fault}: {test.reason}" if test.fault else test.reason)
    passed = {(test.demo, test.fault): test.at for test in tests if not test.reason}
    verified = {
        name: min(passed[name, fault] for fault in demo.faults or (None,)).partition(" ")[0]
        for name, demo in demos.items()
        if all((name, fault) in passed for fault in demo.faults or (None,))
    }
    return Menu(out, verified)


def present_menu(menu: Menu) -> Iterable[Part]:
    """What stands under the catalogue."""
    if menu.verified:
        days = ", ".join(f"{name} {day}" for name, day in menu.verified.items())
        yield Text(f"Last verified by a self-test: {days}.", key="verified")
    for name, reason in menu.out.items():
        yield Text(taken_out(name, reason), key=f"out {name}")


def taken_out(name: str, reason: str) -> str:
    """Why a demo is not in the menu, and when it comes back."""
    return (
        f"{name} is taken out, for it failed its self-test. {reason} It is back when `portside selftest {name}` passes."
    )


def dated(card: Card, day: str | None) -> Card:
    """A card that says when its demo was last verified."""
    return replace(card, subtitle=f"{card.subtitle} Last verified {day}.") if day else card
