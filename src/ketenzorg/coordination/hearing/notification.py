"""What an organisation hears of: the notification of one event, and how its subscription stands, in the R4 form.

https://hl7.org/fhir/uv/subscriptions-backport/notifications.html; the same event gives the same bytes at every attempt.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.fhir import json
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.stored import instant
from ketenzorg.store.outbox import Event
from ketenzorg.store.subscriptions import Content, Status

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
BUNDLE_PROFILE = f"{BACKPORT}/backport-subscription-notification-r4"
STATUS_PROFILE = f"{BACKPORT}/backport-subscription-status-r4"
TOPICS = {kind: f"{BASE}/SubscriptionTopic/{kind.lower()}" for kind in ("Task", "ServiceRequest", "CarePlan")}


class Told(NamedTuple):
    """An event, with its resource as the organisation sees it where that was asked for and may be shown."""

    event: Event
    body: bytes | None = None


class About(NamedTuple):
    """The subscription that a notification is of."""

    id: UUID
    type: str
    status: Status
    content: Content
    number: int  # of its last event; of an event's own notification: of that event
    error: str = ""
    gone: str = ""  # numbers that were asked for and are kept no longer


def notification(
    id_: UUID, kind: Kind, about: About, told: Sequence[Told], at: datetime, fhir_base: str
) -> bytes:
    """A history Bundle: how the subscription stands, then the resources of the events as far as they are told."""
    return json.write(
        {
            "resourceType": "Bundle",
            "id": str(id_),
            "meta": {"profile": [BUNDLE_PROFILE]},
            "type": "history",
            "timestamp": instant(at.astimezone(UTC)),
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{id_}",
                    "resource": subscription_status(kind, about, told, fhir_base),
                    "request": {"method": "GET", "url": f"Subscription/{about.id}/$status"},
                    "response": {"status": "200"},
                },
                *(_entry(each, fhir_base) for each in told if _is_named(each, about)),
            ],
        }
    )


def subscription_status(kind: Kind, about: About, told: Sequence[Told], fhir_base: str) -> dict[str, Any]:
    """In R4 the status of a subscription is a Parameters resource."""
    return {
        "resourceType": "Parameters",
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": f"{fhir_base}/Subscription/{about.id}"}},
            {"name": "topic", "valueCanonical": TOPICS[about.type]},
            {"name": "status", "valueCode": about.status},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(about.number)},
            *({"name": "notification-event", "part": list(_event(each, about, fhir_base))} for each in told),
            *({"name": "error", "valueCodeableConcept": {"text": each}} for each in _errors(about)),
        ],
    }


def _errors(about: About) -> Iterator[str]:
    if about.error:
        yield about.error
    if about.gone:
        yield f"delivered, and kept no longer: {about.gone}"


def _event(told: Told, about: About, fhir_base: str) -> Iterator[dict[str, Any]]:
    event = told.event
    yield {"name": "event-number", "valueString": str(event.number)}
    yield {"name": "timestamp", "valueInstant": instant(event.created.astimezone(UTC))}
    if _is_named(told, about):
        reference = f"{_address(event, fhir_base)}/_history/{event.version}"
        yield {"name": "focus", "valueReference": {"reference": reference, "type": event.type}}


def _entry(told: Told, fhir_base: str) -> dict[str, Any]:
    """A history Bundle needs request and response: as if the version had just been written."""
    event, first = told.event, told.event.version == 1
    return {
        "fullUrl": _address(event, fhir_base),
        **({"resource": msgspec.Raw(told.body)} if told.body is not None else {}),
        "request": {"method": "POST", "url": event.type}
        if first
        else {"method": "PUT", "url": f"{event.type}/{event.resource}"},
        "response": {"status": "201" if first else "200", "etag": f'W/"{event.version}"'},
    }


def _is_named(told: Told, about: About) -> bool:
    """Of what may no longer be seen only the number is told, so that no number is missing."""
    return told.event.readable and about.content != "empty"


def _address(event: Event, fhir_base: str) -> str:
    return f"{fhir_base}/{event.type}/{event.resource}"
