"""The audit log is read: by an organisation its own lines, by a practice also who looked at its patients."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.rules import rule_for
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, NotFound
from ketenzorg.store.audit import Access, Interaction
from ketenzorg.store.audit_reading import Entry, Spot, Wanted

HOLDER = "huisartspraktijk"  # the kind that holds the file of a patient
EVENT_ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([1-9][0-9]{0,3}))?\Z")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A search of the log, as it was understood."""

    wanted: Wanted
    patient: UUID | None = None
    entity: tuple[str, UUID] | None = None
    pairs: tuple[tuple[str, str], ...] = ()  # as they came, for the record


class Page(NamedTuple):
    """One page of entries, and after which one the next begins."""

    entries: list[Entry]
    next_after: Spot | None


async def entry_of(id_: str, visit: Visit, world: World) -> Entry:
    """One entry. Raises NotFound, also for one that the caller may not see."""
    match = EVENT_ID.match(id_)
    entry = None
    if match:
        spot = Spot(UUID(match[1]), int(match[2] or 0))
        entry = await world.log.one(spot, reading("log-read", visit, world), holder=holds(visit))
    if entry is None:
        raise NotFound(
            Issue(nl="Deze AuditEvent is er niet, of niet voor u.", en="No such AuditEvent, or not for you.")
        )
    return entry


async def find_entries(asked: Asked, visit: Visit, world: World) -> Page:
    """A page of entries, the oldest first."""
    more = msgspec.structs.replace(asked.wanted, most=asked.wanted.most + 1)
    access = reading("log-search", visit, world, asked.pairs)
    if asked.patient is None and asked.entity is None:
        own = asked.wanted.whose in (None, visit.caller.organisation)
        found = await world.log.own(more, access) if own else []
    else:
        trajecten = await _trajecten(asked, visit, world)
        whose = asked.wanted.whose if holds(visit) else visit.caller.organisation
        more = msgspec.structs.replace(more, whose=whose, what=_what(asked))
        found = await world.log.about(trajecten, more, access)
    page = found[: asked.wanted.most]
    return Page(page, page[-1].spot if len(found) > len(page) else None)


def holds(visit: Visit) -> bool:
    """Whether the caller holds the files of its patients, and so sees who looked into them."""
    return visit.caller.role == HOLDER


def reading(does: Interaction, visit: Visit, world: World, pairs: Sequence[tuple[str, str]] = ()) -> Access:
    """That the log is read is on record as well."""
    rule = rule_for(does, "AuditEvent", "none", of=visit.caller.role)
    return visit.access(world, does, "AuditEvent", rule=rule.id if rule else "", asked=pairs)


def _what(asked: Asked) -> str | None:
    return f"{asked.entity[0]}/{asked.entity[1]}" if asked.entity else None


async def _trajecten(asked: Asked, visit: Visit, world: World) -> list[UUID]:
    """Those of the patient, and of the one resource, that are asked for."""
    organisation = visit.caller.organisation
    of_patient, of_entity = None, None
    if asked.patient is not None:
        of_patient = {each.id for each in await world.log.courses_of(asked.patient, organisation)}
    if asked.entity is not None:
        traject = await world.log.traject_of(*asked.entity, organisation)
        of_entity = {traject} if traject else set()
    return sorted(set.intersection(*(each for each in (of_patient, of_entity) if each is not None)))
