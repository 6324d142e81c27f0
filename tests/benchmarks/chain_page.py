"""How long the chain team's page takes with a million events; not a test.

    .venv/bin/python tests/benchmarks/chain_page.py [events]

Prints the median and the 95th percentile, in milliseconds of server time from request to last byte of HTML: cold, when
something was counted since, and warm, when nothing was.
"""

# ruff: noqa: T201, I001

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from throughput.regions import PRACTICES, TEAMS, Entry, region, rows_of

from databases import APP_PASSWORD, new_database, server
from ketenzorg import events
from ketenzorg.app import create_app
from ketenzorg.pathway.load import load
from ketenzorg.settings import Settings, for_asyncpg
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.store.migrate import migrate
from ketenzorg.throughput.measures import Throughput
from ketenzorg.throughput.selection import usual_period, week_text
from services import REGION, SECRET, SETTINGS

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MONTHS_18 = 78  # weeks
ROUNDS = 21
COLUMNS = [
    "region", "traject", "seq", "id", "event", "happened", "recorded", "from_step", "to_step", "body", "parties",
]  # fmt: skip


def many(logs: list[list[Entry]], wanted: int) -> Iterator[list[Entry]]:
    """The same walks, begun on other days in other places, and as far as they are NOW."""
    chance = random.Random(1)
    places = list(REGION.municipalities)
    made = 0
    while made < wanted:
        for log in logs:
            shift = NOW - timedelta(days=chance.random() * MONTHS_18 * 7) - log[0][1].at
            place = chance.randrange(len(places))
            entries = [
                (seq, msgspec.structs.replace(event, at=event.at + shift))
                for seq, event in log
                if event.at + shift <= NOW
            ]
            if [seq for seq, _ in entries] != [*range(1, len(entries) + 1)]:
                continue
            received = entries[0][1]
            assert isinstance(received, events.ReferralReceived)
            entries[0] = (
                1,
                msgspec.structs.replace(
                    received,
                    municipality=places[place],
                    requester=chance.choice(PRACTICES),
                    owner=TEAMS[place % len(TEAMS)],
                ),
            )
            made += len(entries)
            yield entries


async def main(url: str, wanted: int) -> None:
    catalogue = load(Settings.from_environ({}).pathways)
    walks = region(
        catalogue.current("welzijn-op-recept"),
        1,
        1_500,
        200,
        until=datetime(2030, 1, 1, tzinfo=UTC),
        ending=0.1,
    )
    async with new_database(url) as database:
        await migrate(database.admin_url, app_password=APP_PASSWORD)
        connection = await asyncpg.connect(for_asyncpg(database.admin_url))
        started = time.perf_counter()
        # As they came in: the ids of trajecten rise with time, and counting again goes by them.
        logs = sorted(many(walks, wanted), key=lambda log: log[0][1].at)
        await connection.copy_records_to_table(
            "event",
            schema_name="ketenzorg",
            columns=COLUMNS,
            records=list(rows_of([(uuid7(), log) for log in logs])),
        )
        await connection.execute("vacuum analyze ketenzorg.event")
        print(f"written in {time.perf_counter() - started:.0f} s")
        pool = Pool(database.app_url)
        throughput = Throughput(pool, REGION, catalogue)
        started = time.perf_counter()
        await throughput.rollup.fold_until_current()
        print(f"counted from nothing in {time.perf_counter() - started:.0f} s")
        await connection.execute("vacuum analyze ketenzorg.throughput_cell")
        numbers = (
            "select count(*), count(*) filter (where organisation = '00000000-0000-0000-0000-000000000000'),"
        )
        print(
            await connection.fetchrow(
                f"{numbers} pg_total_relation_size('ketenzorg.throughput_cell') from ketenzorg.throughput_cell"
            )
        )
        print(await connection.fetchrow("select count(*), count(distinct traject) from ketenzorg.event"))
        await pool.close()
        await connection.close()
        await look(database.app_url)


async def look(url: str) -> None:
    """Open the page with each of these filters, as somebody of the chain team."""
    app = create_app(SETTINGS, SECRET, url, in_sandbox=True)
    state = app.litestar.state
    state.clock.set(NOW)
    usual = usual_period(NOW.date())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=SETTINGS.base_url) as browser:
        session = state.site.sessions.begin("ketenteam")
        browser.cookies.set(state.site.cookie, state.site.sessions.cookie(session))
        for name, query in {
            "a year": {},
            "18 months": {"from": week_text(usual.first - timedelta(weeks=26))},
            "a municipality": {"municipality": "GM0014"},
            "a team": {"organisation": str(TEAMS[0])},
            "a practice": {"organisation": str(PRACTICES[0])},
        }.items():
            cold: list[float] = []
            warm: list[float] = []
            for _ in range(ROUNDS):
                state.throughput.forget()
                for times in (cold, warm):
                    started = time.perf_counter()
                    response = await browser.get("/keten/welzijn-op-recept", params=query)
                    times.append(1000 * (time.perf_counter() - started))
                    assert response.status_code == 200, response.text
            print(f"{name}: cold {_said(cold)}, warm {_said(warm)}; {len(response.content) // 1000} kB")
    await state.database.close()


def _said(times: list[float]) -> str:
    ranked = sorted(times)
    return f"median {ranked[len(ranked) // 2]:.0f} ms, p95 {ranked[int(0.95 * (len(ranked) - 1))]:.0f} ms"


if __name__ == "__main__":
    with server(None) as address:
        asyncio.run(main(address, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
