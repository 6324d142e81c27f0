"""Each client of the sandbox, type, interaction and traject: over HTTP comes out what the table of rules says.

What is asked is generated from the CapabilityStatement: an interaction or operation that is new there fails here until
somebody says how to ask it.
"""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from api.test_appointment import appointment
from databases import Database
from every_type import with_every_type
from ketenzorg.access.parts import part_of
from ketenzorg.access.rules import TABLE, rule_for, types_for
from ketenzorg.access.views import sight_by_rule
from ketenzorg.api.definitions import KINDS
from ketenzorg.api.metadata import capability_statement
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.standing import Standing
from kidneys import a_kidney_referral
from referrals import EXAMPLE, a_referral, said
from services import CATALOGUE, REGION, START, Service, serving, token_for
from spec.talking import call

PATCH = {"Content-Type": "application/json-patch+json"}
# In no traject: their own tests ask for another's; definitions are nobody's.
ASKED_BY_ORGANISATION = {"Subscription", "AuditEvent", *KINDS}
ANOTHER = "http://fhir.nl/fhir/NamingSystem/ura", "99990004"  # a practice that is no client of the sandbox
DONE = {200, 201, 409, 412, 422}  # reached: the pathway, the body, the version or a cut view may still say no
SANDBOX = tuple(REGION.clients)


class Traject(NamedTuple):
    """What decides who sees it."""

    pathway: Pathway
    standing: Standing
    involved: tuple[UUID, ...]
    ended: bool
    request: str  # id of the ServiceRequest
    patient: str


class Cell(NamedTuple):
    """One resource in one traject."""

    kind: str
    id: str
    traject: Traject


Ask = Callable[[httpx.AsyncClient, Cell, dict[str, Any]], Any]
Way = tuple[str, Ask]  # the interaction of the table, and how it is asked


async def _search(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> bool | int:
    answer = await client.get(f"/fhir/{cell.kind}?_id={cell.id}")
    return answer.status_code if answer.status_code != 200 else "entry" in answer.json()


async def _put(client: httpx.AsyncClient, cell: Cell, whole: dict[str, Any]) -> int:
    return (await client.put(f"/fhir/{cell.kind}/{cell.id}", json=whole)).status_code


async def _ask(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    abort = {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]}
    focus = {"reference": f"Task/{cell.id}"}
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "code": abort, "focus": focus}
    return (await client.post("/fhir/Task", json=task)).status_code


