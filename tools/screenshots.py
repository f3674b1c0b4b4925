# ruff: noqa: INP001 - a script beside the packages, not one of them
"""Takes a picture of the page: sends a message, waits for what is to be seen, and keeps the whole page as PNG.

Example: .venv/bin/python tools/screenshots.py "/demo selfheal --fault hang" --until "Measured in this run" demo.png
"""

import asyncio
import sys
from pathlib import Path

import click
from playwright.async_api import ViewportSize, expect

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the tests know how to drive the browser

from browsing import chromium, settle


@click.command()
@click.argument("message")
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Address of the page.")
@click.option("--until", default="See it happen", show_default=True, help="Text that is waited for.")
@click.option("--source", type=int, help="Number of a source to open beside the answer.")
@click.option("--width", default=1280, show_default=True, help="Width of the window.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option("--timeout", default=180, show_default=True, help="Seconds to wait at most.")
def main(message: str, output: Path, **options: str | int | None) -> None:
    """Send MESSAGE to a running Portside and keep the page as OUTPUT."""
    asyncio.run(photograph(message, output, **options))


async def photograph(message: str, output: Path, **options: str | int | None) -> None:
    """Open the page, send, wait, and write the picture."""
    view = ViewportSize(width=int(options["width"] or 0), height=800)
    async with chromium() as browser:
        page = await browser.new_page(viewport=view, color_scheme=options["theme"])
        await page.goto(str(options["url"]))
        await page.get_by_label("Your question").fill(message)
        await page.keyboard.press("Enter")
        await expect(page.locator("#log").get_by_text(str(options["until"])).first).to_be_visible(
            timeout=int(options["timeout"] or 0) * 1000
        )
        if options["source"]:
            await page.locator(f".cite[data-source='{options['source']}']").first.click()
        await page.evaluate("document.activeElement.blur()")  # a picture without a focus ring
        await settle(page)
        await page.screenshot(path=output)


if __name__ == "__main__":
    main()
