"""Where the time of a referral goes in the API, without a database: `python -m tests.benchmarks.referral [ROUNDS]`.

One process posts the bundle of `ketenzorg bench` to the service through its own HTTP protocol; the driver is replaced
by one that answers at once. Processor time of this thread, the least of the rounds, in microseconds a referral: of
all of it, and of each stage without the stages inside it. `counted` is the number of function calls of one referral,
which does not depend on what else the machine does.
"""

# ruff: noqa: T201

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import uvicorn
import uvloop
from uvicorn.server import ServerState

from ketenzorg.access import tokens
from ketenzorg.api import gate, transaction
from ketenzorg.cli.bench.payloads import body
from ketenzorg.cli.place import Place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.cli.serve import application_at, options
from ketenzorg.coordination.receiving import packing, referring
from ketenzorg.fhir import bounds, decode, rules
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.r4 import Bundle
from ketenzorg.pathway import engine
from ketenzorg.referral import bundle
from ketenzorg.secret_file import read_or_make_secret
from ketenzorg.settings import BASE_URL, DATA_DIR, IN_A_HURRY, LOG_LEVEL, SANDBOX, Settings
from ketenzorg.store import referrals
from ketenzorg.store.database import Database
from ketenzorg.store.referrals import CALL

EACH = 40  # referrals a round
VALIDATION = "decode and validation"
PACKING = "making what is stored"
# (stage, where the function is looked up, its name)
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("gate: ids, token, limits, log", gate, "trail_of"),
    ("gate: ids, token, limits, log", gate, "check_accept"),
    ("gate: ids, token, limits, log", gate, "log"),
    ("gate: ids, token, limits, log", gate, "request_ended"),
    ("gate: ids, token, limits, log", gate.Gate, "_route"),
    ("gate: ids, token, limits, log", tokens.Tokens, "verify"),
    (f"{VALIDATION}: bounds", bounds, "check"),
    (f"{VALIDATION}: rules", rules, "is_sound"),
    (f"{VALIDATION}: all there", decode, "_is_all_there"),
    (f"{VALIDATION}: structs", bundle, "decode_as"),
    ("entries: bytes and contents", transaction, "read_bundle"),
    ("what is asked", referring, "what_is_asked"),
    ("what is asked", referring, "match_organisations"),
    ("personal numbers out, and sealed", referring, "take_numbers_out"),
    ("personal numbers out, and sealed", referring, "seal"),
    ("digest of the content", referring, "canonical"),
    ("digest of the content", referring, "keyed_digest"),
    ("references", referring, "resolve"),
    ("pathway: answers", referring, "read_answers"),
    ("pathway: answers", referring, "unread"),
    ("pathway: criteria", referring, "screen"),
    ("pathway: who takes part", referring, "find_participants"),
    ("pathway: first step and norms", engine, "start"),
    ("pathway: first step and norms", engine, "due"),
    ("consent", referring, "what_is_shared"),
    ("consent", referring, "weighed"),
    (f"{PACKING}: the rest", referring, "package"),
    (f"{PACKING}: search rows", packing, "rows_of"),
    (f"{PACKING}: bodies", packing, "stored_form"),
    (f"{PACKING}: bodies", packing, "new_care_plan"),
    (f"{PACKING}: bodies", packing, "first_task"),
    (f"{PACKING}: who sees what", packing, "sights_of"),
    (f"{PACKING}: who sees what", packing, "audience_of"),
    ("arguments of the statement", referrals, "arguments"),
    ("answer", referring, "notices_of"),
    ("answer", referring, "receipt_of"),
    ("answer", transaction, "_entries"),
    ("answer", transaction, "_response_bundle"),
)


