"""How long the figures take with a million events; not a test: `python tests/throughput/million.py [events]`."""

# ruff: noqa: T201, I001

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from throughput.regions import PRACTICES, TEAMS, Entry, region, rows_of

from databases import APP_PASSWORD, new_database, server
from ketenzorg import events
from ketenzorg.pathway.load import load
from ketenzorg.settings import Settings, for_asyncpg
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.store.migrate import migrate
from ketenzorg.throughput.measures import Throughput
from ketenzorg.throughput.selection import Period, Selection, usual_period
from services import REGION

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MONTHS_18 = 78  # weeks
COLUMNS = [
    "region", "traject", "seq", "id", "event", "happened", "recorded", "from_step", "to_step", "body", "parties",
]  # fmt: skip


def many(logs: list[list[Entry]], wanted: int) -> Iterator[tuple[UUID, list[Entry]]]:
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
            yield uuid7(), entries


async def main(url: str, wanted: int) -> None:
    catalogue = load(Settings.from_environ({}).pathways)
    pathway = catalogue.current("welzijn-op-recept")
    walks = region(pathway, 1, 1_500, 200, until=datetime(2030, 1, 1, tzinfo=UTC), ending=0.1)
    async with new_database(url) as database:
        await migrate(database.admin_url, app_password=APP_PASSWORD)
        connection = await asyncpg.connect(for_asyncpg(database.admin_url))
        started = time.perf_counter()
        await connection.copy_records_to_table(
            "event",
            schema_name="ketenzorg",
            columns=COLUMNS,
            records=list(rows_of(list(many(walks, wanted)))),
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
        usual = usual_period(NOW.date())
        everything = Period(usual.first - timedelta(weeks=30), usual.last)
        for name, selection in {
            "a year": Selection(pathway=pathway.name, period=usual),
            "18 months": Selection(pathway=pathway.name, period=everything),
            "a municipality": Selection(pathway=pathway.name, period=usual, municipality="GM0014"),
            "a practice": Selection(pathway=pathway.name, period=usual, organisation=PRACTICES[0]),
        }.items():
            times = []
            for _ in range(7):
                started = time.perf_counter()
                measures = await throughput.measures(selection, NOW)
                times.append(time.perf_counter() - started)
            times.sort()
            print(f"{name}: median {times[3] * 1000:.0f} ms, most {times[-1] * 1000:.0f} ms")
            print(measures.totals, len(msgspec.json.encode(measures)))
        await pool.close()
        await connection.close()


if __name__ == "__main__":
    with server(None) as address:
        asyncio.run(main(address, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
