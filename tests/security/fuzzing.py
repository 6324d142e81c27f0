"""The service under requests made by chance: what every answer must be, and a count of what came.

By hand, as many as there is time for: `PYTHONPATH=tests python -m security.fuzzing --requests 100000 --seed 1`
(`--only search` for one kind). What is wrong is printed with the request; the same seed sends the same again.
"""

import argparse
import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, get_args

import asyncpg
import httpx
from sqlalchemy import event

from databases import APP_PASSWORD, Database, new_database, server
from ketenzorg.fhir import r4
from ketenzorg.settings import for_asyncpg
from referrals import said
from services import Service, serving, token_for

from .grammar import EXAMPLES, KINDS_OF_REQUEST, Known, Sent, a_request
from .hostile import CLIENTS, MARK

ROUND = 1200  # requests on one database: with more rows, counting them takes longer than asking
# Words of what is inside us, and of nothing that the grammar sends.
INSIDE = re.compile(
    r"Traceback|asyncpg|sqlalchemy|msgspec|litestar|jsonpatch|/site-packages/|"
    r"/src/ketenzorg|ketenzorg\.(store|api|fhir)\b|"
    r"SQLSTATE|syntax error at|invalid input syntax|violates (unique|check|not-null|foreign)|duplicate key value|"
    r"object has no attribute|NoneType|<class '|KeyError|TypeError|ValueError|RecursionError|codec can't|"
    r"unexpected keyword|positional argument|not subscriptable|isoformat string|out of range for type|int too large"
)
SAVEPOINT = re.compile(r"(?:sa|_asyncpg)_savepoint_[0-9a-f]+")  # each has a name of its own
KEPT = (  # all that a refused request must leave as it was; not the audit log, which tells of refusals too
    "resource", "resource_history", "event", "outbox", "traject", "part", "due", "subscription", "endpoint",
    "objection",
    "personal_number", "referral_identity", "search_token", "search_reference", "search_date", "findable",
    "idempotency_key",
)  # fmt: skip
COUNTED = "select " + ", ".join(f"(select count(*) from ketenzorg.{table})" for table in KEPT)
TASK = re.compile(r"/fhir/Task/[0-9a-f-]{36}")
MADE = re.compile(r"Task/[0-9a-f-]{36}")
DONE = 400  # statuses below it
REFUSED_MESSAGE = re.compile(r'"code": ?"(?:fatal|transient)-error"')  # said with a 200
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ISSUE_CODES = frozenset(get_args(r4.IssueType))


