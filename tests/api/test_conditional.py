"""Update, patch and delete of the one that a search finds: one is done, none and several are not."""

import pytest

from api.test_appointment import accepted, appointment, booked
from patching import operation
from referrals import a_referral, texts
from services import Referral, Service

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
ACCEPT = {
    "resourceType": "Parameters",
    "parameter": [operation("replace", "Task.status", {"valueCode": "accepted"})],
}


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer()


async def events(service: Service) -> list[str]:
    return [
        row["event"] for row in await service.rows("select event from ketenzorg.event order by recorded, seq")
    ]


async def test_one_match_is_what_it_is_about(service: Service, referral: Referral) -> None:
    about = f"/fhir/Task?focus={referral['ServiceRequest']}&status=requested"

    stale = await service.coach.patch(about, json=ACCEPT, headers={"If-Match": 'W/"7"'})
    done = await service.coach.patch(about, json=ACCEPT, headers={"If-Match": 'W/"1"'})

    assert (stale.status_code, done.status_code) == (412, 200)
    assert (done.json()["status"], done.headers["ETag"]) == ("accepted", 'W/"2"')
    # The same again: there is no such Task any more.
    assert (await service.coach.patch(about, json=ACCEPT)).status_code == 404


async def test_a_put_by_search_needs_no_id_and_takes_no_other(service: Service, referral: Referral) -> None:
    seen = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    seen |= {"status": "cancelled", "statusReason": {"coding": [{"code": "niet-meer-nodig"}]}}
    about = f"/fhir/Task?_id={seen['id']}"
    without = {name: value for name, value in seen.items() if name != "id"}

    other = await service.his.put(about, json=seen | {"id": "another"})
    by_a_part = await service.coach.put(about, json=without)
    done = await service.his.put(about, json=without)

    assert (other.status_code, by_a_part.status_code) == (422, 422)
    assert "SUBSETTED" in texts(by_a_part)
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")


async def test_several_change_nothing_and_none_makes_nothing(service: Service, referral: Referral) -> None:
    await service.refer(a_referral("2"))
    whole = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    for answer in (
        await service.coach.patch("/fhir/Task?status=requested", json=ACCEPT),
        await service.his.put("/fhir/Task?status=requested", json=whole),
        await service.his.delete("/fhir/Task?status=requested"),
    ):
        assert answer.status_code == 412, answer.text
        assert answer.json()["issue"][0]["code"] == "multiple-matches"
    for answer in (
        await service.coach.patch("/fhir/Task?status=failed", json=ACCEPT),
        await service.his.put("/fhir/Task?status=failed", json=whole),
        await service.his.delete("/fhir/ServiceRequest?status=completed"),
    ):
        assert answer.status_code == 404, answer.text
        assert "transaction Bundle" in texts(answer)
    assert await events(service) == ["verwijzing ontvangen", "verwijzing ontvangen"]


async def test_what_somebody_does_not_see_is_no_match(service: Service, referral: Referral) -> None:
    about = f"/fhir/Task?_id={referral['Task'].partition('/')[2]}"
    for answer in (await service.hospital.patch(about, json=ACCEPT), await service.hospital.delete(about)):
        assert answer.status_code == 404
    assert len(await events(service)) == 1


UNREADABLE = (
    "",
    "?",
    "?_count=1",
    "?status=requested&_sort=-authored-on",
    "?status=requested&_include=Task:patient",
    "?statsu=requested",
    "?status=",
    "?" + "&".join(["status=requested"] * 21),
    "?patient.identifier=http://fhir.nl/fhir/NamingSystem/bsn|999911120",
    "?identifier=999911120",
)


async def test_criteria_are_read_strictly(service: Service, referral: Referral) -> None:
    whole = {"resourceType": "Task", "status": "accepted", "intent": "order"}
    for query in UNREADABLE:
        for answer in (
            await service.coach.patch(f"/fhir/Task{query}", json=ACCEPT),
            await service.his.put(f"/fhir/Task{query}", json=whole),
            await service.his.delete(f"/fhir/Task{query}"),
        ):
            assert answer.status_code == 400, query
            assert "999911120" not in answer.text
    assert len(await events(service)) == 1


async def test_who_puts_what_is_not_there_hears_how_it_is_made(service: Service) -> None:
    body = {"resourceType": "Task", "id": "mine", "status": "requested", "intent": "order"}
    answer = await service.his.put("/fhir/Task/mine", json=body)
    assert answer.status_code == 404
    assert "een transaction Bundle met een verwijzing" in texts(answer)


async def test_an_appointment_by_search(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    about = f"/fhir/Appointment?patient={referral['Patient']}&status=booked"
    moved = {name: value for name, value in kept.items() if name != "id"} | {
        "end": "2026-01-19T11:00:00+01:00"
    }

    put = await service.coach.put(about, json=moved)
    patched = await service.coach.patch(
        about, json=[{"op": "replace", "path": "/status", "value": "cancelled"}], headers=JSON_PATCH
    )

    assert (put.status_code, put.headers["ETag"]) == (200, 'W/"2"')
    assert (patched.status_code, patched.json()["status"]) == (200, "cancelled")


async def test_in_a_batch_too(service: Service, referral: Referral) -> None:
    def entry(method: str, url: str) -> dict[str, object]:
        return {"request": {"method": method, "url": url}, "resource": ACCEPT}

    batch = {
        "resourceType": "Bundle", "type": "batch",
        "entry": [entry("PATCH", "Task?status=requested"), entry("PATCH", "Task?status=requested")],
    }  # fmt: skip
    told = (await service.coach.post("/fhir", json=batch)).json()["entry"]
    assert [each["response"]["status"] for each in told] == ["200 OK", "404 Not Found"]
    assert referral["Task"].endswith(told[0]["resource"]["id"])


async def test_types_that_nobody_updates_say_what_to_do(service: Service) -> None:
    for kind in ("Patient", "Organization", "Subscription", "StructureDefinition"):
        answer = await service.his.put(f"/fhir/{kind}?_id=1", json={"resourceType": kind})
        assert answer.status_code == 405, kind
        assert answer.headers["Allow"]
    assert (await service.his.put("/fhir/Encounter?_id=1", json={})).status_code == 404
