"""The same request under the same Idempotency-Key is done once and has the same answer.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/. What failed is not kept: nothing was
stored, so the key may come again, also with a body that is mended. A process that dies between the work and the
keeping of its answer leaves the key for a minute; then the work is done again, and finds what it stored.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from ketenzorg.access.keys import keyed_digest
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue, Unavailable
from ketenzorg.store.retries import Key

TRY_AGAIN_S = 1  # what takes longer is rare
HEADER = "Idempotency-Key"


class Answered(msgspec.Struct, frozen=True):
    """An answer as it is kept: without resources, which are read again by whoever wants them."""

    about: str  # Type/id of the resource that it is about first
    body: bytes


async def once(
    key: str, body: bytes, visit: Visit, world: World, work: Callable[[], Awaitable[Answered]]
) -> Answered:
    """Do the work under this key, or give its answer. Raises Conflict while under way, Invalid for another body."""
    name = f"{visit.caller.client}\n{key}".encode()
    keyed = Key(
        visit.caller.organisation,
        keyed_digest(world.keys.retry, name),
        keyed_digest(world.keys.retry, body),
    )
    claim = world.new_id()
    known = await world.retries.claim(keyed, claim, visit.access(world, "create", "ServiceRequest"))
    if not known.same:
        raise Invalid(_another_body())
    if known.about and known.answer:
        return Answered(known.about, known.answer)
    if not known.mine:
        raise Conflict(_under_way(), headers={"Retry-After": str(TRY_AGAIN_S)})
    try:
        answered = await work()
    except Exception:
        with suppress(Unavailable):  # then it lapses
            await world.retries.give_back(keyed, claim)
        raise
    await world.retries.keep(keyed, claim, answered.about, answered.body)
    return answered


def _another_body() -> Issue:
    return Issue(
        nl=f"Onder deze {HEADER} stuurde u eerder iets anders. Stuur iets nieuws onder een nieuwe sleutel.",
        en=f"You sent something else under this {HEADER} before. Send something new under a new key.",
        code="duplicate",
        kind="other-content",
    )


def _under_way() -> Issue:
    return Issue(
        nl="Ditzelfde verzoek is nog onder handen. Stuur het zo nog eens, onder dezelfde sleutel.",
        en="This very request is still being worked on. Send it again in a moment, under the same key.",
    )
