"""Who wants to hear of what: an organisation makes, reads, changes and ends its own subscriptions.

A subscription is active when its endpoint has answered; each change of it begins there again. Nobody learns of another
organisation's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ketenzorg.access.rules import permit, rule_id
from ketenzorg.access.signing import in_text, new_secret
from ketenzorg.coordination.hearing.notification import BACKPORT, TOPICS
from ketenzorg.coordination.hearing.subscription_asked import (
    CONTENT,
    DEFAULT_TIMEOUT_S,
    JSON,
    what_is_asked_of_us,
)
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Invalid, Issue, NotFound, PreconditionFailed
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.stored import instant
from ketenzorg.store.audit import REFUSED, Access, Interaction
from ketenzorg.store.subscriptions import Asked, Secret, Subscription

MOST = 20  # subscriptions of one organisation
BOTH_SIGN = timedelta(hours=24)  # so long a receiver may take to change over to a new secret
OPERATOR = ""  # the client behind `ketenzorg endpoint set`
PROFILE = f"{BACKPORT}/backport-subscription"
SECRET = f"{BASE}/StructureDefinition/webhook-secret"
NOT_KEPT = ("id", "meta", "status", "error")  # of what was posted: these are ours


async def subscribe(body: bytes, visit: Visit, world: World) -> tuple[Subscription, str]:
    """Make a subscription; with it the secret that signs, which is told this once."""
    now, posted = world.real_now(), decode_as(body, r4.Subscription)
    if posted.status != "requested":
        raise _not_yet()
    asked = _asked(posted, now, visit, world)
    id_, (secret, kept) = world.new_id(), await _new_secret(world)
    organisation, client = visit.caller.organisation, visit.caller.client
    access = about_subscriptions("subscribe", visit, world)
    added = await world.subscriptions.add(
        id_, organisation, client, asked, _kept(body), kept, now, MOST, access
    )
    if not added:
        raise Invalid(
            Issue(
                nl=f"Uw organisatie heeft al {MOST} abonnementen; verwijder er eerst een.",
                en=f"Your organisation has {MOST} subscriptions already; delete one first.",
                code="too-costly",
            )
        )
    world.bell.ring()
    return await own(id_, visit, world), secret


async def resubscribe(
    id_: UUID, body: bytes, visit: Visit, world: World, if_match: int | None
) -> Subscription:
    """Change a subscription, or turn it off: its endpoint must answer anew, and its numbers go on."""
    now, posted = world.real_now(), decode_as(body, r4.Subscription)
    if posted.id != str(id_):
        raise Invalid(
            Issue(
                nl="Subscription.id is een andere dan in het adres.",
                en="Subscription.id differs from the id in the URL.",
                expression=("Subscription.id",),
                code="value",
            )
        )
    access = about_subscriptions("resubscribe", visit, world)
    try:
        before = await own(id_, visit, world)
    except NotFound:
        await world.audit.note(access, f"Subscription/{id_}", outcome=REFUSED)
        raise
    if if_match is not None and if_match != before.version:
        raise _stale(before)
    changed = await world.subscriptions.change(
        id_,
        visit.caller.organisation,
        _asked(posted, now, visit, world),
        _kept(body),
        off=posted.status == "off",
        version=if_match,
        now=now,
        access=access,
    )
    if not changed:
        raise _stale(before)
    world.bell.ring()
    return await own(id_, visit, world)


async def own(id_: UUID, visit: Visit, world: World) -> Subscription:
    """One subscription of the caller's organisation. "Not there" and "not yours" are the same answer."""
    found = await world.subscriptions.of(visit.caller.organisation, id_)
    if not found:
        raise not_there()
    return found[0]


async def subscriptions_of(visit: Visit, world: World) -> list[Subscription]:
    """Those of the caller's organisation, in the order in which they were made."""
    return await world.subscriptions.of(visit.caller.organisation)


async def unsubscribe(id_: UUID, visit: Visit, world: World) -> None:
    """End a subscription: nothing of it is left."""
    if not await world.subscriptions.drop(id_, about_subscriptions("unsubscribe", visit, world)):
        raise not_there()


