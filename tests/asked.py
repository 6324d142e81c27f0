"""Referrals of which it is still to be chosen who performs them, and what its parties do with them."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
import msgspec

from examples import an_example
from referrals import of, said
from services import REGION, Service
from spec.beginnings import URA
from spec.talking import call, introduce

HOUSES = REGION.file.organisations
PRACTICE = REGION.of_client("his-demo").id
ONE, TWO, THREE = (HOUSES[key].id for key in ("fysio-veerkracht", "fysio-oosterstap", "fysio-wadloper"))
SELECTED = {"coding": [{"system": "http://fhir.nl/CodeSystem/nl-cow-business-status", "code": "selected"}]}
HOME = "GM0014"  # where the patient of the example lives


@dataclass
class Asking:
    """A referral that was taken in: its parts, and the Task of each who is asked."""

    locations: list[str]
    tasks: dict[UUID, str]
    handover: str  # the Task without an owner

    def __getitem__(self, kind: str) -> str:
        return next(each for each in self.locations if each.startswith(f"{kind}/"))


def asking(*candidates: UUID, number: str = "kandidaten-1") -> dict[str, Any]:
    """The example of artrose with a Task for each of these; for nobody: one without an owner, for who claims it."""
    bundle = an_example("artrose", vraag="stap-2")
    request = of(bundle, "ServiceRequest")
    request["identifier"][0]["value"] = number
    request.pop("performer", None)
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != "Task"]
    place = next(each["fullUrl"] for each in bundle["entry"] if each["resource"] is request)
    for candidate in candidates or (None,):
        bundle["entry"].append(_task(place, candidate))
    return bundle


def _task(request: str, candidate: UUID | None) -> dict[str, Any]:
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": request},
    }
    if candidate:
        known = REGION.by_id(candidate)  # one of a crowd has no number that everybody knows
        named = {"identifier": {"system": URA, "value": known.ura}} if known else None
        task["owner"] = named or {"reference": f"Organization/{candidate}"}
    return {"resource": task, "request": {"method": "POST", "url": "Task"}}


async def ask(service: Service, *candidates: UUID, number: str = "kandidaten-1") -> Asking:
    """Send it, and see where everything is."""
    return await asked_by(service, asking(*candidates, number=number))


async def asked_by(service: Service, bundle: dict[str, Any]) -> Asking:
    """The same, of a Bundle."""
    answer = await call(service, PRACTICE, "POST", "/fhir", bundle, 200)
    places = [each["response"]["location"].partition("/_history")[0] for each in answer.json()["entry"]]
    tasks = {}
    handover = ""
    for place in (each for each in places if each.startswith("Task/")):
        task = await read(service, PRACTICE, place)
        if "owner" in task:
            tasks[UUID(task["owner"]["reference"].removeprefix("Organization/"))] = place
        else:
            handover = place
    return Asking(places, tasks, handover)


async def read(service: Service, who: UUID, address: str) -> dict[str, Any]:
    """What somebody may read."""
    body: dict[str, Any] = (await call(service, who, "GET", f"/fhir/{address}", None, 200)).json()
    return body


async def says(
    service: Service, who: UUID, task: str, event: str, /, expected: int = 200, **given: str
) -> httpx.Response:
    """What somebody says of a Task."""
    return await call(service, who, "POST", f"/fhir/{task}/$event", said(event, **given), expected)


async def patches(
    service: Service, who: UUID, task: str, expected: int | None = 200, /, **elements: Any
) -> httpx.Response:
    """What somebody writes in a Task."""
    operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in elements.items()]
    return await call(service, who, "PATCH", f"/fhir/{task}", operations, expected)


def crowd(service: Service, number: int) -> list[UUID]:
    """So many more physiotherapists that serve the patient's municipality, from now on."""
    state = service.app.litestar.state
    like = HOUSES["fysio-veerkracht"]
    new = {
        f"fysio-{n}": msgspec.structs.replace(
            like, id=UUID(int=0xF15 << 64 | n), name=f"Fysiotherapie {n}", ura=f"9999{5000 + n}", agb=""
        )
        for n in range(number)
    }
    for each in new.values():
        introduce(each)
    file = msgspec.structs.replace(REGION.file, organisations=REGION.file.organisations | new)
    state.world = replace(state.world, region=replace(REGION, file=file))
    return [each.id for each in new.values()]
