"""Somebody at a screen: what they click and type is counted, and what their browser complains of is kept."""

import re
from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

PATIENCE_MS = 10_000  # until something must be there
LEFT = "net::ERR_ABORTED"  # the person was gone before it came
# What has the focus, and whether it can be seen: a line around it, wide enough, in the window and on top.
FOCUS = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;  // round the end of the page
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1)];
  const top = document.elementFromPoint(x, y);
  return {
    name: (element.labels?.[0] ?? element).innerText.trim() || element.getAttribute('aria-label') || '',
    line: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 0 && box.top < innerHeight && box.bottom > 0 && box.left < innerWidth,
    on_top: top !== null && (element.contains(top) || top.contains(element)),
  };
}"""


@dataclass
class Person:
    """One person, one browser context, one page."""

    page: Page
    address: str
    clicks: int = 0
    typed: int = 0
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def at(cls, context: BrowserContext, address: str) -> "Person":
        context.set_default_timeout(PATIENCE_MS)
        person = cls(await context.new_page(), address)
        context.on("request", person._asked)
        context.on("response", person._answered)
        context.on("requestfailed", person._failed)
        context.on("console", person._said)
        context.on("weberror", lambda error: person._complain(str(error.error)))
        return person

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    async def open(self, path: str) -> Response:
        """Type an address."""
        response = await self.page.goto(f"{self.address}{path}")
        assert response is not None
        return response

    async def sign_in(self, name: str) -> "Person":
        await self.open("/login")
        await self.press(name)
        await expect(self.page.get_by_role("button", name="Uitloggen")).to_be_visible()
        self.clicks = 0
        return self

    async def follow(self, words: str) -> None:
        """Click the link that says this."""
        await self._click(self.main.get_by_role("link", name=words))

    async def press(self, words: str) -> None:
        """Click the button that says this."""
        await self._click(self.main.get_by_role("button", name=words))

    async def choose(self, words: str, question: str = "") -> None:
        """Click an answer of a question."""
        within = self.main.get_by_role("group", name=question) if question else self.main
        await within.get_by_role("radio", name=words, exact=True).check()
        self.clicks += 1

    async def fill(self, label: str, text: str) -> None:
        await self.main.get_by_label(label).fill(text)
        self.typed += 1

    async def sees(self, *words: str) -> None:
        """All of this stands on the page, in what a person can see."""
        for each in words:
            await expect(self.main).to_contain_text(each, use_inner_text=True, timeout=PATIENCE_MS)

    async def does_not_see(self, *words: str) -> None:
        for each in words:
            await expect(self.main).not_to_contain_text(each)

    async def tab_to(self, words: str, most: int = 80) -> None:
        """Tab until this has the focus; wherever the focus comes, it can be seen."""
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            focus = await self.page.evaluate(FOCUS)
            if focus is None:
                continue
            assert all(focus[what] for what in ("line", "inside", "on_top")), f"focus cannot be seen: {focus}"
            if words in focus["name"]:
                return
        raise AssertionError(f"no Tab comes to ‘{words}’ on {self.path}")

    async def key(self, key: str) -> None:
        """Press a key that brings another page."""
        async with self.page.expect_navigation():
            await self.page.keyboard.press(key)

    async def _click(self, target: Locator) -> None:
        await target.first.click()
        self.clicks += 1

    def _complain(self, text: str) -> None:
        self.complaints.append(text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(f"{self.address}/"):
            self._complain(f"asked of somebody else: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self._complain(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        policy = response.headers.get("content-security-policy", "")
        if not policy.startswith("default-src 'none'") or "unsafe" in policy:
            self._complain(f"no strict policy: {response.url}")
        if response.status >= 400 and response.request.resource_type != "document":
            self._complain(f"{response.status}: {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # A page that says no (409, 422) is told in the console too; what a page lacks is seen in _answered.
        if message.type in ("error", "warning") and not re.match("Failed to load resource", message.text):
            self._complain(f"console: {message.text}")