class Clock:
    """Processor time per stage, each without the stages inside it."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inside = [0]

    def watch(self, stage: str, place: Any, name: str) -> None:
        """Time a function, for good."""
        found = getattr(place, name)

        def watched(*args: Any, **named: Any) -> Any:
            self._inside.append(0)
            began = time.thread_time_ns()
            try:
                return found(*args, **named)
            finally:
                took = time.thread_time_ns() - began
                self.spent[stage] += took - self._inside.pop()
                self._inside[-1] += took

        setattr(place, name, watched)


class Driver:
    """Says what the database would say, at once."""

    def __init__(self) -> None:
        self._keys: list[dict[str, Any]] = []

    async def fetch(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """As Database.fetch."""
        if statement == CALL:
            return [_stored(each) for each in _REFERRALS.decode(arguments[2])]
        if "add_data_key" in statement:
            _, id_, kek, wrapped, _ = arguments
            self._keys = [{"id": id_, "kek": kek, "wrapped": wrapped, "created": datetime.now(UTC)}]
        return self._keys if "data_keys" in statement else [{"epoch": 0}] if "epoch" in statement else []


class _Known(msgspec.Struct):
    n: int
    hash: str
    traject: str
    locations: list[str]


_REFERRALS = msgspec.json.Decoder(list[_Known])


def _stored(known: _Known) -> dict[str, Any]:
    return {
        "n": known.n,
        "claimed": True,
        "hash": bytes.fromhex(known.hash),
        "traject": UUID(known.traject),
        "locations": known.locations,
        "others": [],
        "told": False,
    }


class Wire(asyncio.Transport):
    """The client's end of a connection: hears when an answer is whole."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.heard = b""

    def write(self, data: Any) -> None:
        self.heard += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise ConnectionAbortedError(self.heard)

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class Posting:
    """One connection to the service."""

    def __init__(self, application: Any, token: str) -> None:
        config = uvicorn.Config(application, lifespan="off", **options())
        config.load()
        self._wire = Wire()
        new_connection: Any = config.http_protocol_class
        self._connection = new_connection(config=config, server_state=ServerState(), app_state={})
        self._connection.connection_made(self._wire)
        self._head = (
            "POST /fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body(0))}\r\n\r\n"
        ).encode()

    async def post(self, number: int) -> None:
        """A referral, until its answer is there."""
        self._wire.heard = b""
        self._connection.data_received(self._head + body(number))
        while not self._wire.heard.endswith(b"}"):
            await asyncio.sleep(0)
        if not self._wire.heard.startswith(b"HTTP/1.1 200") or b'"201 Created"' not in self._wire.heard:
            raise AssertionError(self._wire.heard)


async def least_us(posting: Posting, rounds: int, clock: Clock | None = None) -> dict[str, float]:
    """The least of the rounds, of all and of each stage."""
    best: dict[str, float] = {}
    for turn in range(rounds + 1):
        began = time.thread_time_ns()
        for number in range(EACH):
            await posting.post(turn * EACH + number)
        took = {"all": time.thread_time_ns() - began}
        if clock:
            took |= clock.spent
            clock.spent.clear()
        if turn:  # the first one fills the caches
            best = {name: min(spent / EACH / 1000, best.get(name, 1e9)) for name, spent in took.items()}
    return best


def alone_us(rounds: int) -> float:
    """Decoding and validating by themselves."""
    bodies, best = [body(number) for number in range(EACH)], float("inf")
    for _ in range(rounds):
        began = time.thread_time_ns()
        for each in bodies:
            decode_as(each, Bundle)
        best = min(best, (time.thread_time_ns() - began) / EACH / 1000)
    return best


async def calls(posting: Posting) -> int:
    """Function calls of one referral, of Python and of C."""
    counted = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    await posting.post(1)
    sys.setprofile(None)
    return counted


async def measure(application: Any, token: str, rounds: int) -> None:
    """Print the report."""
    posting = Posting(application, token)
    plain = await least_us(posting, rounds)
    print(f"A referral takes {plain['all']:.0f} us of the API, and {await calls(posting)} function calls.")
    clock = Clock()
    for stage, place, name in STAGES:
        clock.watch(stage, place, name)
    spent = await least_us(posting, rounds, clock)
    clocked = spent.pop("all") - plain["all"]  # what looking at the clock costs is in the stages
    spent["HTTP, framework, waiting"] = plain["all"] + clocked - sum(spent.values())
    for stage in dict.fromkeys([*(stage for stage, _, _ in STAGES), *spent]):
        print(f"{spent.get(stage, 0):8.1f}  {stage}")
    print(
        f"{sum(us for stage, us in spent.items() if stage.startswith(VALIDATION)):8.1f}  {VALIDATION} (goal < 250)"
    )
    print(f"{alone_us(rounds):8.1f}  the same, one bundle after another and nothing else")
    print(f"{clocked:8.1f}  of all this is the clock")


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ketenzorg-bench-") as folder:
        environ = {**IN_A_HURRY, DATA_DIR.name: folder, SANDBOX.name: "yes", LOG_LEVEL.name: "info"}
        environ[BASE_URL.name] = "http://127.0.0.1:8080"
        settings = Settings.from_environ(environ)
        here = Place(
            settings, read_or_make_secret(settings.secret_file), "postgresql+asyncpg://nobody@127.0.0.1/none"
        )
        Database.fetch = Driver().fetch  # type: ignore[method-assign,assignment]
        application = application_at(here)
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  (the log is written, and not read)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(application, token_for(environ, "his-demo", 1, 8080), rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
