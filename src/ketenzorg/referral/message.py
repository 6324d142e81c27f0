"""A referral as a message: what its header must say, and the message that answers it.

https://hl7.org/fhir/R4/messaging.html, https://hl7.org/fhir/R4/messageheader.html. All but the header is what a
transaction holds, so that is what is made of it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.stored import instant

EVENT: Final = (f"{BASE}/CodeSystem/message-event", "referral")
FOCUS: Final = ("ServiceRequest", "Task")
OPERATION: Final = "$process-message"
ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
ENVELOPE: Final = (
    "id",
    "identifier",
    "meta",
    "timestamp",
    "signature",
    "link",
)  # written anew when it is sent again
HEADER: Final = "Bundle.entry[0].resource"
PLACE: Final = re.compile(r"Bundle\.entry\[(\d+)\]")
_WITH_DIGITS: Final = msgspec.json.Decoder(float_hook=str)
Code = Literal["ok", "transient-error", "fatal-error"]


class Message(NamedTuple):
    """A message that asks something of us."""

    id: str  # MessageHeader.id: by it the same message is known when it is sent again
    header: dict[str, Any]
    transaction: dict[str, Any]  # the same as a Bundle that is posted
    content: bytes  # the same bytes for the same message, in whatever envelope


def read_message(bundle: dict[str, Any], base: str) -> Message:
    """A Bundle that was decoded. Raises Invalid when it is no message by which we could answer."""
    entries = bundle.get("entry") or [{}]
    header = entries[0].get("resource", {})
    if bundle.get("type") != "message" or header.get("resourceType") != "MessageHeader":
        raise Invalid(_no_message())
    id_ = header.get("id") or entries[0].get("fullUrl", "").removeprefix("urn:uuid:")
    if not ID.match(id_):
        raise Invalid(_no_id())
    transaction = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_as_create(entry, base) for entry in entries[1:]],
    }
    kept = {name: value for name, value in bundle.items() if name not in ENVELOPE}
    content = msgspec.json.encode(_WITH_DIGITS.decode(json.write(kept)), order="deterministic")
    return Message(id_, header, transaction, content)


def _as_create(entry: dict[str, Any], base: str) -> dict[str, Any]:
    kind = entry.get("resource", {}).get("resourceType", "")
    return {**entry, "request": {"method": "POST", "url": kind}}


def wrong_in(message: Message, base: str) -> list[Issue]:
    """Why a message is not for us to process; one that is has none."""
    return list(_wrong(message, base))


def _wrong(message: Message, base: str) -> Iterator[Issue]:
    header = message.header
    if "response" in header:
        yield _issue(
            f"{HEADER}.response",
            "Dit is een antwoord, en wij stelden geen vraag: wij sturen geen berichten. Laat response weg.",
            "This is a response, and we asked nothing: we send no messages. Leave response out.",
        )
    event = header.get("eventCoding", {})
    if (event.get("system"), event.get("code")) != EVENT:
        yield _issue(
            f"{HEADER}.event",
            f"Deze gebeurtenis kennen wij niet; wel: eventCoding {EVENT[0]}|{EVENT[1]}.",
            f"We do not know this event; we know eventCoding {EVENT[0]}|{EVENT[1]}.",
        )
    ours = (base, f"{base}/", f"{base}/{OPERATION}")
    named = [each.get("endpoint") for each in header.get("destination", ())]
    if named and not any(endpoint in ours for endpoint in named):
        yield _issue(
            f"{HEADER}.destination",
            f"Dit bericht is niet voor ons: ons adres is {base}/{OPERATION}.",
            f"This message is not for us: our address is {base}/{OPERATION}.",
        )
    if not _is_about(message):
        yield _issue(
            f"{HEADER}.focus",
            "Waar gaat het over? focus noemt de ServiceRequest (of Task) in dit bericht, met zijn fullUrl.",
            "What is it about? focus names the ServiceRequest (or Task) of this message, by its fullUrl.",
        )


def _is_about(message: Message) -> bool:
    sent = {
        entry.get("fullUrl", ""): entry.get("resource", {}).get("resourceType")
        for entry in message.transaction["entry"]
    }
    about = [sent.get(each.get("reference", "")) for each in message.header.get("focus", ())]
    return bool(about) and all(kind in FOCUS for kind in about)


def placed(issue: Issue) -> Issue:
    """A finding in the transaction, where it is in the message: the header comes first there."""
    paths = [PLACE.sub(lambda match: f"Bundle.entry[{int(match[1]) + 1}]", path) for path in issue.expression]
    return msgspec.structs.replace(issue, expression=tuple(paths))


def answer_to_message(
    message: Message,
    code: Code,
    outcome: bytes,
    focus: Sequence[str],
    *,
    base: str,
    ids: tuple[UUID, UUID, UUID],
    at: datetime,
) -> bytes:
    """The message that answers: whether it was taken, and what is to be known. `focus`: addresses of what is there."""
    bundle_id, header_id, outcome_id = ids
    header = {
        "resourceType": "MessageHeader",
        "id": str(header_id),
        "eventCoding": {"system": EVENT[0], "code": EVENT[1]},
        "destination": [{"endpoint": message.header["source"]["endpoint"]}]
        if _has_endpoint(message)
        else None,
        "source": {"name": "ketenzorg", "endpoint": f"{base}/{OPERATION}"},
        "response": {
            "identifier": message.id,
            "code": code,
            "details": {"reference": f"urn:uuid:{outcome_id}"},
        },
        "focus": [{"reference": f"{base}/{each}"} for each in focus] or None,
    }
    return json.write(
        {
            "resourceType": "Bundle",
            "id": str(bundle_id),
            "type": "message",
            "timestamp": instant(at),
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{header_id}",
                    "resource": {name: value for name, value in header.items() if value is not None},
                },
                {"fullUrl": f"urn:uuid:{outcome_id}", "resource": msgspec.Raw(outcome)},
            ],
        }
    )


def _has_endpoint(message: Message) -> bool:
    return bool(message.header.get("source", {}).get("endpoint"))


def _no_message() -> Issue:
    return _issue(
        "Bundle.type",
        "Dit is geen bericht: een Bundle van het type message, met de MessageHeader als eerste.",
        "This is no message: a Bundle of type message, with the MessageHeader first.",
    )


def _no_id() -> Issue:
    return Issue(
        nl="Geef MessageHeader.id: daaraan herkennen wij het bericht als het nog eens komt; ons antwoord noemt het.",
        en="Give MessageHeader.id: by it we know the message when you send it again, and our answer names it.",
        expression=(f"{HEADER}.id",),
        code="required",
    )


def _issue(path: str, nl: str, en: str) -> Issue:
    return Issue(nl, en, (path,), code="not-supported")
