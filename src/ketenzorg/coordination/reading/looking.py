"""A party reads: one resource or a search, cut to what its role in each traject shows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.personal_numbers import tokens_in, unseal
from ketenzorg.access.rules import rule_id
from ketenzorg.access.views import shown
from ketenzorg.coordination.reading.bringing import Along
from ketenzorg.coordination.reading.directory import organisation_resource
from ketenzorg.coordination.reading.gathering import Gathering, Held, after, by_rows, place_of, sight_on, walk
from ketenzorg.coordination.reading.wanted import Place, Wanted
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Issue, NotFound
from ketenzorg.fhir import json
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.coordination_task import withdrawn_task
from ketenzorg.store.audit import REFUSED
from ketenzorg.store.reading import Found
from ketenzorg.store.searching import Look


class Seen(msgspec.Struct, frozen=True):
    """A resource as its reader sees it."""

    type: str
    id: str
    body: bytes
    version: int
    updated: datetime


class Page(msgspec.Struct, frozen=True):
    """One page of a search: what matched, what came along, and after which place the next page begins."""

    matches: tuple[Seen, ...]
    included: tuple[Seen, ...]
    next_after: Place | None
    total: int | None = None
    counted: bool = True  # whether a total that was asked for could be given
    all_along: bool = True  # whether all that was asked to come along did


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
            if not _sight(found, "document", visit, world).sees(kind):
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


async def search(wanted: Wanted, asked: Sequence[tuple[str, str]], visit: Visit, world: World) -> Page:
    """A page of what matches, ordered by id (and so by moment of creation) or as asked, with what comes along.

    `asked`: the parameters as they came, for the record. Raises TooCostly and Forbidden.
    """
    access = visit.access(world, "search", wanted.query.type, asked=asked)
    async with world.searching.look(wanted.query.type, access) as look:
        gathering = Gathering(look, visit, world)
        matches, place, total = await _page(wanted, look, gathering)
        along = Along(look, gathering, visit, matches)
        await along.bring(matches, wanted.brings)
    found = [each.found for each in matches if each.found is not None]
    own = [_organisation(str(each.id), world) for each in matches if each.found is None]
    known = {each.id for each in world.region.organisations}
    organisations = [_organisation(str(each), world) for each in along.organisations if each in known]
    return Page(
        matches=(*await as_seen(found, "search", visit, world), *own),
        included=(*await as_seen(along.found, "include", visit, world), *organisations),
        next_after=place,
        total=total,
        counted=not wanted.total or total is not None,
        all_along=not along.more,
    )


async def _page(
    wanted: Wanted, look: Look, gathering: Gathering
) -> tuple[Sequence[Held], Place | None, int | None]:
    """The matches of one page, where the next begins, and how many there are when that was asked."""
    settled = await gathering.settled(wanted)
    if settled is None:
        return [], None, 0 if wanted.total else None
    count = wanted.query.count
    if by_rows(settled) and not (settled.query.by_number and wanted.total):
        total = await gathering.count(settled.query) if wanted.total else None
        if wanted.nothing_else:
            return [], None, total
        found, place = await walk(settled, look)
        look.show(found)
        # Who finds by a number knows it: whatever the rows say, the view of now decides.
        known = [each for each in found if not settled.query.by_number or gathering.sight(each, "search").bsn]
        return gathering.held(known, "search"), place, total
    matches = await gathering.all_of(settled)
    total = len(matches) if wanted.total else None
    if wanted.nothing_else:
        return [], None, total
    left = after(matches, settled)
    place = place_of(left[count - 1], settled) if len(left) > count else None
    return left[:count], place, total


async def as_seen(found: Sequence[Found], does: str, visit: Visit, world: World) -> list[Seen]:
    """These as their reader sees them, without what it does not see."""
    organisation = visit.caller.organisation
    sights = [_sight(each, does, visit, world) for each in found]
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


def _sight(found: Found, does: str, visit: Visit, world: World) -> Visibility:
    return sight_on(found, found.type, does, visit, world)


async def _numbers(tokens: set[UUID], organisation: UUID, world: World) -> dict[UUID, str]:
    if not tokens:
        return {}
    sealed = await world.reading.numbers(sorted(tokens), organisation)
    keys = await world.keyring.opening({each.key_id for each in sealed.values()})
    numbers = {
        token: unseal(token, each, keys[each.key_id]) for token, each in sealed.items() if each.key_id in keys
    }
    return {token: number for token, number in numbers.items() if number is not None}


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
