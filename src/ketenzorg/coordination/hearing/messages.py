"""The messages of an organisation, for its own people: whether they arrive, what waits, what was given up on."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from ketenzorg.coordination.hearing.subscribing import about_subscriptions, not_there
from ketenzorg.coordination.world import Visit, World
from ketenzorg.store.audit import REFUSED
from ketenzorg.store.messages import Mailbox, Message, Spot, Which


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """The subscriptions, and one page of one list of one of them."""

    mailboxes: list[Mailbox]
    chosen: Mailbox | None  # None: there is none
    which: Which
    messages: list[Message]
    after: Spot | None  # where the next page begins; None: there is none


async def post_of(
    subscription: UUID | None, which: Which | None, after: Spot | None, visit: Visit, world: World
) -> Post:
    """A page of a list; unless named, of the subscription and the list that need somebody most."""
    mailboxes = await world.messages.mailboxes(visit.caller.organisation)
    chosen = _chosen(mailboxes, subscription)
    access = about_subscriptions("messages", visit, world)
    if chosen is None and subscription is not None:
        await world.audit.note(access, f"Subscription/{subscription}", outcome=REFUSED)
        raise not_there()
    which = which or _most_needed(chosen)
    if chosen is None:
        return Post(mailboxes=[], chosen=None, which=which, messages=[], after=None)
    messages, more = await world.messages.page(chosen.id, which, after, access)
    spot = _spot(messages[-1], which) if more else None
    return Post(mailboxes=mailboxes, chosen=chosen, which=which, messages=messages, after=spot)


def _chosen(mailboxes: Sequence[Mailbox], subscription: UUID | None) -> Mailbox | None:
    if subscription is not None:
        return next((each for each in mailboxes if each.id == subscription), None)
    return max(mailboxes, key=lambda each: (each.parked, each.waiting, each.status != "off"), default=None)


def _most_needed(mailbox: Mailbox | None) -> Which:
    if mailbox and mailbox.parked:
        return "parked"
    return "waiting" if mailbox and mailbox.waiting else "delivered"


def _spot(message: Message, which: Which) -> Spot:
    moments = {"parked": None, "waiting": message.run_at, "delivered": message.ended}
    return Spot(moments[which] or message.created, message.number)