async def renew_secret(id_: UUID, visit: Visit, world: World) -> tuple[str, datetime]:
    """A new secret, told this once; until when the one before it signs along."""
    secret, kept = await _new_secret(world)
    until = world.real_now() + BOTH_SIGN
    access = about_subscriptions("renew-secret", visit, world)
    if not await world.subscriptions.rotate(id_, visit.caller.organisation, kept, until, access):
        raise not_there()
    return secret, until


async def set_endpoint(
    organisation: UUID, url: str, secret: bytes, by: Callable[[Interaction], Access], world: World
) -> None:
    """Where an organisation hears of its Tasks from now on: one subscription, made or given another address.

    `by`: who sets it, for each line on record.
    """
    now, timeout_s = world.real_now(), DEFAULT_TIMEOUT_S
    asked = Asked(type="Task", channel="rest-hook", endpoint=url, content="id-only", timeout_s=timeout_s)
    body = json.write(
        {
            "resourceType": "Subscription",
            "reason": "ketenzorg endpoint set",
            "criteria": TOPICS["Task"],
            "channel": {
                "type": "rest-hook",
                "endpoint": url,
                "payload": JSON,
                "_payload": {"extension": [{"url": CONTENT, "valueCode": "id-only"}]},
            },
        }
    )
    store, kept = world.subscriptions, await _sealed(secret, world)
    ours = next((each for each in await store.of(organisation) if each.client == OPERATOR), None)
    if ours is None:
        id_ = world.new_id()
        await store.add(id_, organisation, OPERATOR, asked, body, kept, now, MOST, by("subscribe"))
    else:
        access = by("resubscribe")
        await store.change(
            ours.id, organisation, asked, body, off=False, version=None, now=now, access=access
        )
        await store.rotate(ours.id, organisation, kept, now, by("renew-secret"))


def about_subscriptions(does: Interaction, visit: Visit, world: World) -> Access:
    """What goes on record of what an organisation does with its subscriptions, and with what they brought."""
    return visit.access(world, does, "Subscription", rule=rule_id("subscription", "Subscription", "none"))


def as_resource(subscription: Subscription, secret: str = "") -> bytes:
    """The resource as it was asked for, with how it stands; the secret only when it is new."""
    asked = json.read(subscription.body)
    extensions = [*asked.get("extension", ()), *([{"url": SECRET, "valueString": secret}] if secret else [])]
    resource: dict[str, Any] = {
        "resourceType": "Subscription",
        "id": str(subscription.id),
        "meta": {
            "versionId": str(subscription.version),
            "lastUpdated": instant(subscription.updated),
            "profile": [PROFILE],
        },
        **asked,
        "status": subscription.status,
        **({"error": subscription.error} if subscription.error else {}),
        **({"extension": extensions} if extensions else {}),
    }
    return json.write(resource)


def not_there() -> NotFound:
    """The one answer for what is not there and what is somebody else's."""
    return NotFound(
        Issue(nl="Dit abonnement is er niet, of niet voor u.", en="No such Subscription, or not for you.")
    )


def _asked(posted: r4.Subscription, now: datetime, visit: Visit, world: World) -> Asked:
    asked = what_is_asked_of_us(posted, world.outgoing, now)
    permit(visit.caller, "read", asked.type)
    return asked


def _not_yet() -> Invalid:
    return Invalid(
        Issue(
            nl="Een nieuw abonnement heeft status ‘requested’; actief wordt het als het adres antwoordt.",
            en="A new subscription has status 'requested'; it becomes active when its endpoint answers.",
            expression=("Subscription.status",),
            code="value",
        )
    )


def _kept(body: bytes) -> bytes:
    return json.write({name: value for name, value in json.read(body).items() if name not in NOT_KEPT})


async def _new_secret(world: World) -> tuple[str, Secret]:
    secret = new_secret()
    return in_text(secret), await _sealed(secret, world)


async def _sealed(secret: bytes, world: World) -> Secret:
    id_ = world.new_id()
    return Secret(id_, await world.keyring.seal(secret, "endpoint", id_))


def _stale(before: Subscription) -> PreconditionFailed:
    return PreconditionFailed(
        Issue(
            nl=f"Uw versie is niet de laatste; dat was versie {before.version}. Lees het abonnement opnieuw.",
            en=f"Your version is not the latest; that was {before.version}. Read the Subscription again.",
        )
    )
