"""Who was asked sends a referral on to another that can do it: the chain is visible, the clock runs on (c.3)."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.test_handover import the_log_tells_the_same
from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from referrals import said, texts
from services import REGION, SECRET, SETTINGS, Service
from subscribed import listening

URA = "http://fhir.nl/fhir/NamingSystem/ura"
OWN, OTHER, HOSPITAL = "99990015", "99990016", "99990022"


def other_team(service: Service) -> httpx.AsyncClient:
    """The system of the organisation to which it is sent on."""
    organisation = REGION.by_identifier(URA, OTHER)
    assert organisation is not None
    caller = Caller("other", organisation.id, organisation.kind, frozenset({"system/*.cruds"}), REGION.code)
    token = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


def sending_on(to: str | None) -> dict[str, Any]:
    body = said("doorsturen", akkoord_van_patient="patient-akkoord")
    if to:
        named = {"name": "organisatie", "valueReference": {"identifier": {"system": URA, "value": to}}}
        body["parameter"].append(named)
    return body


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, (address, answer.text)
    body: dict[str, Any] = answer.json()
    return body


async def due(client: httpx.AsyncClient, task: str) -> dict[str, str]:
    """Norm -> until when."""
    parts = [
        each["part"] for each in (await read(client, f"{task}/$next"))["parameter"] if each["name"] == "due"
    ]
    return {part[0]["valueString"]: part[1]["valueInstant"] for part in parts}


async def test_the_question_goes_to_another_house_and_the_clock_runs_on(service: Service) -> None:
    referral = await service.refer()
    before = await due(service.coach, referral["Task"])
    sent = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=sending_on(OTHER))
    assert sent.status_code == 200, sent.text

    old = await read(service.his, referral["Task"])
    assert (old["status"], old["statusReason"]["coding"][0]["code"]) == ("rejected", "doorgestuurd")
    following = [
        each["valueReference"]["reference"]
        for each in old["output"]
        if each["type"]["text"] == "volgende taak"
    ]
    assert len(following) == 1
    async with other_team(service) as other:
        new = await read(other, following[0])
        assert new["owner"] != old["owner"]
        for same in ("focus", "for", "requester", "basedOn", "code"):
            assert new[same] == old[same], same
        assert (new["status"], new["businessStatus"]["text"]) == ("requested", "aangemeld")
        assert await due(other, following[0]) == before  # of the patient, who waits since the referral
        accepted = await other.post(f"/fhir/{following[0]}/$event", json=said("aannemen"))
        assert accepted.status_code == 200, accepted.text
    assert (await read(service.his, referral["ServiceRequest"]))["status"] == "active"
    # Who sent it on keeps its own Task as it was, and hears no more.
    assert (await service.coach.get(f"/fhir/{following[0]}")).status_code == 404
    assert (await read(service.coach, referral["Task"]))["status"] == "rejected"
    assert [(await service.coach.get(f"/fhir/{referral[kind]}")).status_code for kind in ("CarePlan",)] == [
        404
    ]


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (OWN, "Dit is uw eigen organisatie"),
        (HOSPITAL, "kan deze verwijzing niet uitvoeren"),
        (None, "Wie wordt de"),  # nobody else works in this municipality, so somebody is named
    ],
)
async def test_it_goes_to_somebody_else_who_can_do_it(service: Service, to: str | None, says: str) -> None:
    referral = await service.refer()
    answer = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=sending_on(to))
    assert (answer.status_code, says in texts(answer)) == (422, True), answer.text
    assert (await read(service.his, referral["Task"]))["status"] == "requested"


async def test_the_patient_agrees_first_and_a_status_alone_never_means_it(service: Service) -> None:
    referral = await service.refer()
    silent = sending_on(OTHER)
    silent["parameter"] = [each for each in silent["parameter"] if each["name"] != "akkoord-van-patient"]
    answer = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=silent)
    assert (answer.status_code, "akkoord-van-patient" in texts(answer)) == (422, True)
    offered = (await read(service.coach, f"{referral['Task']}/$next"))["parameter"]
    [parts] = [
        each["part"]
        for each in offered
        if each["name"] == "next" and each["part"][0]["valueString"] == "doorsturen"
    ]
    named = str([each for each in parts if each["name"] == "organisatie"])
    own, other = REGION.by_identifier(URA, OWN), REGION.by_identifier(URA, OTHER)
    assert own is not None
    assert other is not None
    # Nobody else serves this municipality: who works elsewhere can still be named, and $next says who that is.
    assert (str(own.id) in named, str(other.id) in named) == (False, True)


ACCEPTED = ("aannemen", "eerste contact")
STARTED = (*ACCEPTED, "kennismaking gehouden")


@pytest.mark.parametrize(("before", "ends"), [(ACCEPTED, "rejected"), (STARTED, "failed")])
async def test_after_acceptance_too_and_what_the_first_one_met_counts_no_more_for_the_clock(
    service: Service, before: tuple[str, ...], ends: str
) -> None:
    other_id = REGION.by_identifier(URA, OTHER)
    assert other_id is not None
    own_id = REGION.by_identifier(URA, OWN)
    assert own_id is not None
    await service.rows(listening([other_id.id, own_id.id]))
    referral = await service.refer()
    at_first = await due(service.coach, referral["Task"])
    for event in before:
        await service.happens(referral["Task"], event)
    assert await due(service.coach, referral["Task"]) != at_first
    sent = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=sending_on(OTHER))
    assert sent.status_code == 200, sent.text

    old = await read(service.his, referral["Task"])
    assert (old["status"], old["statusReason"]["coding"][0]["code"]) == (ends, "doorgestuurd")
    [new] = [
        each["valueReference"]["reference"]
        for each in old["output"]
        if each["type"]["text"] == "volgende taak"
    ]
    async with other_team(service) as other:
        assert (await read(other, new))["status"] == "requested"
        assert await due(other, new) == at_first  # the patient waits on, as if nobody had made contact
        for event in ACCEPTED:
            answer = await other.post(f"/fhir/{new}/$event", json=said(event))
            assert answer.status_code == 200, answer.text
        assert "eerste contact" not in await due(other, new)
    assert (await read(service.his, referral["ServiceRequest"]))["status"] == "active"
    await the_log_tells_the_same(service)
    # Who gets the work hears of it before who let it go.
    told = await service.rows(
        "select o.resource::text as task, s.organisation from ketenzorg.outbox o"
        " join ketenzorg.subscription s on s.id = o.subscription where s.type = 'Task' order by o.xid, o.created"
    )
    rows = [(row["task"], row["organisation"]) for row in told]
    first = rows.index((new[5:], other_id.id))
    last_of_old = len(rows) - 1 - rows[::-1].index((referral["Task"][5:], own_id.id))
    assert first < last_of_old
    letter = await service.his.get(f"/fhir/{old['output'][-1]['valueReference']['reference']}")
    assert letter.status_code == 200
    composition = await read(service.his, f"Composition/{letter.json()['id']}")
    assert "eerste contact" in str(composition["section"])  # the letter still tells what the first one did
