"""Chronic kidney disease over HTTP: who acts first and why, one hand-over after another, and who sees what of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from content import CATALOGUE
from ketenzorg import events
from ketenzorg.pathway.replay import replay
from kidneys import ACR, BSN, CREATININE, EGFR, STEADY, URA, a_kidney_referral, measurement, new_data
from referrals import said, texts
from services import REGION, START, Referral, Service
from subscribed import listening

MARTINI, PRACTICE = (
    f"Organization/{REGION.of_client(client).id}" for client in ("ziekenhuis-demo", "his-demo")
)


async def refer(service: Service, **how: Any) -> Referral:
    return await service.refer(a_kidney_referral(**how))


def told(referral: Referral) -> str:
    """What the answer to a referral says."""
    outcome = referral.response.json()["entry"][1]["response"]["outcome"]
    return "\n".join(f"{each['details']['text']}\n{each['diagnostics']}" for each in outcome["issue"])


async def happens(client: httpx.AsyncClient, task: str, event: str, /, **given: str) -> dict[str, Any]:
    response = await client.post(f"/fhir/{task}/$event", json=said(event, **given))
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    response = await client.get(f"/fhir/{address}")
    assert response.status_code == 200, (address, response.text)
    body: dict[str, Any] = response.json()
    return body


async def open_task(client: httpx.AsyncClient) -> str:
    """The one Task of this client that has not ended."""
    tasks = await found(client, "Task?status=requested,received,accepted,in-progress")
    assert len(tasks) == 1
    return f"Task/{tasks[0]['id']}"


async def found(client: httpx.AsyncClient, search: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in (await read(client, search)).get("entry", ())]


@pytest.mark.parametrize(
    ("answers", "owner", "step", "status", "urgency", "row"),
    [
        ({"vraag": "verwijzen"}, MARTINI, "verwezen", "requested", "Regulier", 1),
        ({"vraag": "meekijken"}, MARTINI, "meekijkconsult gevraagd", "requested", "Meekijkconsult", 2),
        ({"vraag": "controleren"}, PRACTICE, "waarde bevestigen", "in-progress", "Regulier", 3),
        ({"erfelijke-nierziekte": True}, MARTINI, "verwezen", "requested", "Regulier", 4),
        (
            {"erfelijke-nierziekte": False, "onderliggende-nierziekte": False, "hypertensie-resistent": True},
            MARTINI,
            "meekijkconsult gevraagd",
            "requested",
            "Meekijkconsult",
            5,
        ),
        (
            {
                "erfelijke-nierziekte": False,
                "onderliggende-nierziekte": False,
                "hypertensie-resistent": False,
            },
            PRACTICE,
            "waarde bevestigen",
            "in-progress",
            "Regulier",
            6,
        ),
    ],
)
async def test_each_route_has_its_owner_urgency_and_reason(
    service: Service,
    answers: dict[str, bool | str],
    owner: str,
    step: str,
    status: str,
    urgency: str,
    row: int,
) -> None:
    referral = await refer(service, answers=answers)
    task = await read(service.his, referral["Task"])
    assert (task["owner"]["reference"], task["status"], task["businessStatus"]["text"]) == (
        owner,
        status,
        step,
    )
    words = told(referral)
    assert f"Aan zet: {REGION.by_id(task_owner(task)).name}" in words  # type: ignore[union-attr]
    assert f"Urgentie: {urgency}" in words
    assert words.count(f"Tabel ‘wie is aan zet’, rij {row} (") == 2  # of the owner, and of the urgency
    assert "bron: voorstel" in words


async def test_who_acts_is_said_with_what_is_missing_and_what_could_not_be_used(service: Service) -> None:
    twice = [
        measurement(EGFR, 52, "2025-06-02"),
        measurement(EGFR, 50, "2026-01-07"),
        measurement(EGFR, 44, "2026-01-07"),
    ]
    wrong_unit = measurement(ACR, 44, "2026-01-07", unit="mg/dL")
    referral = await refer(service, answers={"vraag": "controleren"}, measured=[*twice, wrong_unit])
    words = told(referral)
    assert "egfr: Twee verschillende waarden van hetzelfde moment" in words
    assert "acr: albumine-creatinineratio in ‘mg/dL’ kunnen wij niet gebruiken" in words
    assert "Nog niet ingevuld: Is er een erfelijke nierziekte" in words
    assert "Nog niet ingevuld: eGFR" not in words
    assert "44" not in words.replace("mg/dL", "")  # no value of a patient in what is said


async def test_an_acute_injury_is_sent_nowhere(service: Service) -> None:
    steep = [measurement(CREATININE, 90, "2026-01-10"), measurement(CREATININE, 120, "2026-01-11")]
    response = await service.his.post("/fhir", json=a_kidney_referral(measured=[*STEADY, *steep]))
    assert response.status_code == 422
    assert "bel nu de dienstdoende internist-nefroloog" in texts(response)
    assert await service.rows("select 1 from ketenzorg.traject") == []


async def test_the_work_goes_from_house_to_house_and_each_sees_its_own_part(service: Service) -> None:
    await service.rows(listening([MARTINI[13:], PRACTICE[13:]]))
    his, hospital = service.his, service.hospital
    referral = await refer(service, answers={"vraag": "controleren"})
    own = referral["Task"]
    everything = [place for place in referral.locations if not place.startswith("Organization/")]

    # In the practice's own house: nobody else sees anything, not even that there is something.
    assert [(await hospital.get(f"/fhir/{place}")).status_code for place in everything] == [404] * len(
        everything
    )
    assert [await found(hospital, f"{kind}?_count=10") for kind in SEARCHED] == [[], [], []]
    assert await receivers(service) == {PRACTICE}

    # A question to the nephrologist: a Task of its own, for the same request, with the question in it.
    closed = await happens(his, own, "meekijkconsult vragen", vraag_aan_nefroloog="Wat te doen?")
    assert (closed["status"], closed["id"]) == ("completed", own[5:])
    asked = await open_task(hospital)
    task = await read(hospital, asked)
    assert (task["owner"]["reference"], task["requester"]["reference"]) == (MARTINI, PRACTICE)
    assert (task["status"], task["focus"]) == ("requested", closed["focus"])
    assert [each["valueString"] for each in task["input"]] == ["Wat te doen?"]
    seen = {place for place in everything if (await hospital.get(f"/fhir/{place}")).status_code == 200}
    assert seen == set(everything) - {own}
    assert BSN in (await hospital.get(f"/fhir/{referral['Patient']}")).text
    assert (await hospital.get(f"/fhir/{referral['CarePlan']}/_history/1")).status_code == 404
    assert [len(await found(hospital, f"{kind}?_count=10")) for kind in SEARCHED] == [1, 1, 1]
    included = await read(hospital, "Task?_include=Task:focus&_include=Task:based-on&_include=Task:patient")
    assert {entry["resource"]["resourceType"] for entry in included["entry"]} == {
        "Task",
        "ServiceRequest",
        "CarePlan",
        "Patient",
    }
    assert (await messages(service, own), await messages(service, asked)) == (
        {(PRACTICE, 1), (PRACTICE, 2)},
        {(MARTINI, 1), (PRACTICE, 1)},
    )

    # The answer brings it back to the practice: the hospital keeps what it saw, and no more.
    await happens(hospital, asked, "aannemen")
    await happens(hospital, asked, "beantwoorden", advies="Hertest over drie maanden.")
    back = await open_task(his)
    assert back not in (own, asked)
    words = [each.get("valueString") for each in (await read(his, back))["input"]]
    assert "Hertest over drie maanden." in words
    await happens(his, back, "advies overgenomen")
    plan = referral["CarePlan"]
    assert (await hospital.get(f"/fhir/{back}")).status_code == 404
    assert (await hospital.get(f"/fhir/{plan}")).status_code == 404
    assert [task["id"] for task in await found(hospital, "Task?_count=10")] == [asked[5:]]
    assert await found(hospital, "CarePlan?_count=10") == []
    assert (await read(hospital, asked))["status"] == "completed"
    assert [each["name"] for each in (await read(hospital, f"{asked}/$next"))["parameter"]] == ["step"]
    assert {receiver for receiver, _ in await messages(service, back)} == {PRACTICE}
    refused = await hospital.post(f"/fhir/{asked}/$event", json=said("aannemen"))
    assert refused.status_code == 409

    # The consult becomes a referral; the hospital is in it again.
    await happens(his, back, "verwijzen", vraag_aan_nefroloog="Graag overnemen.")
    sent = await open_task(hospital)
    assert (await read(hospital, plan))["status"] == "active"
    await happens(hospital, sent, "aannemen")
    await happens(hospital, sent, "gezien")
    await happens(
        hospital, sent, "terugverwijzen", terugkoppeling="Stabiel.", grenzen="eGFR onder 40: opnieuw."
    )
    control = await read(his, await open_task(his))
    assert "eGFR onder 40: opnieuw." in [each.get("valueString") for each in control["input"]]
    assert control["owner"]["reference"] == PRACTICE
    await the_log_tells_the_same(service)


async def test_the_referral_and_the_event_choose_who_performs(service: Service) -> None:
    ozg = "00000000-0000-4000-8000-000000000023"
    named = await refer(service, answers={"vraag": "verwijzen"}, performer="99990023")
    assert (await read(service.his, named["Task"]))["owner"]["reference"] == f"Organization/{ozg}"
    assert (await service.hospital.get(f"/fhir/{named['Task']}")).status_code == 404
    wrong = await service.his.post("/fhir", json=a_kidney_referral("N-2", performer="99990015"))
    assert wrong.status_code == 422
    assert "Martini Ziekenhuis" in texts(wrong)

    own = await refer(service, number="N-3", answers={"vraag": "controleren"})
    options = (await read(service.his, f"{own['Task']}/$next"))["parameter"]
    offered = [
        part["valueReference"]
        for option in options
        for part in option.get("part", ())
        if part["name"] == "organisatie" and option["part"][0]["valueString"] == "verwijzen"
    ]
    assert [each["reference"] for each in offered] == [MARTINI]
    why = [each["valueString"] for each in options if each["name"] == "explanation"]
    assert any("Urgentie: Regulier" in each and "rij 3" in each for each in why)
    assert [each["valueReference"]["reference"] for each in options if each["name"] == "owner"] == [PRACTICE]
    assert [each["part"][0]["valueString"] for each in options if each["name"] == "due"] == [
        "waarde herhalen",
        "waarde bevestigen",
    ]
    assert "nefrologie, openingstijden niet bekend, 0 km hemelsbreed" in offered[0]["display"]
    choice = said("verwijzen", vraag_aan_nefroloog="Graag zien.")
    choice["parameter"].append(
        {"name": "organisatie", "valueReference": {"reference": "Organization/nobody"}}
    )
    assert (await service.his.post(f"/fhir/{own['Task']}/$event", json=choice)).status_code == 422
    choice["parameter"][-1]["valueReference"] = {"identifier": {"system": URA, "value": "99990023"}}
    assert (await service.his.post(f"/fhir/{own['Task']}/$event", json=choice)).status_code == 200
    tasks = await found(service.his, f"Task?owner=Organization/{ozg}&_count=10")
    assert len(tasks) == 2


async def test_who_refused_keeps_its_refusal_and_sees_nothing_of_who_follows(service: Service) -> None:
    referral = await refer(service, answers={"vraag": "verwijzen"})
    task = referral["Task"]
    await happens(service.hospital, task, "afwijzen", reden_van_afwijzen="geen-plek")
    again = said("opnieuw verwijzen", vraag_aan_nefroloog="Toch graag.")
    again["parameter"].append(
        {"name": "organisatie", "valueReference": {"identifier": {"system": URA, "value": "99990023"}}}
    )
    response = await service.his.post(f"/fhir/{task}/$event", json=again)
    assert response.status_code == 200, response.text
    new = f"Task/{response.json()['id']}"
    assert (await read(service.hospital, task))["status"] == "rejected"
    assert (await service.hospital.get(f"/fhir/{new}")).status_code == 404
    assert (await service.hospital.get(f"/fhir/{referral['CarePlan']}")).status_code == 404
    assert [each["id"] for each in await found(service.hospital, "Task?_count=10")] == [task[5:]]
    await the_log_tells_the_same(service)


async def test_a_control_in_the_own_house_that_does_not_come_is_found(service: Service) -> None:
    referral = await refer(service, answers={"vraag": "controleren"})
    task = referral["Task"]
    await happens(service.his, task, "bevestigd")
    await happens(service.his, task, "risico vastgelegd", risico="risico-mild")
    clock = service.app.litestar.state.clock
    clock.set(START + timedelta(days=175))
    assert await late(service.his) == []
    clock.set(START + timedelta(days=190))  # half a year, by the risk at the start
    expected = [(task, "in controle", "controle van de nierfunctie", "huisarts")]
    assert await late(service.his) == expected
    assert await late(service.hospital) == []
    await happens(service.his, task, "controle gedaan")
    assert await late(service.his) == []


async def test_new_results_are_judged_with_the_old_and_signalled(service: Service) -> None:
    referral = await refer(service, answers={"vraag": "controleren"})
    task, based_on = referral["Task"], referral["ServiceRequest"]
    await happens(service.his, task, "bevestigd")
    await happens(service.his, task, "risico vastgelegd", risico="risico-mild")
    service.app.litestar.state.clock.set(START + timedelta(days=2))
    worse = new_data(based_on, measurement(EGFR, 35, "2026-01-14"), measurement(ACR, 40, "2026-01-14"))
    assert (await service.hospital.post("/fhir", json=worse)).status_code == 404
    response = await service.his.post("/fhir", json=worse)
    assert response.status_code == 200, response.text
    entries = response.json()["entry"]
    words = "\n".join(each["details"]["text"] for each in entries[0]["response"]["outcome"]["issue"])
    assert (
        "Vastgelegd: ‘signaal snelle achteruitgang’; bericht aan: huisarts. Tabel ‘verwijsindicatie’" in words
    )
    assert "Uitkomst ‘risicocategorie’: Sterk verhoogd risico." in words
    assert "controle van de nierfunctie" in words  # due sooner than it was
    stored = await read(service.his, entries[0]["response"]["location"].partition("/_history")[0])
    assert stored["subject"]["reference"] == referral["Patient"]
    assert (await read(service.his, task))["meta"]["versionId"] == "4"
    await the_log_tells_the_same(service)

    again = await service.his.post("/fhir", json=worse)
    assert [entry["response"]["location"] for entry in again.json()["entry"]] == [
        entry["response"]["location"].partition("/_history")[0] for entry in entries
    ]
    assert "hadden we al" in again.text
    assert (await service.rows("select count(*) as n from ketenzorg.event"))[0]["n"] == 5
    acute = new_data(
        based_on, measurement(CREATININE, 90, "2026-01-13"), measurement(CREATININE, 120, "2026-01-14")
    )
    assert "bel nu de dienstdoende internist-nefroloog" in (await service.his.post("/fhir", json=acute)).text
    await the_log_tells_the_same(service)


async def late(client: httpx.AsyncClient) -> list[tuple[str, ...]]:
    """(Task, step, control, who hears) of what is late."""
    found = []
    for each in (await read(client, "Task/$overdue")).get("parameter", ()):
        part = {one["name"]: one for one in each["part"]}
        task = part["task"]["valueReference"]["reference"]
        found.append((task, *(part[name]["valueString"] for name in ("step", "control", "tell"))))
    return found


SEARCHED = ("Task", "ServiceRequest", "CarePlan")
OUTBOX = """
    select s.organisation::text as receiver, o.resource::text as task, o.version as task_version
    from ketenzorg.outbox o join ketenzorg.subscription s on s.id = o.subscription
