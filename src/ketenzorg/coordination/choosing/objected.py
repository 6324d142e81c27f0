"""The patient objects to who is asked by name beside others: it is asked no more."""

from datetime import datetime
from uuid import UUID

import msgspec

from ketenzorg.access.views import sights_of
from ketenzorg.coordination.choosing.candidates import QUESTION, candidates_of, closed, passed_over
from ketenzorg.coordination.consent.sharing_on import pathway_of
from ketenzorg.coordination.consent.withdrawing import Changed
from ketenzorg.coordination.steps.handing_over import found_by
from ketenzorg.coordination.world import World
from ketenzorg.pathway.standing import ASKED, asked_in
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import Losing, Traject


def asked_by_name(traject: Traject, lost: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Of these the candidates that have a Task of their own."""
    named = candidates_of(traject) or {}
    return tuple(each for each in lost if each in asked_in(traject.roles) and each in named)


def asked_no_more(
    change: Changed, asked: tuple[UUID, ...], shared: Shared, world: World, at: datetime
) -> Changed:
    """They never knew the patient: each keeps its own Task, which says that it is asked no more and not why."""
    step, versions = change
    traject = shared.traject
    versions = [*versions, *closed(traject, asked, None, at)]
    roles = {key: party for key, party in step.roles.items() if not (ASKED in key and party in asked)}
    roles |= passed_over(traject, asked)
    sights = sights_of(pathway_of(traject, world), traject.standing._replace(roles=roles), traject.parties)
    changed = msgspec.structs.replace(
        step,
        roles=roles,
        listeners=asked,
        losing=tuple(Losing(each, QUESTION) for each in asked),
        found_by=found_by(traject, versions, sights),
        callers=traject.parties,
    )
    return changed, versions
