"""Several faults side by side: the card shows a grid of fault and engine, and mixes nothing of them."""

import json
from functools import reduce

import pytest
from test_cards import measured, result

from bot.cards import advance, begin
from bot.charts import describe
from bot.parts import Card, Cell
from bot.platforms.discord.render import Frame as DiscordFrame
from bot.platforms.discord.render import render_reply
from bot.platforms.slack.pictures import has_picture
from bot.platforms.slack.render import Frame as SlackFrame
from bot.platforms.slack.render import message
from bot.platforms.terminal.text import render
from bot.platforms.web.wire import to_json
from sandbox.demo import Options
from sandbox.demos import load_demos
from sandbox.events import Command, Engine, Event, Fault, Finding, Injected, Instance, Observed, Probe, Result, Snapshot
from sandbox.healing import FAULTS
from sandbox.runs import to_json as event_json

MATRIX = load_demos()["matrix"]
D, K = Engine.DOCKER, Engine.KUBERNETES
CRASH, HANG = Fault.CRASH, Fault.HANG


def grown(*events: Event) -> Card:
    return reduce(lambda card, event: advance(MATRIX, card, event), events, begin(MATRIX, Options()))


def probe(t: float, engine: Engine, fault: Fault, ok: int, failed: int = 0) -> Probe:
    return Probe(t=t, engine=engine, ok=ok, failed=failed, seconds=0.5, p50_ms=1.0, fault=fault)


def broken(t: float, engine: Engine, fault: Fault) -> Injected:
    return Injected(t=t, engine=engine, fault=fault, target="web")


def cells(card: Card) -> dict[str, tuple[Cell, ...]]:
    assert card.table is not None
    return {row[0].text: row[1:] for row in card.table.rows}


STARTING = Cell("starting", "waiting")


def test_a_grid_has_a_row_for_each_fault_and_no_lanes() -> None:
    card = grown()

    assert cells(card) == {fault.value: (STARTING, STARTING) for fault in FAULTS}
    assert card.lanes == ()


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([probe(1.0, D, CRASH, 5)], Cell("answering", "good")),
        ([probe(1.0, D, CRASH, 0)], STARTING),
        ([probe(1.0, D, CRASH, 5), broken(1.0, D, CRASH), probe(1.5, D, CRASH, 5)], Cell("answering", "good")),
        ([broken(1.0, D, CRASH), probe(1.5, D, CRASH, 0, 5)], Cell("not answering", "failed")),
        ([broken(1.0, D, CRASH), probe(1.5, D, CRASH, 2, 3)], Cell("some requests fail", "failed")),
        (
            [broken(1.0, D, CRASH), probe(1.5, D, CRASH, 2, 3), probe(2.5, D, CRASH, 5), probe(3.0, D, CRASH, 5)],
            Cell("back after 1.0 s", "good"),
        ),
    ],
)
def test_each_cell_follows_the_requests_of_its_own_trial(events: list[Event], shown: Cell) -> None:
    grid = cells(grown(*events))

    assert grid["crash"] == (shown, STARTING)
    assert grid["hang"] == (STARTING, STARTING)


def test_what_one_part_types_or_reports_mixes_into_no_lane() -> None:
    card = grown(
        Command(t=1.0, engine=D, text="docker run", fault=HANG),
        Snapshot(t=1.0, engine=D, instances=(Instance("web", "healthy", True, 0, None, "1"),), fault=HANG),
        Observed(t=1.0, engine=D, actor="dockerd", text="start: web", fault=HANG),
    )

    assert (card.lanes, card.fault_at, cells(card)["hang"]) == ((), None, (STARTING, STARTING))


def ended() -> Card:
    engines = {D: measured(None), K: measured(1.2)}
    faults = {fault.value: event_json(result(engines))["engines"] for fault in FAULTS}
    end = Result(
        t=48.0,
        demo="matrix",
        fault=None,
        completed=True,
        error=None,
        cleaned_up=True,
        engines={},
        measured={"faults": faults},
    )
    return grown(*(Finding(t=47.0, text=f"{fault}: told.", fault=fault) for fault in FAULTS), end)


def test_at_its_end_the_card_has_the_measured_table_and_a_headline_over_all_faults() -> None:
    card = ended()

    assert card.headline.startswith("Docker was back after 0 of 4 faults. Kubernetes was back after 4 of 4 faults")
    assert card.explanation == "crash: told. hang: told. oom: told. remove: told."
    assert cells(card)["hang: back after"] == (Cell("not in 30.0 s", "failed"), Cell("1.2 s", "good"))


def test_the_chart_tells_each_trial_as_it_was_measured() -> None:
    assert not has_picture(grown())
    assert has_picture(ended())
    assert "hang: Docker not in 30.0 s, Kubernetes 1.2 s." in describe(ended())


@pytest.mark.parametrize("card", [grown(broken(1.0, D, HANG), probe(2.0, D, HANG, 0, 5)), ended()], ids=["now", "end"])
def test_every_platform_shows_the_grid(card: Card) -> None:
    drawn = [
        render(card),
        json.dumps(message((card,), SlackFrame("U1"))["blocks"]),
        str(render_reply((card,), DiscordFrame(1))),
        json.dumps(to_json(card)),
    ]
    told = "not answering" if card.state == "running" else "not in 30.0 s"

    assert [told in text and "remove" in text for text in drawn] == [True] * 4
    assert max(map(len, drawn[0].splitlines())) <= 80