"""
STORED = """
    select t.pathway, t.version, t.step, t.counts::text, t.happened::text,
        (select array_agg(body::text order by seq) from ketenzorg.event e where e.traject = t.id) as log
    from ketenzorg.traject t
"""


async def messages(service: Service, task: str) -> set[tuple[str, int]]:
    """(receiver, version) of what was sent about a Task."""
    rows = await service.rows(OUTBOX)
    return {
        (f"Organization/{row['receiver']}", row["task_version"]) for row in rows if row["task"] == task[5:]
    }


async def receivers(service: Service) -> set[str]:
    return {f"Organization/{row['receiver']}" for row in await service.rows(OUTBOX)}


async def the_log_tells_the_same(service: Service) -> None:
    """The events alone give the stored state of every traject, urgency and lengths of controls included."""
    for row in await service.rows(STORED):
        log = [(seq, msgspec.json.decode(body, type=events.Event)) for seq, body in enumerate(row["log"], 1)]
        state = replay(CATALOGUE.version(row["pathway"], row["version"]), log)
        assert (state.step, state.counts) == (row["step"], msgspec.json.decode(row["counts"]))
        assert state.happened == msgspec.json.decode(row["happened"], type=dict[str, datetime])


def task_owner(task: dict[str, Any]) -> UUID:
    return UUID(task["owner"]["reference"].partition("/")[2])
