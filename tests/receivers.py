"""A receiver of notifications on 127.0.0.1 that answers as a test tells it, and remembers what it got."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def answer(status: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers, "Content-Length: 0", "", ""]).encode()


@dataclass
class Got:
    """One message as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def version(self) -> int:
        return int(self.focus.rpartition("/")[2])

    @property
    def focus(self) -> str:
        return str(self.event["focus"])

    @property
    def number(self) -> int:
        return int(self.event["event-number"])

    @property
    def kind(self) -> str:
        return str(self.status["type"])

    @property
    def status(self) -> dict[str, Any]:
        """The parameters of the subscription's status: name -> value."""
        return _values(msgspec.json.decode(self.body)["entry"][0]["resource"]["parameter"])

    @property
    def event(self) -> dict[str, Any]:
        """The parts of its one event: name -> value."""
        found: dict[str, Any] = self.status["notification-event"]
        return found


@dataclass
class Receiver:
    """`answers` are used up in order, then every message is taken; while `open` is not set nothing is answered."""

    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                lines = (line.partition(": ") for line in head.split("\r\n")[1:])
                headers = {name.lower(): value for name, _, value in lines}
                self.got.append(Got(headers, await reader.readexactly(int(headers["content-length"]))))
                said = self.answers.pop(0) if self.answers else OK
                self.arrived.release()
                await self.open.wait()
                writer.write(said)
                await writer.drain()
                if said is not OK:
                    return
        except ConnectionError:
            pass
        finally:
            writer.close()


def _values(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["name"]: _value(each) for each in parameters}


def _value(parameter: dict[str, Any]) -> Any:
    if "part" in parameter:
        return _values(parameter["part"])
    [value] = (value for name, value in parameter.items() if name.startswith("value"))
    return value["reference"] if isinstance(value, dict) and "reference" in value else value


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return ""


@asynccontextmanager
async def receiver(*answers: bytes, is_open: bool = True) -> AsyncIterator[Receiver]:
    one = Receiver(answers=list(answers))
    if is_open:
        one.open.set()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield one
    finally:
        one.open.set()
        server.close()
