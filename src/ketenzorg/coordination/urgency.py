"""How soon others must hear of what happens in a traject."""

from collections.abc import Mapping

from ketenzorg.pathway.clocks import URGENCY
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.referral.coordination_task import most_urgent


def how_soon(pathway: Pathway, counts: Mapping[str, int], *asked: str | None) -> str:
    """The soonest of what was asked and what the rules made of it. http://hl7.org/fhir/request-priority"""
    found = [
        urgency.priority for name, urgency in pathway.file.urgencies.items() if f"{URGENCY}:{name}" in counts
    ]
    soonest: str | None = None
    for each in (*asked, *found):
        soonest = most_urgent(soonest, each)
    return soonest or "routine"
