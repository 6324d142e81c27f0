"""A receiver in a process of its own: takes every message at once, and tells afterwards when each came in.

`python tests/benchmarks/taking.py`: prints its port; POST takes, GET tells `[[webhook-id, seconds since 1970], …]`.
"""

import asyncio
import json
import sys
import time

import uvloop

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Taking(asyncio.Protocol):
    """One connection; messages are small, and none is sent before the one before it was answered."""

    came: list[tuple[str, float]] = []  # noqa: RUF012  (of all connections)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(headers.get(b"content-length", 0)):
            return
        self.buffer = b""
        if head.startswith(b"GET"):
            told = json.dumps(self.came).encode()
            self.came.clear()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))
        else:
            self.came.append((headers.get(b"webhook-id", b"").decode(), time.time()))
            self.transport.write(TAKEN)


async def main() -> None:
    """Until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Taking, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
