"""The pictures of README, from a demo that runs: `.venv/bin/python -m tests.browser.screenshots [ADDRESS]`.

Needs Chromium, and fonts that are worth a picture: on Debian apt-get install chromium fonts-noto-core.
"""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser

from . import chromium
from .people import Person

DEMO = "http://127.0.0.1:8080"
DOCS = Path(__file__).resolve().parents[2] / "docs"
FIRST = "main a[href*='/werk/']"  # of a list: whom it is about
PICTURES = (  # who looks, at which list or page, how much of it, and what is opened there
    ("coach-inbox.png", "Noor Bolt", "/werk?lijst=open", (1280, 800), ""),
    ("coach.png", "Noor Bolt", "/werk?lijst=nieuw", (1280, 1400), FIRST),
    ("chain-team.png", "Wout Hazenberg", "/keten", (1280, 1500), ""),
)


async def main(address: str) -> None:
    """One picture after the other, sharp enough for a screen with small pixels."""
    program = chromium.find()
    if program is None:
        sys.exit(chromium.MISSING)
    async with chromium.running(program) as browser:
        for name, *what in PICTURES:
            await take(browser, address, DOCS / name, *what)


async def take(
    browser: Browser, address: str, to: Path, who: str, path: str, size: tuple[int, int], opened: str
) -> None:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, device_scale_factor=1.5, color_scheme="light"
    )
    person = await (await Person.at(context, address)).sign_in(who)
    await person.open(path)
    if opened:
        await person.page.locator(opened).first.click()
        await person.page.wait_for_load_state()
    await person.page.screenshot(path=to)
    await context.close()
    sys.stdout.write(f"{to.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else DEMO))
