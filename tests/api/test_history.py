"""How something became what it is: every version that its reader may see, the newest first, page after page."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from asked import ONE, ask
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, places, texts
from services import START, Referral, Service
from spec.talking import call

DAY = timedelta(days=1)


def day(service: Service, number: int) -> str:
    service.app.litestar.state.clock.set(START + number * DAY)
    return (START + number * DAY).isoformat().replace("+00:00", "Z")


@pytest.fixture
async def story(service: Service) -> Referral:
    """Comes in on day 0, is accepted on day 1, and has its first contact on day 2; another comes in on day 3."""
    referral = await service.refer(a_referral("first"))
    for number, event in enumerate(("aannemen", "eerste contact"), 1):
        day(service, number)
        await service.happens(referral["Task"], event)
    day(service, 3)
    await service.refer(a_referral("second"))
    return referral


async def versions(client: httpx.AsyncClient, address: str) -> list[str]:
    """As "Type/n" of each entry; pages are followed to the end."""
    found: list[str] = []
    while address:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        decode_as(answer.content, r4.Bundle)
        page = answer.json()
        assert page["type"] == "history"
        found += [told(entry) for entry in page.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page["link"]}
        address = links.get("next", "").partition("8080")[2]
    return found


def told(entry: dict[str, Any]) -> str:
    kind, version = entry["resource"]["resourceType"], entry["resource"]["meta"]["versionId"]
    assert entry["response"]["etag"] == f'W/"{version}"'
    assert entry["response"]["lastModified"] == entry["resource"]["meta"]["lastUpdated"]
    assert entry["fullUrl"].endswith(f"/{kind}/{entry['resource']['id']}")
    made = {"method": "POST", "url": kind}
    changed = {"method": "PUT", "url": f"{kind}/{entry['resource']['id']}"}
    assert entry["request"] == (made if version == "1" else changed)
    return f"{kind}/{version}"


async def test_the_history_of_one_is_each_of_its_versions_newest_first(
    service: Service, story: Referral
) -> None:
    task = f"/fhir/{story['Task']}/_history"
    assert await versions(service.his, task) == ["Task/3", "Task/2", "Task/1"]
    assert await versions(service.his, f"{task}?_count=1") == ["Task/3", "Task/2", "Task/1"]
    assert await versions(service.his, f"{task}?_since={day(service, 1)}") == ["Task/3", "Task/2"]
    assert await versions(service.his, f"{task}?_since={day(service, 5)}") == []
    assert await versions(service.his, f"{task}?_at=2026-01-13T12:00:00Z") == ["Task/2"]
    assert await versions(service.his, f"{task}?_at=2026-01-13") == ["Task/2", "Task/1"]
    for entry in (await service.his.get(task)).json()["entry"]:
        version = f"/fhir/{story['Task']}/_history/{entry['resource']['meta']['versionId']}"
        assert (await service.his.get(version)).json() == entry["resource"]


async def test_the_history_of_a_type_is_that_of_all_that_its_reader_may_see(
    service: Service, story: Referral
) -> None:
    everything = ["Task/1", "Task/3", "Task/2", "Task/1"]
    assert await versions(service.his, "/fhir/Task/_history") == everything
    assert await versions(service.coach, "/fhir/Task/_history?_count=1") == everything
    assert await versions(service.hospital, "/fhir/Task/_history") == []
    assert await versions(service.his, f"/fhir/Task/_history?_since={day(service, 2)}") == [
        "Task/1",
        "Task/3",
    ]
    assert await versions(service.his, "/fhir/Task/_history?_at=2026-01-14T12:00Z") == ["Task/3"]
    rows = await service.rows(
        "select type, count(*) as many from (select type from ketenzorg.resource union all"
        " select type from ketenzorg.resource_history) v where type <> 'Organization' group by type"
    )
    for row in rows:
        assert len(await versions(service.his, f"/fhir/{row['type']}/_history")) == row["many"], row["type"]


async def test_a_page_goes_on_where_it_ended_also_when_something_changed(
    service: Service, story: Referral
) -> None:
    first = (await service.his.get("/fhir/Task/_history?_count=2")).json()
    await service.happens(story["Task"], "kennismaking gehouden")
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert await versions(service.his, following.partition("8080")[2]) == ["Task/2", "Task/1"]


async def test_what_is_asked_wrongly_is_named_and_who_has_no_part_finds_nothing(
    service: Service, story: Referral
) -> None:
    task = f"/fhir/{story['Task']}/_history"
    for query, place in {
        "_since=x": "_since", "_since=ge2026": "_since", "_at=2026-02-30": "_at", "_count=0": "_count",
        "_cursor=1": "_cursor", "_count=1&_count=2": "_count",
    }.items():  # fmt: skip
        answer = await service.his.get(f"{task}?{query}")
        assert (answer.status_code, places(answer)) == (400, [place]), query
    unknown = await service.his.get(f"{task}?status=requested")
    assert unknown.status_code == 400
    assert "_since, _at, _count" in texts(unknown)
    hidden = await service.hospital.get(task)
    absent = await service.hospital.get("/fhir/Task/00000000-0000-7000-8000-000000000000/_history")
    assert hidden.status_code == 404
    assert hidden.json() == absent.json()
    assert (await service.his.get("/fhir/PlanDefinition/_history")).status_code == 405
    assert (await service.his.get("/fhir/Nergens/_history")).status_code == 404


async def test_a_history_is_on_record_with_whose_data_it_showed(service: Service, story: Referral) -> None:
    await service.his.get(f"/fhir/{story['Task']}/_history")
    await service.his.get("/fhir/Task/_history?_count=1")
    await service.hospital.get(f"/fhir/{story['Task']}/_history")
    rows = await service.rows(
        "select interaction, what, outcome, cardinality(trajecten) as many, rule from ketenzorg.audit"
        " where interaction like 'history%' order by at"
    )
    assert [tuple(row) for row in rows] == [
        ("history-instance", story["Task"], "0", 1, "takes-part-reads"),
        ("history-type", "Task", "0", 1, "takes-part-reads"),
        ("history-instance", story["Task"], "4", 0, rows[2]["rule"]),
    ]


async def test_who_is_asked_or_could_claim_finds_its_own_task_in_the_history_of_the_type(
    service: Service,
) -> None:
    """These have no part in the traject yet: the history of a type is not found by parts alone."""
    asked = await ask(service, ONE, number="gevraagd")
    answer = await call(service, ONE, "GET", "/fhir/Task/_history", None, 200)
    found = {f"Task/{entry['resource']['id']}" for entry in answer.json().get("entry", ())}
    assert found == {asked.tasks[ONE]}
    claimable = await ask(service, number="open")
    answer = await call(service, ONE, "GET", "/fhir/Task/_history", None, 200)
    found = {f"Task/{entry['resource']['id']}" for entry in answer.json()["entry"]}
    assert found == {asked.tasks[ONE], claimable.handover}
