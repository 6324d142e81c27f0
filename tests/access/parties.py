"""Parties that act and look: what happens to a traject, and everything that one of them can read of it."""

from typing import Any
from uuid import UUID

from ketenzorg.fhir.search_parameters import PARAMETERS
from referrals import said
from services import REGION, Referral, Service
from spec.talking import call, options_of

HOUSES = REGION.file.organisations
OPEN = "requested,received,accepted,in-progress,on-hold"


def of_kind(kind: str) -> UUID:
    """The first organisation of a kind."""
    return next(each.id for each in REGION.organisations if each.kind == kind)


async def happens(service: Service, who: UUID, task: str, event: str, /, **given: str) -> dict[str, Any]:
    """Say that it happened, with some answer to whatever must be answered."""
    following = (await call(service, who, "GET", f"/fhir/{task}/$next", None, 200)).json()["parameter"]
    option = next(each for each in options_of(following) if each.event == event)
    answers = option.needs | {name.replace("_", "-"): text for name, text in given.items()}
    response = await call(service, who, "POST", f"/fhir/{task}/$event", said(event, **answers), 200)
    body: dict[str, Any] = response.json()
    return body


async def running(service: Service, who: UUID) -> str:
    """The one Task of a party that has not ended."""
    [task] = await found(service, who, f"Task?status={OPEN}")
    return f"Task/{task['id']}"


async def found(service: Service, who: UUID, query: str) -> list[dict[str, Any]]:
    """What a search finds."""
    answer = (await call(service, who, "GET", f"/fhir/{query}", None, 200)).json()
    return [entry["resource"] for entry in answer.get("entry", ()) if entry["search"]["mode"] == "match"]


async def everything_of(service: Service, who: UUID, referral: Referral) -> str:
    """All that a party can read of a referral, by address, by search, and by what comes along."""
    answers = [await call(service, who, "GET", f"/fhir/{each}") for each in referral.locations]
    for kind, parameters in PARAMETERS.items():
        along = "&".join(f"_include={kind}:{each.name}" for each in parameters if each.kind == "reference")
        answers.append(await call(service, who, "GET", f"/fhir/{kind}?{along}", None, 200))
    return "\n".join(each.text for each in answers if each.status_code == 200)


async def wall_shows(service: Service, who: UUID) -> set[str]:
    """The types that row level security lets through, whatever the application does."""
    database = service.app.litestar.state.database
    async with database.as_callers([who]) as connection:
        rows = await connection.exec_driver_sql("select distinct type from resource")
        return {row[0] for row in rows}
