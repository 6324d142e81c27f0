"""Why a traject stands as it does: the rules over all its data, for who may see all of them."""

from ketenzorg.access.views import sight_of
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.receiving.notices import what_holds
from ketenzorg.coordination.world import Visit, World
from ketenzorg.fhir import json
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.criteria import screen
from ketenzorg.pathway.latest import latest
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.trajecten import Traject


async def explained(traject: Traject, pathway: Pathway, visit: Visit, world: World) -> tuple[Notice, ...]:
    """Urgency, outcomes, advice and what is missing, each with its rule; nothing for who sees a part only."""
    organisation = visit.caller.organisation
    if not sight_of(pathway, organisation, traject.standing).everything:
        return ()
    known = await world.trajecten.data_of(
        "ServiceRequest", traject.request.id, visit.access(world, "next", "Task")
    )
    if known is None:
        return ()
    resources = [json.read(body) for _, _, body in known.resources]
    return what_holds(screen(pathway, read_answers(pathway, latest(resources, pathway)), world.now()))
