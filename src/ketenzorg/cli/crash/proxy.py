"""A TCP proxy that can be cut: a reset of everything that is under way, or in the middle of what somebody says."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum

HOST = "127.0.0.1"
CHUNK = 64 * 1024
BACKLOG = 512
NO_GOODBYE = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    """Who speaks."""

    THERE = "there"
    BACK = "back"


class Proxy:
    """Hands on what it gets; every connection finds its way anew, so what is behind it may move."""

    def __init__(self, behind: Callable[[], Awaitable[Streams]]) -> None:
        self._behind = behind
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._halve: Way | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen on any port that is free."""
        self._server = await asyncio.start_server(self._begin, HOST, 0, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and let go of everybody."""
        if self._server is not None:
            self._server.close()
            self.reset()
            await asyncio.gather(*self._passing)

    def reset(self) -> int:
        """Cut every connection; how many there were."""
        cut = list(self._open)
        for writer in cut:
            _reset(writer)
        return len(cut)

    def cut_half_way(self, way: Way) -> None:
        """The next thing that is said this way arrives by half, and then nothing more."""
        self._halve = way

    @property
    def waits(self) -> bool:
        """Whether nothing was said yet that could be cut."""
        return self._halve is not None

    def forget(self) -> None:
        """Cut nothing after all."""
        self._halve = None

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(passing)
        passing.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await self._behind()
        except OSError:
            _reset(writer)
            return
        both = {writer, back}
        self._open |= both
        pumps = [
            asyncio.create_task(self._pump(reader, back, Way.THERE)),
            asyncio.create_task(self._pump(there, writer, Way.BACK)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._open -= both
            for each in both:
                each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        with suppress(OSError):
            while said := await reader.read(CHUNK):
                if self._halve is way:
                    self._halve = None
                    writer.write(said[: len(said) // 2])
                    await writer.drain()
                    return
                writer.write(said)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_GOODBYE)
    writer.transport.abort()
