"""A database that holds only what one party may see, made from one that holds everything.

What is deleted here is decided by the parties of each row and the view of the party, and by nothing else: whatever the
service then answers, it cannot have learned from anything that the party may not see.
"""

from typing import Any
from uuid import UUID

import asyncpg

from databases import Database
from ketenzorg.access.finding import rows_of
from ketenzorg.access.personal_numbers import tokens_in
from ketenzorg.access.views import shown, sight_of
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.pathway.standing import ASKED, Standing, only_asked
from ketenzorg.settings import for_asyncpg
from services import CATALOGUE

# Per table what a party ($1) may see of it. "": nothing of it is about people, or it is made anew.
MAY_SEE = {
    "resource": "$1 = any (parties)",
    "resource_history": "$1 = any (parties)",
    "search_token": "false",
    "search_reference": "false",
    "search_date": "false",
    "findable": "false",
    "traject": "$1 = any (parties)",
    "event": "$1 = any (parties)",
    "due": "$1 = any (parties)",
    "part": "organisation = $1",
    "referral_identity": "organisation = $1",
    "idempotency_key": "organisation = $1",
    "objection": "recorder = $1",
    "personal_number": "$1 = any (parties)",
    "subscription": "organisation = $1",
    "outbox": "subscription in (select id from subscription)",
    "endpoint": "subscription in (select id from subscription)",
    "warning": "subscription in (select id from subscription)",
    "audit": "false",
    "audit_chain": "false",
    "audit_head": "false",
    "audit_of_traject": "false",
    "throughput_cell": "false",
    "throughput_cursor": "false",
    "alembic_version": "",
    "client": "",
    "client_assertion": "",
    "client_epoch": "",
    "data_key": "",
}


async def reduce(database: Database, party: UUID) -> None:
    """Leave only what this party may see."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        await connection.execute("set search_path = ketenzorg; set session_replication_role = replica")
        await _is_whole(connection)
        for table, may_see in MAY_SEE.items():
            if may_see:
                arguments = [party] if "$1" in may_see else []
                await connection.execute(
                    f"delete from {table} where not coalesce({may_see}, false)", *arguments
                )
        await _forget_where_it_went(connection, party)
        await _forget_who_was_chosen(connection, party)
        await _cut(connection, party)
    finally:
        await connection.close()


async def only_own_trajecten(database: Database, party: UUID) -> None:
    """Leave whole what this party has a part in: the figures of an organisation are of its trajecten, whoever acted."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        await connection.execute("set search_path = ketenzorg; set session_replication_role = replica")
        await connection.execute("delete from traject where not $1 = any (parties)", party)
        await connection.execute("delete from throughput_cell; delete from throughput_cursor")
        for table in ("event", "due", "part", "resource", "resource_history"):
            await connection.execute(f"delete from {table} where traject not in (select id from traject)")
    finally:
        await connection.close()


async def _is_whole(connection: asyncpg.Connection) -> None:
    """A table that nobody thought of may hold anything."""
    tables = await connection.fetch(
        "select relname from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition"
    )
    assert {row["relname"] for row in tables} == set(MAY_SEE)


async def _forget_where_it_went(connection: asyncpg.Connection, party: UUID) -> None:
    """Of who took part earlier the traject stands where its part ended."""
    await connection.execute(
        """
        update traject t
        set step = p.step, task = p.task, ended = p.ended, due = null, due_norm = null, counts = '{}', happened = '{}',
            involved = array_remove(t.involved, $1)
        from (
            select distinct on (traject) * from part where organisation = $1 order by traject, ended desc nulls first
        ) p
        where p.traject = t.id and not $1 = any (coalesce(t.involved, t.parties))
        """,
        party,
    )


