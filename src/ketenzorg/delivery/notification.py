"""What a receiver gets: which version of which Task there is to read, and nothing else.

The R4 form of an id-only event notification: https://hl7.org/fhir/uv/subscriptions-backport/notifications.html
There, a subscription has an address and its events are numbered; ours are neither before there are Subscriptions,
so the profile of that guide is not claimed. The same message gives the same bytes at every attempt.
"""

from datetime import UTC
from typing import Any
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.store.outbox import Claimed

BASE = "https://ketenzorg.example/fhir"
TASK_TOPIC = f"{BASE}/SubscriptionTopic/task"
SUBSCRIPTION_SYSTEM = f"{BASE}/NamingSystem/subscription"


def notification(message: Claimed, fhir_base: str) -> bytes:
    """A history Bundle: the status of the subscription, then the Task without its content."""
    timestamp = message.created.astimezone(UTC).isoformat(timespec="milliseconds")
    address = f"{fhir_base}/Task/{message.task}"
    first = message.task_version == 1
    return json.write(
        {
            "resourceType": "Bundle",
            "id": str(message.id),
            "type": "history",
            "timestamp": timestamp,
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{message.id}",
                    "resource": _status(
                        message.receiver, f"{address}/_history/{message.task_version}", timestamp
                    ),
                    # A history Bundle needs both; the guide lets the status look like an answer to $status.
                    "request": {"method": "GET", "url": "Subscription/$status"},
                    "response": {"status": "200"},
                },
                {
                    "fullUrl": address,
                    "request": {"method": "POST", "url": "Task"}
                    if first
                    else {"method": "PUT", "url": f"Task/{message.task}"},
                    "response": {"status": "201" if first else "200", "etag": f'W/"{message.task_version}"'},
                },
            ],
        }
    )


def _status(receiver: UUID, focus: str, timestamp: str) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "subscription",
                "valueReference": {
                    "type": "Subscription",
                    "identifier": {"system": SUBSCRIPTION_SYSTEM, "value": str(receiver)},
                },
            },
            {"name": "topic", "valueCanonical": TASK_TOPIC},
            {"name": "status", "valueCode": "active"},
            {"name": "type", "valueCode": "event-notification"},
            {
                "name": "notification-event",
                "part": [
                    {"name": "timestamp", "valueInstant": timestamp},
                    {"name": "focus", "valueReference": {"reference": focus, "type": "Task"}},
                ],
            },
        ],
    }
