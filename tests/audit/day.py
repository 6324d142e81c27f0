"""A day on which everything happens once that leaves a line in the audit log."""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx

from api.test_appointment import appointment
from api.test_asides import abort
from api.test_objection import consent
from delivery.test_subscription import subscribed
from ketenzorg.access.tokens import EMERGENCY, Caller
from ketenzorg.app import tokens_of
from pages.browsers import ORIGIN, Browser
from referrals import a_referral, said
from services import REGION, SECRET, SETTINGS, START, Service
from subscriptions import polling

PATCH = {"Content-Type": "application/json-patch+json"}
FROM_A_GP = "http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000012345"
HIS_GP = "http://fhir.nl/fhir/NamingSystem/uzi-nr-pers#000054321"


async def browser_of(service: Service, person: str, stack: AsyncExitStack) -> Browser:
    """A browser in which this person has signed in."""
    site: Any = service.app.litestar.state.site
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True)
    await stack.enter_async_context(client)
    client.cookies.set(site.cookie, site.sessions.cookie(site.sessions.begin(person)))
    return Browser(client)


def client_of(
    service: Service, client: str, scopes: str = "system/*.cruds", **person: str
) -> httpx.AsyncClient:
    """A system of the sandbox with these scopes, and somebody behind it."""
    organisation = REGION.of_client(client)
    caller = Caller(
        client, organisation.id, organisation.kind, frozenset(scopes.split()), REGION.code, **person
    )
    token = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def a_day(service: Service) -> str:
    """Its first referral: Task/<id>."""
    referral = await service.refer(a_referral("day-1"))
    task, patient = referral["Task"], referral["Patient"]
    await service.refer(a_referral("day-1"))  # the same again
    again = await service.refer(a_referral("day-2"))
    coach, his = service.coach, service.his
    heard = await subscribed(coach, polling(content="full-resource"))
    assert (await his.post("/fhir", json=consent(again))).status_code == 200
    ids = {"X-Correlation-Id": "session.1", "X-Request-Id": "look.1"}
    for path in (
        patient,
        task,
        f"{task}/_history/1",
        f"{task}/$next",
        "Task/$overdue",
        "Task?_include=Task:patient",
    ):
        answer = await coach.get(f"/fhir/{path}", headers=ids)
        assert answer.status_code == 200, answer.text
    noted = (await his.get(f"/fhir/{task}")).json()
    noted["note"] = [{"text": "Zij is slechthorend."}]
    assert (await his.put(f"/fhir/{task}", json=noted)).status_code == 200
    accept = [{"op": "replace", "path": "/status", "value": "accepted"}]
    assert (await coach.patch(f"/fhir/{task}", json=accept, headers=PATCH)).status_code == 200
    meeting = appointment(referral, status="proposed")
    kept = await coach.post("/fhir/Appointment", json=meeting)
    assert kept.status_code == 201, kept.text
    moved = {**kept.json(), "description": "In het buurthuis."}
    assert (await coach.put(f"/fhir/Appointment/{moved['id']}", json=moved)).status_code == 200
    data = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"text": "gewicht"},
                    "basedOn": [{"reference": referral["ServiceRequest"]}],
                },
                "request": {"method": "POST", "url": "Observation"},
            }
        ],
    }
    for _ in range(2):  # the second time we had it already
        assert (await his.post("/fhir", json=data)).status_code == 200
    gp_ = {"user": FROM_A_GP, "responsible": HIS_GP}
    async with (
        client_of(service, "his-demo", **gp_) as gp,
        client_of(service, "his-demo", purpose=EMERGENCY, **gp_) as in_a_hurry,
    ):
        await gp.get(f"/fhir/{patient}")
        await in_a_hurry.get(f"/fhir/{patient}")
    await service.hospital.get(f"/fhir/{patient}")  # has no part in it
    await service.hospital.post(f"/fhir/{task}/$event", json=said("aannemen"))
    await service.hospital.post("/fhir/Task", json=abort(task))
    await his.get("/throughput/welzijn-op-recept")
    await his.get("/throughput/welzijn-op-recept/steps.csv")
    await _at_a_screen(service, task.partition("/")[2])
    events = await coach.get(f"/fhir/Subscription/{heard['id']}/$events")
    assert len(events.json()["entry"]) > 1
    return task


async def _at_a_screen(service: Service, task: str) -> None:
    async with AsyncExitStack() as stack:
        noor, gp, team = [await browser_of(service, key, stack) for key in ("noor", "huisarts", "ketenteam")]
        await noor.open("/werk?lijst=open")
        await noor.open(f"/werk/{task}")
        await noor.press("Bewaar", dossiernummer="2026/17")
        for day in (1, 2, 3):
            service.app.litestar.state.clock.set(START + timedelta(days=day))
            await service.happens(f"Task/{task}", "niet bereikt")
        await noor.open(f"/werk/{task}/brief")
        assert noor.response.status_code == 200
        await noor.open(f"/werk/{task}")
        await noor.press("Contact gehad")
        await noor.press("Maak ongedaan")
        for event in ("eerste contact", "kennismaking gehouden"):
            await service.happens(f"Task/{task}", event)
        await service.happens(f"Task/{task}", "afronden", terugkoppeling="Zij gaat naar de koffieochtend.")
        await gp.open("/praktijk")
        await gp.open(f"/praktijk/{task}/brief.pdf")
        assert gp.response.status_code == 200
        await team.open("/keten/welzijn-op-recept")
        await team.open("/keten/welzijn-op-recept/steps.csv")
        assert team.response.status_code == 200
