"""What is on record about consent in a traject, for who may read it: what holds, since when, and for whom."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ketenzorg.coordination.consent.consenting import kind_named, organisation_named
from ketenzorg.coordination.world import World
from ketenzorg.referral.consent import Written, consents_in

ALL = "alle organisaties"
BASES = {
    "verondersteld": "Veronderstelde toestemming: zij volgt uit de verwijzing (NEN 7517, WGBO)",
    "bezwaar": "Bezwaar",
}


class OnRecord(NamedTuple):
    """A Consent in words."""

    what: str
    permits: bool
    since: datetime | None
    whom: tuple[str, ...]
    extent: tuple[str, ...]  # of what, and for what


def on_record(consents: Iterable[Mapping[str, Any]], world: World) -> tuple[OnRecord, ...]:
    """Those that are in force, oldest first."""
    return tuple(_told(each, world) for each in consents_in(consents) if each.active)


def _told(consent: Written, world: World) -> OnRecord:
    provision = consent.resource["provision"]
    titles = [
        world.catalogue.current(name).title for name in consent.purposes if name in world.catalogue.names
    ]
    basis = "bezwaar" if not consent.permits else consent.basis
    return OnRecord(
        what=BASES.get(basis, "Uitdrukkelijke toestemming"),
        permits=consent.permits,
        since=consent.given.low if consent.given else None,
        whom=tuple(_whom(actor, world) for actor in consent.actors) or (ALL,),
        extent=(
            *(code["text"] for code in provision.get("code", ()) if "text" in code),
            *titles,
            "alleen deze verwijzing" if consent.about else "alle verwijzingen",
        ),
    )


def _whom(actor: Mapping[str, Any], world: World) -> str:
    known = organisation_named(actor, world.region)
    return known.name if known else f"elke organisatie van de soort ‘{kind_named(actor)}’"
