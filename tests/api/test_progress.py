"""How far the work is: a code, a count or a ratio in Task.output, by who does it while it runs (c.1, row 7)."""

from typing import Any
from uuid import UUID

import httpx

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.showing.story import story
from ketenzorg.coordination.world import Trail, Visit
from referrals import texts
from services import REGION, Referral, Service
from subscribed import listening

PATCH = {"Content-Type": "application/json-patch+json"}
TYPE = {"coding": [{"system": "https://ketenzorg.example/fhir/CodeSystem/output", "code": "voortgang"}]}
STARTED = ("aannemen", "eerste contact", "kennismaking gehouden")


def of(numerator: Any, denominator: Any) -> dict[str, Any]:
    return {"valueRatio": {"numerator": {"value": numerator}, "denominator": {"value": denominator}}}


async def progress(client: httpx.AsyncClient, task: str, *values: dict[str, Any]) -> httpx.Response:
    now = (await client.get(f"/fhir/{task}")).json().get("output", [])
    outputs = [*now, *({"type": TYPE, **value} for value in values)]
    return await client.patch(
        f"/fhir/{task}", json=[{"op": "add", "path": "/output", "value": outputs}], headers=PATCH
    )


async def under_way(service: Service) -> Referral:
    referral = await service.refer()
    for event in STARTED:
        await service.happens(referral["Task"], event)
    return referral


async def test_a_code_a_count_and_a_ratio_are_kept_told_and_read(service: Service) -> None:
    referral = await under_way(service)
    practice = caller_for(REGION, "his-demo").organisation
    await service.rows(listening([practice]))
    step = {"valueCodeableConcept": {"coding": [{"system": "https://x.example", "code": "groep-gestart"}]}}
    for value in (of(1, 8), {"valueInteger": 2}, step, of(3, 8)):
        answer = await progress(service.coach, referral["Task"], value)
        assert answer.status_code == 200, answer.text

    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert task["status"] == "in-progress"
    assert [
        next(iter(set(each) - {"type"}))
        for each in task["output"]
        if each["type"].get("coding") == TYPE["coding"]
    ] == ["valueRatio", "valueInteger", "valueCodeableConcept", "valueRatio"]
    versions = await service.rows("select version from ketenzorg.outbox where type = 'Task' order by version")
    assert [row["version"] for row in versions] == [5, 6, 7, 8]
    visit = Visit(caller_for(REGION, "his-demo"), Trail("test", "test"))
    told = await story(UUID(referral["Task"][5:]), visit, service.app.litestar.state.world)
    assert [moment.wrote for moment in told.moments if moment.event == "aanvulling"] == [
        (("voortgang", said),) for said in ("1 van 8", "2", "groep-gestart", "3 van 8")
    ]


WRONG: tuple[dict[str, Any], ...] = (
    of(3, 0), of(9, 8), of(-1, 8), of(1.5, 8), of("3", "8"), {"valueRatio": {"numerator": {"value": 1}}},
    {"valueInteger": -1}, {"valueInteger": 10_001}, {"valueCodeableConcept": {}}, {"valueString": "bijna"},
)  # fmt: skip


async def test_what_says_no_progress_is_refused_and_changes_nothing(service: Service) -> None:
    referral = await under_way(service)
    before = (await service.coach.get(f"/fhir/{referral['Task']}")).json()
    for wrong in WRONG:
        answer = await progress(service.coach, referral["Task"], wrong)
        assert answer.status_code in (400, 422), (wrong, answer.text)
    assert (await service.coach.get(f"/fhir/{referral['Task']}")).json() == before


async def test_only_who_does_the_work_tells_and_only_while_it_runs(service: Service) -> None:
    referral = await service.refer()
    early = await progress(service.coach, referral["Task"], of(0, 8))
    assert (early.status_code, "in-progress" in texts(early)) == (409, True)
    for event in STARTED:
        await service.happens(referral["Task"], event)
    other_side = await progress(service.his, referral["Task"], of(1, 8))
    assert (other_side.status_code, "Voortgang meldt wie het werk doet" in texts(other_side)) == (409, True)
    assert (
        await service.hospital.patch(f"/fhir/{referral['Task']}", json=[], headers=PATCH)
    ).status_code == 404
