"""The receivers of a crash test: they check the signature, write down what they heard, and only then say so."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from ketenzorg.cli.crash.proxy import HOST
from ketenzorg.cli.crash.stand import Stand
from ketenzorg.cli.crash.truth import LogFile
from ketenzorg.cli.partner.command import subscribed, wish
from ketenzorg.cli.partner.ear import answer, read
from ketenzorg.coordination.hearing.subscribing import SECRET

LONGEST = 64 * 1024  # bytes; a notification has under 2 kB
# Who hears of what: a name that is the path of its address -> client of the sandbox, type.
LISTENERS = {
    "practice-tasks": ("his-demo", "Task"),
    "practice-plans": ("his-demo", "CarePlan"),
    "practice-requests": ("his-demo", "ServiceRequest"),
    "coach-tasks": ("welzijn-demo", "Task"),
}


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One notification as it came in. `number` 0: a handshake or heartbeat, that tells of nothing."""

    ear: str
    subscription: str  # id
    message: str  # webhook-id
    ours: bool  # whether the signature holds
    digest: str  # of the body
    number: int = 0
    resource: str = ""  # "Task/<id>"
    version: int = 0


class Ears:
    """All receivers, as one ASGI application."""

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._secrets: dict[str, bytes] = {}
        self.heard = 0

    async def subscribe(self, stand: Stand, port: int) -> dict[str, str]:
        """Ask to hear at this port, as anybody would; name of the ear -> id of its subscription."""
        found = {}
        for ear, (client, kind) in LISTENERS.items():
            async with stand.line(client) as line:
                wished = wish(kind, f"http://{HOST}:{port}/{ear}", "crash test")
                made = await subscribed(line, "/fhir/Subscription", wished)
            found[ear] = made["id"]
            self._secrets[ear] = _secret_in(made)
        return found

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """POST /<ear>: 204, after it was written down."""
        if scope["type"] != "http":
            return
        ear = scope["path"].strip("/")
        if ear not in self._secrets:  # it asks sooner than we know by what it signs
            await answer(send, 503)
            return
        body = await read(receive, LONGEST)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            heard = self._understood(ear, headers, body)
        except msgspec.DecodeError:  # it was cut on its way here
            await answer(send, 400)
            return
        self._log.write(heard)
        self.heard += 1
        await answer(send, 204)

    def _understood(self, ear: str, headers: dict[str, str], body: bytes) -> Heard:
        told = dict(_values(msgspec.json.decode(body)["entry"][0]["resource"]["parameter"]))
        event = dict(_values(told.get("notification-event", [])))
        resource, _, version = str(event.get("focus", "")).partition("/_history/")
        return Heard(
            ear=ear,
            subscription=told["subscription"].rpartition("/")[2],
            message=headers["webhook-id"],
            ours=self._is_ours(ear, headers, body),
            digest=sha256(body).hexdigest(),
            number=int(event.get("event-number", 0)),
            resource="/".join(resource.split("/")[-2:]),
            version=int(version or 0),
        )

    def _is_ours(self, ear: str, headers: dict[str, str], body: bytes) -> bool:
        """As https://www.standardwebhooks.com has it, written here anew: the sender's own code proves nothing."""
        said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + b64encode(hmac.digest(self._secrets[ear], said, sha256)).decode()
        return wanted in headers["webhook-signature"].split(" ")

    def read_back(self) -> list[Heard]:
        """What stands in the log, in the order in which it came."""
        return [msgspec.json.decode(line, type=Heard) for line in self._log.path.read_bytes().splitlines()]


def _values(parameters: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Name and value of Parameters in the R4 form; of what has parts, the parts."""
    for each in parameters:
        value = next((value for name, value in each.items() if name.startswith("value")), each.get("part"))
        yield each["name"], value["reference"] if isinstance(value, dict) and "reference" in value else value


def _secret_in(subscription: dict[str, Any]) -> bytes:
    """What signs: told once, in an extension."""
    found = next(each for each in subscription["extension"] if each["url"] == SECRET)
    return b64decode(found["valueString"].removeprefix("whsec_"))
