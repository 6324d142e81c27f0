"""One kept-alive HTTP/1.1 connection on plain streams: a client library costs as much as the service that it calls."""

import asyncio
import time

HOST = "127.0.0.1"
FRESH_S = 10.0  # the service lets go of a silent connection after thirty seconds


class Connection:
    """A connection that is opened when there is something to send."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def ask(self, head: bytes, content: bytes) -> tuple[bytes, bytes]:
        """The head in lower case and the body of the answer. `head`: request line and headers without the length.

        Raises OSError, EOFError or ValueError when there is no whole answer.
        """
        reader, writer = await self._opened()
        writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(content), content))
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self._used = time.monotonic()
        if b"connection: close" in answer:
            self.close()
        return answer, body

    def close(self) -> None:
        """Let go; the next question opens it again."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and time.monotonic() - self._used > FRESH_S:
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port, limit=2**20)
        return self._streams
