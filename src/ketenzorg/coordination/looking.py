"""A party reads: one resource or a search, cut to what its role in each traject shows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.personal_numbers import tokens_in, unseal
from ketenzorg.access.rules import may, rule_id
from ketenzorg.access.views import shown, sight_by_rule
from ketenzorg.coordination.directory import organisation_resource
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, NotFound
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.coordination_task import withdrawn_task
from ketenzorg.store.audit import REFUSED
from ketenzorg.store.reading import Found
from ketenzorg.store.searching import Query, Stands


class Seen(msgspec.Struct, frozen=True):
    """A resource as its reader sees it."""

    type: str
    id: str
    body: bytes
    version: int
    updated: datetime


class Page(msgspec.Struct, frozen=True):
    """One page of a search: what matched, what came along, and after which id the next page begins."""

    matches: tuple[Seen, ...]
    included: tuple[Seen, ...]
    next_after: UUID | None


async def read(kind: str, id_: str, visit: Visit, world: World, version: int | None = None) -> Seen:
    """One resource, in its latest version or the one named. "Not there" and "not for you" are the same answer."""
    if kind == "Organization" and version in (None, 1):
        return _organisation(id_, world)
    try:
        access = visit.access(world, "read" if version is None else "vread", kind)
        found = await world.reading.one(kind, UUID(id_), version, access)
    except ValueError:
        found = None
    seen = await as_seen([found] if found else [], "read", visit, world)
    return seen[0] if seen else await _withdrawn(kind, id_, version, visit, world)


async def _withdrawn(kind: str, id_: str, version: int | None, visit: Visit, world: World) -> Seen:
    """All that is left to read for whom consent was withdrawn. Raises NotFound."""
    try:
        access = visit.access(world, "read", kind, rule=rule_id("read", kind, "withdrawn"))
        told = await world.consents.withdrawn(UUID(id_), access) if kind == "Task" else None
    except ValueError:
        told = None
    if told is None or version not in (None, told[1]):
        raise not_found(kind)
    at, version = told
    return Seen("Task", id_, withdrawn_task(UUID(id_), version, at), version, at)


async def read_whole(
    kind: str,
    id_: str,
    referred: Callable[[dict[str, Any]], Iterable[tuple[str, str]]],
    visit: Visit,
    world: World,
) -> tuple[Seen, tuple[Seen, ...]]:
    """A resource with what it refers to, as far as its reader sees that: one look, that is on record once."""
    access = visit.access(world, "document", kind)
    try:
        async with world.searching.look(f"{kind}/{UUID(id_)}", access) as look:
            [found] = await look.by_id([(kind, UUID(id_))])
            if not _sight(found, kind, "document", visit, world).sees(kind):
                raise ValueError
            wanted = dict.fromkeys(referred(json.read(found.body)))
            others = await look.by_id([(each, UUID(id_)) for each, id_ in wanted if each != "Organization"])
    except ValueError:  # no such one, or not for them
        await world.audit.note(access, kind, outcome=REFUSED)
        raise not_found(kind) from None
    [whole] = await as_seen([found], "document", visit, world)
    seen = await as_seen(others, "include", visit, world)
    organisations = [_organisation(id_, world) for each, id_ in wanted if each == "Organization"]
    return whole, (*seen, *organisations)


async def search(
    query: Query, includes: Sequence[str], asked: Sequence[tuple[str, str]], visit: Visit, world: World
) -> Page:
    """A page of what matches, ordered by id (and so by moment of creation), with what it refers to.

    `asked`: the parameters as they came, for the record.
    """
    access = visit.access(world, "search", query.type, asked=asked)
    async with world.searching.look(query.type, access) as look:
        found, more = await look.find(query)
        wanted = [
            each
            for each in _targets(found, query.type, includes, visit, world)
            if may(visit.caller, "include", each[0])
        ]
        referred = await look.by_id([each for each in wanted if each[0] != "Organization"])
    included = await as_seen(referred, "include", visit, world)
    organisations = [_organisation(str(id_), world) for kind, id_ in wanted if kind == "Organization"]
    # Who finds by a number knows it: whatever the rows say, the view of now decides.
    known = found
    if query.by_number:
        known = [each for each in found if _sight(each, each.type, "search", visit, world).bsn]
    matches = await as_seen(known, "search", visit, world)
    return Page(tuple(matches), (*included, *organisations), found[-1].id if more else None)


async def count(query: Query, asked: Sequence[tuple[str, str]], visit: Visit, world: World) -> int:
    """How many match, of what the caller sees."""
    if query.by_number:  # it tells of somebody: on record as any search for a person
        return len((await search(query, (), asked, visit, world)).matches)
    access = visit.access(world, "search", query.type, asked=asked)
    async with world.searching.look(query.type, access) as look:
        stands = await look.standings(query)
    kind = query.type
    return sum(many for each, many in stands if _sight(each, kind, "search", visit, world).sees(kind))


async def as_seen(found: Sequence[Found], does: str, visit: Visit, world: World) -> list[Seen]:
    """These as their reader sees them, without what it does not see."""
    organisation = visit.caller.organisation
    sights = [_sight(each, each.type, does, visit, world) for each in found]
    visible = [(each, sight) for each, sight in zip(found, sights, strict=True) if sight.sees(each.type)]
    tokens = {token for each, sight in visible if sight.bsn for token in tokens_in(each.body)}
    numbers = await _numbers(tokens, organisation, world)
    return [
        Seen(
            each.type,
            str(each.id),
            shown(each.body, each.type, sight, numbers),
            each.version,
            each.updated,
        )
        for each, sight in visible
    ]


def _sight(found: Found | Stands, kind: str, does: str, visit: Visit, world: World) -> Visibility:
    pathway = world.catalogue.version(found.pathway, found.pathway_version)
    organisation = visit.caller.organisation
    return sight_by_rule(does, kind, organisation, pathway, found.standing, found.involved)


async def _numbers(tokens: set[UUID], organisation: UUID, world: World) -> dict[UUID, str]:
    if not tokens:
        return {}
    sealed = await world.reading.numbers(sorted(tokens), organisation)
    keys = await world.keyring.opening({each.key_id for each in sealed.values()})
    numbers = {
        token: unseal(token, each, keys[each.key_id]) for token, each in sealed.items() if each.key_id in keys
    }
    return {token: number for token, number in numbers.items() if number is not None}


def _targets(
    found: Sequence[Found], kind: str, includes: Sequence[str], visit: Visit, world: World
) -> list[tuple[str, UUID]]:
    """What the matches refer to by the parameters to include, in what their reader sees of them, each once."""
    wanted = [parameter.element for parameter in PARAMETERS[kind] if parameter.name in includes]
    targets: dict[tuple[str, UUID], None] = {}
    for each in found if wanted else ():
        body, sight = json.read(each.body), _sight(each, kind, "search", visit, world)
        for element in wanted:
            values = body.get(element, []) if sight.shows_element(kind, element) else []
            for value in values if isinstance(values, list) else [values]:
                target, _, id_ = value.get("reference", "").partition("/")
                try:
                    targets[target, UUID(id_)] = None
                except ValueError:
                    continue  # not one of ours
    return list(targets)


def _organisation(id_: str, world: World) -> Seen:
    try:
        organisation = world.region.by_id(UUID(id_))
    except ValueError:
        organisation = None
    if organisation is None:
        raise not_found("Organization")
    return Seen("Organization", id_, organisation_resource(organisation), 1, world.started)


def not_found(kind: str) -> NotFound:
    """Not here, or not for who asks."""
    return NotFound(
        Issue(nl=f"Deze {kind} is er niet, of niet voor u.", en=f"No such {kind}, or not for you.")
    )
