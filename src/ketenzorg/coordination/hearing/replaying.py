"""A subscriber asks how its subscription stands, what there was to hear, and to hear it again."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.hearing.notification import About, Told
from ketenzorg.coordination.hearing.subscribing import about_subscriptions, not_there, own
from ketenzorg.coordination.hearing.telling import told
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Gone, Issue
from ketenzorg.store.outbox import State
from ketenzorg.store.replaying import Numbers
from ketenzorg.store.subscriptions import Content, Subscription

MOST = 100  # events in one answer; who wants more asks from the next number on
AGAIN = 1000  # events that are sent again at once
CONTENTS: tuple[Content, ...] = ("empty", "id-only", "full-resource")  # more and more


class Events(NamedTuple):
    """How a subscription stands, and some of its events."""

    about: About
    told: Sequence[Told]


async def standings(ids: Sequence[UUID], statuses: Sequence[str], visit: Visit, world: World) -> list[About]:
    """How the caller's subscriptions stand: these, or all, with one of these statuses."""
    found = await world.subscriptions.of(visit.caller.organisation)
    return [
        about_of(each)
        for each in found
        if (not ids or each.id in ids) and (not statuses or each.status in statuses)
    ]


async def events(
    subscription: UUID, numbers: Numbers, content: Content | None, visit: Visit, world: World
) -> Events:
    """What there was to hear in a range, with at most as much of it as the subscription tells."""
    before = await own(subscription, visit, world)
    await _insist_on_the_first(before, numbers, visit, world)
    access = about_subscriptions("events", visit, world)
    found = await world.replaying.events(subscription, access, numbers, now=world.real_now(), limit=MOST)
    ours = await own(subscription, visit, world)  # asking has numbered what was new to who polls
    shows = min(content or ours.content, ours.content, key=CONTENTS.index)
    last = found[-1].number if len(found) == MOST else min(numbers.until, before.number)
    gone = gaps([each.number for each in found], max(numbers.since, 1), last)
    about = about_of(ours)._replace(content=shows, gone=gone)
    return Events(about, [await told(each, shows, visit, world) for each in found])


async def send_again(subscription: UUID, numbers: Numbers, visit: Visit, world: World) -> tuple[int, int]:
    """Deliver a range once more, what was parked too; how many events that are, and up to which number."""
    mine = await world.subscriptions.of(visit.caller.organisation, subscription)
    first = numbers.since
    if mine:
        await _insist_on_the_first(mine[0], numbers, visit, world)
        first = first or await world.replaying.first_from(subscription, visit.caller.organisation, 1) or 1
    asked = Numbers(first, min(numbers.until, first + AGAIN - 1))
    return await _again(subscription, asked, ("delivered", "parked"), visit, world), asked.until


async def send_parked(subscription: UUID, numbers: Numbers, visit: Visit, world: World) -> int:
    """Deliver what was parked, from one number to another; how many messages that are."""
    return await _again(subscription, numbers, ("parked",), visit, world)


async def _again(
    subscription: UUID, numbers: Numbers, states: Sequence[State], visit: Visit, world: World
) -> int:
    access, now = about_subscriptions("resend", visit, world), world.real_now()
    count = await world.replaying.again(subscription, access, numbers, states, now=now, most=AGAIN)
    if count is None:
        raise not_there()
    world.bell.ring()
    return count


async def _insist_on_the_first(
    subscription: Subscription, numbers: Numbers, visit: Visit, world: World
) -> None:
    """Raises Gone when a range begins with what is kept no longer: numbers have no gap otherwise."""
    if not 1 <= numbers.since <= subscription.number:
        return
    first = await world.replaying.first_from(subscription.id, visit.caller.organisation, numbers.since)
    if first == numbers.since:
        return
    until = (first or subscription.number + 1) - 1
    left_nl = f"Vraag vanaf {first}." if first else "Daarna is er niets."
    left_en = f"Ask from {first} on." if first else "Nothing is left after it."
    raise Gone(
        Issue(
            nl=f"De berichten {numbers.since} tot en met {until} zijn afgeleverd, en niet meer bewaard. {left_nl}",
            en=f"The events {numbers.since} to {until} were delivered and are kept no longer. {left_en}",
            expression=("eventsSinceNumber",),
        )
    )


def gaps(numbers: Sequence[int], first: int, last: int) -> str:
    """What is not there of a range, in words: 3, 7-9."""
    ends = [first - 1, *numbers, last + 1]
    missing = ((low + 1, high - 1) for low, high in pairwise(ends) if high - low > 1)
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in missing)


def about_of(subscription: Subscription) -> About:
    """What a status says of it."""
    return About(
        subscription.id,
        subscription.type,
        subscription.status,
        subscription.content,
        subscription.number,
        subscription.error,
    )
