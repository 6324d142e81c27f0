"""The patient has another general practice: who is asked, told and shown from then on, and who no more."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from api.test_appointment import appointment
from api.test_asides import asked, question
from api.test_handover import the_log_tells_the_same
from api.test_objection import consent, kidneys_of, recorded, somebody_else
from api.test_sending_on import OTHER, sending_on
from api.test_withdrawal import is_neutral, rows_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.person.practice import PASSED, UNKNOWN
from ketenzorg.coordination.showing.own_part import put_right
from ketenzorg.coordination.showing.story import PassedOn, look_at
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.errors import NotFound, TransitionNotAllowed
from referrals import a_referral, places, said, texts
from services import REGION, Referral, Service
from spec.talking import call

NEW = next(each for each in REGION.organisations if each.ura == "99990004")
OLD = REGION.of_client("his-demo")


def gone_to(organisation: Any = NEW, **given: str) -> dict[str, Any]:
    body = said(PASSED, **({"akkoord_van_patient": "patient-akkoord"} | given))
    named = {"name": "organisatie", "valueReference": {"reference": f"Organization/{organisation.id}"}}
    body["parameter"].append(named)
    return body


async def passes(service: Service, task: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await service.his.post(f"/fhir/{task}/$event", json=body or gone_to())
    assert answer.status_code == 200, answer.text
    now: dict[str, Any] = answer.json()
    return now


async def new(service: Service, address: str, expected: int = 200) -> Any:
    return (await call(service, NEW.id, "GET", f"/fhir/{address}", None, expected)).json()


async def old(service: Service, address: str) -> int:
    return (await service.his.get(f"/fhir/{address}")).status_code


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, (address, answer.text)
    body: dict[str, Any] = answer.json()
    return body


def found(bundle: dict[str, Any]) -> set[str]:
    return {
        f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in bundle.get("entry", ())
    }


def letters(task: dict[str, Any]) -> list[str]:
    """What it says of a letter that must go."""
    all_ = (*task.get("input", ()), *task.get("output", ()))
    return [each["valueString"] for each in all_ if each["type"].get("text") == "andere huisarts"]


async def under_way(service: Service, number: str = "2026-000123") -> tuple[Referral, str, str]:
    """Accepted, planned, with a question to the practice."""
    referral = await service.refer(a_referral(number))
    await service.happens(referral["Task"], "aannemen")
    planned = await service.coach.post("/fhir/Appointment", json=appointment(referral))
    assert planned.status_code == 201, planned.text
    vraag = await asked(service.coach, question(referral["Task"]))
    return referral, f"Appointment/{planned.json()['id']}", vraag


async def test_the_new_practice_has_the_part_of_the_old_one(service: Service) -> None:
    referral, planned, vraag = await under_way(service)
    task = referral["Task"]
    seen = {kind: await read(service.his, referral[kind]) for kind in ("Patient", "ServiceRequest")}
    before = int((await read(service.his, task))["meta"]["versionId"])
    await passes(service, task)

    now = await new(service, task)
    assert (now["requester"]["reference"], now["status"]) == (f"Organization/{NEW.id}", "accepted")
    assert (await new(service, vraag))["owner"]["reference"] == f"Organization/{NEW.id}"
    for kind, resource in seen.items():
        assert await new(service, referral[kind]) == resource, kind
    assert (await new(service, planned))["status"] == "booked"
    assert {task, vraag} <= found(await new(service, f"Task?patient={referral['Patient']}"))
    by_number = "identifier=http%3A%2F%2Ffhir.nl%2Ffhir%2FNamingSystem%2Fbsn%7C999990019"
    for organisation in (NEW, OLD):
        answer = await call(service, organisation.id, "POST", "/fhir/Patient/_search", by_number, 200)
        assert found(answer.json()) == {referral["Patient"]}
    # The old one keeps what it had, and learns no more.
    for address, status in (
        (task, 404), (vraag, 404), (planned, 404), (referral["CarePlan"], 404),
        (f"{task}/_history/{before}", 200), (f"{task}/_history/{before + 1}", 404),
        (referral["ServiceRequest"], 200), (referral["Patient"], 200),
    ):  # fmt: skip
        assert await old(service, address) == status, address
    for event in ("intrekken", "informatie gegeven", PASSED, UNKNOWN):
        answer = await service.his.post(f"/fhir/{task}/$event", json=said(event))
        assert answer.status_code == 404, (event, answer.text)
    # What was asked of the old one, the new one answers; what it asks, is answered to it.
    answered = said("informatie gegeven", antwoord="Dinsdag en donderdag.")
    await call(service, NEW.id, "POST", f"/fhir/{task}/$event", answered, 200)
    await service.happens(task, "kennismaking gehouden")
    await service.happens(task, "afronden", terugkoppeling="Er is een club gevonden.")
    ended = await new(service, task)
    assert ended["status"] == "completed"
    [letter] = [
        each["valueReference"]["reference"]
        for each in ended["output"]
        if each["type"]["text"] == "terugkoppelbrief"
    ]
    assert (await new(service, letter))["resourceType"] in ("Composition", "DocumentReference")
    assert await old(service, letter) == 404
    await the_log_tells_the_same(service)


async def test_all_running_trajecten_of_the_patient_pass_on_at_once_and_no_others(service: Service) -> None:
    welfare, kidneys = await service.refer(), await service.refer(kidneys_of())
    over = await service.refer(a_referral("over"))
    await service.happens(over["Task"], "afwijzen", reden_van_afwijzen="geen-plek")
    other = await service.refer(a_referral("other", somebody_else))
    await passes(service, welfare["Task"])
    for each in (welfare, kidneys):
        assert (await new(service, each["Task"]))["requester"]["reference"] == f"Organization/{NEW.id}"
        assert await old(service, each["Task"]) == 404
    for each in (over, other):
        await new(service, each["Task"], 404)
        assert await old(service, each["Task"]) == 200
    [told] = await service.rows(
        "select count(*) from ketenzorg.part where cardinality(news) > 0"
        f" and organisation = '{NEW.id}' and ended is null"
    )
    assert told[0] == 2


async def test_a_wrong_click_is_undone_in_all_of_them_and_the_wrong_practice_sees_nothing_any_more(
    service: Service,
) -> None:
    world, visit = service.app.litestar.state.world, Visit(caller_for(REGION, "his-demo"), Trail("test"))
    referral, planned, vraag = await under_way(service)
    kidneys = await service.refer(kidneys_of())
    task = referral["Task"]
    before = {each: await read(service.his, each) for each in (task, vraag, planned, referral["CarePlan"])}
    await passes(service, task)
    with pytest.raises(PassedOn) as gone:
        await look_at(UUID(task.removeprefix("Task/")), visit, world)
    assert (gone.value.to, gone.value.may_undo) == (NEW.name, True)
    await put_right(UUID(task.removeprefix("Task/")), 0, visit, world)

    differs = {"meta": 0, "lastModified": 0}
    for address, body in before.items():
        assert await read(service.his, address) | differs == body | differs, address
    assert (await read(service.his, kidneys["Task"]))["requester"]["reference"] == f"Organization/{OLD.id}"
    assert [row async for row in rows_of(service, NEW.id)] == []
    is_neutral(await new(service, task))
    with pytest.raises(NotFound):
        await put_right(UUID(task.removeprefix("Task/")), 0, stranger(), world)
    await the_log_tells_the_same(service)
    story = await look_at(UUID(task.removeprefix("Task/")), visit, world)
    assert [moment.event for moment in story.moments if moment.undone] == [f"andere huisarts: {NEW.name}"]
    await service.happens(task, "kennismaking gehouden")
    # What was done with it cannot be undone.
    await passes(service, task)
    await service.happens(task, "afronden", terugkoppeling="Klaar.")
    with pytest.raises(TransitionNotAllowed):
        await put_right(UUID(task.removeprefix("Task/")), 0, visit, world)


def stranger() -> Visit:
    return Visit(caller_for(REGION, "ziekenhuis-demo"), Trail("test"))


async def test_only_the_practice_of_now_says_which_one_and_mistakes_are_told_together(
    service: Service,
) -> None:
    referral = await service.refer()
    task = referral["Task"]
    refused = await service.coach.post(f"/fhir/{task}/$event", json=gone_to())
    assert refused.status_code == 409
    assert UNKNOWN in texts(refused)
    nowhere = said(PASSED, akkoord_van_patient="misschien", antwoord="x")
    answer = await service.his.post(f"/fhir/{task}/$event", json=nowhere)
    assert answer.status_code == 422
    wrong = ("akkoord-van-patient", "antwoord", "organisatie")
    assert {f"Parameters.parameter.where(name='{name}')" for name in wrong} == set(places(answer))
    for named in (OLD, REGION.of_client("ziekenhuis-demo")):
        assert (await service.his.post(f"/fhir/{task}/$event", json=gone_to(named))).status_code == 422
    options = (await read(service.his, f"{task}/$next"))["parameter"]
    [option] = [
        each["part"]
        for each in options
        if each["name"] == "next" and each["part"][0]["valueString"] == PASSED
    ]
    offered = [each["valueReference"]["reference"] for each in option if each["name"] == "organisatie"]
    assert f"Organization/{NEW.id}" in offered
    assert f"Organization/{OLD.id}" not in offered


async def test_an_objection_stops_it(service: Service) -> None:
    referral = await service.refer()
    await recorded(service.his, consent(referral, organisation=NEW))
    answer = await service.his.post(f"/fhir/{referral['Task']}/$event", json=gone_to())
    assert answer.status_code == 422
    assert "bezwaar" in texts(answer)
    await new(service, referral["Task"], 404)


async def test_where_it_is_not_connected_a_person_sees_that_a_letter_must_go(service: Service) -> None:
    """It stays in the hand-overs that follow, and goes when a practice that is connected takes over."""
    referral = await service.refer()
    task = referral["Task"]
    told = await service.coach.post(f"/fhir/{task}/$event", json=said(UNKNOWN, praktijk="Praktijk te Assen"))
    assert told.status_code == 200, told.text
    [words] = letters(await read(service.his, task))
    assert "Praktijk te Assen" in words
    again = await service.coach.post(f"/fhir/{task}/$event", json=said(UNKNOWN))
    assert len(letters(again.json())) == 1
    [news] = await service.rows(f"select news from ketenzorg.part where organisation = '{OLD.id}'")
    assert len(news[0]) == 2
    with_number = await service.coach.post(f"/fhir/{task}/$event", json=said(UNKNOWN, praktijk="999990019"))
    assert with_number.status_code == 422
    await service.happens(task, "aannemen")
    answer = await service.coach.post(f"/fhir/{task}/$event", json=sending_on(OTHER))
    assert answer.status_code == 200, answer.text
    [task] = found(await read(service.his, "Task?status=requested"))
    assert letters(await read(service.his, task)) == letters(again.json())
    await passes(service, task)
    assert letters(await new(service, task)) == []
    await the_log_tells_the_same(service)