async def _book(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    body = {
        "resourceType": "Appointment",
        "status": "proposed",
        "basedOn": [{"reference": f"ServiceRequest/{cell.traject.request}"}],
        "participant": [{"actor": {"display": "iemand"}, "status": "tentative"}],
    }
    return (await client.post("/fhir/Appointment", json=body)).status_code


def _get(tail: str = "") -> Ask:
    async def ask(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
        return (await client.get(f"/fhir/{cell.kind}/{cell.id}{tail}")).status_code

    return ask


async def _patch(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    return (await client.patch(f"/fhir/{cell.kind}/{cell.id}", content=b"[]", headers=PATCH)).status_code


async def _delete(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    """Of a version that is not there: it is judged, and nothing happens."""
    return (await client.delete(f"/fhir/{cell.kind}/{cell.id}", headers={"If-Match": 'W/"999"'})).status_code


async def _event(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    return (
        await client.post(f"/fhir/{cell.kind}/{cell.id}/$event", json=said("dit bestaat niet"))
    ).status_code


async def _overdue(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> bool | int:
    """Of one's own part: nothing of another's stands in it."""
    answer = await client.get("/fhir/Task/$overdue")
    return answer.status_code if answer.status_code != 200 else cell.id in answer.text


async def _history(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> bool | int:
    answer = await client.get(f"/fhir/{cell.kind}/_history?_count=200")
    return answer.status_code if answer.status_code != 200 else f"/{cell.kind}/{cell.id}" in answer.text


WAYS: dict[str, Way] = {
    "read": ("read", _get()),
    "vread": ("vread", _get("/_history/1")),
    "history-instance": ("history-instance", _get("/_history")),
    "history-type": ("history-type", _history),
    "search-type": ("search", _search),
    "create": ("ask", _ask),
    "update": ("update", _put),
    "patch": ("patch", _patch),
    "delete": ("delete", _delete),
    "$next": ("next", _get("/$next")),
    "$event": ("event", _event),
    "$overdue": ("overdue", _overdue),
    "$document": ("document", _get("/$document")),
    "$validate": ("read", _get("/$validate")),
}


async def _rebook(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    body = {
        "resourceType": "Appointment",
        "id": cell.id,
        "status": "proposed",
        "participant": [{"actor": {"display": "iemand"}, "status": "tentative"}],
    }
    return (await client.put(f"/fhir/Appointment/{cell.id}", json=body)).status_code


async def _propose(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    body = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "proposal",
        "basedOn": [{"reference": f"ServiceRequest/{cell.id}"}],
        "subject": {"display": "iemand"},
    }
    return (await client.post("/fhir/ServiceRequest", json=body)).status_code


async def _add(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    """Of somebody else, so that it changes nothing where it arrives."""
    somebody = {"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "999991772"}
    body = {
        "resourceType": cell.kind,
        **NEEDED.get(cell.kind, {}),
        "identifier": somebody if cell.kind == "QuestionnaireResponse" else [somebody],
        "patient" if cell.kind in ("AllergyIntolerance", "FamilyMemberHistory") else "subject": {
            "reference": f"Patient/{cell.traject.patient}"
        },
    }
    answer = await client.post(f"/fhir/{cell.kind}", json=body)
    assert answer.status_code in (403, 404, 409, 422), answer.text
    return answer.status_code


async def _decide(client: httpx.AsyncClient, cell: Cell, _: dict[str, Any]) -> int:
    """That it may be shared with who takes no part."""
    nobody = {
        "role": {"text": "wie"},
        "reference": {"identifier": dict(zip(("system", "value"), ANOTHER, strict=True))},
    }
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    body = {
        "resourceType": "Consent",
        "status": "active",
        "dateTime": "2026-01-12",
        "scope": {"coding": [scope]},
        "category": [{"text": "delen"}],
        "policyRule": {"text": "wens"},
        "patient": {"reference": f"Patient/{cell.traject.patient}"},
        "provision": {"type": "permit", "actor": [nobody]},
    }
    return (await client.post("/fhir/Consent", json=body)).status_code


CODE = {"code": {"text": "iets"}}
NEEDED: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": CODE
    | {
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        }
    },
    "DiagnosticReport": CODE | {"status": "final"},
    "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "x"}}]},
    "FamilyMemberHistory": {"status": "completed", "relationship": {"text": "moeder"}},
    "MedicationRequest": {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "x"}},
    "MedicationStatement": {"status": "active", "medicationCodeableConcept": {"text": "x"}},
    "Observation": CODE | {"status": "final"},
    "Procedure": CODE | {"status": "completed"},
    "QuestionnaireResponse": {"status": "completed"},
}


OF_TYPE: dict[str, dict[str, Way]] = {
    **{kind: {"create": ("add", _add)} for kind in types_for("add")},
    "Consent": {"create": ("decide", _decide)},
    "Appointment": {"create": ("book", _book), "update": ("rebook", _rebook), "patch": ("rebook", _patch)},
    "ServiceRequest": {"create": ("event", _propose)},  # of the Task that asks for it
}


def asked_of() -> list[tuple[str, str]]:
    """(type, interaction) as the CapabilityStatement has them, operations with a $."""
    [rest] = capability_statement("http://test", START)["rest"]
    return [
        (each["type"], code)
        for each in rest["resource"]
        if each["type"] not in ASKED_BY_ORGANISATION
        for code in (
            *(one["code"] for one in each["interaction"]),
            *(f"${one['name']}" for one in each.get("operation", ())),
        )
    ]


def may(does: str, cell: Cell, client: str) -> bool:
    """What the table says, of who the client is in this traject, and what its role shows there."""
    organisation, here = REGION.of_client(client).id, cell.traject
    if cell.kind in TABLE.types["directory"]:
        return rule_for(does, cell.kind, "none") is not None
    standing, involved = here.standing, here.involved
    part = part_of(organisation, here.pathway, standing.step, standing.roles, involved)
    phase = (
        "ended" if here.ended and does != "add" else "running"
    )  # that it has ended is a 409, for who took part
    rule = rule_for(does, cell.kind, part, phase=phase)  # type: ignore[arg-type]
    if rule is None or rule.shows == "nothing":
        return rule is not None
    kind = "Composition" if cell.kind == "Binary" else cell.kind
    sight = sight_by_rule("read", kind, organisation, here.pathway, standing, involved)
    return sight.sees(kind)


@pytest.fixture
async def matrix(database: Database) -> AsyncIterator[tuple[Service, list[Cell]]]:
    """Trajecten in which each client refers, performs, looks on, or has no part at all; one has ended with a letter."""
    async with serving(database) as service:
        own = await service.refer(a_referral("own", with_every_type))
        booked = await service.coach.post("/fhir/Appointment", json=appointment(own))
        assert booked.status_code == 201, booked.text
        await service.refer(a_kidney_referral("kidney"))
        for name in ("antistolling", "oogzorg"):
            await service.refer(json.loads(EXAMPLE.with_name(f"referral-{name}.json").read_text("utf-8")))
        ended = await service.refer(a_referral("ended"))
        await service.happens(ended["Task"], "afwijzen", reden_van_afwijzen="geen-plek")
        practice = REGION.by_identifier(*ANOTHER)
        assert practice is not None
        foreign = a_referral("foreign")
        for entry in foreign["entry"]:
            if entry["resource"]["resourceType"] == "ServiceRequest":
                entry["resource"]["requester"] = {
                    "identifier": dict(zip(("system", "value"), ANOTHER, strict=True))
                }
        await call(service, practice.id, "POST", "/fhir", foreign, 200)
        yield service, await cells(service)


async def cells(service: Service) -> list[Cell]:
    rows = await service.rows(
        "select r.type, r.id::text, t.id as traject, t.pathway, t.version, t.step, t.roles::text, t.phases::text,"
        " coalesce(t.involved, t.parties) as involved, t.ended, t.service_request::text as request,"
        " t.patient::text as patient"
        " from ketenzorg.resource r join ketenzorg.traject t on t.id = r.traject order by r.id"
    )
    found = []
    for row in rows:
        roles = {role: UUID(party) for role, party in json.loads(row["roles"]).items()}
        standing = Standing(row["step"], roles, json.loads(row["phases"]))
        pathway = CATALOGUE.version(row["pathway"], row["version"])
        traject = Traject(
            pathway,
            standing,
            tuple(row["involved"]),
            row["ended"] is not None,
            row["request"],
            row["patient"],
        )
        found.append(Cell(row["type"], row["id"], traject))
        if row["type"] == "Composition":
            found.append(Cell("Binary", row["id"], traject))
    return found


async def test_every_cell_comes_out_as_the_table_says(matrix: tuple[Service, list[Cell]]) -> None:
    service, found = matrix
    kinds = {cell.kind for cell in found}
    assert {kind for kind, _ in asked_of()} == kinds | {"Organization"}
    organisation = Cell("Organization", str(REGION.organisations[0].id), found[0].traject)
    wrong, asked, allowed = [], 0, 0
    for client in SANDBOX:
        headers = {"Authorization": f"Bearer {token_for(client)}", "Content-Type": "application/fhir+json"}
        transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as line:
            for kind, code in asked_of():
                does, ask = (WAYS | OF_TYPE.get(kind, {}))[code]
                about = "Task" if does == "event" else kind
                does = "document" if kind == "Binary" else does  # the letter as a PDF
                for cell in [*found, organisation]:
                    if cell.kind != kind:
                        continue
                    whole = {"resourceType": kind, "id": cell.id, "status": "requested", "intent": "order"}
                    got = await ask(line, cell, whole)
                    asked += 1
                    judged = cell._replace(kind=about)
                    wanted = (
                        "forbidden" if without_scope(client, about, does) else reached(does, judged, client)
                    )
                    allowed += wanted == "reached"
                    if outcome(got) not in (wanted, *UNTOLD.get(does, ())):
                        wrong.append((client, kind, code, cell.traject.pathway.name, wanted, got))
    assert wrong == []
    assert asked > 500
    assert allowed > 100


# Of what is late nothing is known to the table: that what is another's never stands in the list is asked instead.
# Of another organisation than its own only a care provider may say what the patient wants.
UNTOLD: dict[str, tuple[str, ...]] = {"overdue": ("hidden",), "decide": ("forbidden",)}


def reached(does: str, cell: Cell, client: str) -> str:
    return "reached" if may(does, cell, client) else "hidden"


def without_scope(client: str, kind: str, does: str) -> bool:
    letter = TABLE.interactions[does]  # type: ignore[index]
    granted = [scope.removeprefix("system/").split(".") for scope in REGION.clients[client].scopes]
    return not any(of in ("*", kind) and letter in letters for of, letters in granted)


def outcome(got: bool | int) -> str:
    """A search says whether it found; all else by its status. Cut or conflicting is reached; 404 is hidden."""
    if isinstance(got, bool):
        return "reached" if got else "hidden"
    if got == 403:
        return "forbidden"
    return "reached" if got in DONE else "hidden"
