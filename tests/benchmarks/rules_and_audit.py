"""What the rules and the audit line cost a read and a referral: `python -m tests.benchmarks.rules_and_audit [TURNS]`.

Four services take turns of a second on one server: as it is, with one of the two, with neither. Without rules nobody
looks at the scopes of a token or cuts what is shown (without_rules.py), and row level security is off; without the
line the functions that write it write nothing. CPU is that of API and database together, per request.
"""

# ruff: noqa: T201

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from ketenzorg.cli.bench.audit import Side, a_task, on_database, silence, take_turn
from ketenzorg.cli.bench.database import at_database, with_connection
from ketenzorg.cli.bench.load import Target, post_some
from ketenzorg.cli.bench.processes import serving
from ketenzorg.cli.place import DATABASE, place
from ketenzorg.cli.sandbox import token_for
from ketenzorg.settings import DATA_DIR, DATABASE_URL, IN_A_HURRY, SANDBOX, SECRET_FILE
from ketenzorg.store.embedded import EmbeddedPostgres

SIDES = {  # name -> with rules, with the line
    "with_neither": (False, False),
    "with_line": (False, True),
    "with_rules": (True, False),
    "with_both": (True, True),
}
LOADS = {  # name -> what, by whom
    "read of the Task by who referred (whole)": ("read", "his-demo"),
    "read of the Task by its owner (cut)": ("read", "welzijn-demo"),
    "referral": ("referral", "his-demo"),
}


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
        loads: dict[str, dict[str, Side]] = {load: {} for load in LOADS}
        for name, (rules, line) in SIDES.items():
            url = at_database(database, name)
            with_connection(
                database.admin_url,
                lambda to, name=name: to.execute(f"create database {name} template {DATABASE}"),
            )
            if not rules:
                with_connection(url, without_walls)
            if not line:
                with_connection(url, silence)
            module = "ketenzorg" if rules else "tests.benchmarks.without_rules"
            api = stack.enter_context(
                serving(on_database(name, served), 1, Path(folder) / "serve.log", module)
            )
            for load, (_, client) in LOADS.items():
                side = Side(name, api, Target(api.port, token_for(environ, client, 1, api.port)))
                loads[load][name] = side
            first = loads["referral"][name]
            post_some(1, first.target, first.numbers)
            task = with_connection(url, a_task)
            for load in LOADS:
                loads[load][name].task = task
        for turn in range(turns + 1):
            for load, (kind, _) in LOADS.items():
                for side in loads[load].values():
                    take_turn(side, kind, database)
                    if turn == 0:  # plans and caches
                        side.forget()
        for load, (kind, _) in LOADS.items():
            costs = {name: side.cpu_us(kind) for name, side in loads[load].items()}
            least = costs["with_neither"]
            print(
                f"{load}: "
                + ", ".join(f"{name} {cost:.0f} us ({cost / least - 1:+.0%})" for name, cost in costs.items())
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
