"""How a partner of the sandbox takes notifications: well, slowly, not at all, or with rubbish; a switch changes it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

SLOW_S = 8.0  # under what a sender waits for an answer, and far over what anybody likes
LONGEST = 256 * 1024  # bytes of a notification that we read
SWITCH_LONGEST = 64  # bytes
RUBBISH = b"<html><body>502 Bad Gateway</body></html>" * 40

Hear = Callable[[bytes], Awaitable[None]]


class Behaviour(StrEnum):
    """What a partner does with us."""

    GOOD = "good"  # takes what comes, and works on it
    SLOW = "slow"  # the same, but each answer takes SLOW_S
    DOWN = "down"  # nobody listens
    REJECTS = "rejects"  # takes what comes, and declines every referral
    GARBAGE = "garbage"  # answers with rubbish under a wrong status, and posts rubbish back


class Ear:
    """The receiving end as an ASGI application; `hear` gets the notifications that were taken."""

    def __init__(self, behaviour: Behaviour, hear: Hear) -> None:
        self.behaviour = behaviour
        self._hear = hear

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """POST /: 204 for what is taken."""
        if scope["type"] != "http":
            return
        body = await read(receive, LONGEST)
        if self.behaviour is Behaviour.SLOW:
            await asyncio.sleep(SLOW_S)
        if self.behaviour is Behaviour.GARBAGE:
            await answer(send, 418, RUBBISH)
            return
        await answer(send, 204)
        await self._hear(body)


class Switch:
    """POST / with the name of a behaviour, GET / tells it; on a port of its own, so that it works when down."""

    def __init__(self, ear: Ear, turned: Callable[[], Awaitable[None]]) -> None:
        self._ear = ear
        self._turned = turned

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """200 with the behaviour that holds now, 422 for one that is not known."""
        if scope["type"] != "http":
            return
        if scope["method"] == "POST":
            wanted = (await read(receive, SWITCH_LONGEST)).decode("utf-8", "replace").strip()
            if wanted not in list(Behaviour):
                await answer(send, 422, f"one of: {', '.join(Behaviour)}\n".encode())
                return
            self._ear.behaviour = Behaviour(wanted)
            await self._turned()
        await answer(send, 200, f"{self._ear.behaviour}\n".encode())


async def read(receive: Any, longest: int) -> bytes:
    """The body, as far as it is not too long."""
    body = b""
    while len(body) <= longest:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def answer(send: Any, status: int, body: bytes = b"") -> None:
    """A whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})
