"""What people see on Discord, as pictures made from the payloads: nothing is cut off on a phone, in either theme."""

import base64
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import discord_rules as rules
import pytest
import pytest_asyncio
from browsing import FOUND, chromium, settle
from discord_bot import discord_bot
from discord_page import page
from discord_payloads import APP
from discord_server import discord_server
from playwright.async_api import Browser
from web_fakes import FakeTutor

from bot.tutor import Tutor
from sandbox.demos import load_demos

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not FOUND, reason="no Chromium here: apt-get install chromium"),
]

DEMO = "/demo selfheal --fault hang"
QUESTION = "My container hangs but does not exit. Does anything restart it?"
# What is said, with which tutor behind it, and what can be read then.
STATES: dict[str, tuple[str, dict[str, Any], str]] = {
    "answer": (QUESTION, {}, "Liveness"),
    "running": (
        "/demo selfheal --fault hang",
        {"begin": 19.0, "step": 0.5},
        "The kubelet is restarting the container.",
    ),
    "done": (DEMO, {"begin": 39.0, "speed": 4.0}, "Longest outage"),
    "tables": ("/tables", {}, "not within 30 s"),
    "error": ("/error", {}, "Docker stopped answering"),
    "hostile": ("/hostile", {}, "alert"),
}


class Scene(FakeTutor, Tutor):
    """The scripted tutor of the page's pictures, in Discord's place."""

    demos = load_demos()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


async def photographed(browser: Browser, name: str, html: str, width: int) -> bool:
    """Keep a picture if somebody wants to look at it; say whether anything sticks out."""
    visit = await browser.new_context(viewport={"width": width, "height": 400}, device_scale_factor=2)
    sheet = await visit.new_page()
    await sheet.set_content(html)
    await settle(sheet)
    if folder := os.environ.get("PORTSIDE_SHOTS"):
        await sheet.screenshot(path=Path(folder) / f"discord-{name}-{width}.png")
    sticks_out: bool = await sheet.evaluate("document.documentElement.scrollWidth > innerWidth")
    await visit.close()
    return sticks_out


def addresses(files: Mapping[str, bytes]) -> dict[str, str]:
    """The attached pictures by name, as addresses that need no server."""
    return {
        path.rpartition("/")[2]: f"data:image/png;base64,{base64.b64encode(body).decode()}"
        for path, body in files.items()
        if path.endswith(".png")
    }


@pytest.mark.parametrize("state", STATES)
async def test_each_state_fits_a_wide_window_and_a_phone_in_both_themes(
    browser: Browser, tmp_path: Path, state: str
) -> None:
    said, script, read = STATES[state]
    async with discord_server() as server, discord_bot(server, tmp_path, tutor=Scene(**script), discord_helpers="5"):
        await server.say(f"<@{APP}> {said}")
        shown = await server.until_shown(read)
        if state != "running":
            await server.until(lambda: rules.buttons(shown["components"]) or state == "hostile")
        messages = [dict(message) for message in server.messages.values()]
        files = addresses(server.files)
    messages[0] |= {"content": f"@Portside {said}"}
    stick_out = [
        await photographed(browser, f"{state}-{theme}", page(messages, files, theme), width)
        for theme in ("light", "dark")
        for width in (1280, 360)
    ]

    assert stick_out == [False] * 4
