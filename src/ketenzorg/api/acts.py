"""A transaction as a list of acts: which entries go together, and what comes before what.

A referral is one act of many entries, and so are the data for one traject; every other entry is an act by itself. The
specification has the order: https://hl7.org/fhir/R4/http.html#trules. Among what is created, what is named comes first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, NamedTuple
from uuid import UUID

from ketenzorg.coordination.steps.belonging import DATA, named_by
from ketenzorg.errors import BadRequest, Invalid, Issue, TooLarge
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.referral.bundle import ACCEPTED, OF_A_VERSION, RESTFUL, from_here, is_named_whole

ORDER: Final = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
OUR_ADDRESS: Final = re.compile(r"([A-Z][A-Za-z]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![^/])")
MOST: Final = 100  # entries, where they are several acts
CHANGING: Final = ("DELETE", "PUT", "PATCH")  # by its address
# What makes it worth looking whether a transaction is more than a referral or data.
SIGNS: Final = (
    b'"PUT"', b'"PATCH"', b'"DELETE"', b'"GET"', b'"HEAD"', b'"Appointment"', b'"Subscription"', b'"proposal"',
    b"Task/",
)  # fmt: skip

Entries = Sequence[dict[str, Any]]


class Act(NamedTuple):
    """Entries that are done as one: `together` as a Bundle of their own, else the one as the request that it is."""

    places: tuple[int, ...]
    together: bool
    rank: int


def may_be_several(body: bytes) -> bool:
    """Whether a transaction may ask more than one thing; a body that is one thing all the same is none the worse."""
    return any(sign in body for sign in SIGNS)


def entries_of(body: bytes, base: str) -> dict[str, Any] | None:
    """A transaction whose entries can be asked one by one; None for what is no more than creates of one thing.

    Raises Malformed, TooLarge, or Invalid with all that is wrong with how the entries are asked.
    """
    bundle = decode_as(body, r4.Bundle)
    if bundle.type != "transaction" or not bundle.entry:
        return None
    issues = [issue for place, entry in enumerate(bundle.entry) for issue in _wrong_request(entry, place)]
    if issues:
        raise Invalid(*issues)
    plain: dict[str, Any] = json.read_as_sent(from_here(body, base) if is_named_whole(body, base) else body)
    for entry in plain["entry"]:
        entry["request"]["url"] = entry["request"]["url"].removeprefix(f"{base}/").strip("/")
    acts = acts_of(plain["entry"])
    if len(acts) == 1 and acts[0].together:
        return None
    if len(bundle.entry) > MOST:
        raise TooLarge(_too_many())
    return plain


def _wrong_request(entry: r4.Bundle_Entry, place: int) -> Iterator[Issue]:
    if entry.request is None or entry.request.method is None or not entry.request.url:
        yield Issue(
            nl="Wat moet hiermee? Geef request.method en request.url.",
            en="What is to be done with this? Give request.method and request.url.",
            expression=(f"Bundle.entry[{place}].request",),
            code="required",
        )
    elif entry.resource is None and entry.request.method in ("POST", "PUT", "PATCH"):
        yield Issue(
            nl="Deze entry heeft geen resource.",
            en="This entry has no resource.",
            expression=(f"Bundle.entry[{place}]",),
            code="required",
        )


def refuse_reading(entries: Entries) -> None:
    """Raise BadRequest for what would be kept with the answer under a key: that holds no resources."""
    issues = [_not_under_a_key(place) for place, entry in enumerate(entries) if _reads(entry)]
    if issues:
        raise BadRequest(*issues)


def _reads(entry: Mapping[str, Any]) -> bool:
    return method_of(entry) in ("GET", "HEAD") or "_search" in entry["request"]["url"]


def _not_under_a_key(place: int) -> Issue:
    return Issue(
        nl="Met een Idempotency-Key bewaren wij het antwoord, en daarin staat geen resource: lees na de transactie.",
        en="Under an Idempotency-Key we keep the answer, and no resource is in it: read after the transaction.",
        expression=(f"Bundle.entry[{place}].request.method",),
        code="not-supported",
    )


def acts_of(entries: Entries) -> list[Act]:
    """In the order in which they are done. Raises Invalid for entries about one resource, or about each other."""
    issues = list(_twice(entries))
    if issues:
        raise Invalid(*issues)
    posted = [place for place, entry in enumerate(entries) if method_of(entry) == "POST"]
    others = [
        Act((place,), together=False, rank=ORDER[method_of(entry)])
        for place, entry in enumerate(entries)
        if place not in posted
    ]
    created = _named_first(_created(entries, posted), entries)
    return sorted([*created, *others], key=lambda act: act.rank)


def method_of(entry: Mapping[str, Any]) -> str:
    """What an entry asks; it has been looked at."""
    method: str = entry["request"]["method"]
    return method


def names_of(entry: Mapping[str, Any]) -> set[str]:
    """What others in the Bundle may call it."""
    full_url = entry.get("fullUrl", "")
    restful = None if full_url.startswith("urn:") else RESTFUL.search(full_url)
    return {full_url, restful[0]} if restful else {full_url} - {""}


def _created(entries: Entries, posted: Sequence[int]) -> list[Act]:
    names = {name for place in posted for name in names_of(entries[place])}
    alone = [place for place in posted if _is_alone(entries[place])]
    kinds = {place: entries[place]["resource"]["resourceType"] for place in posted if place not in alone}
    is_referral = "ServiceRequest" in kinds.values()
    by_traject: dict[frozenset[tuple[str, str]], list[int]] = {}
    rest = []
    for place, kind in kinds.items():
        here = frozenset(
            each for each in named_by(kind, entries[place]["resource"]) if "/".join(each) not in names
        )
        if here and kind in DATA:
            by_traject.setdefault(here, []).append(place)
        elif kind == "Consent" and not is_referral:
            alone.append(place)
        else:
            rest.append(place)
    groups = list(by_traject.values())
    if rest and not is_referral and len(groups) == 1:  # what names no traject goes with what does
        groups, rest = [sorted([*groups[0], *rest])], []
    if rest:
        groups.append(rest)
    return [
        *(Act(tuple(group), together=True, rank=ORDER["POST"]) for group in groups),
        *(Act((place,), together=False, rank=ORDER["POST"]) for place in alone),
    ]


def _is_alone(entry: Mapping[str, Any]) -> bool:
    """Whether it is a request of its own: an operation, a question beside a hand-over, a proposal, an appointment."""
    resource = entry.get("resource")
    if not isinstance(resource, dict) or entry["request"]["url"] != resource.get("resourceType"):
        return True
    kind = resource["resourceType"]
    if kind == "Task":
        about = [resource.get("focus"), *_list(resource.get("partOf"))]
        return any(
            str(each.get("reference", "")).startswith("Task/") for each in about if isinstance(each, dict)
        )
    if kind == "ServiceRequest":
        return resource.get("intent") == "proposal"
    return kind not in ACCEPTED


def _named_first(acts: list[Act], entries: Entries) -> list[Act]:
    of = {name: act for act in acts for place in act.places for name in names_of(entries[place])}
    waits = {
        act: [
            of[name]
            for place in act.places
            for name in references_in(entries[place].get("resource"))
            if name in of and of[name] is not act
        ]
        for act in acts
    }
    try:
        return list(TopologicalSorter(waits).static_order())
    except CycleError as error:
        places = sorted({place for act in error.args[1] for place in act.places})
        raise Invalid(_each_other(places)) from None


def named_here(entries: Entries) -> list[tuple[str, UUID]]:
    """Every resource of ours that the entries change or name, by what an id of ours looks like."""
    said = [entry.get("address") or entry["request"]["url"] for entry in entries]
    said += [each for entry in entries for each in references_in(entry.get("resource"))]
    found = dict.fromkeys(match.groups() for each in said if (match := OUR_ADDRESS.match(each)))
    return [(kind, UUID(id_)) for kind, id_ in found]


def references_in(node: Any) -> Iterator[str]:
    """What a resource refers to, of whatever version."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference" and isinstance(value, str):
                yield OF_A_VERSION.sub("", value)
            else:
                yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)


