"""AuditEvent: the audit log as FHIR, read only. https://hl7.org/fhir/R4/auditevent.html"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.api.search_form import in_address, in_form
from ketenzorg.api.search_values import (
    DEFAULT_COUNT,
    NOBODY,
    Wrong,
    read_count,
    read_date,
    read_reference,
    wrong_parameter,
)
from ketenzorg.coordination.reading.audit_event import PROFILE, audit_event, event_id
from ketenzorg.coordination.reading.logbook import EVENT_ID, Asked, Page, entry_of, find_entries
from ketenzorg.errors import BadRequest
from ketenzorg.fhir import json
from ketenzorg.store.audit_reading import EVER, NEVER, Spot, Wanted

PARAMETERS = {
    "date": "date",
    "patient": "reference",
    "entity": "reference",
    "agent": "reference",
    "action": "token",
}
LONGEST = 200  # characters of one value
DESCRIBED: dict[str, Any] = {  # in the CapabilityStatement
    "type": "AuditEvent",
    "profile": PROFILE,
    "documentation": "What your organisation did; for a GP practice, by patient or entity, who looked there.",
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "searchParam": [{"name": name, "type": kind} for name, kind in PARAMETERS.items()],
}
CURSOR = re.compile(r"([0-9a-f-]{36})\.([0-9]{1,4})\Z")


@get("/fhir/AuditEvent/{id_:str}")
async def read_event(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """One event: of what the caller's organisation did, or of what was done to a patient of the practice that asks."""
    visit, world = visit_of(request), world_of(request)
    permit(visit.caller, "log-read", "AuditEvent")
    entry = await entry_of(id_, visit, world)
    return resource(json.write(audit_event(entry, _base(request), world)), version=1, updated=entry.at)


@get("/fhir/AuditEvent")
async def search_events(request: Http) -> ASGIResponse:
    """A page of events, the oldest first; `next` leads on."""
    permit(visit_of(request).caller, "log-search", "AuditEvent")
    return await _search(request, in_address(request))


@post("/fhir/AuditEvent/_search", status_code=200)
async def search_events_by_form(request: Http) -> ASGIResponse:
    """The same with the parameters in a form."""
    permit(visit_of(request).caller, "log-search", "AuditEvent")
    return await _search(request, await in_form(request))


async def _search(request: Http, pairs: list[tuple[str, str]]) -> ASGIResponse:
    asked = read_asked(pairs, _base(request))
    page = await find_entries(asked, visit_of(request), world_of(request))
    return resource(json.write(_bundle(asked, page, request)))


def read_asked(pairs: Iterable[tuple[str, str]], base: str) -> Asked:
    """The search as it is meant. Raises BadRequest with everything that is wrong."""
    reader = _Reader(f"{base}/")
    for name, value in pairs:
        reader.take(name, value)
    if reader.issues:
        raise BadRequest(*reader.issues)
    return reader.asked()


class _Reader:
    def __init__(self, base: str) -> None:
        self._base = base
        self._begin, self._end = EVER, NEVER
        self._wanted: dict[str, Any] = {"most": DEFAULT_COUNT}
        self._patient: UUID | None = None
        self._entity: tuple[str, UUID] | None = None
        self._seen: list[tuple[str, str]] = []
        self.issues: list[Any] = []

    def asked(self) -> Asked:
        wanted = Wanted(begin=self._begin, end=self._end, **self._wanted)
        return Asked(wanted=wanted, patient=self._patient, entity=self._entity, pairs=tuple(self._seen))

    def take(self, name: str, value: str) -> None:
        """One parameter; a mistake is kept for the end."""
        try:
            if len(value) > LONGEST:
                raise Wrong(f"hoogstens {LONGEST} tekens.", f"at most {LONGEST} characters.")
            if name != "date" and any(name == seen for seen, _ in self._seen):
                raise Wrong("deze parameter staat er twee keer.", "this parameter stands twice.")
            self._one(name, value)
        except Wrong as wrong:
            known = name in PARAMETERS or name in ("_count", "_cursor")
            self.issues.append(wrong_parameter(name if known else "", *wrong.args))
            return
        self._seen.append((name, value))

    def _one(self, name: str, value: str) -> None:
        match name:
            case "date":
                self._narrow(*_period(value))
            case "patient":
                self._patient = self._reference(value, "Patient")[1]
            case "entity":
                self._entity = self._reference(value, "")
            case "agent":
                self._wanted["whose"] = self._reference(value, "Organization")[1]
            case "action":
                if value not in ("C", "R", "U", "D", "E"):
                    raise Wrong("C, R, U, D of E.", "C, R, U, D or E.")
                self._wanted["action"] = value
            case "_count":
                self._wanted["most"] = read_count(value)
            case "_cursor":
                found = CURSOR.match(value)
                if found is None or not EVENT_ID.match(found[1]):
                    raise Wrong("neem het adres van ‘next’ over.", "take the address of 'next' as it is.")
                self._wanted["after"] = Spot(UUID(found[1]), int(found[2]))
            case _:
                names = ", ".join(PARAMETERS)
                raise Wrong(f"het logboek zoekt op: {names}.", f"the log is searched by: {names}.")

    def _narrow(self, begin: datetime, end: datetime) -> None:
        self._begin, self._end = max(self._begin, begin), min(self._end, end)

    def _reference(self, value: str, kind: str) -> tuple[str, UUID]:
        named, id_ = read_reference(value.removeprefix(self._base))
        if id_ is NOBODY or (kind and named not in (None, kind)) or not (kind or named):
            raise Wrong(f"een {kind or 'Type'}/id van ons.", f"a {kind or 'Type'}/id of ours.")
        return named or kind, id_


def _period(value: str) -> tuple[datetime, datetime]:
    prefix, period = read_date(value)
    match prefix:
        case "eq":
            return period.low, period.high
        case "ge":
            return period.low, NEVER
        case "gt" | "sa":
            return period.high, NEVER
        case "le":
            return EVER, period.high
        case "lt" | "eb":
            return EVER, period.low
        case _:
            raise Wrong("met eq, ge, gt, le of lt.", "with eq, ge, gt, le or lt.")


def _bundle(asked: Asked, page: Page, request: Http) -> dict[str, Any]:
    base, world = _base(request), world_of(request)
    kept = [pair for pair in asked.pairs if pair[0] != "_cursor"]
    links = [{"relation": "self", "url": f"{base}/AuditEvent?{urlencode(kept)}"}]
    if page.next_after is not None:
        following = [*kept, ("_cursor", f"{page.next_after.line}.{page.next_after.place}")]
        links.append({"relation": "next", "url": f"{base}/AuditEvent?{urlencode(following)}"})
    entries = [
        {
            "fullUrl": f"{base}/AuditEvent/{event_id(entry)}",
            "resource": msgspec.Raw(json.write(audit_event(entry, base, world))),
            "search": {"mode": "match"},
        }
        for entry in page.entries
    ]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _base(request: Http) -> str:
    return f"{request.app.state.base_url}/fhir"