@dataclass
class Found:
    """What came of it."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    statements: set[str] = field(default_factory=set)

    def table(self) -> str:
        """Per kind of request, how many of each status."""
        kinds = sorted({kind for kind, _ in self.statuses})
        lines = [
            f"{kind:14}{self._done(kind):4.0%} done  "
            + "  ".join(f"{status}: {n}" for (of, status), n in sorted(self.statuses.items()) if of == kind)
            for kind in kinds
        ]
        return "\n".join([*lines, f"{self.statuses.total()} requests, {len(self.statements)} statements"])

    def _done(self, kind: str) -> float:
        """The share of what was asked that was done."""
        of_kind = {status: n for (of, status), n in self.statuses.items() if of == kind}
        return sum(n for status, n in of_kind.items() if status < DONE) / sum(of_kind.values())


class Fuzzing:
    """One service on one database, and what is known of it."""

    def __init__(self, service: Service, found: Found, chance: Random) -> None:
        self._service, self._found, self._chance = service, found, chance
        self._known = Known()
        self._tokens = {client: f"Bearer {token_for(client)}" for client in {*CLIENTS}}
        self._before: Any = None

    async def begin(self, connection: Any) -> None:
        """Every example once, so that there is something to ask about."""
        self._connection = connection
        for bundle in EXAMPLES:
            answer = await self._service.his.post("/fhir", json=bundle)
            assert answer.status_code == 200, answer.text
            self._learn(answer)
        for client in sorted({*CLIENTS}):
            for task in self._known.ids["Task"]:
                for what in ("", "/$next"):
                    answer = await self._ask(Sent("read", client, "GET", f"/fhir/Task/{task}{what}", {}))
                    self._learn(answer, client)
        self._before = await connection.fetchrow(COUNTED)

    async def send(self, make: Callable[[Known, Random], Sent]) -> None:
        """One request, and whatever is wrong with its answer."""
        sent = a_request(make, self._known, self._chance)
        try:
            answer = await self._ask(sent)
        except (httpx.InvalidURL, UnicodeEncodeError):
            return  # no client can send it
        refused = REFUSED_MESSAGE.search(answer.text) if sent.kind == "message" else None
        self._found.statuses[sent.kind, 422 if refused else answer.status_code] += 1
        now = await self._connection.fetchrow(COUNTED)
        may_write = answer.is_success and sent.method not in SAFE and not refused
        problems = [*wrong_with(sent, answer)]
        if now != self._before and not may_write:
            changed = [name for name, a, b in zip(KEPT, self._before, now, strict=True) if a != b]
            problems.append(f"{answer.status_code}, and yet there is another number of {changed}")
        self._before = now
        self._found.wrong += [f"{each}\n   {sent}\n   {answer.text[:600]}" for each in problems]
        if answer.is_success:
            self._learn(answer, sent.client)
            if sent.kind in ("$event", "patch", "put") and (task := TASK.match(sent.path)):
                await self._see(task[0], sent.client)
            elif sent.kind == "bundle" and (task := MADE.search(answer.text)):
                for client in (sent.client, self._chance.choice(CLIENTS)):
                    await self._see(f"/fhir/{task[0]}", client)

    async def _see(self, task: str, client: str) -> None:
        """How it stands now, and what may happen: else what is known is soon of the past."""
        for what in ("", "/$next"):
            self._learn(await self._ask(Sent("read", client, "GET", f"{task}{what}", {})), client)

    async def _ask(self, sent: Sent) -> httpx.Response:
        named = {**sent.headers}
        if sent.client:
            named.setdefault("Authorization", self._tokens[sent.client])
        headers = {name: value.encode("latin-1") for name, value in named.items()}
        return await self._service.stranger.request(
            sent.method, sent.path, headers={"Content-Type": b"", **headers}, content=sent.body
        )

    def _learn(self, answer: httpx.Response, client: str = "") -> None:
        """The ids in an answer; of what can be written back, how it was; of $next, what may happen."""
        known = self._known
        for kind, id_ in re.findall(r'"([A-Z][A-Za-z]+)/([0-9a-f-]{36})[/"]', answer.text):
            if id_ not in known.ids.get(kind, ()):
                known.learn(kind, id_)
        kind, id_, what = [*answer.request.url.path.split("/")[2:], "", "", ""][:3]
        if (
            not client
            or not answer.is_success
            or not answer.content  # return=minimal
            or answer.request.method not in ("GET", "PUT", "PATCH", "POST")
        ):
            return
        if what == "$next":
            said_by_others = [each for each in known.allowed.get(id_, ()) if each[0] != client]
            known.allowed.pop(id_, None)
            known.allowed[id_] = said_by_others + [(client, each) for each in events_of(answer.json())]
        elif kind in ("Task", "Appointment") and what in ("", "$event"):
            body = answer.json()
            if body.get("resourceType") == kind:
                known.bodies.pop(body["id"], None)  # the newest is the last
                known.bodies[body["id"]] = client, body


def events_of(allowed: dict[str, Any]) -> list[dict[str, Any]]:
    """The Parameters that say that each of these happened, with an answer to each question."""
    events = []
    for option in (each["part"] for each in allowed.get("parameter", ()) if each["name"] == "next"):
        needs = [
            {part["name"]: next(iter(v for n, v in part.items() if n != "name")) for part in each["part"]}
            for each in option
            if each["name"] == "needs"
        ]
        answers = {each["name"]: each.get("code", "een antwoord") for each in needs}
        events.append(said(option[0]["valueString"], **answers))
    return events


def wrong_with(sent: Sent, answer: httpx.Response) -> list[str]:
    """What no answer may be, whatever was asked."""
    problems = []
    if answer.status_code >= 500:
        problems.append(f"{answer.status_code}")
    if told := INSIDE.search(answer.text):
        problems.append(f"tells of itself: {told[0]}")
    refused = answer.status_code >= 400
    if refused and sent.path.startswith("/fhir") and sent.method != "HEAD" and not is_outcome(answer):
        problems.append(f"{answer.status_code} without a whole OperationOutcome")
    return problems


def is_outcome(answer: httpx.Response) -> bool:
    """Each issue with a code of FHIR and a text in two languages."""
    try:
        body = answer.json()
    except ValueError:
        return False
    issues = body.get("issue")
    return (
        body.get("resourceType") == "OperationOutcome"
        and bool(issues)
        and all(
            each["code"] in ISSUE_CODES and each["details"]["text"] and each["diagnostics"] for each in issues
        )
    )


def listening(service: Service, statements: set[str]) -> None:
    """From now on every text of a statement is kept."""

    def connected(connection: Any, _: Any) -> None:
        connection.driver_connection.add_query_logger(
            lambda query: statements.add(SAVEPOINT.sub("", query.query))
        )

    event.listen(service.app.litestar.state.database._engine.sync_engine, "connect", connected)


@asynccontextmanager
async def fuzzing(database: Database, found: Found, chance: Random) -> AsyncIterator[Fuzzing]:
    """A service on this database, in this process, that has every example."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        async with serving(database) as service:
            listening(service, found.statements)
            one = Fuzzing(service, found, chance)
            await one.begin(connection)
            yield one
    finally:
        await connection.close()
    if hostile := [text for text in found.statements if MARK in text]:
        found.wrong.append(f"became part of a statement: {hostile}")


async def by_hand(requests: int, seed: int, only: str) -> Found:
    """So many requests, each round on a database of its own."""
    from ketenzorg.store.migrate import migrate  # noqa: PLC0415

    found = Found()
    kinds = [each for each in KINDS_OF_REQUEST if only in each.__name__]
    with server(None) as admin_url:
        async with new_database(admin_url) as template:
            await migrate(template.admin_url, app_password=APP_PASSWORD)
            for number, _ in enumerate(range(0, requests, ROUND)):
                chance = Random(f"{seed}-{number}")
                async with (
                    new_database(admin_url, template.name) as database,
                    fuzzing(database, found, chance) as one,
                ):
                    shown = len(found.wrong)
                    for _ in range(ROUND):
                        await one.send(chance.choice(kinds))
                for each in found.wrong[shown:]:
                    sys.stdout.write(f"{seed}-{number}: {each}\n")
                sys.stdout.write(f"round {number}: {len(found.wrong)} wrong\n{found.table()}\n")
                sys.stdout.flush()
    return found


def main() -> None:
    """0 when nothing was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--log", default=os.devnull, help="where the service logs; its KZ-API-002 say where it crashed"
    )
    asked = parser.parse_args()
    with Path(asked.log).open("w") as log, redirect_stderr(log):
        found = asyncio.run(by_hand(asked.requests, asked.seed, asked.only))
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    main()
