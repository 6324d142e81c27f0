"""An appointment for a hand-over: who does the work keeps it, and the pathway says what it means (c.1, row 7)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from api.test_handover import the_log_tells_the_same
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.showing.story import story
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.fhir.decode import decode
from referrals import a_referral, places, said, texts
from services import REGION, START, Referral, Service
from subscribed import listening

PATCH = {"Content-Type": "application/json-patch+json"}
START_AT, END_AT = "2026-01-19T10:00:00+01:00", "2026-01-19T10:45:00+01:00"
Json = dict[str, Any]


def appointment(referral: Referral, **elements: Any) -> Json:
    place = {"type": "Location", "display": "Buurthuis De Wende, Groningen"}
    return {
        "resourceType": "Appointment", "status": "booked", "start": START_AT, "end": END_AT,
        "basedOn": [{"reference": referral["ServiceRequest"]}],
        "participant": [
            {"actor": {"reference": referral["Patient"]}, "status": "accepted"},
            {"actor": place, "status": "accepted"},
        ],
    } | elements  # fmt: skip


async def booked(client: httpx.AsyncClient, body: Json, status: int = 201) -> Json:
    answer = await client.post("/fhir/Appointment", json=body)
    assert answer.status_code == status, answer.text
    decode(answer.content)
    kept: Json = answer.json()
    return kept


async def becomes(client: httpx.AsyncClient, kept: Json, **elements: Any) -> httpx.Response:
    body = {name: value for name, value in (kept | elements).items() if value is not None}
    return await client.put(f"/fhir/Appointment/{kept['id']}", json=body)


async def read(client: httpx.AsyncClient, address: str) -> Json:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, (address, answer.text)
    body: Json = answer.json()
    return body


def later(service: Service, **span: float) -> None:
    service.app.litestar.state.clock.set(START + timedelta(**span))


async def accepted(service: Service) -> Referral:
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    return referral


def visit(client: str) -> Visit:
    return Visit(caller_for(REGION, client), Trail("test", "test"))


async def test_booked_nobody_came_booked_again_and_held(service: Service) -> None:
    practice, coach = (caller_for(REGION, name).organisation for name in ("his-demo", "welzijn-demo"))
    await service.rows(listening([practice, coach]))
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    task = await read(service.his, referral["Task"])
    assert task["businessStatus"]["text"] == "kennismaking"  # what the pathway makes of it
    assert [each["valueReference"]["reference"] for each in task["output"]] == [f"Appointment/{kept['id']}"]
    seen = await read(service.his, f"Appointment/{kept['id']}")
    assert (seen["status"], seen["start"]) == ("booked", START_AT)
    heard = await service.rows("select max(version) as v from ketenzorg.outbox where type = 'Task'")
    assert heard[0]["v"] == int(task["meta"]["versionId"])

    early = await becomes(service.coach, kept, status="noshow")
    assert (early.status_code, places(early)) == (422, ["Appointment.status", "Appointment.start"])
    later(service, days=8)
    missed = await becomes(service.coach, kept, status="noshow")
    assert missed.status_code == 200, missed.text
    assert (await read(service.his, referral["Task"]))["businessStatus"]["text"] == "contact zoeken"
    back = await becomes(service.coach, kept, status="booked")
    assert (back.status_code, "nieuwe afspraak" in texts(back)) == (409, True)

    again = await booked(
        service.coach,
        appointment(referral, start="2026-01-26T10:00:00+01:00", end="2026-01-26T10:45:00+01:00"),
    )
    moved = await becomes(
        service.coach, again, start="2026-01-27T10:00:00+01:00", end="2026-01-27T10:45:00+01:00"
    )
    assert (moved.status_code, moved.headers["ETag"]) == (200, 'W/"2"')
    later(service, days=20)
    held = await becomes(service.coach, moved.json(), status="fulfilled")
    assert held.status_code == 200, held.text
    assert (await read(service.his, referral["Task"]))["status"] == "in-progress"

    log = await service.rows("select event, happened, body::text from ketenzorg.event order by seq")
    assert [row["event"] for row in log][2:] == [
        "eerste contact", "niet verschenen", "eerste contact", "afspraak vastgelegd", "kennismaking gehouden",
    ]  # fmt: skip
    assert (
        log[3]["happened"].isoformat() == "2026-01-19T09:00:00+00:00"
    )  # at the appointment, not when it was said
    assert "De Wende" not in "".join(row["body"] for row in log)
    await the_log_tells_the_same(service)
    told = await story(UUID(referral["Task"][5:]), visit("his-demo"), service.app.litestar.state.world)
    assert [(each.status, each.where) for each in told.appointments] == [
        ("is geweest", "Buurthuis De Wende, Groningen"), ("kwam niet", "Buurthuis De Wende, Groningen"),
    ]  # fmt: skip


async def test_the_same_again_is_the_same_appointment(service: Service) -> None:
    referral = await accepted(service)
    first = await booked(service.coach, appointment(referral))
    second = await booked(service.coach, appointment(referral), 200)
    assert first["id"] == second["id"]
    assert len((await read(service.coach, referral["Task"]))["output"]) == 1
    stale = await service.coach.put(
        f"/fhir/Appointment/{first['id']}",
        json=first | {"status": "cancelled"},
        headers={"If-Match": 'W/"7"'},
    )
    assert stale.status_code == 412


async def test_what_is_no_appointment_of_this_patient_is_refused_whole(service: Service) -> None:
    referral = await accepted(service)
    before = await service.rows("select count(*) from ketenzorg.resource")
    participant = appointment(referral)["participant"]
    number = {"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "123456782"}
    wrong: list[tuple[int, str, Callable[[Json], Any]]] = [
        (422, "Appointment.basedOn", lambda body: body.pop("basedOn")),
        (422, "Appointment.participant", lambda body: body.update(participant=participant[1:])),
        (422, "Appointment.participant", lambda body: body.update(participant=[participant[0], participant[0]])),
        (400, "Appointment", lambda body: body.pop("start")),
        (422, "Appointment", lambda body: body["participant"][1]["actor"].update(identifier=number)),
        (422, "Appointment.participant[1].actor.reference",
         lambda body: body["participant"][1]["actor"].update(reference="Location/5")),
        (400, "Appointment.status", lambda body: body.update(status="gepland")),
        (400, "Appointment.start", lambda body: body.update(start="2026-01-19T10:00:00")),
        (422, "Appointment.end", lambda body: body.update(end="2026-01-19T08:59:59Z")),
        (404, "", lambda body: body.update(basedOn=[{"reference": f"ServiceRequest/{UUID(int=7)}"}])),
    ]  # fmt: skip
    for status, place, breaks in wrong:
        body = appointment(referral)
        body["participant"] = [dict(each, actor=dict(each["actor"])) for each in body["participant"]]
        breaks(body)
        answer = await service.coach.post("/fhir/Appointment", json=body)
        assert answer.status_code == status, (place, answer.text)
        assert not place or any(each.startswith(place) for each in places(answer)), (place, answer.text)
    assert await service.rows("select count(*) from ketenzorg.resource") == before


async def test_only_who_does_the_work_keeps_it_while_it_runs(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    for client, status in ((service.his, 409), (service.hospital, 404), (service.stranger, 401)):
        assert (await client.post("/fhir/Appointment", json=appointment(referral))).status_code == status
        assert (await becomes(client, kept, status="cancelled")).status_code == status
    await service.happens(referral["Task"], "ziet ervan af", reden_van_afzien="wil-niet")
    over = await becomes(service.coach, kept, status="cancelled")
    assert over.status_code == 409, over.text
    assert (await read(service.his, f"Appointment/{kept['id']}"))["status"] == "cancelled"


async def test_who_died_or_moved_is_expected_nowhere_and_everybody_is_told(service: Service) -> None:
    practice, coach = (caller_for(REGION, name).organisation for name in ("his-demo", "welzijn-demo"))
    await service.rows(listening([practice, coach]))
    says = ((service.his, "overleden"), (service.coach, "overleden"), (service.coach, "verhuisd"))
    for number, (client, event) in enumerate(says):
        later(service)
        referral = await service.refer(a_referral(f"weg-{number}"))
        await service.happens(referral["Task"], "aannemen")
        past = await booked(service.coach, appointment(referral))
        later(service, days=8)
        at = {"start": "2026-02-02T10:00:00+01:00", "end": "2026-02-02T10:45:00+01:00"}
        kept = await booked(service.coach, appointment(referral, **at))
        answer = await client.post(f"/fhir/{referral['Task']}/$event", json=said(event))
        assert answer.status_code == 200, answer.text
        for reader in (service.his, service.coach):
            off = await read(reader, f"Appointment/{kept['id']}")
            assert (off["status"], off["cancelationReason"]["coding"][0]["code"]) == ("cancelled", event)
            assert (await read(reader, f"Appointment/{past['id']}"))["status"] == "booked"  # it was then
            options = (await read(reader, f"{referral['Task']}/$next"))["parameter"]
            assert [each for each in options if each["name"] == "next"] == []
        heard = await service.rows(
            "select count(distinct subscription) as n from ketenzorg.outbox where type = 'Task'"
            f" and resource = '{referral['Task'][5:]}' and version = {answer.json()['meta']['versionId']}"
        )
        assert heard[0]["n"] == len((practice, coach))


async def test_an_undone_step_takes_its_appointment_back(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    task = await read(service.coach, referral["Task"])
    world = service.app.litestar.state.world
    await undo(UUID(task["id"]), int(task["meta"]["versionId"]), visit("welzijn-demo"), world)
    assert (await read(service.his, f"Appointment/{kept['id']}"))["status"] == "entered-in-error"
    assert (await read(service.his, referral["Task"]))["businessStatus"]["text"] == "contact zoeken"
    assert (await story(UUID(task["id"]), visit("his-demo"), world)).appointments == ()


async def test_many_at_once_are_judged_one_after_another(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    times = [f"2026-01-19T{hour}:{minute}:00+01:00" for hour in (11, 12) for minute in (10, 20, 30, 40, 50)]
    answers = await asyncio.gather(*(becomes(service.coach, kept, end=time) for time in times))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409}, statuses  # 409: others were at work, three times over
    now = await service.coach.get(f"/fhir/Appointment/{kept['id']}")
    assert now.headers["ETag"] == f'W/"{1 + statuses.count(200)}"'
