"""Two small receivers on this machine: what systems of others do with our notifications. They check, and count."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.signing import new_secret, signed
from ketenzorg.app import real_time

LONGEST = 64 * 1024  # bytes; a notification has under 2 kB
EARLIEST_S, LATEST_S = -60.0, 300.0  # how old a signature may be


@dataclass
class Receiver:
    """What one organisation heard: the versions of each Task, in order, under a signature that is ours."""

    secret: bytes = field(default_factory=new_secret)
    heard: int = 0
    wrong: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)

    def hear(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Take a notification; False when it is not ours."""
        if not self._is_ours(headers, body):
            self.wrong.append("een handtekening klopt niet")
            return False
        if headers["webhook-id"] in self.messages:
            return True  # sent again: at least once is what was promised
        self.messages.add(headers["webhook-id"])
        told = _focus(msgspec.json.decode(body))
        if told is None:  # a handshake: to answer it is all that is asked
            return True
        task, version = told
        if version < self.versions.get(task, 0):  # of a norm that is past the same version tells again
            self.wrong.append("een bericht kwam na een later bericht over dezelfde Task")
        self.versions[task] = version
        self.heard += 1
        return True

    def _is_ours(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), real_time().tzinfo)
            ours = signed(UUID(headers["webhook-id"]), at, body, [self.secret])
        except (KeyError, ValueError, OverflowError):
            return False
        fresh = EARLIEST_S < (real_time() - at).total_seconds() < LATEST_S
        return fresh and hmac.compare_digest(ours["webhook-signature"], headers.get("webhook-signature", ""))


class Receivers:
    """The receivers as one ASGI application: each has a path, the name of its client of the sandbox."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.by_name = {name: Receiver() for name in names}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """POST /<name>: 204 when it is ours, 401 when not."""
        if scope["type"] != "http":
            return
        receiver = self.by_name.get(scope["path"].strip("/"))
        body = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status = 404 if receiver is None else 204 if receiver.hear(headers, body) else 401
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Any) -> bytes:
    body = b""
    while len(body) <= LONGEST:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


def _focus(bundle: Any) -> tuple[str, int] | None:
    """The Task and its version, from an id-only notification; None when it tells of no event."""
    parameters = bundle["entry"][0]["resource"]["parameter"]
    event = next((each for each in parameters if each["name"] == "notification-event"), None)
    if event is None:
        return None
    focus = next(part for part in event["part"] if part["name"] == "focus")["valueReference"]["reference"]
    task, _, version = focus.rpartition("/_history/")
    return task, int(version)
