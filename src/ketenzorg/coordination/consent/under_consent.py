"""A step as it may be stored: with the Consents of who joins by it, and without who loses sight by it."""

import msgspec

from ketenzorg.coordination.consent.sharing_on import shared_on
from ketenzorg.coordination.consent.withdrawing import Changed, on_record, taken_back, withdrawal_of
from ketenzorg.coordination.scene import Scene
from ketenzorg.coordination.steps.handing_over import seen_by
from ketenzorg.coordination.steps.planning import Planned
from ketenzorg.pathway.words import WITHDRAWN


async def under_consent(plan: Planned, scene: Scene) -> Changed:
    """The step, ready to be stored. Raises Invalid when who joins may not get what it shares."""
    organisation, _, traject, pathway, world, at = scene
    step, versions, _, taken, parties = plan
    handed = await shared_on(parties, taken, scene)
    if handed.change:
        step = msgspec.structs.replace(
            step,
            consent=handed.change,
            seen_by=step.seen_by | {"Consent": seen_by("Consent", parties, pathway)},
        )
        versions = [*versions, *handed.made]
    if taken is None or taken.reason is None or taken.reason.code != WITHDRAWN:
        return step, versions
    performer = traject.roles.get(scene.step.performer)
    shared = await world.consents.of(traject.id, organisation)
    if performer is None or performer == shared.holder:
        return step, versions  # the work was in the own house: nobody else has seen it
    objection, consent = withdrawal_of(performer, shared, taken.at, world, at)
    readers = {shared.holder, organisation} - {performer}
    step, versions = on_record(step, versions, objection, consent, readers)
    return taken_back(step, versions, [performer], shared, world, at, notice=versions[0].version)
