"""Who looked into the file of a patient, when and why: for the patient, by the practice that holds the file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.access.rules import TABLE
from ketenzorg.access.tokens import EMERGENCY
from ketenzorg.coordination.reading.logbook import reading
from ketenzorg.coordination.showing.names import ELSEWHERE, OUTSIDE, name_of
from ketenzorg.coordination.world import Visit, World
from ketenzorg.store.audit_reading import Course, Entry, Wanted

MOST = 2_000  # looks on one page; who has more chooses a shorter period
SAY = {rule.id: rule.say for rule in TABLE.rule}


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did with the data of the patient."""

    at: datetime
    organisation: str
    roles: tuple[str, ...]  # titles of what it was in the traject
    user: str  # id of the person; empty: a system by itself
    responsible: str
    action: str
    interaction: str
    kind: str  # type of resource
    rule: str
    why: str  # the rule, in words
    emergency: bool
    consent: UUID | None
    pathway: str
    request: str


class WhoLooked(msgspec.Struct, frozen=True):
    """All looks of a period, the oldest first."""

    looks: tuple[Look, ...]
    courses: int  # trajecten that this is about
    whole: bool  # False: there were more


async def who_looked(patient: UUID, begin: datetime, end: datetime, visit: Visit, world: World) -> WhoLooked:
    """The looks into all trajecten of the person that this practice is a party to. Asking is on record too."""
    courses = await world.log.courses_of(patient, visit.caller.organisation)
    wanted = Wanted(begin=begin, end=end, most=MOST + 1)
    access = reading("who-looked", visit, world)
    entries = await world.log.about([each.id for each in courses], wanted, access)
    known = {each.id: each for each in courses}
    looks = tuple(_look(each, known, world) for each in _once(entries[:MOST]))
    return WhoLooked(looks, len(courses), len(entries) <= MOST)


def _once(entries: Sequence[Entry]) -> list[Entry]:
    """Of one request about one traject one look: a page or a letter is made of more than one part."""
    return list(
        {(each.request, each.traject, each.interaction): each for each in reversed(entries)}.values()
    )[::-1]


def _look(entry: Entry, courses: dict[UUID, Course], world: World) -> Look:
    course = courses.get(entry.traject) if entry.traject else None
    pathway = world.catalogue.version(course.pathway, course.version) if course else None
    roles = pathway.file.roles if pathway else {}
    rule = entry.rule.partition(" ")[0]
    return Look(
        at=entry.at,
        organisation=OUTSIDE if entry.organisation == ELSEWHERE else name_of(entry.organisation, world),
        roles=tuple(roles[role].title if role in roles else role for role in entry.roles),
        user=entry.user_id,
        responsible=entry.responsible,
        action=entry.action,
        interaction=entry.interaction,
        kind=entry.what.partition("/")[0],
        rule=rule,
        why=SAY.get(rule, ""),
        emergency=entry.purpose == EMERGENCY,
        consent=entry.consent,
        pathway=pathway.title if pathway else "",
        request=entry.request,
    )
