"""The same for people and for figures: what a page or a count shows is what there is without all that is hidden."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from access.oracle import only_events, only_own_trajecten, reduce
from access.questions import difference
from access.regions import PARTIES, TODAY, a_copy
from databases import Database
from ketenzorg.pages import inbox, practice
from ketenzorg.throughput.tables import TABLES
from services import CATALOGUE, Service, serving
from spec.talking import call

MOMENT = re.compile(r'"now":"[^"]*"')
# The number under which a form is sent once: anew at each look.
NUMBER = re.compile(r'name="kenmerk" value="[0-9a-f-]{36}"')
PEOPLE = {
    "noor": ("coaches", inbox.HOME, [tab.word for tab in inbox.TABS]),
    "hidde": ("another team", inbox.HOME, [tab.word for tab in inbox.TABS]),
    "femke": ("physiotherapist", inbox.HOME, [tab.word for tab in inbox.TABS]),
    "huisarts": ("practice", practice.HOME, [tab.word for tab in practice.TABS]),
}


@asynccontextmanager
async def on(database: Database) -> AsyncIterator[Service]:
    async with serving(database) as service:
        service.app.litestar.state.clock.set(TODAY)
        yield service


class Reader:
    """One person with one session, before two services."""

    def __init__(self, person: str, *services: Service) -> None:
        self.services = services
        site: Any = services[0].app.litestar.state.site
        cookie = site.sessions.cookie(site.sessions.begin(person))
        self.clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=each.app),
                base_url="http://test",
                cookies={site.cookie: cookie},
            )
            for each in services
        ]

    async def differs(self, address: str) -> str:
        """How the two pages differ; empty when they do not. Both are asked at one moment."""
        for each in self.services:
            each.app.litestar.state.clock.set(TODAY)
        one, other = [await each.get(address) for each in self.clients]
        seen, expected = [(each.status_code, NUMBER.sub("", each.text)) for each in (one, other)]
        if seen == expected:
            return ""
        return f"{address}: {seen[0]} {expected[0]} {difference(seen[1], expected[1])}"


@pytest.mark.parametrize("person", PEOPLE)
async def test_no_page_shows_more_than_a_database_without_what_is_hidden(
    shared: Service, region: Database, postgres: str, person: str
) -> None:
    name, home, lists = PEOPLE[person]
    tasks = await shared.rows("select id from ketenzorg.resource where type = 'Task' order by id")
    stories = [f"{home}/{row['id']}" for row in tasks]
    async with a_copy(region, postgres) as copy:
        await reduce(copy, PARTIES[name])
        async with on(copy) as own:
            reader = Reader(person, shared, own)
            addresses = [home, *(f"{home}?lijst={each}" for each in lists), *stories]
            addresses += [f"{each}/brief" for each in stories[::3]] + [
                f"{each}/brief.pdf" for each in stories[::9]
            ]
            if person == "femke":  # who is asked beside others, and claims
                addresses += [f"{each}/gevraagd" for each in stories]
            differences = [found for each in addresses if (found := await reader.differs(each))]
            seen = [each for each in stories if (await reader.clients[0].get(each)).status_code == 200]
    assert differences == []
    assert 0 < len(seen) < len(stories)


@pytest.mark.parametrize(
    "name", [name for name in PARTIES if name != "a stranger"]
)  # a chain team: see below
async def test_no_figure_counts_a_traject_in_which_its_reader_has_no_part(
    shared: Service, region: Database, postgres: str, name: str
) -> None:
    addresses = [f"/throughput/{pathway}{table}" for pathway in CATALOGUE.names for table in tables()]
    async with a_copy(region, postgres) as copy:
        await only_own_trajecten(copy, PARTIES[name])
        async with on(copy) as own:
            await own.app.litestar.state.throughput.rollup.fold_until_current()
            assert await differing(addresses, PARTIES[name], shared, own) == []


async def test_the_figures_of_a_chain_team_come_from_events_alone(
    shared: Service, region: Database, postgres: str
) -> None:
    people: Any = shared.app.litestar.state.site.people
    async with a_copy(region, postgres) as copy:
        await only_events(copy)
        async with on(copy) as own:
            await own.app.litestar.state.throughput.rollup.fold_until_current()
            for team in people.with_role("ketenteam"):
                for pathway in CATALOGUE.names:
                    assert await Reader(team.key, shared, own).differs(f"/keten/{pathway}") == ""
                addresses = [
                    f"/throughput/{pathway}{table}" for pathway in CATALOGUE.names for table in tables()
                ]
                assert await differing(addresses, team.organisation.id, shared, own) == []


def tables() -> list[str]:
    """The figures as a whole, and each table for a spreadsheet."""
    return ["", *(f"/{name}.csv" for name in TABLES)]


async def differing(addresses: list[str], party: UUID, *services: Service) -> list[str]:
    found = []
    for address in addresses:
        one, other = [counted(await call(each, party, "GET", address)) for each in services]
        if one != other:
            found.append(f"{address}: {difference(one, other)}")
    return found


def counted(response: httpx.Response) -> tuple[int, str]:
    """All that is told but the moment of asking."""
    return response.status_code, MOMENT.sub("", response.text)


async def test_some_figures_are_shown(shared: Service) -> None:
    """Else two empty tables would be the same."""
    figures = (await call(shared, PARTIES["coaches"], "GET", "/throughput/welzijn-op-recept", None, 200)).text
    assert '"GM0014"' in figures
