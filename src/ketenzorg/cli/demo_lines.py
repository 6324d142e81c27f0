"""How the parties of the demo call: over HTTP, each with a token of its own; an answer other than expected ends it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

from ketenzorg.access.tokens import Caller, Tokens
from ketenzorg.api.sandbox import CLOCK_SCOPE
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.pathway.region import Organisation

TOKEN_LIFETIME = timedelta(hours=8)
TIMEOUT_S = 20.0
Json = dict[str, Any]


class NotAsExpected(KetenzorgError):
    """The service answered something that the demo does not expect."""


class Line:
    """The line of one organisation to the service."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._authorization = {"Authorization": f"Bearer {token}"}

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        expect: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The answer's body. Raises NotAsExpected with what the service said."""
        try:
            response = await self._client.request(
                method,
                path,
                content=None if body is None else msgspec.json.encode(body),
                headers={"Content-Type": "application/json", **self._authorization, **(headers or {})},
            )
            answer: Json = msgspec.json.decode(response.content)
        except (httpx.TransportError, msgspec.DecodeError) as error:
            raise NotAsExpected(
                Issue(
                    nl=f"{method} {path} gaf geen leesbaar antwoord ({type(error).__name__}).",
                    en=f"{method} {path} gave no readable answer ({type(error).__name__}).",
                )
            ) from error
        if response.status_code != expect:
            raise _not_as_expected(method, path, expect, response.status_code, answer)
        return answer


class Lines:
    """A line for each organisation that takes part, and the hand on the sandbox clock."""

    def __init__(self, client: httpx.AsyncClient, tokens: Tokens, region: str) -> None:
        self._client = client
        self._tokens = tokens
        self._region = region
        self._lines: dict[str, Line] = {}
        self._clock: Line | None = None
        self._now: datetime | None = None

    def of(self, organisation: Organisation) -> Line:
        """The line of an organisation, under a token that it could have had."""
        name = organisation.ura
        if name not in self._lines:
            self._lines[name] = self._line(organisation, f"demo-{name}", frozenset({"system/*.cruds"}))
        return self._lines[name]

    def of_caller(self, caller: Caller) -> Line:
        """The line of a client of the sandbox."""
        return Line(self._client, self._tokens.issue(caller, TOKEN_LIFETIME))

    async def move_clock(self, moment: datetime, keeper: Organisation) -> None:
        """Make it this moment in the region; the clock only goes forward."""
        if self._now is not None and moment <= self._now:
            return
        if self._clock is None:
            self._clock = self._line(keeper, "demo-klok", frozenset({CLOCK_SCOPE}))
        await self._clock.call("PUT", "/sandbox/clock", {"now": moment.isoformat()})
        self._now = moment

    def _line(self, organisation: Organisation, client: str, scopes: frozenset[str]) -> Line:
        return self.of_caller(Caller(client, organisation.id, organisation.kind, scopes, self._region))


def new_client(base_url: str) -> httpx.AsyncClient:
    """One pool of connections for all lines; no proxy stands between us and ourselves."""
    return httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=TIMEOUT_S)


def said(outcome: Json) -> list[str]:
    """The Dutch texts of an OperationOutcome."""
    return [each["details"]["text"] for each in outcome.get("issue", ())]


def _not_as_expected(method: str, path: str, expect: int, status: int, answer: Json) -> NotAsExpected:
    heard = " ".join(said(answer)) or "geen uitleg"
    return NotAsExpected(
        Issue(
            nl=f"{method} {path} gaf {status} in plaats van {expect}: {heard}",
            en=f"{method} {path} answered {status}, expected {expect}: {heard}",
        )
    )
