"""What the application may execute, executed for somebody else: nothing comes back and nothing is written.

Every function is in, also one that comes later: the two that write most as a walk through the service calls them, the
others with arguments made from their names and types, about what that walk left behind.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event

from databases import APP_ROLE
from ketenzorg.settings import for_asyncpg
from services import REGION, Service, looks
from subscribed import listening

PRACTICE, COACH, HOSPITAL = (
    REGION.of_client(client).id for client in ("his-demo", "welzijn-demo", "ziekenhuis-demo")
)
NOBODY = UUID(int=0)
CALLERS = ("p_callers", "p_organisation")  # the argument that says who asks
# These look at everybody's rows, for nobody in particular: what they give are ids, codes, numbers and sealed secrets.
FOR_NOBODY = {
    "counting: figures, shown only in groups": {
        "reset_counts", "next_counts", "logs_to_count", "add_counts", "counts_behind", "read_counts",
    },
    "the worker: what is due, and to whom it is sent": {
        "claim_due", "next_look", "ring", "claim_subscriptions", "renew_leases", "take_events", "settle_events", "wake",
        "let_go",
    },
    "the audit log: chaining, keeping, and looking for a hole": {
        "audit_head_now", "audit_lines", "add_to_chain", "audit_links", "audit_heads", "audit_may_go",
        "audit_purge_now", "sign_purge", "sweep_audit", "review_log",
    },
    "the operator: keys, clients, and what was not delivered": {
        "data_keys", "add_data_key", "rewrap_data_key", "data_key_uses", "sealed_otherwise", "seal_again",
        "destroy_data_key", "add_client", "replace_client_keys", "revoke_client", "set_client_validation",
        "outbox_state", "release_event",
    },
    "tokens: who may have one": {"current_client_epoch", "registered_clients", "liberal_clients", "claim_assertion"},
    # What a patient objects to counts whoever heard of it, also before there is a traject; asked by a keyed pseudonym.
    "consent: the rules weigh it, nobody is shown it": {"objections_of"},
    "the worker: how far it is behind, as counts and times": {"lags"},
    "readiness: whether the database was restored as it must be": {"stamped_ahead"},
    "the worker: what was delivered long ago goes": {"forget_events"},
    "the worker: warnings that subscribers are late": {"warn_late", "claim_warnings", "warning_mailed"},
    "the policies": {"callers"},
}  # fmt: skip


# These are called as the service itself calls them: what they write is more than can be guessed.
AS_HEARD = ("receive_referrals", "store_step")


class Function(NamedTuple):
    """What the application may execute."""

    name: str
    arguments: dict[str, str]  # name -> type

    @property
    def statement(self) -> str:
        places = (f"${n}::{type_}" for n, type_ in enumerate(self.arguments.values(), 1))
        return f"select * from {self.name}({', '.join(places)}) as given"

    @property
    def caller(self) -> str:
        return next((name for name in CALLERS if name in self.arguments), "")


@pytest.fixture
async def functions(service: Service) -> list[Function]:
    found = await service.rows(
        "select proname, proargnames[1:pronargs] as names, array(select format_type(type, null) from"
        " unnest(proargtypes) with ordinality as t(type, place) order by place) as types from pg_proc"
        f" where pronamespace = 'ketenzorg'::regnamespace and has_function_privilege('{APP_ROLE}', oid, 'execute')"
    )
    return [
        Function(row["proname"], dict(zip(row["names"] or (), row["types"], strict=True))) for row in found
    ]


@pytest.fixture
async def app_role(service: Service) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        for_asyncpg(service.database.app_url), server_settings={"search_path": "ketenzorg"}
    )
    yield connection
    await connection.close()


async def test_each_function_says_who_asks_or_is_named_here(functions: list[Function]) -> None:
    named = set().union(*FOR_NOBODY.values())
    for function in functions:
        assert (function.name in named) != bool(function.caller), function.name
    assert named <= {function.name for function in functions}


async def test_for_who_has_no_part_no_function_gives_or_does_anything(
    service: Service, functions: list[Function], app_role: asyncpg.Connection
) -> None:
    heard = await listened_to(service, functions)
    ids = await known_ids(service)
    before = await everything(service)
    gave = set()
    for function in (each for each in functions if each.caller):
        made = heard.get(function.name) or [made_up(function, id_) for id_ in ids]
        for arguments in made:
            for somebody in (NOBODY, HOSPITAL, None):
                assert await given(app_role, function, arguments, somebody) == [], (function.name, somebody)
        assert await everything(service) == before, function.name
    # Made up they are, but not so that they ask nothing: who has a part is answered.
    for function in (each for each in functions if each.caller and each.name not in heard):
        async with rolled_back(app_role):
            answers = [await given(app_role, function, made_up(function, id_), PRACTICE) for id_ in ids]
        if any(answers):
            gave.add(function.name)

    assert gave >= {"read_resources", "load_traject", "data_of", "personal_numbers"}


@asynccontextmanager
async def rolled_back(connection: asyncpg.Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    yield
    await transaction.rollback()


async def given(
    app_role: asyncpg.Connection, function: Function, arguments: dict[str, Any], somebody: UUID | None
) -> list[Any]:
    """What comes back for this caller (None: for nobody at all); a refusal is nothing."""
    many = function.arguments[function.caller].endswith("[]")
    caller = ([somebody] if somebody else []) if many else somebody
    try:
        async with app_role.transaction():
            rows = await app_role.fetch(function.statement, *(arguments | {function.caller: caller}).values())
    except asyncpg.PostgresError:
        return []
    return [value for row in rows for value in row.values() if value not in (None, False, [], "", 0)]


def made_up(function: Function, id_: UUID) -> dict[str, Any]:
    """Arguments that could be meant: everything is asked about this id."""
    by_name: dict[str, Any] = {
        "p_region": "groningen",
        "p_type": "Task",
        "p_what": f"Task/{id_}",
        "p_access": looks(HOSPITAL).json,
        "p_accesses": f"[{looks(HOSPITAL).json}]",
        "p_types": ["Task"],
        "p_versions": [1],
        "p_asked": '{"type": "Task", "channel": "rest-hook", "endpoint": "https://x", "content": "id-only",'
        ' "timeout_s": 15, "contact": ""}',
        "p_status": "active",
        "p_version": 1,
        "p_seq": 1,
        "p_limit": 10,
    }
    by_type: dict[str, Any] = {
        "uuid": id_, "uuid[]": [id_], "text": "", "text[]": [], "jsonb": "[]", "boolean": True, "integer": 0,
        "bigint": 0, "bytea": b"", "timestamp with time zone": datetime(2026, 1, 12, tzinfo=UTC),
    }  # fmt: skip
    return {name: by_name.get(name, by_type.get(type_)) for name, type_ in function.arguments.items()}


async def known_ids(service: Service) -> list[UUID]:
    """Of everything that the walk left behind, and that somebody may have heard of."""
    found = await service.rows(
        "select id from ketenzorg.resource union select id from ketenzorg.traject"
        " union select token from ketenzorg.personal_number union select id from ketenzorg.subscription"
    )
    return [row["id"] for row in found]


async def everything(service: Service) -> dict[str, list[str]]:
    """All rows of all tables, but for the record of who looked."""
    connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    tables = await connection.fetch(
        "select relname from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind = 'r'"
        " and relname not like 'audit%'"
    )
    rows = {
        name: [row[0] for row in await connection.fetch(f"select t::text from ketenzorg.{name} t order by 1")]
        for (name,) in tables
    }
    await connection.close()
    return rows


async def listened_to(service: Service, functions: list[Function]) -> dict[str, list[dict[str, Any]]]:
    """How the service calls those of AS_HEARD, while a referral comes in, is answered and goes on to another."""
    heard: dict[str, list[dict[str, Any]]] = {}
    arguments = {function.name: list(function.arguments) for function in functions}

    def note(query: Any) -> None:
        for name in AS_HEARD:
            if f" {name}(" in query.query:
                heard.setdefault(name, []).append(dict(zip(arguments[name], query.args, strict=True)))

    def listen(connection: Any, _: Any) -> None:
        connection.driver_connection.add_query_logger(note)

    database = service.app.litestar.state.database
    event.listen(database._engine.sync_engine, "connect", listen)
    await service.rows(listening([COACH]))
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    await service.happens(referral["Task"], "eerste contact")
    assert heard.keys() == set(AS_HEARD)
    return heard
