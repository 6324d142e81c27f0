"""Death and moving are of a person: the person's other trajecten hear of them, and who says it hears of none."""

import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.test_appointment import appointment
from api.test_handover import the_log_tells_the_same
from api.test_objection import kidneys_of, somebody_else
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.person.elsewhere import DIED
from ketenzorg.coordination.showing.story import look_at
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.pathway.leaving import end_of
from referrals import a_referral, of, said
from services import CATALOGUE, REGION, Referral, Service
from spec.talking import call

URA = "http://fhir.nl/fhir/NamingSystem/ura"
ANOTHER = next(each for each in REGION.organisations if each.ura == "99990004")  # a practice that refers too
UNTOLD = UUID(int=0)
IDS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z?(?:\+00:00)?|99999\d{4}|alone|known"
)


def by_another(bundle: dict[str, Any]) -> dict[str, Any]:
    of(bundle, "ServiceRequest")["requester"] = {"identifier": {"system": URA, "value": ANOTHER.ura}}
    return bundle


async def elsewhere(service: Service, number: str = "kidneys") -> Referral:
    """The same patient, referred to the hospital by another practice, and seen there next week."""
    posted = await call(service, ANOTHER.id, "POST", "/fhir", by_another(kidneys_of(number)), 200)
    referral = Referral(posted)
    await hospital(service, referral, "aannemen")
    return referral


async def hospital(service: Service, referral: Referral, event: str, **given: str) -> None:
    answer = await service.hospital.post(f"/fhir/{referral['Task']}/$event", json=said(event, **given))
    assert answer.status_code == 200, answer.text


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{address}")
    assert answer.status_code == 200, (address, answer.text)
    body: dict[str, Any] = answer.json()
    return body


def visit(client: str) -> Visit:
    return Visit(caller_for(REGION, client), Trail("test"))


def uuid_of(task: str) -> UUID:
    return UUID(task.removeprefix("Task/"))


async def version_of(client: httpx.AsyncClient, task: str) -> int:
    return int((await read(client, task))["meta"]["versionId"])


async def heard(service: Service, referral: Referral) -> list[str]:
    """What the Task says that was heard."""
    task = await read(service.hospital, referral["Task"])
    return [
        each["valueString"]
        for each in task.get("output", ())
        if each["type"]["text"] == "buiten deze verwijzing"
    ]


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_every_step_of_every_pathway_can_end_by_a_death(name: str) -> None:
    pathway = CATALOGUE.current(name)
    stuck = [
        step.name
        for step in pathway.steps.values()
        if not step.ends and end_of(DIED, step, pathway.file.roles, pathway.steps) is None
    ]
    assert stuck == []


async def test_a_death_stops_contact_in_all_trajecten_and_its_undoing_begins_them_again(
    service: Service,
) -> None:
    world = service.app.litestar.state.world
    here, there = await service.refer(), await elsewhere(service)
    other = await service.refer(a_referral("other", somebody_else))
    planned = await service.hospital.post("/fhir/Appointment", json=appointment(there))
    assert planned.status_code == 201, planned.text
    before = await read(service.hospital, there["Task"])
    answer = await service.his.post(f"/fhir/{here['Task']}/$event", json=said("overleden"))
    assert answer.status_code == 200, answer.text

    now = await read(service.hospital, there["Task"])
    assert (now["status"], now["statusReason"]["coding"][0]["code"]) == ("failed", "overleden")
    place = f"Appointment/{planned.json()['id']}"
    assert (await read(service.hospital, place))["status"] == "cancelled"
    assert (await read(service.coach, other["Task"]))["status"] == "requested"
    [row] = await service.rows(
        "select body ->> 'organisation', body ->> 'elsewhere', t.ended is not null from ketenzorg.event e"
        f" join ketenzorg.traject t on t.id = e.traject where t.task = '{uuid_of(there['Task'])}'"
        " order by e.seq desc limit 1"
    )
    assert tuple(row) == (str(UNTOLD), "true", True)
    story = await look_at(uuid_of(there["Task"]), visit("ziekenhuis-demo"), world)
    assert (story.died, story.last.organisation) == (True, "buiten deze verwijzing vastgelegd")
    assert story.unread  # news
    await the_log_tells_the_same(service)

    await undo(uuid_of(here["Task"]), await version_of(service.his, here["Task"]), visit("his-demo"), world)
    again = await read(service.hospital, there["Task"])
    differs = {"meta": 0, "lastModified": 0}
    assert again | differs == before | differs
    assert (await read(service.hospital, place))["status"] == "booked"
    assert (await read(service.coach, here["Task"]))["status"] == "requested"
    await the_log_tells_the_same(service)
    await hospital(service, there, "afronden", terugkoppeling="Klaar.")


