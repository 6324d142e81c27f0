"""Every pair of Task.status, by every party, over HTTP: allowed or refused as docs/hand-over.md prints it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from api.test_sending_on import OTHER, other_team, sending_on
from ketenzorg.pathway import engine, handover
from ketenzorg.pathway.engine import State
from referrals import a_referral, said, texts
from services import CATALOGUE, REGION, Service
from spec.beginnings import BEGINNINGS
from spec.talking import call

DOC = Path(__file__).parents[2] / "docs" / "hand-over.md"
PATCH = {"Content-Type": "application/json-patch+json"}
WELFARE, FALLS = CATALOGUE.current("welzijn-op-recept"), CATALOGUE.current("valpreventie")
# The statuses of FHIR; how a traject gets there is below.
STATUSES = (
    "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed",
    "completed", "entered-in-error",
)  # fmt: skip
MET = (said("aannemen"), said("eerste contact"))  # a meeting was agreed: the work may begin
STARTED = (*MET, said("kennismaking gehouden"))
WAYS: dict[str, tuple[dict[str, Any], ...]] = {
    "requested": (),
    "received": (said("ontvangst bevestigen"),),
    "accepted": MET,
    "in-progress": STARTED,
    "on-hold": (*STARTED, said("in de wacht zetten", reden_van_wachten="opname")),
    "completed": (*STARTED, said("afronden", terugkoppeling="Klaar.")),
    "failed": (*STARTED, said("afhaken", reden_van_afhaken="wil-niet")),
    "rejected": (said("afwijzen", reden_van_afwijzen="geen-plek"),),
    "cancelled": (said("intrekken", reden_van_intrekken="niet-meer-nodig"),),
    "entered-in-error": (said("ten onrechte ingevoerd"),),
}


def as_printed() -> list[tuple[str, str, str, str]]:
    """The rows of the page: from, to, requester, owner."""
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in DOC.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    return [(row[0], row[1], row[2], row[3]) for row in rows[1:]]


def said_how(row: handover.Handover) -> str:
    if row.by_name:
        return "by event"
    if row.asked:
        return "when asked"
    return "of the patient" if row in handover.FACTS else "yes"


def as_checked() -> list[tuple[str, str, str, str]]:
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in (*handover.HANDOVERS, *handover.FACTS):
        for part in row.by:
            rows.setdefault((row.before, row.after), {})[part] = said_how(row)
    return [(*pair, by.get("requester", ""), by.get("owner", "")) for pair, by in rows.items()]


def test_the_page_prints_the_table_by_which_pathways_are_checked() -> None:
    printed = "\n".join(f"| {' | '.join(row)} |" for row in as_checked())
    assert as_printed() == as_checked(), printed


class Standing:
    """A referral in one status, made anew when something changed it."""

    def __init__(self, service: Service, before: str) -> None:
        self.service, self.before, self.made = service, before, 0

    async def anew(self) -> str:
        self.made += 1
        referral = await self.service.refer(a_referral(f"{self.before}-{self.made}"))
        by = self.service.his if self.before == "cancelled" else self.service.coach
        for event in WAYS[self.before]:
            answer = await by.post(f"/fhir/{referral['Task']}/$event", json=event)
            assert answer.status_code == 200, answer.text
        return referral["Task"]


def change(step: str, role: str, status: str) -> list[dict[str, Any]]:
    """The patch that brings this status, with a reason and the words that it needs where one is meant."""
    patch: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": status}]
    try:
        needs = engine.for_status(WELFARE, State(step, {}, {}), role, status).needs
    except engine.TransitionNotAllowed:
        return patch
    for name in needs:
        need = WELFARE.file.needs[name]
        if need.goes_to == "reden":
            coding = {"system": "https://ketenzorg.example/fhir/CodeSystem/reason", "code": need.codes[0]}
            patch.append({"op": "add", "path": "/statusReason", "value": {"coding": [coding]}})
        else:
            word = {"type": {"coding": [{"code": name}]}, "valueString": next(iter(need.codes), "Woorden.")}
            patch.append({"op": "add", "path": "/output", "value": [word]})
    return patch


async def test_every_pair_by_requester_and_owner_comes_out_as_the_table(service: Service) -> None:
    allowed = {
        (before, after, part): how in ("yes", "of the patient")
        for before, after, *hows in as_printed()
        for part, how in zip(("requester", "owner"), hows, strict=True)
        if how
    }
    wrong = []
    for before in WAYS:
        here = Standing(service, before)
        task = await here.anew()
        for part, client, role in (
            ("requester", service.his, "verwijzer"), ("owner", service.coach, "welzijnscoach"),
        ):  # fmt: skip
            for after in STATUSES:
                if after == before:
                    continue
                now = (await client.get(f"/fhir/{task}")).json()
                step = now["businessStatus"]["coding"][0]["code"]
                answer = await client.patch(f"/fhir/{task}", json=change(step, role, after), headers=PATCH)
                wanted = 200 if allowed.get((before, after, part)) else 409
                then = (await client.get(f"/fhir/{task}")).json()
                if answer.status_code != wanted or (wanted == 409 and then != now):
                    wrong.append((before, after, part, wanted, answer.status_code))
                if wanted == 409 and before not in handover.FINAL_STATUSES:
                    options = engine.allowed(WELFARE, State(step, {}, {}))
                    assert any(option.event in texts(answer) for option in options), answer.text
                if answer.status_code == 200:
                    assert then["status"] == after, (before, after, part)
                    task = await here.anew()
    assert wrong == []


async def refused(
    service: Service,
    read: Callable[[], Awaitable[dict[str, Any]]],
    who: httpx.AsyncClient | UUID,
    task: str,
    code: int,
) -> None:
    """This party changes nothing, whichever status it writes."""
    now = await read()
    for after in STATUSES:
        body = [{"op": "replace", "path": "/status", "value": after}]
        if after == now["status"]:
            continue
        if isinstance(who, UUID):
            answer = await call(service, who, "PATCH", f"/fhir/{task}", body)
        else:
            answer = await who.patch(f"/fhir/{task}", json=body, headers=PATCH)
        assert answer.status_code == code, (now["status"], after, answer.text)
    assert await read() == now


async def test_who_takes_no_part_or_no_longer_finds_no_such_task(service: Service) -> None:
    referral = await service.refer()
    sent = await service.coach.post(f"/fhir/{referral['Task']}/$event", json=sending_on(OTHER))
    assert sent.status_code == 200, sent.text
    [entry] = (await service.his.get("/fhir/Task?status=requested")).json()["entry"]
    task = f"Task/{entry['resource']['id']}"

    async def read() -> dict[str, Any]:
        body: dict[str, Any] = (await service.his.get(f"/fhir/{task}")).json()
        return body

    async with other_team(service) as now_owner:
        for events in ((), ("aannemen",), ("eerste contact", "kennismaking gehouden")):
            for event in events:
                answer = await now_owner.post(f"/fhir/{task}/$event", json=said(event))
                assert answer.status_code == 200, answer.text
            await refused(service, read, service.coach, task, 404)  # the former owner
            await refused(service, read, service.hospital, task, 404)
            await refused(service, read, service.team, task, 403)
            await refused(service, read, service.stranger, task, 401)
    # And its own Task, that it sent on, is over.
    before = (await service.coach.get(f"/fhir/{referral['Task']}")).json()
    for after in ("accepted", "in-progress", "completed"):
        body = [{"op": "replace", "path": "/status", "value": after}]
        answer = await service.coach.patch(f"/fhir/{referral['Task']}", json=body, headers=PATCH)
        assert answer.status_code == 409
    assert (await service.coach.get(f"/fhir/{referral['Task']}")).json() == before


async def test_who_looks_on_sees_it_and_changes_no_status(service: Service) -> None:
    houses = REGION.file.organisations
    beginning = BEGINNINGS["valpreventie"]["gesignaleerd"]
    tester = next(
        each
        for each in REGION.organisations
        if "valpreventie" in each.pathways and each.kind == "fysiotherapie"
    )
    uras = {key: each.ura for key, each in houses.items()}
    key = next(name for name, each in houses.items() if each.id == tester.id)
    bundle = beginning.bundle("valpreventie", 1, "999990019", [key, "praktijk-singel"], uras)
    posted = await call(service, houses[beginning.sender].id, "POST", "/fhir", bundle, 200)
    task = posted.json()["entry"][-1]["response"]["location"].partition("/_history")[0]

    async def read() -> dict[str, Any]:
        body: dict[str, Any] = (await call(service, tester.id, "GET", f"/fhir/{task}", None, 200)).json()
        return body

    looks_on = houses["praktijk-singel"].id
    for event in ("", "aannemen", "afspraak gemaakt", "test begonnen", "in de wacht zetten"):
        if event:
            words = {"reden_van_wachten": "opname"} if event == "in de wacht zetten" else {}
            await call(service, tester.id, "POST", f"/fhir/{task}/$event", said(event, **words), 200)
        assert (await call(service, looks_on, "GET", f"/fhir/{task}")).status_code == 200
        await refused(service, read, looks_on, task, 409)
