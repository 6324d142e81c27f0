"""Whether this process lives, and whether it may take work."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar import get
from litestar.response.base import ASGIResponse

from ketenzorg.api.requests import Http
from ketenzorg.errors import KetenzorgError


class Look:
    """A look at the database: done once, however many ask for it at the same moment. Nobody limits who asks."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._looking: asyncio.Future[None] | None = None

    async def __call__(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        await asyncio.shield(self._looking)


@get("/health/live")
async def live() -> ASGIResponse:
    """This process answers."""
    return _says(200, "ok")


@get("/health/ready")
async def ready(request: Http) -> ASGIResponse:
    """The database answers, is migrated, and keeps what it acknowledges."""
    try:
        await request.app.state.check_ready()
    except KetenzorgError as error:
        return _says(503, error.issues[0].en)
    return _says(200, "ok")


def _says(status: int, text: str) -> ASGIResponse:
    return ASGIResponse(body=text.encode(), status_code=status, media_type="text/plain")
