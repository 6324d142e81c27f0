"""A request inside a request: it goes the way of any other, as the same caller, with the same rules and record."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from ketenzorg.api.gate import CLIENT, TRAIL, VISIT
from ketenzorg.api.requests import WORLD, Http
from ketenzorg.api.shaping import Answer, Shaping

OF_CONNECTION: Final = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path")


def inner_scope(
    request: Http, method: str, at: str, query: str, headers: Sequence[tuple[bytes, bytes]]
) -> dict[str, Any]:
    """What it would be if it came alone."""
    outer: Any = request.scope
    scope = {name: outer[name] for name in OF_CONNECTION if name in outer}
    scope |= {name: outer[name] for name in (VISIT, TRAIL, CLIENT, WORLD) if name in outer}
    scope |= {"method": method, "path": unquote(at), "raw_path": at.encode(), "headers": list(headers)}
    return scope | {"query_string": query.encode(), "app": request.app}


async def answer_to(scope: Any, content: bytes) -> Answer:
    """What is answered to it. Raises what the form of an answer raises, before anything is done."""
    answer = Answer()
    await Shaping(scope["app"])(scope, _receiving(content), answer.take)
    return answer


def _receiving(content: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive
