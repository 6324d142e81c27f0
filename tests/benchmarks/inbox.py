"""How long a page of a worklist takes with 200,000 open Tasks; not a test: `python -m tests.benchmarks.inbox`.

The hardest case that can be believed: 100,000 open over 40 teams, 100,000 in one team more, all of one practice, and
as many that ended. Server time: from the request as the server has read it to the last byte of the answer; beside it
the processor time of the service alone. tests/store/test_worklist.py proves how many rows are read.
"""

# ruff: noqa: T201

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from databases import APP_PASSWORD, execute, new_database, server
from ketenzorg.app import create_app
from ketenzorg.logs import configure
from ketenzorg.pages.words import spot
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.migrate import migrate
from ketenzorg.store.worklist import Spot
from referrals import a_referral
from services import REGION, SECRET, SETTINGS, START, token_for

TEAMS = 40
TIMES = 35  # how often each page is opened; the first five do not count
PEOPLE = {
    "hidde": "coach of the one team with all",
    "noor": "coach of one team of 40",
    "huisarts": "practice that sent all of it",
}
PAGES = {
    "coach": ("/werk", ("nieuw", "mijn", "bericht", "te-laat", "wacht", "open", "klaar")),
    "praktijk": ("/praktijk", ("aan-u", "nieuw", "loopt", "te-laat", "afgerond")),
}
ON_LIST = {
    "nieuw": "ended is null and step = 'aangemeld'",
    "mijn": "ended is null and colleague is not null",
    "bericht": "news[cardinality(news)] > seen",
    "te-laat": "ended is null and due < '2026-01-12T09:30Z'",
    "wacht": "ended is null and step like '%(informatie gevraagd)'",
    "open": "ended is null",
    "klaar": "ended is not null",
}
SAME = {"aan-u": "wacht", "loopt": "open", "afgerond": "klaar"}
STEPS = (
    "array['aangemeld', 'aangemeld', 'contact zoeken', 'contact zoeken (informatie gevraagd)', 'in gesprek', 'plan',"
    " 'activiteit', 'aangemeld (informatie gevraagd)']"
)
LOAD = f"""
    create temporary table copy as
    select n, gen_random_uuid() as traject, gen_random_uuid() as patient, gen_random_uuid() as task,
        case when n % 2 = 0 then '{{one}}'::uuid when n % {TEAMS} = 1 then '{{small}}'::uuid
            else ('00000000-0000-4000-8000-' || lpad((n % {TEAMS})::text, 12, '0'))::uuid end as team
    from generate_series(1, {{open}} * 4) n;

    insert into ketenzorg.resource
    select r.region, r.type, case r.type when 'Task' then c.task else c.patient end, 1, r.updated, c.traject, r.source,
        array[r.source, c.team], r.body
    from copy c join ketenzorg.resource r on r.type in ('Patient', 'Task');

    insert into ketenzorg.traject
    select t.region, c.traject, t.pathway, t.version, (STEPS)[1 + c.n / 2 % 8], t.counts, t.happened, t.seq, c.patient,
        c.patient, t.service_request, t.care_plan, c.task,
        jsonb_build_object('verwijzer', '{{practice}}', 'welzijnscoach', c.team),
        array['{{practice}}'::uuid, c.team], t.municipality, t.started - c.n * interval '1 minute',
        case when c.n > {{open}} * 2 then t.started + c.n * interval '1 second' end,
        case when c.n / 16 % 10 > 0 then t.due + (c.n / 2 % 40000 - 12000) * interval '1 minute' end, t.due_norm,
        null, gen_random_uuid()
    from copy c, ketenzorg.traject t;

    update ketenzorg.part p set colleague = case when c.team = '{{one}}' then 'hidde' else 'noor' end
    from copy c where c.traject = p.traject and p.organisation = c.team and c.n / 32 % 3 = 0;
    update ketenzorg.part p set news = '{{{{2}}}}' from copy c where c.traject = p.traject and c.n / 64 % 3 = 0;
""".replace("STEPS", STEPS)


class Timed:
    """The application, with how long it was busy with the last request."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.ms = self.cpu = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began, worked = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        self.ms, self.cpu = (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


async def main(open_tasks: int) -> None:
    """Load, and print a table."""
    configure("error")
    with server(None) as url:
        async with new_database(url) as database:
            await migrate(database.admin_url, app_password=APP_PASSWORD)
            app = create_app(SETTINGS, SECRET, database.app_url, in_sandbox=True)
            app.litestar.state.clock.set(START)
            await load(app, database.admin_url, open_tasks)
            connection = await asyncpg.connect(for_asyncpg(database.admin_url))
            print(f"{'list':<10} {'page':<8} {'lines':>6} {'median':>9} {'p95':>9} {'cpu':>9}   ms")
            for person, what in PEOPLE.items():
                print(f"-- {what}")
                await every_list(app, person, connection)
            await connection.close()
            await app.litestar.state.database.close()


async def load(app: Any, admin_url: str, open_tasks: int) -> None:
    """One referral over HTTP, and copies of it."""
    headers = {"Authorization": f"Bearer {token_for('his-demo')}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as his:
        (await his.post("/fhir", json=a_referral())).raise_for_status()
    began = time.perf_counter()
    people = app.litestar.state.site.people
    one, small = (people.get(key).organisation.id for key in ("hidde", "noor"))
    practice = REGION.of_client("his-demo").id
    await execute(admin_url, LOAD.format(open=open_tasks, one=one, small=small, practice=practice))
    await execute(admin_url, "vacuum analyze")
    print(
        f"{open_tasks:,} open in one team, {open_tasks:,} over {TEAMS}: {time.perf_counter() - began:.0f} s to load"
    )


async def every_list(app: Any, person: str, connection: asyncpg.Connection) -> None:
    """Each list of this person: the first page, one deep in it, and back from there."""
    site, timed = app.litestar.state.site, Timed(app)
    who = site.people.get(person)
    home, lists = PAGES[who.role]
    cookies = {site.cookie: site.sessions.cookie(site.sessions.begin(person))}
    transport = httpx.ASGITransport(app=timed)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=cookies) as browser:
        for each in lists:
            deep = await deep_spot(
                SAME.get(each, "bericht" if (who.role, each) == ("praktijk", "nieuw") else each),
                who,
                connection,
            )
            pages = {"first": "", "deep": f"&na={deep}", "back": f"&voor={deep}"}
            for page, query in pages.items():
                taken, worked, lines = [], [], 0
                for _ in range(TIMES):
                    answer = await browser.get(f"{home}?lijst={each}{query}")
                    assert answer.status_code == 200, answer.text
                    lines = answer.text.count('class="kz-row__who"')
                    taken.append(timed.ms)
                    worked.append(timed.cpu)
                taken = sorted(taken[5:])
                p95 = taken[int(len(taken) * 0.95)]
                middle, cpu = statistics.median(taken), statistics.median(worked[5:])
                print(f"{each:<10} {page:<8} {lines:>6} {middle:>9.1f} {p95:>9.1f} {cpu:>9.1f}", flush=True)


async def deep_spot(lijst: str, who: Any, connection: asyncpg.Connection) -> str:
    """Where nine tenths of a list have gone by."""
    at = "ended" if lijst == "klaar" else "term"
    order = "ended desc, traject desc" if lijst == "klaar" else "term, traject"
    row = await connection.fetchrow(
        f"select {at} as at, traject, role from ketenzorg.part where organisation = $1 and {ON_LIST[lijst]}"
        f" order by {order} offset (select count(*) * 9 / 10 from ketenzorg.part where organisation = $1"
        f" and {ON_LIST[lijst]}) limit 1",
        who.organisation.id,
    )
    return spot(Spot(row["at"], UUID(str(row["traject"])), row["role"]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
