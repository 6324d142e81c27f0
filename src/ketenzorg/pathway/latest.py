"""Of questions that were answered more than once the last answer counts; measurements make a series."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ketenzorg.pathway.loaded import Pathway


def latest(resources: Sequence[dict[str, Any]], pathway: Pathway) -> list[dict[str, Any]]:
    """The resources of a traject in the order in which they came, without the answers that were given anew."""
    answered: set[str] = set()
    found = []
    for resource in reversed(resources):
        if resource["resourceType"] == "QuestionnaireResponse":
            before = set(answered)
            answered |= set(_link_ids(resource))
            found.append({**resource, "item": _without(resource.get("item", ()), before, pathway)})
        else:
            found.append(resource)
    return found[::-1]


def _link_ids(node: dict[str, Any]) -> Iterator[str]:
    for item in node.get("item", ()):
        if item.get("answer"):
            yield item["linkId"]
        yield from _link_ids(item)


def _without(items: Iterable[dict[str, Any]], answered: set[str], pathway: Pathway) -> list[dict[str, Any]]:
    data = pathway.file.data
    series = {name for name in answered if name in data and data[name].type == "getal"}
    return [
        {**item, "item": _without(item.get("item", ()), answered, pathway)}
        for item in items
        if item["linkId"] not in answered - series
    ]
