"""Working on a Task by event, by patch, and by PUT for who sees all of it; what may not be names what may, and who."""

import asyncio
from typing import Any

import pytest

from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, of, places, said, texts
from services import START, Referral, Service

PATCH = {"Content-Type": "application/json-patch+json"}


@pytest.fixture
async def referral(service: Service) -> Referral:
    """A referral that the coach has not answered yet."""
    return await service.refer()


async def patched(service: Service, task: str, *operations: dict[str, Any], **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await service.coach.patch(f"/fhir/{task}", json=list(operations), headers={**PATCH, **names})


def status(value: str) -> dict[str, Any]:
    return {"op": "replace", "path": "/status", "value": value}


async def test_next_tells_who_may_do_what_with_which_answers(service: Service, referral: Referral) -> None:
    response = await service.coach.get(f"/fhir/{referral['Task']}/$next")

    decode_as(response.content, r4.Parameters)
    options = {}
    for parameter in response.json()["parameter"]:
        if parameter["name"] != "next":
            continue
        parts = {part["name"]: part for part in parameter["part"]}
        options[parts["event"]["valueString"]] = parts
    assert options["aannemen"]["toStep"]["valueString"] == "contact zoeken"
    assert options["aannemen"]["by"]["valueString"] == "welzijnscoach"
    asks = {part["name"]: part for part in options["afwijzen"]["needs"]["part"]}
    assert asks["name"]["valueString"] == "reden-van-afwijzen"


async def test_an_event_moves_task_care_plan_and_log_together(service: Service, referral: Referral) -> None:
    task = await service.happens(referral["Task"], "aannemen")

    assert (task["status"], task["businessStatus"]["text"]) == ("accepted", "contact zoeken")
    plan = (await service.his.get(f"/fhir/{referral['CarePlan']}")).json()
    assert plan["extension"][0]["valueCodeableConcept"]["text"] == "contact zoeken"
    log = await service.rows("select event, from_step, to_step, seq from ketenzorg.event order by seq")
    assert [tuple(row) for row in log] == [
        ("verwijzing ontvangen", "", "aangemeld", 1),
        ("aannemen", "aangemeld", "contact zoeken", 2),
    ]


async def test_the_end_ends_request_and_plan(service: Service, referral: Referral) -> None:
    await service.happens(referral["Task"], "aannemen")
    task = await service.happens(referral["Task"], "ziet ervan af", reden_van_afzien="wil-niet")

    assert task["status"] == "failed"
    assert task["statusReason"]["coding"][0]["code"] == "wil-niet"
    plan = (await service.his.get(f"/fhir/{referral['CarePlan']}")).json()
    assert plan["status"] in ("revoked", "completed")
    assert "end" in plan["period"]
    request = (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()
    assert request["status"] != "active"


async def test_a_status_alone_means_the_one_event_that_gives_it(service: Service, referral: Referral) -> None:
    response = await patched(service, referral["Task"], status("accepted"))

    assert response.status_code == 200, response.text
    assert response.json()["businessStatus"]["text"] == "contact zoeken"
    assert response.headers["ETag"] == 'W/"2"'


async def test_who_sees_a_part_of_a_task_cannot_put_it_back_and_is_told_what_to_do_instead(
    service: Service,
) -> None:
    def with_a_clinical_note(bundle: dict[str, Any]) -> None:
        task = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "focus": {"reference": bundle["entry"][1]["fullUrl"]},
            "note": [{"text": "Bekend met depressie."}],
        }
        bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})
        assert of(bundle, "Task")

    referral = await service.refer(a_referral("1", with_a_clinical_note))
    seen = (await service.coach.get(f"/fhir/{referral['Task']}")).json()
    assert "note" not in seen
    assert [tag["code"] for tag in seen["meta"]["tag"]] == ["SUBSETTED"]
    unmarked = {**seen, "meta": {key: value for key, value in seen["meta"].items() if key != "tag"}}
    changed = {"status": "rejected", "statusReason": {"coding": [{"code": "geen-plek"}]}}

    for body in ({**seen, **changed}, {**unmarked, **changed}, seen):
        response = await service.coach.put(f"/fhir/{referral['Task']}", json=body)
        assert (response.status_code, places(response)) == (422, ["Task.meta.tag"])
        assert "$event" in texts(response)
        assert "PATCH" in texts(response)
    # Nor can somebody else put back what the coach was shown.
    others = await service.his.put(f"/fhir/{referral['Task']}", json={**seen, **changed})
    assert (others.status_code, places(others)) == (422, ["Task.meta.tag"])

    operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in changed.items()]
    assert "note" not in (await patched(service, referral["Task"], *operations)).json()
    whole = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert whole["note"] == [{"text": "Bekend met depressie."}]
    assert whole["status"] == "rejected"
    assert whole["statusReason"]["text"] == "Geen plek binnen de norm"


