"""A second process of the API while the demo fills the region; it ends with the process that started it."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn
import uvloop

from ketenzorg.cli.demo.service import listen_here
from ketenzorg.cli.place import place
from ketenzorg.cli.serve import GRACE_S, application_at, options


@contextmanager
def second_api(environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """The port of another process that serves as its environment says; questions wait until it is up."""
    with listen_here(0) as listener, log.open("wb") as output:
        port = int(listener.getsockname()[1])
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", __name__, str(listener.fileno())],
            env=dict(environ),
            stdin=subprocess.PIPE,  # its end is our end, however we end
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for us
        )
        listener.close()
        try:
            yield port
        finally:
            _stop(process)


def main() -> None:
    """Serve on the listener that was handed over, until standard input ends."""
    with (
        place(os.environ, embedded=False) as here,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        server = uvicorn.Server(uvicorn.Config(application_at(here), **options(here.settings)))
        runner.run(_serve(server, socket.socket(fileno=int(sys.argv[1]))))


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    def stop() -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin)
        server.should_exit = True

    asyncio.get_running_loop().add_reader(sys.stdin, stop)
    await server.serve(sockets=[listener])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
