"""What an organisation could claim: open hand-overs, each as far as a candidate may know it."""

from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.consent.consenting import organisation_named
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json
from ketenzorg.fhir.dates import period_of
from ketenzorg.pathway import engine
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.standing import asked_in
from ketenzorg.store.query import Query, ReferenceClause, TokenClause

MOST = 50  # of a list: who has more to choose from sees the oldest first

QUERY = Query(
    type="Task",
    tokens=(TokenClause("status", ((None, "requested"),)),),
    references=(ReferenceClause("owner", missing=True),),
    count=MOST,
)


class Claimable(NamedTuple):
    """One open hand-over."""

    task: UUID
    event: str  # by which it is claimed
    pathway: str
    step: str
    asker: str
    since: datetime


async def claimable(visit: Visit, world: World) -> tuple[Claimable, ...]:
    """What is open to this organisation now, the oldest first. The look is on record."""
    if not _may_claim(visit.caller.role, world.catalogue):
        return ()
    organisation = visit.caller.organisation
    access = visit.access(world, "search", "Task", shown_as="list", asked=[("lijst", "op te pakken")])
    async with world.searching.look("Task", access) as look:
        found, _ = await look.find(QUERY)
        look.show(found)
    rows = []
    for each in found:
        if organisation not in asked_in(each.standing.roles):
            continue
        pathway = world.catalogue.version(each.pathway, each.pathway_version)
        step = pathway.steps[each.standing.step]
        start = engine.State(step.name, {}, {})
        body = json.read(each.body)
        asker = organisation_named(body.get("requester", {}), world.region)
        rows.append(
            Claimable(
                task=each.id,
                event=engine.for_status(pathway, start, step.performer, "accepted").event,
                pathway=pathway.title,
                step=step.title,
                asker=asker.name if asker else "",
                since=period_of(body["authoredOn"]).low,
            )
        )
    return tuple(rows)


@cache  # the same as long as the process lives
def _may_claim(kind: str, catalogue: Catalogue) -> bool:
    """Whether any pathway has work that is open to this kind of organisation."""
    return any(
        kind in pathway.file.roles[each.to].kinds
        for pathway in catalogue.versions()
        for each in pathway.file.handovers.values()
        if each.choice is not None and "open" in each.choice.how
    )