async def test_who_sees_the_whole_task_puts_it_back_as_read_and_changed(
    service: Service, referral: Referral
) -> None:
    seen = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    seen["status"] = "cancelled"
    seen["statusReason"] = {"coding": [{"code": "niet-meer-nodig"}]}

    response = await service.his.put(f"/fhir/{referral['Task']}", json=seen)

    assert response.status_code == 200, response.text
    assert (response.json()["status"], response.headers["ETag"]) == ("cancelled", 'W/"2"')


async def test_what_is_not_allowed_names_what_is_and_who_may(service: Service, referral: Referral) -> None:
    too_early = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("afronden"))
    not_theirs = await service.his.post(f"/fhir/{referral['Task']}/$event", json=said("aannemen"))
    by_status = await patched(service, referral["Task"], status("completed"))

    for response in (too_early, not_theirs, by_status):
        assert response.status_code == 409
        assert "aannemen (welzijnscoach)" in texts(response)
    assert "is hier aan welzijnscoach, niet aan verwijzer" in texts(not_theirs)


async def test_an_answer_that_is_missing_or_unknown_is_named(service: Service, referral: Referral) -> None:
    missing = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("afwijzen"))
    unknown = await service.coach.post(
        f"/fhir/{referral['Task']}/$event", json=said("afwijzen", reden_van_afwijzen="geen zin")
    )

    for response in (missing, unknown):
        assert response.status_code == 422
        assert "reden-van-afwijzen" in texts(response)


async def test_a_stale_version_is_refused_and_the_current_one_taken(
    service: Service, referral: Referral
) -> None:
    await service.happens(referral["Task"], "ontvangst bevestigen")

    stale = await patched(service, referral["Task"], status("accepted"), if_match='W/"1"')
    assert stale.status_code == 412
    assert (await patched(service, referral["Task"], status("accepted"), if_match='W/"2"')).status_code == 200


async def test_of_two_at_once_one_is_judged_after_the_other(service: Service, referral: Referral) -> None:
    answers = await asyncio.gather(
        service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("aannemen")),
        service.his.post(
            f"/fhir/{referral['Task']}/$event", json=said("intrekken", reden_van_intrekken="niet-meer-nodig")
        ),
        *(service.coach.post(f"/fhir/{referral['Task']}/$event", json=said("aannemen")) for _ in range(6)),
    )

    log = [row["event"] for row in await service.rows("select event from ketenzorg.event order by seq")]
    taken = [response for response in answers if response.status_code == 200]
    assert len(log) == 1 + len(taken)
    assert log.count("aannemen") <= 1
    assert {response.status_code for response in answers} <= {200, 409}


async def test_only_what_a_party_may_write_can_be_written(service: Service, referral: Referral) -> None:
    other_owner = {"op": "replace", "path": "/owner/reference", "value": "Organization/elders"}
    other_patient = {"op": "remove", "path": "/for"}

    response = await patched(service, referral["Task"], other_owner, other_patient)

    assert response.status_code == 422
    assert places(response) == ["Task.for", "Task.owner"]


async def test_outputs_and_notes_can_be_added_and_never_taken_away(
    service: Service, referral: Referral
) -> None:
    await service.happens(referral["Task"], "aannemen")
    output = {"type": {"text": "bijlage"}, "valueString": "Folder koffieochtend"}

    added = await patched(service, referral["Task"], {"op": "add", "path": "/output", "value": [output]})
    assert added.status_code == 200, added.text
    assert (await service.his.get(f"/fhir/{referral['Task']}")).json()["output"] == [output]
    removed = await patched(service, referral["Task"], {"op": "remove", "path": "/output"})
    assert removed.status_code == 422
    assert places(removed) == ["Task.output"]


async def test_nobody_adds_to_what_it_may_not_read(service: Service, referral: Referral) -> None:
    """What a coach notes of a conversation is not for the practice, and its role reads no notes."""
    note = {"op": "add", "path": "/note", "value": [{"text": "Een lang gesprek over vroeger."}]}

    refused = await patched(service, referral["Task"], note)
    taken = await service.his.patch(f"/fhir/{referral['Task']}", json=[note], headers=PATCH)

    assert (refused.status_code, places(refused)) == (422, ["Task.note"])
    assert taken.status_code == 200


async def test_a_write_that_changes_nothing_stores_nothing(service: Service, referral: Referral) -> None:
    seen = (await service.his.get(f"/fhir/{referral['Task']}")).json()

    response = await service.his.put(f"/fhir/{referral['Task']}", json=seen)

    assert response.status_code == 200
    assert response.headers["ETag"] == 'W/"1"'


