"""The system's own Chromium, never one that is fetched: where it is, and how it starts without a screen and as root.

https://playwright.dev/python/docs/api/class-browsertype#browser-type-launch
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

ASKED = "KETENZORG_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    f"Chromium not here: no page was looked at in a real browser. On Debian: apt-get install chromium; "
    f"elsewhere: {ASKED}=/path/to/chromium"
)


def find() -> str | None:
    """The path of the program."""
    return next((path for name in (os.environ.get(ASKED, ""), *NAMES) if (path := shutil.which(name))), None)


@asynccontextmanager
async def running(program: str) -> AsyncIterator[Browser]:
    """One browser; everybody who looks gets a context of their own in it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--disable-gpu", "--disable-quic", "--disable-sync"]
        )
        try:
            yield browser
        finally:
            await browser.close()
