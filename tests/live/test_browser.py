"""The page in a real Chromium: every state, light and dark, wide and narrow; a scripted tutor behind it."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from browsing import FOUND, chromium, settle
from chat_fakes import Speechless
from playwright.async_api import Browser, Page, expect
from web_fakes import BUILDING, ROOTLESS, FakeEngines, FakeTutor, card, served

from bot.delivery import STOPPED
from bot.platforms.web.server import Tutor as Served
from bot.platforms.web.wire import event, to_json
from bot.tutor import Tutor
from sandbox.demos import load_demos
from sandbox.engines import Engines
from sandbox.lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not FOUND, reason="no Chromium here: apt-get install chromium"),
]

QUESTION = "My container hangs but does not exit. Does anything restart it?"
DEMO = "/demo selfheal --fault hang"
SIZES = (1280, 360)
THEMES = ("light", "dark")

# What the page shows in each state: the tutor behind it, what is sent, and what can be read then.
STATES: dict[str, tuple[dict[str, Any], str, str]] = {
    "welcome": ({}, "", "What is a pod, compared with a container?"),
    "building": ({"engines": FakeEngines(BUILDING)}, "", "Compile control plane and kubelet"),
    "rootless": ({"engines": FakeEngines(ROOTLESS)}, "", "Starting an engine needs root"),
    "answer": ({}, QUESTION, "See it happen"),
    "running": ({"begin": 19.0}, DEMO, "The kubelet is restarting the container."),
    "catalogue": ({}, "/catalogue", "Five copies, please"),
    "predict": ({}, "/predict", "Go now"),
    "guessed": ({}, "/guessed", "What was guessed"),
    "done": ({"begin": 39.0, "speed": 4.0}, DEMO, "Measured in this run"),
    "unasked": ({}, "/unasked", "2 of 2 ready"),
    "tables": ({}, "/tables", "not within 30 s"),
    "error": ({}, "/error", "Run it again"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@asynccontextmanager
async def opened(
    browser: Browser, tutor: Served, patience: float = 15.0, expected: Sequence[str] = (), **context: Any
) -> AsyncIterator[Page]:
    """The page of a tutor, of which the browser complains of nothing but what is `expected`."""
    complaints: list[str] = []
    async with served(tutor, patience) as address:
        visit = await browser.new_context(**context)
        page = await visit.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(address)
        await expect(page.locator("#chip")).to_be_visible()
        yield page
        await visit.close()
    assert complaints == list(expected)


async def send(page: Page, text: str) -> None:
    await page.get_by_label("Your question").fill(text)
    await page.keyboard.press("Enter")


async def photograph(page: Page, name: str) -> None:
    """Keep a picture of the whole page, if somebody wants to look at it."""
    if folder := os.environ.get("PORTSIDE_SHOTS"):
        await settle(page)
        await page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")


@pytest.mark.parametrize("state", STATES)
async def test_each_state_fits_the_page_and_no_browser_complains(browser: Browser, state: str) -> None:
    scripted, text, words = STATES[state]
    async with opened(browser, FakeTutor(**scripted)) as page:
        if text:
            await send(page, text)
        await expect(page.locator("main").get_by_text(words).first).to_be_visible()
        for width, theme in ((width, theme) for width in SIZES for theme in THEMES):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(color_scheme=theme)
            await photograph(page, f"{state}-{width}-{theme}")

            assert await page.evaluate(BESIDE) == 0
            assert await page.evaluate(NAMELESS) == []


BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BELOW = "document.documentElement.scrollHeight - document.documentElement.clientHeight"
LINES = "one => Math.round(one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))"
TOP = "one => Math.round(one.getBoundingClientRect().top)"
HEADROOM = 97  # px above the newest question: the header and the distance to it
LIGHT, DARK = "rgb(237, 241, 240)", "rgb(13, 22, 28)"
GROUND = "getComputedStyle(document.body).backgroundColor"
BAD_REQUEST = ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]

SMALL = """() => [...document.querySelectorAll("button:not(.cite), input")]
  .filter(one => one.offsetParent && one.getBoundingClientRect().height < 44)
  .map(one => one.outerHTML)"""

NAMELESS = """() => [...document.querySelectorAll("button, input, [role=img], [role=progressbar]")]
  .filter(one => !one.hidden && !one.getAttribute("aria-label") && !one.textContent.trim() && !one.labels?.length)
  .map(one => one.outerHTML)"""

CHANGES = """seconds => new Promise(done => {
  const times = [performance.now()];
  const watch = new MutationObserver(() => times.push(performance.now()));
  watch.observe(document.querySelector(".strip"), { attributes: true, subtree: true });
  setTimeout(() => { watch.disconnect(); done([...times, performance.now()]); }, seconds * 1000);
})"""


async def test_a_table_of_an_answer_is_a_table_whose_sources_can_be_opened(browser: Browser) -> None:
    async with opened(browser, FakeTutor()) as page:
        await send(page, "/tables")
        hang = page.get_by_role("row", name="hang")
        await expect(hang.get_by_role("rowheader")).to_have_text("hang")
        await expect(hang.locator("em")).to_have_text("unhealthy")
        await expect(page.get_by_role("columnheader").locator("code")).to_have_text("--restart always")
        await hang.get_by_role("button", name="Source 2").click()
        await expect(page.locator(".note")).to_contain_text("The kubelet acts.")
        await page.get_by_role("button", name="Source 1").first.click()
        await expect(page.locator(".note").get_by_role("row", name="crash")).to_have_text("crash1.5 s")


async def test_the_strip_moves_twice_a_second_by_the_pages_own_clock(browser: Browser) -> None:
    async with opened(browser, FakeTutor(begin=12.0, step=60.0)) as page:
        await send(page, DEMO)
        await expect(page.locator(".strip").first).to_be_visible()
        times = await page.evaluate(CHANGES, 3)

    assert max(after - before for before, after in pairwise(times)) < 500


async def test_stop_ends_the_demo_and_says_so(browser: Browser) -> None:
    tutor = FakeTutor(begin=12.0)
    async with opened(browser, tutor) as page:
        await send(page, DEMO)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        await expect(page.get_by_text("Stopped")).to_be_visible()

        assert tutor.cleaned_up.is_set()


async def test_while_a_stopped_demo_is_removed_the_card_says_so_and_its_clock_stands(browser: Browser) -> None:
    tutor = FakeTutor(begin=12.0, removing=asyncio.Event())
    async with opened(browser, tutor) as page:
        await send(page, DEMO)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_text("Stopping. What the run has made is being removed.")).to_be_visible()
        await expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
        times = await page.evaluate(CHANGES, 1)
        assert tutor.removing
        tutor.removing.set()
        await expect(page.get_by_text(STOPPED)).to_be_visible()

    assert times[1:-1] == []


async def test_a_closed_page_stops_its_demo(browser: Browser) -> None:
    tutor = FakeTutor(begin=12.0)
    async with opened(browser, tutor, patience=0.2) as page:
        await send(page, DEMO)
        await tutor.running.wait()
        await page.close()
        async with asyncio.timeout(5):
            await tutor.cleaned_up.wait()

        assert page.is_closed()


async def test_see_it_happen_begins_the_demo_that_the_answer_names(browser: Browser) -> None:
    tutor = FakeTutor()
    async with opened(browser, tutor) as page:
        await page.get_by_role("button", name="What happens when a container hangs?").click()
        await page.get_by_role("button", name="See it happen").click()
        await expect(page.get_by_role("heading", name="Who brings it back?")).to_be_visible()

        assert tutor.heard[-1].text == DEMO


async def test_the_keyboard_alone_asks_opens_a_source_and_closes_it(browser: Browser) -> None:
    async with opened(browser, FakeTutor()) as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.keyboard.type(QUESTION)
        await page.keyboard.press("Enter")
        number = page.get_by_role("button", name="Source 2, Health checks")
        await number.press("Enter")
        await expect(page.get_by_text("The engine records the verdict.")).to_be_visible()
        await page.get_by_role("button", name="Close source 2").press("Escape")

        await expect(page.get_by_text("The engine records the verdict.")).to_be_hidden()
        await expect(number).to_be_focused()


async def test_each_new_question_goes_to_the_top_and_its_reply_is_seen_without_scrolling(browser: Browser) -> None:
    async with opened(browser, FakeTutor(begin=39.0, speed=4.0)) as page:
        await send(page, DEMO)
        await page.get_by_role("button", name="Again with another fault").click()
        second = page.get_by_role("heading", name="/demo selfheal --fault crash")
        await expect(second).to_be_in_viewport()
        await expect(page.get_by_role("table", name="Measured in this run").nth(1)).to_be_in_viewport(ratio=1)

        assert await second.evaluate(TOP) == HEADROOM


async def test_a_first_question_makes_no_page_that_scrolls(browser: Browser) -> None:
    async with opened(browser, FakeTutor(), viewport={"width": 360, "height": 1200}) as page:
        await send(page, QUESTION)
        await expect(page.get_by_role("button", name="See it happen")).to_be_visible()

        assert await page.evaluate(BELOW) == 0


async def test_on_a_narrow_page_a_source_opens_under_the_words_that_cite_it(browser: Browser) -> None:
    async with opened(browser, FakeTutor(), viewport={"width": 360, "height": 800}) as page:
        await send(page, QUESTION)
        await page.get_by_role("button", name="Source 1, Restart policies").click()

        await expect(page.locator(".prose > p + .note")).to_contain_text("It acts on an exit.")


async def test_two_sources_of_one_page_are_named_with_their_sections(browser: Browser) -> None:
    async with opened(browser, FakeTutor()) as page:
        await send(page, "/twice")
        names = page.get_by_role("list", name="Sources").get_by_role("button")

        await expect(names).to_have_text(["1Pods: What is shared", "2Pods: What is not", "3Probes"])


async def test_no_line_ends_within_a_word_that_fits_on_one(browser: Browser) -> None:
    async with opened(browser, FakeTutor(begin=12.0), viewport={"width": 360, "height": 800}) as page:
        await send(page, DEMO)
        option = page.locator(".cmd .w", has_text="--restart=on-failure:5")
        await expect(option).to_be_visible()

        assert await option.evaluate(LINES) == 1


async def test_a_demo_without_faults_and_requests_has_no_strip_and_does_not_say_that_nobody_acted(
    browser: Browser,
) -> None:
    async with opened(browser, FakeTutor()) as page:
        await send(page, "/unasked")
        await expect(page.get_by_text("2 of 2 ready").first).to_be_visible()

        for part in (".strip", ".axis", ".key"):
            await expect(page.locator(part).first).to_be_hidden()
        await expect(page.locator(".did-list").get_by_text("kubelet").first).to_be_visible()
        await expect(page.get_by_text("nobody has")).to_have_count(0)


async def test_the_key_of_the_stage_explains_what_is_drawn(browser: Browser) -> None:
    async with opened(browser, FakeTutor(begin=2.0, step=60.0)) as page:
        await send(page, DEMO)
        await expect(page.locator(".key").get_by_text("failed, below it")).to_be_visible()

        await expect(page.locator(".key").get_by_text("who acted")).to_be_hidden()
        await expect(page.locator(".key").get_by_text("answered again")).to_be_hidden()


async def test_markup_in_a_reply_stays_text(browser: Browser) -> None:
    async with opened(browser, FakeTutor()) as page:
        await send(page, "/hostile")
        await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()

        assert await page.locator(".parts img, .parts script, .parts a").count() == 0


async def test_a_refused_message_is_told_above_the_field_and_kept_in_it(browser: Browser) -> None:
    async with opened(browser, FakeTutor(), expected=BAD_REQUEST) as page:
        await send(page, "   ")
        await expect(page.get_by_role("alert")).to_have_text("That message is empty. Ask a question, or type /help.")

        assert await page.get_by_label("Your question").input_value() == "   "


async def test_the_theme_button_goes_from_the_systems_to_light_to_dark_and_is_remembered(browser: Browser) -> None:
    async with opened(browser, FakeTutor(), color_scheme="light") as page:
        button = page.get_by_role("button", name="Theme")
        grounds = []
        for _ in range(3):
            grounds.append(await page.evaluate(GROUND))
            await button.click()
        await button.click(click_count=2)
        await page.reload()

        assert grounds == [LIGHT, LIGHT, DARK]
        assert await page.evaluate(GROUND) == DARK


async def test_fingers_find_targets_of_44_pixels(browser: Browser) -> None:
    phone = {"viewport": {"width": 360, "height": 800}, "has_touch": True, "is_mobile": True}
    async with opened(browser, FakeTutor(begin=39.0, speed=4.0), **phone) as page:
        await page.get_by_role("button", name="What happens when a container hangs?").tap()
        await page.get_by_role("button", name="See it happen").tap()
        await expect(page.get_by_text("Measured in this run")).to_be_visible()
        small = await page.evaluate(SMALL)

    assert small == []


async def test_the_chip_opens_what_is_known_of_the_engines(browser: Browser) -> None:
    async with opened(browser, FakeTutor(engines=FakeEngines(BUILDING))) as page:
        chip = page.get_by_role("button", name="Docker ready, Kubernetes being built, step 2 of 4")
        await chip.click()
        await expect(page.get_by_text("27.1, unix:///run/docker.sock")).to_be_visible()
        await page.keyboard.press("Escape")

        await expect(page.get_by_text("27.1, unix:///run/docker.sock")).to_be_hidden()


async def test_a_command_is_copied(browser: Browser) -> None:
    async with opened(browser, FakeTutor(begin=12.0), permissions=["clipboard-read", "clipboard-write"]) as page:
        await send(page, DEMO)
        await page.get_by_role("button", name="Copy the Docker command docker ps --filter name=web").click()

        assert await page.evaluate("navigator.clipboard.readText()") == "docker ps --filter name=web"


async def test_a_lost_connection_is_told_above_the_run_where_it_is_seen(browser: Browser) -> None:
    cut_short = event("part", {"place": 0, **to_json(card(12.0))})
    async with opened(browser, FakeTutor(begin=12.0)) as page:
        await page.route(
            "**/turns/*/events", lambda route: route.fulfill(content_type="text/event-stream", body=cut_short)
        )
        await send(page, DEMO)
        run = page.locator(".lost:visible + .card")

        await expect(run).to_be_in_viewport()
        await expect(page.get_by_text("The connection is lost. Trying again.")).to_be_in_viewport()


async def test_of_a_terminal_the_commands_alone_are_copied(browser: Browser) -> None:
    async with opened(browser, FakeTutor(), permissions=["clipboard-read", "clipboard-write"]) as page:
        await send(page, "/terminal")
        await page.get_by_role("button", name="Copy").click()
        copied = await page.evaluate("navigator.clipboard.readText()")

        assert copied == "docker run \\\n    --name web portside/web:1\ndocker ps --quiet"


async def test_a_server_that_ends_says_that_the_demo_was_stopped(browser: Browser) -> None:
    tutor = FakeTutor(begin=12.0)
    async with AsyncExitStack() as server:
        address = await server.enter_async_context(served(tutor))
        page = await browser.new_page()
        await page.goto(address)
        await send(page, DEMO)
        await expect(page.locator(".strip").first).to_be_visible()
        await server.aclose()

        await expect(page.get_by_text("Stopped. What the run had made is removed")).to_be_visible()
        await expect(page.locator("#chip")).to_be_hidden()
        await page.close()


async def test_a_guess_is_noted_beside_the_vote_and_is_no_turn_of_its_own(browser: Browser) -> None:
    tutor = FakeTutor()
    async with opened(browser, tutor) as page:
        await send(page, "/predict")
        kubernetes = page.get_by_role("group", name="Kubernetes")
        await kubernetes.get_by_label("Within 30 s", exact=False).nth(0).check()
        await expect(page.get_by_text("Noted: Kubernetes within 30 s.")).to_be_visible()
        await page.get_by_role("button", name="Go now").click()
        await expect(page.get_by_text("11 s left")).to_be_visible()

        assert await page.locator(".ask").count() == 1
        assert await kubernetes.get_by_role("radio").nth(1).is_checked()
    assert [one.text for one in tutor.heard] == ["/predict", "/vote 0a1b2c3d kubernetes 2", "/vote 0a1b2c3d go"]


async def test_a_vote_can_be_pressed_with_a_thumb_and_goes_with_the_run(browser: Browser) -> None:
    phone = {"viewport": {"width": 360, "height": 800}, "has_touch": True, "is_mobile": True}
    async with opened(browser, FakeTutor(), **phone) as page:
        await send(page, "/predict")
        await expect(page.get_by_role("button", name="Go now")).to_be_visible()
        assert await page.evaluate(SMALL) == []
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Go now")).to_be_hidden()


@pytest.mark.docker
@pytest.mark.kubernetes
async def test_a_real_demo_is_watched_from_the_first_lane_to_the_measured_table(
    browser: Browser, engines: Engines
) -> None:
    tutor = Tutor(Speechless(), load_demos(), engines, Lab(engines).open)
    async with opened(browser, tutor) as page:
        await send(page, "/demo selfheal --fault crash")
        await expect(page.get_by_text("▾ fault: crash")).to_be_visible(timeout=60_000)
        await photograph(page, "real-running")
        times = await page.evaluate(CHANGES, 3)
        await expect(page.get_by_role("table", name="Measured in this run")).to_be_visible(timeout=120_000)
        await photograph(page, "real-done")
        acted = await page.get_by_role("row", name="Who acted").text_content()
        cleaned = await page.get_by_text("nothing left").count()

    assert acted == "Who acted dockerd kubelet"
    assert cleaned == len(engines.status())
    assert max(after - before for before, after in pairwise(times)) < 500
