"""The inbox of a team: its lists, a page at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.views import sight_of
from ketenzorg.coordination.hearing.reaching import ToCall, to_call
from ketenzorg.coordination.showing.names import listed_patient, who_plays
from ketenzorg.coordination.world import Visit, World
from ketenzorg.pathway.flatten import Step, handover_of
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.standing import roles_of
from ketenzorg.store.worklist import PAGE, Line, Place, Spot, Wanted, Which

NOT_YET_TAKEN = ("requested", "received")  # Task.status before somebody says yes or no


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an inbox."""

    task: UUID
    patient: dict[str, Any]  # as this organisation sees it
    pathway: str
    step: str
    holder: str  # the organisation that must act in the pathway
    ours: bool  # it is this organisation's turn
    chooses: bool  # that turn is about those that it asked
    told: bool  # another wrote or decided something
    unread: bool  # and nobody of this organisation has looked at it
    due: datetime | None
    norm: str | None
    late: bool
    colleague: str | None
    file_number: str | None
    started: datetime
    ended: datetime | None
    withdrawn: bool  # the patient took consent back
    to_call: tuple[ToCall, ...] = ()  # who has not heard of what this organisation, as the referrer, sent


class Inbox(msgspec.Struct, frozen=True):
    """One page of one list, how long the lists are, and what lies next to the page."""

    rows: list[Row]
    counts: dict[Which, int]
    before: Spot | None  # the page before this one ends before this spot; None: there is none
    after: Spot | None


async def inbox(
    which: Which,
    person: str,
    visit: Visit,
    world: World,
    counted: Sequence[Which] = (),
    *,
    after: Spot | None = None,
    before: Spot | None = None,
) -> Inbox:
    """A page of a team's list. Names are read here, so that goes on record."""
    organisation, now = visit.caller.organisation, world.now()
    wanted = Wanted(organisation, now, person, _places(world.catalogue, visit.caller.role))
    access = visit.access(world, "search", "Task", shown_as="list", asked=[("lijst", which)])
    lines, counts = await world.worklist.page(which, wanted, access, counted, after=after, before=before)
    more = len(lines) > PAGE
    if before:
        page, earlier, later = lines[-PAGE:], more, True
    else:
        page, earlier, later = lines[:PAGE], after is not None, more
    return Inbox(
        rows=await _rows(page, visit, world),
        counts=counts,
        before=page[0].spot if page and earlier else None,
        after=page[-1].spot if page and later else None,
    )


@cache  # the same as long as the process lives
def _places(catalogue: Catalogue, kind: str) -> Mapping[Which, Sequence[Place]]:
    """Where work is new, where it is our turn and where another's, for organisations of a kind."""
    found: dict[Which, list[Place]] = {"new": [], "ours": [], "waiting": []}
    for pathway in catalogue.versions():
        own = [name for name, role in pathway.file.roles.items() if kind in role.kinds]
        for step in pathway.steps.values():
            for role in () if step.ends else own:
                place = Place(pathway.name, pathway.version, step.name, role)
                found["ours" if step.owner == role else "waiting"].append(place)
                if role == step.requester and step.owner == step.performer and may_choose(step, pathway):
                    found["ours"].append(place._replace(provided="to choose"))
                if step.owner == role and step.task in NOT_YET_TAKEN:
                    found["new"].append(place)
    return found


def may_choose(step: Step, pathway: Pathway) -> bool:
    """Whether who asks in this step may ask several by name, and chooses one."""
    choice = handover_of(step.main, pathway.file)[1].choice
    return choice is not None and "kandidaten" in choice.how


async def _rows(page: Sequence[Line], visit: Visit, world: World) -> list[Row]:
    organisation, now = visit.caller.organisation, world.now()
    referred = {
        line.traject for line in page if line.withdrawn is None and _refers(line, organisation, world)
    }
    calls = await to_call(referred, visit, world)
    rows = [(_row(line, organisation, now, world), calls.get(line.traject, ())) for line in page]
    return [msgspec.structs.replace(row, to_call=who) if who else row for row, who in rows]


def _refers(line: Line, organisation: UUID, world: World) -> bool:
    """Whether this organisation is who asked, in the hand-over that runs."""
    requester = world.catalogue.version(line.pathway, line.version).steps[line.step].requester
    return requester in roles_of(organisation, line.roles)


def _row(line: Line, organisation: UUID, now: datetime, world: World) -> Row:
    pathway = world.catalogue.version(line.pathway, line.version)
    step = pathway.steps[line.step]
    own = roles_of(organisation, line.roles)
    chooses = line.to_choose and step.requester in own
    return Row(
        task=line.task,
        patient=listed_patient(line.patient_body, sight_of(pathway, organisation, line.standing)),
        pathway=pathway.title,
        step=step.title,
        holder=who_plays(step.performer, line.roles, world),
        ours=line.ended is None and (chooses or step.owner in own),
        chooses=chooses,
        told=bool(line.news),
        unread=bool(line.unread),
        due=line.due,
        norm=line.due_norm,
        late=line.ended is None and line.due is not None and line.due < now,
        colleague=line.colleague,
        file_number=line.file_number,
        started=line.started,
        ended=line.ended,
        withdrawn=line.withdrawn is not None,
    )
