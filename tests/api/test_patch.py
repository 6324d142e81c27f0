"""FHIRPath Patch over HTTP means what an update means; what neither form of patch may do."""

from typing import Any

import httpx
import pytest

from api.test_appointment import accepted, appointment, booked, later
from patching import operation
from referrals import places, texts
from services import Referral, Service

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
ACCEPTED = operation("replace", "Task.status", {"valueCode": "accepted"})
REJECTED = operation("replace", "Task.status", {"valueCode": "rejected"})
NO_ROOM = operation(
    "add", "Task", {"valueCodeableConcept": {"coding": [{"code": "geen-plek"}]}}, name="statusReason"
)


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer()


async def patched(
    client: httpx.AsyncClient, address: str, *operations: dict[str, Any], **headers: str
) -> httpx.Response:
    body: dict[str, Any] = {"resourceType": "Parameters", "parameter": list(operations)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.patch(f"/fhir/{address}", json=body, headers=named)


async def test_a_patched_status_is_the_same_event_as_a_status_that_was_put(
    service: Service, referral: Referral
) -> None:
    answer = await patched(service.coach, referral["Task"], REJECTED, NO_ROOM)

    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.json()["statusReason"]["text"] == "Geen plek binnen de norm"
    codes = "body -> 'codes' ->> 'reden-van-afwijzen' as reason"
    [event] = await service.rows(f"select event, {codes} from ketenzorg.event where seq = 2")
    assert tuple(event) == ("afwijzen", "geen-plek")
    [line] = await service.rows("select interaction, action from ketenzorg.audit where interaction = 'patch'")
    assert tuple(line) == ("patch", "U")


async def test_an_output_is_added_with_an_element_that_has_no_type_of_its_own(
    service: Service, referral: Referral
) -> None:
    await service.happens(referral["Task"], "aannemen")
    parts = [
        {"name": "type", "valueCodeableConcept": {"text": "bijlage"}},
        {"name": "value", "valueString": "Folder"},
    ]
    add = operation("add", "Task", {"part": parts}, name="output")

    answer = await patched(service.coach, referral["Task"], add)

    assert answer.status_code == 200, answer.text
    assert answer.json()["output"] == [{"type": {"text": "bijlage"}, "valueString": "Folder"}]
    gone = await patched(service.coach, referral["Task"], operation("delete", "Task.output[0]"))
    assert (gone.status_code, places(gone)) == (422, ["Task.output"])


async def test_what_may_not_be_is_refused_as_of_any_write(service: Service, referral: Referral) -> None:
    task = referral["Task"]
    verdicts = {
        (409, "Task.status"): operation("replace", "Task.status", {"valueCode": "completed"}),
        (422, "Task.for"): operation("delete", "Task.for"),
        (422, "Task.id"): operation("replace", "Task.id", {"valueId": "another"}),
        (422, "Task.meta"): operation("delete", "Task.meta.versionId"),
        (422, "Task.lastModified"): operation("delete", "Task.lastModified"),
        (400, "Task.status"): operation("replace", "Task.status", {"valueCode": "klaar"}),
        (400, "Task.intent"): operation("delete", "Task.intent"),
        (422, "Parameters.parameter[0]"): operation("replace", "Task.note[3].text", {"valueString": "x"}),
    }
    for (status, place), wrong in verdicts.items():
        answer = await patched(service.coach, task, wrong)
        assert answer.status_code == status, (place, answer.text)
        assert status == 409 or places(answer) == [place]
    stale = await patched(service.coach, task, ACCEPTED, If_Match='W/"9"')
    weakest = await patched(service.coach, task, ACCEPTED, If_Match="*")
    strong = await patched(service.coach, task, ACCEPTED, If_Match='"1"')
    assert (stale.status_code, weakest.status_code, strong.status_code) == (412, 400, 200)
    assert len(await service.rows("select 1 from ketenzorg.event")) == 2


async def test_what_neither_form_may_change_the_other_may_not_either(
    service: Service, referral: Referral
) -> None:
    for element in ("id", "meta", "lastModified"):
        operations = [{"op": "remove", "path": f"/{element}"}]
        answer = await service.coach.patch(f"/fhir/{referral['Task']}", json=operations, headers=JSON_PATCH)
        assert (answer.status_code, places(answer)) == (422, [f"Task.{element}"])
        assert "schrijven wij" in texts(answer)


async def test_a_copy_into_itself_does_not_grow_without_end(service: Service, referral: Referral) -> None:
    note = {"op": "add", "path": "/note", "value": [{"text": "x" * 1000, "extension": []}]}
    doubled = {"op": "copy", "from": "/note", "path": "/note/0/extension/-"}
    wider = [{"op": "copy", "from": "/note/0", "path": "/note/-"}] * 60
    double = [note, *wider, *[{"op": "copy", "from": "/note", "path": "/output"}, doubled] * 9]
    for operations in ([note, *[doubled] * 60], double):
        answer = await service.his.patch(f"/fhir/{referral['Task']}", json=operations, headers=JSON_PATCH)
        assert answer.status_code in (400, 413), answer.text[:200]


async def test_other_bodies_are_told_what_there_is(service: Service, referral: Referral) -> None:
    address = f"/fhir/{referral['Task']}"
    for kind in ("application/merge-patch+json", "application/xml-patch+xml", "text/plain"):
        answer = await service.coach.patch(address, content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert "application/fhir+json" in texts(answer)
    assert (await service.coach.patch(address, json=[])).status_code == 415  # no resource: which patch is it?
    for body in (
        {"resourceType": "Task", "status": "accepted", "intent": "order"},
        {"resourceType": "Nothing"},
    ):
        assert (await service.coach.patch(address, json=body)).status_code == 400


async def test_in_a_batch_the_parameters_are_the_resource(service: Service, referral: Referral) -> None:
    parameters = {"resourceType": "Parameters", "parameter": [ACCEPTED]}
    entry = {"request": {"method": "PATCH", "url": referral["Task"]}, "resource": parameters}
    answer = await service.coach.post(
        "/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    )
    [told] = answer.json()["entry"]
    assert told["response"]["status"] == "200 OK", told
    assert told["resource"]["status"] == "accepted"


async def test_an_appointment_is_patched_by_who_does_the_work(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    address = f"Appointment/{kept['id']}"
    missed = operation("replace", "Appointment.status", {"valueCode": "noshow"})

    assert (await patched(service.his, address, missed)).status_code == 409
    later(service, days=8)
    done = await patched(service.coach, address, missed, If_Match='W/"1"')
    assert (done.status_code, done.json()["status"], done.headers["ETag"]) == (200, "noshow", 'W/"2"')
    assert (await patched(service.coach, address, missed, If_Match='W/"1"')).status_code == 412
    task = (await service.coach.get(f"/fhir/{referral['Task']}")).json()
    assert task["businessStatus"]["text"] == "contact zoeken"  # as when it is put


async def test_who_was_shown_a_part_of_an_appointment_does_not_write_it_back(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    cut = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    answer = await service.coach.put(
        f"/fhir/Appointment/{kept['id']}", json=kept | {"meta": {"tag": [cut]}, "status": "cancelled"}
    )
    assert (answer.status_code, places(answer)) == (422, ["Appointment.meta.tag"])


async def test_what_is_not_patched_says_what_to_do(service: Service, referral: Referral) -> None:
    for kind in ("Patient", "ServiceRequest", "CarePlan"):
        answer = await patched(service.his, referral[kind], ACCEPTED)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]
        assert "$event" in texts(answer)