async def test_a_reopened_traject_has_a_new_task_that_names_the_old_one(
    service: Service, referral: Referral
) -> None:
    old = referral["Task"]
    await service.happens(old, "aannemen")
    await service.happens(old, "ziet ervan af", reden_van_afzien="wil-niet")
    reopened = await service.his.get(f"/fhir/{old}/$next")
    assert "heropenen" in reopened.text

    response = await service.his.post(f"/fhir/{old}/$event", json=said("heropenen"))

    assert response.status_code == 200, response.text
    task = response.json()
    assert f"Task/{task['id']}" != old
    assert task["input"][0]["valueReference"]["reference"] == old
    assert task["status"] == "requested"
    on_the_old = await service.coach.post(f"/fhir/{old}/$event", json=said("aannemen"))
    assert on_the_old.status_code == 409
    assert f"Task/{task['id']}" in texts(on_the_old)
    found = await service.coach.get(
        "/fhir/Task?status=requested&owner:identifier=http://fhir.nl/fhir/NamingSystem/ura|99990015"
    )
    ids = [entry["resource"]["id"] for entry in found.json().get("entry", [])]
    assert ids == [task["id"]]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "replace", "path": "/nergens/diep", "value": 1}], 422),
        ([{"op": "test", "path": "/status", "value": "completed"}], 422),
        ([{"op": "dans", "path": "/status"}], 400),
        ({"op": "replace"}, 400),
        ([{"op": "replace", "path": "", "value": []}], 422),
        ([{"op": "replace", "path": "/status", "value": "klaar"}], 400),
        ([{"op": "add", "path": "/output", "value": {}}], 400),
        ([{"op": "replace", "path": "/status", "value": "accepted"}] * 101, 400),
    ],
)
async def test_patches_that_do_not_fit(
    service: Service, referral: Referral, operations: Any, expected: int
) -> None:
    response = await service.coach.patch(f"/fhir/{referral['Task']}", json=operations, headers=PATCH)

    assert response.status_code == expected, response.text
    assert len(await service.rows("select 1 from ketenzorg.event")) == 1


@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [{"name": "event", "valueBoolean": True}],
        [{"name": "event", "valueString": "aannemen"}, {"name": "event", "valueString": "afwijzen"}],
        [{"name": "event", "valueString": "aannemen"}, {"name": "at", "valueDateTime": "2026"}],
        [
            {"name": "event", "valueString": "aannemen"},
            {"name": "at", "valueDateTime": "2031-01-01T00:00:00Z"},
        ],
        [
            {"name": "event", "valueString": "aannemen"},
            {"name": "at", "valueDateTime": "2001-01-01T00:00:00Z"},
        ],
        [{"name": "event", "valueString": "aannemen"}, {"name": "weer", "valueString": "zon"}],
    ],
)
async def test_events_that_say_too_little_or_too_much(
    service: Service, referral: Referral, parameters: list[dict[str, Any]]
) -> None:
    body: dict[str, Any] = {"resourceType": "Parameters"}
    if parameters:
        body["parameter"] = parameters

    response = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=body)

    assert response.status_code == 422, response.text
    assert len(await service.rows("select 1 from ketenzorg.event")) == 1


async def test_something_of_yesterday_is_recorded_on_its_own_day(
    service: Service, referral: Referral
) -> None:
    service.app.litestar.state.clock.set(START.replace(day=14))
    body = said("aannemen")
    body["parameter"].append({"name": "at", "valueDateTime": "2026-01-13T15:00:00+01:00"})

    assert (await service.coach.post(f"/fhir/{referral['Task']}/$event", json=body)).status_code == 200

    row = (await service.rows("select happened, recorded from ketenzorg.event where seq = 2"))[0]
    assert (row["happened"].day, row["recorded"].day) == (13, 14)


async def test_each_version_that_a_notification_names_can_be_read(
    service: Service, referral: Referral
) -> None:
    await service.happens(referral["Task"], "aannemen")

    first = await service.his.get(f"/fhir/{referral['Task']}/_history/1")
    assert (first.json()["status"], first.headers["ETag"]) == ("requested", 'W/"1"')
    assert (await service.his.get(f"/fhir/{referral['Task']}/_history/2")).json()["status"] == "accepted"
    for version in ("3", "0", "x"):
        assert (await service.his.get(f"/fhir/{referral['Task']}/_history/{version}")).status_code == 404
    assert (await service.hospital.get(f"/fhir/{referral['Task']}/_history/1")).status_code == 404


async def test_a_number_in_words_is_refused(service: Service, referral: Referral) -> None:
    await service.happens(referral["Task"], "aannemen")
    note = {
        "op": "add",
        "path": "/output",
        "value": [{"type": {"text": "x"}, "valueString": "BSN 999990019."}],
    }

    response = await patched(service, referral["Task"], note)

    assert response.status_code == 422
    assert "999990019" not in response.text


async def test_a_coded_reason_says_which_of_the_events_with_one_status_is_meant(
    service: Service, referral: Referral
) -> None:
    reason = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": "verhuisd"}]}
    why = {"op": "add", "path": "/statusReason", "value": reason}
    answer = await patched(service, referral["Task"], status("rejected"), why)
    assert answer.status_code == 200, answer.text
    assert answer.json()["statusReason"]["coding"][0]["code"] == "verhuisd"
    log = await service.rows("select event from ketenzorg.event order by seq desc limit 1")
    assert [row["event"] for row in log] == ["verhuisd"]
