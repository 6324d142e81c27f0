"""One run of a crash test, from an empty folder to what held: the place to start reading."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from math import inf
from pathlib import Path

import msgspec

from ketenzorg.cli.crash import stored
from ketenzorg.cli.crash.clients import Clients
from ketenzorg.cli.crash.ears import LISTENERS, Ears
from ketenzorg.cli.crash.fhir import look
from ketenzorg.cli.crash.invariants import Evidence, Verdict, verdicts
from ketenzorg.cli.crash.nemesis import KINDS, Nemesis
from ketenzorg.cli.crash.proxy import HOST, Proxy
from ketenzorg.cli.crash.stand import LOOK_S, START_S, Stand
from ketenzorg.cli.crash.truth import LogFile, Truth
from ketenzorg.cli.demo.service import answering, listen_here

ANSWERED = "select count(*) as n from ketenzorg.subscription where answered"
QUIET_S = 120.0  # when so long nothing moved, nothing more will: a receiver is left alone for less


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run does. Tests break the service (`program`, `sql`), to see that it is noticed."""

    seconds: float  # at most
    seed: int = 1
    kinds: Sequence[str] = tuple(KINDS)
    blows: float = inf  # enough of them
    quiet_s: float = QUIET_S
    program: str = "ketenzorg"  # the module of the API and the workers
    sql: str = ""  # after the migrations


class Outcome(msgspec.Struct, frozen=True):
    """What came of it."""

    truth: Truth
    heard: int
    restarts: int
    verdicts: list[Verdict]

    @property
    def broken(self) -> set[str]:
        """Names of the invariants that did not hold."""
        return {each.name for each in self.verdicts if each.broken}


async def run(plan: Plan, folder: Path) -> Outcome:
    """Refer, work, kill; bring up, ask again, wait until all was told; then lay everything side by side."""
    with LogFile(folder / "truth.jsonl") as log, LogFile(folder / "heard.jsonl") as heard:
        ears = Ears(heard)
        async with Stand(folder, plan.program) as stand, _behind_a_proxy(ears, stand) as to_receivers:
            if plan.sql:
                await stand.execute(plan.sql)
            await stand.serve()
            subscriptions = await ears.subscribe(stand, to_receivers.port)
            await _until(stand, ANSWERED, len(LISTENERS))
            clients = Clients(stand, log, plan.seed)
            nemesis = Nemesis(stand, to_receivers, clients, log, plan.seed, plan.kinds)
            await _for_a_while(plan, clients, nemesis)
            await stand.bring_up()
            await clients.close_all()
            await clients.hang_up()
            left = await _quiet(stand, ears, plan.quiet_s)
            evidence = await _gathered(stand, ears, Truth.read(log.path), subscriptions, left)
    return Outcome(evidence.truth, ears.heard, nemesis.restarts, verdicts(evidence))


async def _gathered(
    stand: Stand, ears: Ears, truth: Truth, subscriptions: Mapping[str, str], left: int
) -> Evidence:
    """From the audit log first: whoever looks, adds to it."""
    return Evidence(
        truth=truth,
        chain=await stand.verify_log(),
        seen=await look(stand, _keys(truth), subscriptions),
        stored=await stored.read_stored(stand),
        heard=ears.read_back(),
        left=left,
    )


@asynccontextmanager
async def _behind_a_proxy(ears: Ears, stand: Stand) -> AsyncIterator[Proxy]:
    """The receivers, that can be reached through a proxy only."""
    with listen_here(0) as listener:
        port = listener.getsockname()[1]
        proxy = Proxy(lambda: asyncio.open_connection(HOST, port))
        async with answering(ears, listener, stand.settings, lifespan="off"):
            await proxy.start()
            try:
                yield proxy
            finally:
                await proxy.stop()


async def _for_a_while(plan: Plan, clients: Clients, nemesis: Nemesis) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(clients.ask(stop))
        group.create_task(nemesis.strike(stop, plan.blows))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), plan.seconds)
        stop.set()


async def _quiet(stand: Stand, ears: Ears, patience_s: float) -> int:
    """Until everything was delivered and stands in the chain, or nothing moves any more; events that are left."""
    moved, before = time.monotonic(), (-1, -1, -1)
    while time.monotonic() - moved < patience_s:
        left = await stored.number(stand, stored.UNDELIVERED)
        unchained = await stored.number(stand, stored.UNCHAINED)
        if not left and not unchained:
            return 0
        if (now := (left, unchained, ears.heard)) != before:
            moved, before = time.monotonic(), now
        await asyncio.sleep(LOOK_S * 10)
    return left


async def _until(stand: Stand, statement: str, wanted: int) -> None:
    async with asyncio.timeout(START_S):
        while await stored.number(stand, statement) < wanted:  # noqa: ASYNC110  (another process makes it so)
            await asyncio.sleep(LOOK_S)


def _keys(truth: Truth) -> dict[int, list[str]]:
    """Every number that was asked; with where its parts are, if it was acknowledged."""
    found: dict[int, list[str]] = {}
    for each in truth.attempts:
        if each.did == "refer":
            at = found.setdefault(int(each.key.rpartition("-")[2]), [])
            at[:] = each.locations or at
    return found
