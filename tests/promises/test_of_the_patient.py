"""What is so of the patient holds in every referral, and is told to who must know it."""

from api.test_another_practice import NEW, OLD, passes
from api.test_of_the_person import elsewhere, heard
from referrals import a_referral, said
from services import REGION, Service
from spec.talking import call
from subscribed import listening

TOLD = (
    "select o.version from ketenzorg.outbox o join ketenzorg.subscription s on s.id = o.subscription"
    " where s.organisation = '{}' and o.type = 'Task' order by o.version"
)


async def told(service: Service, organisation: object) -> list[int]:
    return [row["version"] for row in await service.rows(TOLD.format(organisation))]


async def test_another_practice(service: Service) -> None:
    await service.rows(listening([OLD.id, NEW.id]))
    task = (await service.refer())["Task"]
    await passes(service, task)
    await service.happens(task, "aannemen")
    assert (await told(service, OLD.id), await told(service, NEW.id)) == ([1], [2, 3])
    now = (await call(service, NEW.id, "GET", f"/fhir/{task}", None, 200)).json()
    assert now["requester"]["reference"] == f"Organization/{NEW.id}"
    for address, status in ((f"{task}/_history/1", 200), (f"{task}/_history/2", 404), (task, 404)):
        assert (await service.his.get(f"/fhir/{address}")).status_code == status, address


async def test_of_the_person(service: Service) -> None:
    here, there = await service.refer(), await elsewhere(service)
    await service.rows(listening([REGION.of_client("ziekenhuis-demo").id]))
    answer = await service.his.post(f"/fhir/{here['Task']}/$event", json=said("verhuisd"))
    assert answer.status_code == 200, answer.text
    assert len(await heard(service, there)) == 1
    again = await service.refer(a_referral("again"))
    answer = await service.his.post(f"/fhir/{again['Task']}/$event", json=said("overleden"))
    assert answer.status_code == 200, answer.text
    assert (await service.hospital.get(f"/fhir/{there['Task']}")).json()["status"] == "failed"
    assert len(await told(service, REGION.of_client("ziekenhuis-demo").id)) == 2