async def _forget_who_was_chosen(connection: asyncpg.Connection, party: UUID) -> None:
    """Who was asked knows not who else takes part, nor how it goes; who is asked no more not even where it stands."""
    for row in await connection.fetch("select id, pathway, version, roles from traject"):
        own = {key: each for key, each in json.read(row["roles"].encode()).items() if each == str(party)}
        if not only_asked(party, {key: UUID(each) for key, each in own.items()}):
            continue
        await connection.execute(
            "update traject set roles = $2, counts = '{}', happened = '{}', due = null, due_norm = null, ended = null,"
            " parties = array[$3::uuid], involved = '{}' where id = $1",
            row["id"], json.write(own).decode(), party,
        )  # fmt: skip
        if not any(ASKED in key for key in own):
            begins = CATALOGUE.version(row["pathway"], row["version"]).file.begins
            await connection.execute(
                "update traject set step = $2, task = $3 where id = $1", row["id"], begins, UUID(int=1)
            )


async def _cut(connection: asyncpg.Connection, party: UUID) -> None:
    """Each body as the party sees it, and found by nothing that is not in it."""
    rows = await connection.fetch(
        """
        select 'resource' as place, r.type, r.id, r.version, r.body, t.pathway, t.version as pathway_version, t.step,
            t.roles, t.phases, r.traject
        from resource r join traject t on t.id = r.traject
        union all
        select 'resource_history', r.type, r.id, r.version, r.body, t.pathway, t.version, t.step, t.roles, t.phases,
            r.traject
        from resource_history r join traject t on t.id = r.traject
        """
    )
    for row in rows:
        pathway = CATALOGUE.version(row["pathway"], row["pathway_version"])
        roles = {role: UUID(each) for role, each in json.read(row["roles"].encode()).items()}
        standing = Standing(row["step"], roles, json.read(row["phases"].encode()))
        sight = sight_of(pathway, party, standing)
        if not sight.sees(row["type"]):
            await connection.execute(f"delete from {row['place']} where id = $1", row["id"])
            continue
        tokens = {
            token: f"bsn:{token}" for token in tokens_in(row["body"])
        }  # who may know a number, still may
        body = shown(row["body"], row["type"], sight, tokens)
        await connection.execute(
            f"update {row['place']} set body = $1 where type = $2 and id = $3 and version = $4",
            body, row["type"], row["id"], row["version"],
        )  # fmt: skip
        if row["place"] == "resource" and row["type"] in PARAMETERS:
            await index(connection, row["type"], row["id"], json.read(body), party)
    await place(connection, party)


async def place(connection: asyncpg.Connection, party: UUID) -> None:
    """What a party may find, in the orders in which it is asked for, from the rows by which it is found."""
    await connection.execute("select set_config('ketenzorg.callers', $1, false)", str(party))
    await connection.execute("select place('groningen', array(select id from traject))")


async def index(
    connection: asyncpg.Connection, kind: str, id_: UUID, body: dict[str, Any], party: UUID
) -> None:
    rows = rows_of(body)
    for token in rows.tokens:
        await connection.execute(
            "insert into search_token values ('groningen', $1, $2, $3, $4, $5, array[$6::uuid])",
            kind, token.param, token.code, token.system, id_, party,
        )  # fmt: skip
    for target in rows.references:
        await connection.execute(
            "insert into search_reference values ('groningen', $1, $2, $3, $4, $5, array[$6::uuid])",
            kind, target.param, UUID(target.target), target.type, id_, party,
        )  # fmt: skip
    for moment in rows.dates:
        await connection.execute(
            "insert into search_date values ('groningen', $1, $2, $3, $4, $5, array[$6::uuid])",
            kind, moment.param, *moment.period, id_, party,
        )  # fmt: skip


async def only_events(database: Database) -> None:
    """Leave what is counted: what happened, with no body and nobody's name in it."""
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    try:
        await connection.execute("set search_path = ketenzorg; set session_replication_role = replica")
        await _is_whole(connection)
        for table in MAY_SEE.keys() - {"event", "traject", "alembic_version", "data_key"}:
            await connection.execute(f"delete from {table}")
    finally:
        await connection.close()
