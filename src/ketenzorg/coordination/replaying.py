"""A subscriber asks how its subscription stands, what there was to hear, and to hear it again."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.notification import About, Told
from ketenzorg.coordination.subscribing import about_subscriptions, not_there, own
from ketenzorg.coordination.telling import told
from ketenzorg.coordination.world import Visit, World
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
    await own(subscription, visit, world)
    access = about_subscriptions("events", visit, world)
    found = await world.replaying.events(subscription, access, numbers, now=world.real_now(), limit=MOST)
    ours = await own(subscription, visit, world)  # asking has numbered what was new to who polls
    shows = min(content or ours.content, ours.content, key=CONTENTS.index)
    about = about_of(ours)._replace(content=shows)
    return Events(about, [await told(each, shows, visit, world) for each in found])


async def send_again(subscription: UUID, numbers: Numbers, visit: Visit, world: World) -> tuple[int, int]:
    """Deliver a range once more, what was parked too; how many events that are, and up to which number."""
    until = min(numbers.until, numbers.since + AGAIN - 1)
    access = about_subscriptions("resend", visit, world)
    asked = Numbers(numbers.since, until)
    count = await world.replaying.again(subscription, access, asked, now=world.real_now())
    if count is None:
        raise not_there()
    world.bell.ring()
    return count, until


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
