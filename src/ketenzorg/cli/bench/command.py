"""`ketenzorg bench`: how many referrals per second go in over HTTP, and how many the database alone could take.

It has its own database in a folder that it removes, and serves with the same command as anybody.
"""

import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import asyncpg
import msgspec

from ketenzorg.cli.bench import limit as limits
from ketenzorg.cli.bench import report
from ketenzorg.cli.bench.audit import audit_costs, told
from ketenzorg.cli.bench.database import prepare, with_connection
from ketenzorg.cli.bench.load import Load, Numbers, Target, post_for, post_some
from ketenzorg.cli.bench.payloads import identifier
from ketenzorg.cli.bench.processes import Api, apart, serving
from ketenzorg.cli.bench.report import Measured, Verified
from ketenzorg.cli.bench.turns import Ground, take_turns
from ketenzorg.cli.place import Place, place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.pathway.content import read_content
from ketenzorg.settings import DATABASE_URL, SANDBOX, SECRET_FILE
from ketenzorg.store.embedded import EmbeddedPostgres

CONCURRENCIES = (1, 8, 32)
CLIENT = "his-demo"
WARM_UP_S = 1.0  # connections, plans and caches: before the first is measured
WARM_UP_CONCURRENCY = 8
MEMORY_AFTER = 10_000  # referrals: what an API process then holds, it keeps
MEMORY_FROM_S = 5.0  # a run of less per concurrency is a try-out, that need not wait for so many
TOKEN_HOURS = 24


class NotTaken(KetenzorgError):
    """The very first referral was not accepted, so there is nothing to measure."""


def bench(*, seconds: float, processes: int, as_json: bool) -> int:
    """Measure, print, verify; 1 when a referral was lost, doubled or not accepted."""
    with _end_on_sigterm(), tempfile.TemporaryDirectory(prefix="ketenzorg-bench-") as folder:
        environ = apart(Path(folder))
        with (
            place(environ, embedded=True) as here,
            EmbeddedPostgres(here.settings.data_dir, attach=True) as database,
        ):
            prepare(database, here.settings.region, _organisations(here))
            # Its one token is made by hand, and that counts in the sandbox only.
            served = {
                DATABASE_URL.name: here.database_url,
                SECRET_FILE.name: str(here.settings.secret_file),
                SANDBOX.name: "yes",
            }
            with serving(environ | served, processes, Path(folder) / "serve.log") as api:
                measured, verified = _measure(
                    here, database, api, processes=processes, seconds=seconds, environ=environ
                )
            _say(f"the audit line: {seconds:g} s of reads and of referrals, with it and without it, in turns")
            token_at = partial(token_for, environ, CLIENT, TOKEN_HOURS)
            costs = audit_costs(
                database, environ | served, processes, seconds, token_at, Path(folder) / "serve.log"
            )
    sys.stdout.write((report.as_json(measured) if as_json else report.as_text(measured, verified)) + "\n")
    if as_json:
        _say(*report.told(verified))
    (_say if as_json else _print)(*told(costs))
    return 0 if verified.holds and not any(each.errors for each in measured.values()) else 1


@contextmanager
def _end_on_sigterm() -> Iterator[None]:
    """Clean up also when somebody stops us: by default Python just ends."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _organisations(here: Place) -> list[str]:
    settings = here.settings
    region = read_content(settings.pathways, settings.region).region
    return [str(organisation.id) for organisation in region.organisations]


def _measure(
    here: Place,
    database: EmbeddedPostgres,
    api: Api,
    *,
    processes: int,
    seconds: float,
    environ: Mapping[str, str],
) -> tuple[dict[int, Measured], Verified]:
    target, numbers = Target(api.port, token_for(environ, CLIENT, TOKEN_HOURS, api.port)), Numbers()
    loads = [post_some(1, target, numbers)]
    if loads[0].errors:
        raise _not_taken(loads[0])
    statement = with_connection(database.admin_url, limits.capture_as_statement(_organisations(here)))
    ground = Ground(here, database, api, processes, target, numbers, statement)
    loads.append(post_for(min(WARM_UP_S, seconds), WARM_UP_CONCURRENCY, target, numbers))
    measured = {}
    for concurrency in CONCURRENCIES:
        _say(f"concurrency {concurrency}: {seconds:g} s over HTTP and {seconds:g} s of the limit, in turns")
        measured[concurrency] = take_turns(ground, loads, concurrency, seconds)
    if seconds >= MEMORY_FROM_S:
        measured[concurrency] = with_memory(ground, loads, measured[concurrency])
    return measured, with_connection(database.admin_url, lambda connection: _verify(connection, loads))


def with_memory(ground: Ground, loads: list[Load], last: Measured) -> Measured:
    """The same, with the memory after MEMORY_AFTER referrals: those that are still to come are not timed."""
    count = _acknowledged(loads)
    if count >= MEMORY_AFTER:
        return last
    _say(f"{MEMORY_AFTER - count} more referrals, not timed: memory is read after {MEMORY_AFTER}")
    while count < MEMORY_AFTER:
        loads.append(post_for(1.0, WARM_UP_CONCURRENCY, ground.target, ground.numbers))
        if _acknowledged(loads) == count:
            break  # nothing is taken any more: the verdict will tell
        count = _acknowledged(loads)
    return msgspec.structs.replace(last, rss_mib=ground.api.rss_mib(), referrals_before=count)


def _acknowledged(loads: list[Load]) -> int:
    return sum(len(each.acknowledged) for each in loads)


async def _verify(connection: asyncpg.Connection, loads: list[Load]) -> Verified:
    stored = [row["value"] for row in await connection.fetch("select value from ketenzorg.referral_identity")]
    found = [
        row["code"]
        for row in await connection.fetch(
            "select t.code from ketenzorg.resource r join ketenzorg.search_token t "
            "on t.region = r.region and t.type = r.type and t.id = r.id and t.param = 'identifier' "
            "where r.type = 'ServiceRequest'"
        )
    ]
    requests = await connection.fetchval(
        "select count(*) from ketenzorg.resource where type = 'ServiceRequest'"
    )
    return verified(loads, stored, found, requests)


def verified(loads: list[Load], identities: list[str], found: list[str], requests: int) -> Verified:
    """Hold what is stored (claimed identities; identifiers of ServiceRequests) against what was acknowledged."""
    acknowledged = {identifier(number) for each in loads for number in each.acknowledged}
    unanswered = {identifier(number) for each in loads for number in each.unanswered}
    whole = set(identities) & set(found)
    return Verified(
        acknowledged=len(acknowledged),
        stored=requests,
        lost=len(acknowledged - whole),
        doubled=requests - len(set(found)),
        unexplained=len((set(identities) | set(found)) - acknowledged - unanswered),
    )


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _say(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _not_taken(load_: Load) -> NotTaken:
    said = load_.refused[0].decode(errors="replace") if load_.refused else "no answer"
    return NotTaken(
        Issue(
            nl=f"De eerste verwijzing is niet aangenomen: {said}.",
            en=f"The first referral was not accepted: {said}.",
        )
    )
