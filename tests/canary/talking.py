"""Who talks to the installation with a number in hand, and everything that each was told."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from canary.hunting import forms_of
from canary.installation import Installation

CANARY = "999951750"  # of the patient who is referred
NAME = "Veldkamp"  # hers
OTHER = "999970239"  # of somebody whom nobody refers
NUMBERS = (CANARY, OTHER)
BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
PRACTICE, COACH = "99990003", "99990015"  # by URA
CLIENTS = {
    "practice": "his-demo",
    "coach": "welzijn-demo",
    "hospital": "ziekenhuis-demo",
    "team": "ketenteam-demo",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATCH = {"Content-Type": "application/json-patch+json"}


def written(number: str) -> str:
    return f"{number}, {number[:4]}.{number[4:6]}.{number[6:]}, {number[:3]} {number[3:6]} {number[6:]}"


@dataclass
class Region:
    """Everybody who talks to the installation, and all that they were told."""

    it: Installation
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    told: list[tuple[str, httpx.Response]] = field(default_factory=list)

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        response = await self.clients[who].request(method, path, **more)
        await response.aread()
        self.told.append((who, response))
        return response

    def tattled(self) -> list[str]:
        """What held a number and was an error, or was for somebody who may not know it.

        A form that was not taken comes back as somebody typed it.
        """
        return [
            f"{who} {response.request.method} {response.request.url.raw_path!r}: {response.status_code} {form}"
            for who, response in self.told
            if who != "practice" or response.status_code >= 400
            if response.request.method != "POST"
            or not response.headers["content-type"].startswith("text/html")
            for number in NUMBERS
            for form, looks in forms_of(number).items()
            if looks in response.content + repr(response.headers.multi_items()).encode("utf-8", "replace")
        ]

    def unseen(self, on_record: Collection[str]) -> list[str]:
        """What told somebody of the patient by name, and is not in the audit log."""
        return [
            f"{who} {response.request.method} {response.request.url.path}"
            for who, response in self.told
            if response.is_success and NAME in response.text
            if not response.request.url.path.startswith("/guide/")  # its example has a patient of that name
            if response.headers["X-Request-Id"] not in on_record
        ]


@asynccontextmanager
async def region(it: Installation) -> AsyncIterator[Region]:
    async with AsyncExitStack() as stack:
        everybody = Region(it)
        for who, client in {**CLIENTS, "stranger": ""}.items():
            token = (await it.run("token", client, "--port", str(it.port))).strip() if client else "none"
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
            everybody.clients[who] = await stack.enter_async_context(
                httpx.AsyncClient(base_url=it.address, headers=headers, trust_env=False, timeout=30)
            )
        yield everybody