def _twice(entries: Entries) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for place, entry in enumerate(entries):
        if method_of(entry) not in CHANGING:
            continue
        address = entry.get("address") or entry["request"]["url"]
        if address in seen:
            yield Issue(
                nl=f"Over deze resource gaat ook entry[{seen[address]}]. In een transactie komt elke resource één "
                "keer: maak er één van, of stuur ze na elkaar.",
                en=f"entry[{seen[address]}] is about this resource too. In a transaction each resource comes "
                "once: make one of them, or send them one after the other.",
                expression=(
                    f"Bundle.entry[{place}].request.url",
                    f"Bundle.entry[{seen[address]}].request.url",
                ),
                code="duplicate",
            )
        seen.setdefault(address, place)


def _each_other(places: Sequence[int]) -> Issue:
    return Issue(
        nl="Deze entries verwijzen naar elkaar, en elk moet er eerder zijn dan de ander. Stuur ze na elkaar.",
        en="These entries refer to each other, and each must be there before the other. Send them one by one.",
        expression=tuple(f"Bundle.entry[{place}]" for place in places),
    )


def _too_many() -> Issue:
    return Issue(
        nl=f"Hoogstens {MOST} entries in een transactie die meer doet dan één verwijzing of aanvulling insturen.",
        en=f"At most {MOST} entries in a transaction that does more than sending one referral or the data of one.",
        expression=("Bundle.entry",),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
