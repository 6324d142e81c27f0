"""What is deleted is said to be a mistake by who may say so, and stays to be read; the rest says what to do instead."""

import pytest

from api.test_appointment import accepted, appointment, booked, later
from api.test_asides import question
from ketenzorg.access.rules import TABLE, types_for
from referrals import texts
from services import Referral, Service

EITHER = ("his", "coach")


@pytest.fixture
async def referral(service: Service) -> Referral:
    return await service.refer()


async def statuses(service: Service, referral: Referral) -> set[str]:
    kinds = ("Task", "ServiceRequest", "CarePlan")
    return {(await service.his.get(f"/fhir/{referral[kind]}")).json()["status"] for kind in kinds}


@pytest.mark.parametrize("who", EITHER)
@pytest.mark.parametrize("kind", ["Task", "ServiceRequest"])
async def test_a_mistake_stands_as_one_and_stays_to_be_read(
    service: Service, referral: Referral, kind: str, who: str
) -> None:
    client = getattr(service, who)
    first = await client.delete(f"/fhir/{referral[kind]}", headers={"If-Match": 'W/"1"'})
    again = await client.delete(f"/fhir/{referral[kind]}")

    assert (first.status_code, again.status_code) == (200, 200), first.text + again.text
    assert first.headers["ETag"] == again.headers["ETag"] == 'W/"2"'
    [issue] = first.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("information", "informational")
    assert "Er wordt niets gewist" in issue["details"]["text"]
    assert " al " in again.json()["issue"][0]["details"]["text"]
    assert await statuses(service, referral) == {"entered-in-error"}
    events = await service.rows("select event from ketenzorg.event order by seq")
    assert [row["event"] for row in events] == ["verwijzing ontvangen", "ten onrechte ingevoerd"]
    [line] = await service.rows(
        "select action, what, outcome from ketenzorg.audit where interaction = 'delete'"
    )
    assert tuple(line) == ("D", referral["Task"], "0")
    shown = await service.his.get(f"/fhir/{referral['Task']}/_history/1")
    assert shown.json()["status"] == "requested"


async def test_who_may_not_say_so_hears_what_may_happen_or_nothing(
    service: Service, referral: Referral
) -> None:
    assert (await service.hospital.delete(f"/fhir/{referral['Task']}")).status_code == 404
    assert (await service.hospital.delete(f"/fhir/{referral['ServiceRequest']}")).status_code == 404
    for kind in ("Task", "ServiceRequest"):
        stale = await service.his.delete(f"/fhir/{referral[kind]}", headers={"If-Match": 'W/"3"'})
        assert stale.status_code == 412
    await service.happens(referral["Task"], "afwijzen", reden_van_afwijzen="geen-plek")
    over = await service.coach.delete(f"/fhir/{referral['Task']}")
    assert over.status_code == 409
    assert (await service.his.get(f"/fhir/{referral['Task']}")).json()["status"] == "rejected"


async def test_a_question_beside_a_hand_over_is_answered_not_deleted(
    service: Service, referral: Referral
) -> None:
    await service.happens(referral["Task"], "aannemen")
    asks = question(referral["Task"], "Wat speelt er thuis?")
    asked = await service.coach.post("/fhir/Task", json=asks)
    assert asked.status_code == 201, asked.text
    answer = await service.coach.delete(f"/fhir/Task/{asked.json()['id']}")
    assert answer.status_code == 409
    assert "completed" in texts(answer)


async def test_an_appointment_that_never_was(service: Service) -> None:
    referral = await accepted(service)
    kept = await booked(service.coach, appointment(referral))
    address = f"/fhir/Appointment/{kept['id']}"
    later(service, days=1)

    assert (await service.his.delete(address)).status_code == 409  # of who does the work
    first, again = await service.coach.delete(address), await service.coach.delete(address)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert first.headers["ETag"] == again.headers["ETag"] == 'W/"2"'
    seen = (await service.his.get(address)).json()
    assert (seen["status"], seen["participant"]) == ("entered-in-error", kept["participant"])
    assert (await service.his.get(f"/fhir/{referral['Task']}")).json()["status"] == "accepted"


async def test_an_appointment_without_a_moment_cannot_be_a_mistake_in_r4_and_is_called_off(
    service: Service,
) -> None:
    referral = await accepted(service)
    wish = {name: value for name, value in appointment(referral).items() if name not in ("start", "end")}
    kept = await booked(service.coach, wish | {"status": "proposed"})
    assert (await service.coach.delete(f"/fhir/Appointment/{kept['id']}")).status_code == 200
    assert (await service.his.get(f"/fhir/Appointment/{kept['id']}")).json()["status"] == "cancelled"


async def test_what_is_never_deleted_says_what_to_do_instead(service: Service, referral: Referral) -> None:
    for kind in sorted(TABLE.types["traject"] - types_for("delete")):
        for address in (f"{kind}/{referral['Task'][5:]}", f"{kind}?_id={referral['Task'][5:]}"):
            answer = await service.his.delete(f"/fhir/{address}")
            assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD"), address
            assert kind == "Composition" or "DELETE" in texts(answer)
    for kind in ("Organization", "AuditEvent", "Binary", "StructureDefinition"):
        assert (await service.his.delete(f"/fhir/{kind}/1")).status_code == 405
    assert (await service.his.delete("/fhir/Task/1")).status_code == 404
    assert (await service.his.delete("/fhir/Observation/1")).status_code == 404
    assert (await service.his.delete("/fhir/Encounter/1")).status_code == 404
