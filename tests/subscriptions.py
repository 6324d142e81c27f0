"""Subscriptions as the clients of the tests ask for them."""

from typing import Any

from ketenzorg.coordination.hearing.notification import BACKPORT, TOPICS
from ketenzorg.coordination.hearing.subscription_asked import CHANNEL_TYPE, CONTENT, FILTER, POLLING


def subscription(
    endpoint: str = "https://his.example/hook", *, to: str = "Task", content: str = "id-only", **more: Any
) -> dict[str, Any]:
    """One over a rest-hook; `more` goes into it as it is."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Ons systeem werkt de werklijst bij",
        "criteria": TOPICS[to],
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": CONTENT, "valueCode": content}]},
        },
        **more,
    }


def polling(*, to: str = "Task", content: str = "id-only") -> dict[str, Any]:
    """One of who comes to us."""
    system, code = POLLING
    coding = {"url": CHANNEL_TYPE, "valueCoding": {"system": system, "code": code}}
    asked = subscription(to=to, content=content)
    del asked["channel"]["endpoint"], asked["channel"]["type"]
    asked["channel"]["_type"] = {"extension": [coding]}
    return asked


def filtered(*filters: str) -> dict[str, Any]:
    """The element beside `criteria` that narrows a topic."""
    return {"extension": [{"url": FILTER, "valueString": each} for each in filters]}


def extended(asked: dict[str, Any], **numbers: int) -> dict[str, Any]:
    """With extensions of the channel: heartbeat_period=60, timeout=5, max_count=1."""
    kinds = {
        "heartbeat_period": "valueUnsignedInt",
        "timeout": "valueUnsignedInt",
        "max_count": "valuePositiveInt",
    }
    asked["channel"]["extension"] = [
        {"url": f"{BACKPORT}/backport-{name.replace('_', '-')}", kinds[name]: number}
        for name, number in numbers.items()
    ]
    return asked


def values(parameters: dict[str, Any]) -> dict[str, Any]:
    """A Parameters resource as name -> value, of repeated names the last."""
    return {
        each["name"]: next((value for name, value in each.items() if name.startswith("value")), None)
        for each in parameters["parameter"]
    }


def numbers(bundle: dict[str, Any]) -> list[int]:
    """The event numbers of a notification."""
    return [
        int(part["valueString"])
        for each in bundle["entry"][0]["resource"]["parameter"]
        if each["name"] == "notification-event"
        for part in each["part"]
        if part["name"] == "event-number"
    ]
