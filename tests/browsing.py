"""A real Chromium for tests and pictures: Debian's own, kept from calling anywhere."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

FOUND = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=FOUND, args=list(FLAGS))
        yield browser
        await browser.close()


async def settle(page: Page) -> None:
    """Make the window as high as the page, so that the question field stands below it in a picture."""
    size = page.viewport_size or {"width": 1280, "height": 800}
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": size["width"], "height": height})
