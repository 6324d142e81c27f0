"""What the sender of a referral hears: where everything is, what we made, and what it must know."""

from datetime import datetime

import msgspec

from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.receiving.stopping import not_stored
from ketenzorg.referral.bundle import Posted
from ketenzorg.referral.intake import Asked
from ketenzorg.store.referrals import Stored


class Receipt(msgspec.Struct, frozen=True):
    """What the sender hears: where each entry is, and what we made, and what it must know."""

    new: bool
    at: datetime
    request_place: int
    locations: tuple[str, ...]  # of the posted entries, in their order; '' of what was not stored
    known: frozenset[str]  # those that were here already: organisations
    made: tuple[
        str, ...
    ]  # by us, beside the two that follow: Consents, and Tasks of who is asked beside others
    care_plan: str
    task: str
    task_was_posted: bool
    notices: tuple[Notice, ...]


def receipt_of(
    posted: Posted, asked: Asked, notices: tuple[Notice, ...], stored: Stored, at: datetime
) -> Receipt:
    """Of a referral that is stored, now or before."""
    *sent, care_plan, task = stored.locations
    places = iter(sent)  # what we made follows what was sent
    locations = tuple(
        entry.location if entry.kind == "Organization" else next(places) for entry in posted.entries
    )
    known = frozenset(entry.location for entry in posted.entries if entry.kind == "Organization")
    return Receipt(
        new=stored.new,
        at=at,
        request_place=asked.request.place,
        locations=locations,
        known=known,
        made=tuple(places),
        care_plan=care_plan,
        task=task,
        task_was_posted=asked.task is not None,
        notices=notices,
    )


def what_there_is(posted: Posted, asked: Asked, stored: Stored, at: datetime) -> Receipt:
    """To who sends it only if it is not there: the stored referral, and of what came with it nothing."""
    request = next(each for each in stored.locations if each.startswith("ServiceRequest/"))
    return Receipt(
        new=False,
        at=at,
        request_place=asked.request.place,
        locations=tuple(request if entry is asked.request else "" for entry in posted.entries),
        known=frozenset(),
        made=(),
        care_plan=stored.locations[-2],
        task=stored.locations[-1],
        task_was_posted=False,
        notices=(not_stored(),),
    )
