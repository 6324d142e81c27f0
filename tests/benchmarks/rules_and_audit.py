"""What the rules and the audit line cost a read and a referral: `python -m tests.benchmarks.rules_and_audit [TURNS]`.

Four services take short turns on one server, each time in another order: as it is, with one of the two, with
neither. Without rules nobody looks at the scopes of a token or cuts what is shown (without_rules.py), and row level
security is off; without the line no line is made (without_line.py), and the functions that write it write nothing. CPU
is that of API and database together, per request: the median of the turns.

Of requests that come at the same moment the lines share a statement and a flush of the disk: a read that comes alone
pays for its own.
"""

# ruff: noqa: T201

import os
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import asyncpg

from ketenzorg.cli.bench.audit import Side, a_task, on_database, silence, take_turn
from ketenzorg.cli.bench.database import at_database, with_connection
from ketenzorg.cli.bench.load import Numbers, Target, post_some
from ketenzorg.cli.bench.processes import serving
from ketenzorg.cli.place import DATABASE, place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.settings import DATA_DIR, DATABASE_URL, IN_A_HURRY, SANDBOX, SECRET_FILE
from ketenzorg.store.embedded import EmbeddedPostgres

NEITHER = "with neither"


class Kind(NamedTuple):
    """One of the four: what it has, and what it runs."""

    rules: bool
    line: bool
    module: str

    @property
    def database(self) -> str:
        return f"rules_{self.rules}_line_{self.line}".lower()


SIDES = {
    NEITHER: Kind(rules=False, line=False, module="tests.benchmarks.without_both"),
    "with the line": Kind(rules=False, line=True, module="tests.benchmarks.without_rules"),
    "with the rules": Kind(rules=True, line=False, module="tests.benchmarks.without_line"),
    "with both": Kind(rules=True, line=True, module="ketenzorg"),
}


class Load(NamedTuple):
    """Something that is asked over and over, by whom, and how many ask at once."""

    what: str
    kind: str
    client: str
    at_once: int


LOADS = [
    *(
        Load(what, "read", client, at_once)
        for at_once in (32, 8, 1)
        for what, client in (
            ("read of the Task by who referred (whole)", "his-demo"),
            ("read of the Task by its owner (cut)", "welzijn-demo"),
        )
    ),
    Load("referral", "referral", "his-demo", 32),
]


async def without_walls(connection: asyncpg.Connection) -> None:
    """Row level security off, in a database that is thrown away."""
    for row in await connection.fetch(
        "select oid::regclass::text as name from pg_class"
        " where relrowsecurity and relnamespace = 'ketenzorg'::regnamespace"
    ):
        await connection.execute(f"alter table {row['name']} disable row level security")


def main(turns: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ketenzorg-bench-") as folder, ExitStack() as stack:
        environ = {**os.environ, **IN_A_HURRY, DATA_DIR.name: folder}
        here = stack.enter_context(place(environ, embedded=True))
        database = stack.enter_context(EmbeddedPostgres(here.settings.data_dir, attach=True))
        served = {
            **environ,
            DATABASE_URL.name: here.database_url,
            SECRET_FILE.name: str(here.settings.secret_file),
            SANDBOX.name: "yes",
        }
        sides: dict[Load, dict[str, Side]] = {load: {} for load in LOADS}
        for name, kind in SIDES.items():
            url = at_database(database, kind.database)
            with_connection(
                database.admin_url,
                lambda to, name=kind.database: to.execute(f"create database {name} template {DATABASE}"),
            )
            if not kind.rules:
                with_connection(url, without_walls)
            if not kind.line:
                with_connection(url, silence)
            environment = on_database(kind.database, served)
            api = stack.enter_context(serving(environment, 1, Path(folder) / "serve.log", kind.module))
            numbers = Numbers()
            post_some(1, Target(api.port, token_for(environ, "his-demo", 1, api.port)), numbers)
            task = with_connection(url, a_task)
            for load in LOADS:
                target = Target(api.port, token_for(environ, load.client, 1, api.port))
                sides[load][name] = Side(name, api, target, numbers, task)
        costs = {(load, name): [] for load in LOADS for name in SIDES}
        for turn in range(turns + 1):
            for load, name in random.sample(sorted(costs), len(costs)):
                cost = cost_of_a_turn(sides[load][name], load, database)
                if turn > 0:  # the first one makes plans and fills caches
                    costs[load, name].append(cost)
        for load in LOADS:
            tell(load, {name: median(costs[load, name]) for name in SIDES})


def cost_of_a_turn(side: Side, load: Load, database: EmbeddedPostgres) -> float:
    """Microseconds of CPU per request."""
    side.forget()
    take_turn(side, load.kind, database, load.at_once)
    return side.cpu_us(load.kind)


def tell(load: Load, costs: dict[str, float]) -> None:
    least = costs[NEITHER]
    shares = (f"{name} {cost:.0f} us ({cost / least - 1:+.0%})" for name, cost in costs.items())
    print(f"{load.what}, {load.at_once} at once: {', '.join(shares)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
