"""Holes of access that were found in comparable systems, each by the number under which we keep it."""

from uuid import uuid4

import pytest

from access.parties import of_kind, wall_shows
from every_type import with_every_type
from ketenzorg.access.rules import TABLE, rule_for
from ketenzorg.coordination.reading import gathering
from ketenzorg.fhir import r4
from ketenzorg.pathway.visibility import Visibility
from referrals import a_referral, said
from services import Service
from spec.talking import call

STRANGER = of_kind("fysiotherapie")  # a valid token, and no part in anything here
TASK = {"resourceType": "Task", "status": "accepted", "intent": "order"}
EVERYTHING = Visibility(everything=True, bsn=True, shows={}, answers=frozenset())


def filled(route: str, id_: str, kind: str) -> str:
    return (
        route.replace("{kind:str}", kind)
        .replace("{id_:str}", id_)
        .replace("{task:str}", id_)
        .replace("{version:str}", "1")
        .replace("{what:str}", "aannemen")
    )


async def test_s1_playing_with_fhir_a_stranger_with_a_valid_token_finds_nothing_on_any_route(
    service: Service,
) -> None:
    """S1 and S12: every route and every type, with what is there and with what is not: the same status and body."""
    referral = await service.refer(a_referral("1", with_every_type))
    asked = {
        "POST": said("aannemen"),
        "PATCH": [],
        "PUT": {"resourceType": "Task", "status": "accepted", "intent": "order"},
    }
    told = 0
    for route, does in TABLE.routes.items():
        method, _, path = route.partition(" ")
        if "{id_:str}" not in path or {"open", "sandbox"} & {*does}:
            continue
        for location in referral.locations:
            kind, _, there = location.partition("/")
            answers = []
            for id_ in (there, str(uuid4())):
                body = asked.get(method)
                body = {**body, "id": id_} if method == "PUT" else body
                answers.append(await call(service, STRANGER, method, filled(path, id_, kind), body))
            hidden, absent = answers
            assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content), (route, kind)
            assert hidden.status_code >= 400, (route, kind)
            told += 1
    assert told > 100
    for location in referral.locations:
        kind, _, there = location.partition("/")
        found = await call(service, STRANGER, "GET", f"/fhir/{kind}?_id={there}", None, 200)
        assert "entry" not in found.json(), kind
    for kind in ("CarePlan", "Patient", "ServiceRequest", "Task"):
        assert "entry" not in (await call(service, STRANGER, "GET", f"/fhir/{kind}", None, 200)).json()


def test_s3_openemr_forgot_a_type_here_a_type_without_a_rule_is_there_for_nobody() -> None:
    """S3: CVE-2026-24487."""
    parts = ("requester", "owner", "bystander", "left", "candidate", "none")
    for kind in r4.STORED_TYPES - {kind for kinds in TABLE.types.values() for kind in kinds}:
        assert not [does for does in TABLE.interactions for part in parts if rule_for(does, kind, part)], kind


async def test_s4_an_id_in_a_body_does_not_reach_another_resource(service: Service) -> None:
    """S4: CVE-2026-25744."""
    mine, other = await service.refer(a_referral("1")), await service.refer(a_referral("2"))
    seen = (await service.his.get(f"/fhir/{mine['Task']}")).json()
    before = (await service.his.get(f"/fhir/{other['Task']}")).content

    response = await service.his.put(f"/fhir/{other['Task']}", json={**seen, "status": "cancelled"})

    assert response.status_code == 422
    assert (await service.his.get(f"/fhir/{other['Task']}")).content == before


async def test_s18_what_was_rolled_back_is_read_by_nobody(service: Service) -> None:
    """S18: a referral that fails while it is stored leaves nothing, in no cache either."""
    await service.rows("alter table ketenzorg.resource add check (type <> 'CarePlan') not valid")
    assert (await service.his.post("/fhir", json=a_referral("1"))).status_code == 500
    for kind in ("Task", "ServiceRequest"):
        assert "entry" not in (await service.his.get(f"/fhir/{kind}")).json()
    assert not await service.rows("select 1 from ketenzorg.resource")


async def test_without_the_applications_own_check_the_wall_stands(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    referral = await service.refer(a_referral("1", with_every_type))
    monkeypatch.setattr(gathering, "sight_by_rule", lambda *_: EVERYTHING)
    for location in referral.locations:
        assert (await call(service, STRANGER, "GET", f"/fhir/{location}")).status_code == 404, location
    for hidden in ("Condition", "Observation", "MedicationRequest", "AllergyIntolerance"):
        assert (await service.coach.get(f"/fhir/{referral[hidden]}")).status_code == 404, hidden
    assert "entry" not in (await call(service, STRANGER, "GET", "/fhir/Task", None, 200)).json()
    assert await wall_shows(service, STRANGER) == set()
