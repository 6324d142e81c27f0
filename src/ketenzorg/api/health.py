"""Whether this process lives, and whether it may take work."""

from litestar import get
from litestar.response.base import ASGIResponse

from ketenzorg.api.requests import Http
from ketenzorg.errors import KetenzorgError


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
    return ASGIResponse(body=text.encode(), status_code=status, media_type="text/plain; charset=utf-8")