async def test_neither_log_names_the_other(service: Service) -> None:
    """Of who said it the own log tells of its own traject only; the log of the other traject does not tell who."""
    here, there = await service.refer(), await elsewhere(service)
    answer = await service.his.post(f"/fhir/{here['Task']}/$event", json=said("overleden"))
    assert answer.status_code == 200, answer.text
    own = (await read(service.his, "AuditEvent?_count=50"))["entry"]
    assert here["Task"] in str(own)
    assert there["Task"] not in str(own)
    about = await call(service, ANOTHER.id, "GET", f"/fhir/AuditEvent?patient={there['Patient']}", None, 200)
    ended = [each["resource"] for each in about.json()["entry"] if there["Task"] in str(each)]
    assert "event" in str(ended[-1]["subtype"])
    assert str(REGION.of_client("his-demo").id) not in str(ended)


async def test_who_knows_better_puts_it_right_in_the_own_traject(service: Service) -> None:
    world = service.app.litestar.state.world
    here, there = await service.refer(), await elsewhere(service)
    answer = await service.his.post(f"/fhir/{here['Task']}/$event", json=said("overleden"))
    assert answer.status_code == 200, answer.text
    version = await version_of(service.hospital, there["Task"])
    await undo(uuid_of(there["Task"]), version, visit("ziekenhuis-demo"), world)
    assert (await read(service.hospital, there["Task"]))["status"] == "accepted"
    assert (await read(service.his, here["Task"]))["status"] == "cancelled"
    # And is left alone when the click itself is undone.
    await undo(uuid_of(here["Task"]), await version_of(service.his, here["Task"]), visit("his-demo"), world)
    assert await version_of(service.hospital, there["Task"]) == version + 1


@pytest.mark.parametrize("event", ["overleden", "verhuisd"])
async def test_what_a_welfare_team_says_is_told_and_ends_nothing_elsewhere(
    service: Service, event: str
) -> None:
    """Nor does moving, whoever says it: a treatment may go on across the border."""
    world = service.app.litestar.state.world
    here, there = await service.refer(), await elsewhere(service)
    await service.happens(here["Task"], event)
    assert (await read(service.hospital, there["Task"]))["status"] == "accepted"
    [told] = await heard(service, there)
    assert "Buiten deze verwijzing is vastgelegd" in told
    story = await look_at(uuid_of(there["Task"]), visit("ziekenhuis-demo"), world)
    assert story.unread
    assert (story.last.organisation, story.last.wrote[0][1]) == ("buiten deze verwijzing vastgelegd", told)
    coach = visit("welzijn-demo")
    await undo(uuid_of(here["Task"]), await version_of(service.coach, here["Task"]), coach, world)
    assert await heard(service, there) == []
    story = await look_at(uuid_of(there["Task"]), visit("ziekenhuis-demo"), world)
    assert "een vergissing" in story.last.event
    await the_log_tells_the_same(service)


@pytest.mark.parametrize(
    ("by", "event"),
    [("coach", "overleden"), ("coach", "verhuisd"), ("his", "overleden"), ("his", "verhuisd")],
)
async def test_who_says_it_gets_the_same_answer_whether_there_is_another_traject_or_not(
    service: Service, by: str, event: str
) -> None:
    """All that the practice and the coach are answered, of two patients of whom one is treated elsewhere too."""
    alone, known = (
        await service.refer(a_referral("alone", somebody_else)),
        await service.refer(a_referral("known")),
    )
    await elsewhere(service)
    seen: list[list[str]] = []
    for referral in (alone, known):
        answers = [
            await getattr(service, by).post(f"/fhir/{referral['Task']}/$event", json=said(event)),
            *[
                await client.get(f"/fhir/{address}")
                for client in (service.coach, service.his)
                for address in (
                    referral["Task"], f"{referral['Task']}/_history", f"{referral['Task']}/$next",
                    referral["CarePlan"], referral["ServiceRequest"], f"Task?patient={referral['Patient']}",
                    f"AuditEvent?entity={referral['Task']}",
                )
            ],
        ]  # fmt: skip
        assert answers[0].status_code == 200, answers[0].text
        seen.append([f"{each.status_code} {IDS.sub('*', each.text)}" for each in answers])
    assert seen[0] == seen[1]
