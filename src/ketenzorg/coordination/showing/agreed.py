"""The appointments of a referral, as people read them: when, where, and what became of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.fhir.dates import moment_of
from ketenzorg.referral.appointment import MISTAKE, PLANNED, starts

STATUS = {
    "proposed": "voorgesteld",
    "pending": "nog niet bevestigd",
    "booked": "gepland",
    "arrived": "is er",
    "checked-in": "is er",
    "fulfilled": "is geweest",
    "cancelled": "gaat niet door",
    "noshow": "kwam niet",
    "waitlist": "wachtlijst",
}
PLACES = ("Location", "HealthcareService")


class Agreed(msgspec.Struct, frozen=True):
    """One appointment."""

    id: UUID
    version: int
    start: datetime | None
    end: datetime | None
    where: str  # empty when it does not say
    about: str
    status: str  # in words
    planned: bool  # still to come about


def agreed(appointments: Iterable[Mapping[str, Any]]) -> tuple[Agreed, ...]:
    """All but those that were a mistake: what is planned first, then by their time, the latest first."""
    known = [_agreed(each) for each in appointments if each.get("status") != MISTAKE]
    late_first = sorted(known, key=lambda each: each.start.timestamp() if each.start else 0, reverse=True)
    return tuple(sorted(late_first, key=lambda each: not each.planned))


def _agreed(appointment: Mapping[str, Any]) -> Agreed:
    end, status = appointment.get("end"), appointment.get("status", "")
    return Agreed(
        id=UUID(appointment["id"]),
        version=int(appointment["meta"]["versionId"]),
        start=starts(appointment),
        end=moment_of(end) if end else None,
        where=_where(appointment),
        about=appointment.get("description", ""),
        status=STATUS.get(status, status),
        planned=status in PLANNED,
    )


def _where(appointment: Mapping[str, Any]) -> str:
    actors = [each.get("actor", {}) for each in appointment.get("participant", ())]
    places = [
        each["display"]
        for each in actors
        if "display" in each and (each.get("type") or each.get("reference", "").partition("/")[0]) in PLACES
    ]
    return ", ".join(dict.fromkeys(places))
