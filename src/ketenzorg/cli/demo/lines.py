"""How the parties of the demo call: over HTTP, each with a token of its own; an answer other than expected ends it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from ketenzorg.access.tokens import Caller, Tokens
from ketenzorg.api.sandbox import CLOCK_SCOPE
from ketenzorg.cli.connection import HOST, Connection
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.pathway.region import Organisation

TOKEN_LIFETIME = timedelta(hours=8)
PATIENCE_S = 60.0  # for one answer; a busy machine may be slow
AT_ONCE = 6  # questions to one process of the service
STATUS = slice(9, 12)  # of "http/1.1 200 ok"
SAFE = "/?&=$|:%+"  # of an address, as we write them
Json = dict[str, Any]


class NotAsExpected(KetenzorgError):
    """The service answered something that the demo does not expect."""


class Exchange:
    """Connections to every process of the service; a question takes the one that has been free longest."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._every = [Connection(port) for _ in range(AT_ONCE) for port in ports]
        self._to_each = [Connection(port) for port in ports]
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in self._every:
            self._free.put_nowait(connection)

    async def ask(self, head: bytes, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer, from whichever process."""
        connection = await self._free.get()
        try:
            return await _ask(connection, head, body)
        finally:
            self._free.put_nowait(connection)

    async def ask_each(self, head: bytes, body: bytes) -> list[tuple[int, bytes]]:
        """The same to every process: each has a clock of its own."""
        return await asyncio.gather(*(_ask(connection, head, body) for connection in self._to_each))

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (*self._every, *self._to_each):
            connection.close()


class Line:
    """The line of one organisation to the service."""

    def __init__(self, exchange: Exchange, token: str) -> None:
        self._exchange = exchange
        self._headers = f"Host: {HOST}\r\nAuthorization: Bearer {token}\r\n"

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
        head = self._head(method, path, headers or {})
        with _readable(method, path):
            status, answer = await self._exchange.ask(head, _content(body))
            return _expected(method, path, expect, status, msgspec.json.decode(answer))

    async def tell_each(self, method: str, path: str, body: Any) -> None:
        """Say it to every process of the service."""
        with _readable(method, path):
            for status, answer in await self._exchange.ask_each(self._head(method, path, {}), _content(body)):
                _expected(method, path, 200, status, msgspec.json.decode(answer))

    def _head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        every = {"Content-Type": "application/json", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        return f"{method} {quote(path, safe=SAFE)} HTTP/1.1\r\n{self._headers}{lines}".encode()


class Lines:
    """A line for each organisation that takes part, and the hand on the sandbox clock."""

    def __init__(self, exchange: Exchange, tokens: Tokens, region: str) -> None:
        self._exchange = exchange
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
        return Line(self._exchange, self._tokens.issue(caller, TOKEN_LIFETIME))

    async def move_clock(self, moment: datetime, keeper: Organisation) -> None:
        """Make it this moment in the region; the clock only goes forward."""
        if self._now is not None and moment <= self._now:
            return
        if self._clock is None:
            self._clock = self._line(keeper, "demo-klok", frozenset({CLOCK_SCOPE}))
        await self._clock.tell_each("PUT", "/sandbox/clock", {"now": moment.isoformat()})
        self._now = moment

    def _line(self, organisation: Organisation, client: str, scopes: frozenset[str]) -> Line:
        return self.of_caller(Caller(client, organisation.id, organisation.kind, scopes, self._region))


def said(outcome: Json) -> list[str]:
    """The Dutch texts of an OperationOutcome."""
    return [each["details"]["text"] for each in outcome.get("issue", ())]


@contextmanager
def _readable(method: str, path: str) -> Iterator[None]:
    """No whole answer is no answer."""
    try:
        yield
    except (OSError, EOFError, ValueError, TimeoutError, msgspec.DecodeError) as error:
        raise NotAsExpected(
            Issue(
                nl=f"{method} {path} gaf geen leesbaar antwoord ({type(error).__name__}).",
                en=f"{method} {path} gave no readable answer ({type(error).__name__}).",
            )
        ) from error


async def _ask(connection: Connection, head: bytes, body: bytes) -> tuple[int, bytes]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer, content = await connection.ask(head, body)
    except BaseException:
        connection.close()  # what is left of this answer must not be taken for the next
        raise
    return int(answer[STATUS]), content


def _content(body: Any) -> bytes:
    return b"" if body is None else msgspec.json.encode(body)


def _expected(method: str, path: str, expect: int, status: int, answer: Json) -> Json:
    if status == expect:
        return answer
    heard = " ".join(said(answer)) or "geen uitleg"
    raise NotAsExpected(
        Issue(
            nl=f"{method} {path} gaf {status} in plaats van {expect}: {heard}",
            en=f"{method} {path} answered {status}, expected {expect}: {heard}",
        )
    )
