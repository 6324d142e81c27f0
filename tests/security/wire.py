"""A client that says exactly the bytes of a test, and reads what comes back until the connection ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from ketenzorg.cli.demo.service import HOST

PATIENCE_S = 30.0  # only a hang takes so long


class Answer(NamedTuple):
    """One answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def issue(self) -> dict[str, Any]:
        """The only issue of an OperationOutcome."""
        outcome = json.loads(self.body)
        assert outcome["resourceType"] == "OperationOutcome"
        [issue] = outcome["issue"]
        assert issue["details"]["text"]
        assert issue["diagnostics"]
        found: dict[str, Any] = issue
        return found


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, *parts: bytes) -> None:
        self._writer.write(b"".join(parts))

    async def sent(self) -> None:
        """What was said has left us, unless the other side has ended the connection."""
        with suppress(ConnectionError):
            await self._writer.drain()

    def heard(self) -> bool:
        """Whether something came back."""
        return bool(self._reader._buffer) or self._reader.at_eof()  # type: ignore[attr-defined]

    async def answer(self) -> Answer:
        """The next answer; a connection that ends instead is an IncompleteReadError."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            assert "transfer-encoding" not in headers
            body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(status.split(" ")[1]), headers, body)

    async def ended(self) -> bytes:
        """What still comes before the connection ends."""
        rest = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while more := await self._reader.read(65536):
                    rest += more
        return bytes(rest)

    async def drip(self, byte: bytes) -> None:
        """A byte at each turn, until the other side has heard enough."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while not self.heard():
                    self._writer.write(byte)
                    await self._writer.drain()
                    await asyncio.sleep(0)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """A connection to what serves on this port."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
