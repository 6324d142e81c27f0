"""The figures of a pathway, as somebody asks for them: that they were shown, or taken away as a file, is on record."""

from collections.abc import Sequence

from ketenzorg.access.rules import rule_for
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import BadRequest, Issue
from ketenzorg.store.audit import Interaction
from ketenzorg.throughput.asking import what_is_asked
from ketenzorg.throughput.figures import Measures
from ketenzorg.throughput.measures import Throughput


async def figures_of(
    pathway: str,
    pairs: Sequence[tuple[str, str]],
    visit: Visit,
    throughput: Throughput,
    world: World,
    *,
    shown_as: Interaction = "figures",
    every_norm: bool = True,
) -> Measures:
    """All figures of a selection. Raises NotFound, Forbidden, or BadRequest naming every wrong filter."""
    filters = dict(pairs)
    if len(filters) < len(pairs):
        raise BadRequest(Issue(nl="Een filter staat er twee keer.", en="A filter stands twice."))
    caller, now = visit.caller, world.now()
    asked = what_is_asked(pathway, filters, caller, throughput.region, throughput.catalogue, now)
    measures = await throughput.measures(asked, now, every_norm=every_norm)
    rule = rule_for("figures", "MeasureReport", "none", of=caller.role)
    access = visit.access(
        world, "figures", "MeasureReport", shown_as=shown_as, rule=rule.id if rule else "", asked=pairs
    )
    await world.audit.note(access, f"MeasureReport/{measures.pathway}")
    return measures
