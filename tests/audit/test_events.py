"""The audit log as AuditEvents: all that NEN 7513 asks stands in every one, and each reader gets only its own."""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from audits import chained, tamper
from ketenzorg.fhir.decode import decode
from referrals import a_referral, of
from services import REGION, Service

from .day import FROM_A_GP, HIS_GP, a_day, client_of

PERSONAL = (
    "999990019",
    "Veldkamp",
    "Trijntje",
    "Voorbeeldstraat",
    "050-5550100",
    "Sinds mijn man",
    "koffieochtend",
)
DCM, OBJECT, ENTITY = ("http://dicom.nema.org/resources/ontology/DCM", "object-role", "audit-entity-type")
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


async def every_event(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    """All pages of a search."""
    events: list[dict[str, Any]] = []
    path: str | None = f"/fhir/AuditEvent?_count=7{query}"
    while path:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        decode(answer.content)
        events += [entry["resource"] for entry in bundle.get("entry", ())]
        path = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    return events


def person(number: int) -> Callable[[dict[str, Any]], None]:
    """A referral about somebody of their own."""

    def change(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["identifier"][0]["value"] = ("999990019", "999990020")[number]

    return change


def coded(holder: dict[str, Any], name: str = "type") -> set[str]:
    coding = holder.get(name, {})
    return {each["code"] for each in coding.get("coding", [coding] if coding else [])}


def fields(event: dict[str, Any]) -> dict[str, Any]:
    """What NEN 7513 asks of a line, as somebody who gets the event reads it."""
    agents, entities = event["agent"], event.get("entity", [])
    by_type = {code: agent for agent in agents for code in coded(agent)}
    role = {code: entity for entity in entities for code in coded(entity, "role")}
    [requestor] = [agent for agent in agents if agent["requestor"]]
    return {
        "what happened": (event["action"], *(each["code"] for each in event["subtype"])),
        "when": event["recorded"],
        "which client": [a["who"]["identifier"]["value"] for a in agents if "NamingSystem/client" in str(a)],
        "who": requestor["who"],
        "responsible": by_type["RESP"]["who"],
        "organisation": by_type["PROV"]["who"],
        "what": role.get("4", {}).get("what") or b64decode(role["24"]["query"]),
        "purpose": event["purposeOfEvent"][0]["coding"][0]["code"],
        "request": [e["what"]["identifier"]["value"] for e in entities if "XrequestId" in str(e)],
        "outcome": event["outcome"],
        "rule": requestor.get("policy"),
        "role": by_type["PROV"].get("role"),
        "patient": role.get("1", {}).get("what"),
    }


async def test_every_line_of_a_whole_day_is_a_valid_and_complete_audit_event(service: Service) -> None:
    await a_day(service)
    await chained(service)
    rows = await service.rows("select *, cardinality(trajecten) as many from ketenzorg.audit order by id")
    events = []
    for client in ("his", "coach", "hospital"):
        events += await every_event(getattr(service, client))
    async with client_of(service, "ketenteam-demo") as team:
        events += await every_event(team)

    model = get_fhir_model_class("AuditEvent")
    for event in events:
        assert model.model_validate(event)
    of_the_day = {str(row["id"]): row for row in rows}
    found = Counter(
        event["id"].partition(".")[0] for event in events if event["id"].partition(".")[0] in of_the_day
    )
    assert found == {id_: max(row["many"], 1) for id_, row in of_the_day.items()}

    for event in events:
        told = fields(event)
        missing = [
            name for name, value in told.items() if not value and name not in ("rule", "role", "patient")
        ]
        assert missing == [], event
        if told["outcome"] == "0":
            assert told["rule"], event
        if told["patient"]:
            assert told["role"], event
            assert told["patient"]["identifier"]["value"], event
    kinds = {row["interaction"] for row in rows}
    assert kinds == {
        "create", "add", "ask", "book", "decide", "read", "vread", "search", "overdue", "events", "next",
        "event", "undo", "update", "rebook", "patch", "note",
        "figures", "list", "page", "print", "document", "export", "subscribe",
    }  # fmt: skip
    assert [word for word in PERSONAL if word in str(events)] == []
    persons = {str(row["person"]) for row in await service.rows("select person from ketenzorg.traject")}
    assert [person for person in persons if person in str(events)] == []


async def test_who_acts_for_whom_in_which_role_by_which_rule_and_in_what_emergency(service: Service) -> None:
    task = await a_day(service)
    reads = [e for e in await every_event(service.his, "&action=R") if e["agent"][2].get("requestor")]
    calm, hurried = [fields(e) for e in reads if FROM_A_GP.rpartition("#")[2] in str(e)]
    assert calm["who"]["identifier"] == {"system": FROM_A_GP.rpartition("#")[0], "value": "000012345"}
    assert calm["responsible"]["identifier"]["value"] == HIS_GP.rpartition("#")[2]
    assert calm["organisation"]["reference"] == f"Organization/{REGION.of_client('his-demo').id}"
    assert (calm["purpose"], hurried["purpose"]) == ("TREAT", "ETREAT")
    assert calm["rule"] == ["https://ketenzorg.example/fhir/rule/takes-part-reads"]
    assert calm["role"] == [{"text": "verwijzer"}]

    [accepted] = [e for e in await every_event(service.coach, "&action=U") if coded_in(e, "patch")]
    told = fields(accepted)
    assert told["what"]["reference"] == f"{task}/_history/3"
    assert told["rule"][1].endswith("/PlanDefinition/welzijn-op-recept|0.1.0")
    assert told["role"] == [{"text": "welzijnscoach"}]
    [consent] = [e for e in accepted["entity"] if e["type"]["code"] == "Consent"]
    assert consent["what"]["reference"].startswith("Consent/")
    looks = [e for e in await every_event(service.coach) if "look.1" in fields(e)["request"]]
    assert all("session.1" in str(e["entity"]) for e in looks)


def coded_in(event: dict[str, Any], code: str) -> bool:
    return code in {each["code"] for each in event["subtype"]}


async def test_what_fits_a_pattern_of_ihe_has_what_that_asks(service: Service) -> None:
    """https://profiles.ihe.net/ITI/BALP: the slices of its profiles, as far as they are cardinalities and codes."""
    await a_day(service)
    events = await every_event(service.his) + await every_event(service.coach)
    claimed = Counter(
        p.removeprefix(BALP) for e in events for p in e["meta"]["profile"] if p.startswith(BALP)
    )
    of_a_patient = {"PatientCreate", "PatientRead", "PatientUpdate", "PatientQuery"}
    assert set(claimed) == {*of_a_patient, "Create", "Read", "Query"}
    for event in events:
        for pattern in (p.removeprefix(BALP) for p in event["meta"]["profile"] if p.startswith(BALP)):
            assert_fits(event, pattern)


def assert_fits(event: dict[str, Any], pattern: str) -> None:
    assert (event["type"]["code"], event["outcome"]) == ("rest", "0")
    allowed = {
        "C": {"create"}, "R": {"read", "vread"}, "U": {"update", "patch"}, "E": {"search-type"},
    }[event["action"]]  # fmt: skip
    assert len([each for each in event["subtype"] if each["code"] in allowed]) == 1
    client, server = ("110152", "110153") if event["action"] == "R" else ("110153", "110152")
    for code in (client, server):
        [agent] = [agent for agent in event["agent"] if code in coded(agent)]
        assert agent["who"]
        assert agent["network"]
        assert "media" not in agent
    people = [agent for agent in event["agent"] if coded(agent) & {"IRCP", "AUT"}]
    assert all(agent["requestor"] and "network" not in agent for agent in people)
    assert len(people) <= 1
    patients = [each for each in event["entity"] if coded(each) == {"1"}]
    assert len(patients) == pattern.startswith("Patient")
    assert all(coded(each, "role") == {"1"} and each["what"]["type"] == "Patient" for each in patients)
    [data] = [each for each in event["entity"] if coded(each) == {"2"}]
    if event["action"] == "E":
        assert coded(data, "role") == {"24"}
        assert data["query"]
        assert not {"what", "detail", "name", "lifecycle"} & data.keys()
    else:
        assert coded(data, "role") == {"4"}
        assert data["what"]["reference"]


async def test_a_search_says_by_what_and_whom_it_showed_and_no_value(service: Service) -> None:
    await service.refer()
    await service.coach.get("/fhir/Task?status=rejected&patient=Patient/x&_count=9")
    await service.coach.get("/fhir/Task?status=requested")
    none, one, _ = await every_event(service.coach, "&action=E")  # and the search of the log itself
    assert b64decode(none["entity"][0]["query"]) == b"Task?status=&patient=&_count="
    assert none["entity"][0]["description"].startswith("keyed digest of the query: ")
    assert [coded(each) for each in one["entity"][:2]] == [{"1"}, {"2"}]
    assert b64decode(one["entity"][1]["query"]) == b"Task?status="
    assert "requested" not in str(one)


async def test_the_practice_sees_who_looked_at_its_patient_and_not_who_else_was_on_that_page(
    service: Service,
) -> None:
    first, second = [await service.refer(a_referral(f"s-{n}", person(n))) for n in range(2)]
    await service.coach.get("/fhir/Task")
    await service.coach.get(f"/fhir/{second['Patient']}")
    for chain in (False, True):  # also what is not in the chain yet
        if chain:
            await chained(service)
        seen = await every_event(service.his, f"&patient={first['Patient']}")
        done = [fields(event) for event in seen if not coded_in(event, "log-search")]
        assert [each["what happened"][0] for each in done] == ["C", "E"]
        assert {each["patient"]["reference"] for each in done} == {first["Patient"]}
        assert "." in seen[1]["id"]
        assert str(second["Patient"]) not in str(seen)
    own = await every_event(service.coach, f"&patient={first['Patient']}")
    assert {fields(event)["organisation"]["reference"] for event in own} == {
        f"Organization/{REGION.of_client('welzijn-demo').id}"
    }
    [looked] = await every_event(service.his, f"&entity={second['Patient']}")
    assert fields(looked)["who"]["identifier"]["value"] == "welzijn-demo"
    coach = f"Organization/{REGION.of_client('welzijn-demo').id}"
    by_coach = await every_event(service.his, f"&patient={second['Patient']}&agent={coach}")
    assert [fields(event)["what happened"][0] for event in by_coach] == ["E", "R"]


async def test_a_search_that_showed_several_tells_of_each_only_the_role_in_that_traject(
    service: Service,
) -> None:
    first, second = [await service.refer(a_referral(f"s-{n}", person(n))) for n in range(2)]
    coach = REGION.of_client("welzijn-demo").id
    await tamper(
        service,
        f"""update ketenzorg.traject set roles = roles || '{{"verwijzer#1": "{coach}"}}'
        where id = (select traject from ketenzorg.resource where id = '{second["Task"][5:]}' limit 1)""",
    )
    assert (await service.coach.get("/fhir/Task")).status_code == 200
    told = {}
    for referral in (first, second):
        [searched] = await every_event(
            service.his, f"&patient={referral['Patient']}&action=E&agent=Organization/{coach}"
        )
        told[referral["Task"]] = [each["text"] for each in fields(searched)["role"]]
    assert told == {first["Task"]: ["welzijnscoach"], second["Task"]: ["verwijzer", "welzijnscoach"]}


async def test_one_event_is_read_by_who_may_and_is_not_there_for_who_may_not(service: Service) -> None:
    referral = await service.refer()
    await service.coach.get("/fhir/Task")
    await service.coach.get(f"/fhir/{referral['Patient']}")
    query, read, _ = await every_event(service.coach)
    for event in (query, read):
        answer = await service.his.get(f"/fhir/AuditEvent/{event['id']}")
        assert answer.json() == event
        absent = f"/fhir/AuditEvent/{event['id'][:-4]}0000"
        hidden, gone = (
            await service.hospital.get(f"/fhir/AuditEvent/{event['id']}"),
            await service.hospital.get(absent),
        )
        assert (hidden.status_code, hidden.content) == (gone.status_code, gone.content)
        assert hidden.status_code == 404
    created = (await every_event(service.his))[0]
    assert (
        await service.coach.get(f"/fhir/AuditEvent/{created['id']}")
    ).status_code == 404  # no file of its own
    for odd in ("x", f"{read['id']}.1", f"{read['id']}.0", str(referral["Task"][5:])):
        assert (await service.coach.get(f"/fhir/AuditEvent/{odd}")).status_code == 404


async def test_reading_the_log_is_on_record_too(service: Service) -> None:
    referral = await service.refer()
    event = (await every_event(service.his))[0]
    await service.his.get(f"/fhir/AuditEvent/{event['id']}")
    await service.hospital.get(f"/fhir/AuditEvent/{event['id']}")
    await every_event(service.his, f"&patient={referral['Patient']}")
    lines = await service.rows(
        "select interaction, outcome, rule, cardinality(trajecten) as many from ketenzorg.audit"
        " where interaction like 'log-%' order by id"
    )
    assert [tuple(line) for line in lines] == [
        ("log-search", "0", "reads-own-log", 0),
        ("log-read", "0", "reads-own-log", 1),
        ("log-read", "4", "", 0),
        ("log-search", "0", "reads-own-log", 1),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "name=Veldkamp", "date=gisteren", "date=ne2026-01-01", "patient=Task/x", "patient=x", "agent=Patient/1",
        "action=X", "_count=0", "_cursor=1", "action=R&action=C", f"entity={'x' * 300}", "entity=1",
    ],
)  # fmt: skip
async def test_what_is_asked_wrong_is_named(service: Service, query: str) -> None:
    answer = await service.his.get(f"/fhir/AuditEvent?{query}")
    assert answer.status_code == 400, answer.text
    assert "Veldkamp" not in answer.text


async def test_a_period_is_of_the_moment_that_was_recorded(service: Service) -> None:
    await service.refer()
    [moment] = [row["at"] for row in await service.rows("select at from ketenzorg.audit")]
    day = f"{moment:%Y-%m-%d}"
    asked = {f"date={day}": 1, f"date=lt{day}": 0, f"date=ge{day}&date=le{day}": 1, "date=ge2999": 0}
    asked |= {"date=ge0001": 1, "date=lt0002": 0}
    for query, many in asked.items():
        found = [e for e in await every_event(service.his, f"&{query}") if not coded_in(e, "log-search")]
        assert len(found) == many, query


async def test_a_scope_is_asked_for(service: Service) -> None:
    async with client_of(service, "his-demo", "system/Task.rs") as his:
        assert (await his.get("/fhir/AuditEvent")).status_code == 403
    async with client_of(service, "his-demo", "system/AuditEvent.s") as his:
        assert (await his.get("/fhir/AuditEvent")).status_code == 200
        assert (await his.get("/fhir/AuditEvent/x")).status_code == 403
