"""Who wants to hear of what: subscriptions of an organisation, and its one endpoint that the operator sets."""

from datetime import datetime
from uuid import UUID

from ketenzorg.coordination.notification import BACKPORT, TOPICS
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.store.subscriptions import Asked, Secret

MOST = 20  # subscriptions of one organisation
TIMEOUT_S = 15
OPERATOR = ""  # the client behind `ketenzorg endpoint set`


async def set_endpoint(organisation: UUID, url: str, secret: bytes, world: World, now: datetime) -> None:
    """Where an organisation hears of its Tasks from now on: one subscription, made or given another address."""
    asked = Asked(type="Task", channel="rest-hook", endpoint=url, content="id-only", timeout_s=TIMEOUT_S)
    body = json.write(
        {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "ketenzorg endpoint set",
            "criteria": TOPICS["Task"],
            "channel": {
                "type": "rest-hook",
                "endpoint": url,
                "payload": "application/fhir+json",
                "_payload": {
                    "extension": [{"url": f"{BACKPORT}/backport-payload-content", "valueCode": "id-only"}]
                },
            },
        }
    )
    store = world.subscriptions
    id_ = world.new_id()
    kept = Secret(id_, await world.keyring.seal(secret, "endpoint", id_))
    ours = next((each for each in await store.of(organisation) if each.client == OPERATOR), None)
    if ours is None:
        await store.add(world.new_id(), organisation, OPERATOR, asked, body, kept, now, MOST)
    else:
        await store.change(ours.id, organisation, asked, body, off=False, version=None, now=now)
        await store.rotate(ours.id, organisation, kept, now)
