"""The audit log cannot be changed unseen: a line that was changed, removed, put in or swapped is found and named."""

import asyncio
from typing import Any

import asyncpg
import pytest

from audits import SEAL, chain_of, chained, tamper, walked
from databases import execute
from ketenzorg.access import audit_chaining, audit_check
from ketenzorg.access.audit_chaining import Chainer
from ketenzorg.access.audit_seal import Seal, statement
from ketenzorg.app import real_time
from ketenzorg.settings import for_asyncpg
from referrals import a_referral
from services import Service

ORDER = "select id, xid, request, at from ketenzorg.audit order by xid, id"


async def a_day(service: Service) -> list[Any]:
    """Eight lines, chained in pieces of three; they come back in their order."""
    for number in range(4):
        task = (await service.refer(a_referral(f"d-{number}")))["Task"]
        await service.coach.get(f"/fhir/{task}", headers={"X-Request-Id": f"look.{number}"})
    await chained(service)
    return await service.rows(ORDER)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short day has more pieces than one, and a walk more pages."""
    monkeypatch.setattr(audit_chaining, "LINES", 3)
    monkeypatch.setattr(audit_check, "PAGE", 2)


async def test_an_untouched_log_is_in_order_to_its_last_line(service: Service) -> None:
    day = await a_day(service)
    assert await walked(service) == ([], len(day))
    heads = await service.rows("select n from ketenzorg.audit_head order by n")
    assert [row["n"] for row in heads] == [3, 6, 8]


TAMPERED = {
    "one byte of a line": ("update ketenzorg.audit set user_id = 'x' where id = '{3}'", [("changed", 3)]),
    "whom it was about": ("update ketenzorg.audit set patients = '{{}}' where id = '{5}'", [("changed", 5)]),
    "a line": ("delete from ketenzorg.audit where id = '{2}'", [("removed", 2)]),
    "the first line": ("delete from ketenzorg.audit where id = '{0}'", [("removed", 0)]),
    "the last two lines": ("delete from ketenzorg.audit where id in ('{6}', '{7}')", [("removed", 6), ("removed", 7)]),
    "where a line is found": ("delete from ketenzorg.audit_of_traject where id = '{4}'", [("hidden", 4)]),
}  # fmt: skip


@pytest.mark.parametrize(("how", "found"), TAMPERED.values(), ids=TAMPERED)
async def test_what_was_done_to_a_line_is_found_and_the_line_is_named(
    service: Service, how: str, found: list[tuple[str, int]]
) -> None:
    day = await a_day(service)
    await tamper(service, how.format(*(row["id"] for row in day)))
    findings, _ = await walked(service)
    assert [(each.what, each.id, each.request, each.at) for each in findings] == [
        (what, day[place]["id"], day[place]["request"], day[place]["at"]) for what, place in found
    ]


async def test_a_line_that_was_put_in_is_named_wherever_it_stands(service: Service) -> None:
    day = await a_day(service)
    forged = """
        insert into ketenzorg.audit
        select (jsonb_populate_record(a, jsonb_build_object('id', '{id}', 'request', 'forged'))).*
        from ketenzorg.audit a where id = '{copied}'
    """
    for place, id_ in ((2, "00000000-0000-7000-8000-000000000001"), (4, day[4]["id"].hex[:-4] + "ffff")):
        await tamper(service, forged.format(id=id_, copied=day[place]["id"]))
    findings, _ = await walked(service)
    assert {(each.what, each.request) for each in findings if each.what != "hidden"} == {("put in", "forged")}
    assert len([each for each in findings if each.what == "put in"]) == 2


async def test_two_lines_that_were_swapped_are_both_named(service: Service) -> None:
    day = await a_day(service)
    one, other, between = day[1]["id"], day[4]["id"], "00000000-0000-7000-8000-000000000001"
    swap = "update ketenzorg.audit set id = '{1}' where id = '{0}'"
    await tamper(service, swap.format(one, between), swap.format(other, one), swap.format(between, other))
    named = {each.id for each in (await walked(service))[0]}
    assert named == {one, other}


async def test_who_rewrites_the_links_too_cannot_sign_for_them(service: Service) -> None:
    """Everything agrees again from the changed line on, but for what was signed when it was written."""
    await a_day(service)
    fifth = "(select id from ketenzorg.audit_chain where n = 5)"
    changed = f"update ketenzorg.audit set user_id = 'somebody else' where id = {fifth}"
    await tamper(service, changed, "delete from ketenzorg.audit_chain where n > 3")
    heads = await service.rows("select * from ketenzorg.audit_head where n > 3")
    await tamper(service, "delete from ketenzorg.audit_head where n > 3")
    await chained(service)  # the same links over the changed line, as the attacker would make them
    await tamper(service, "delete from ketenzorg.audit_head where n > 3")
    for head in heads:
        columns = ", ".join(f"'{head[name]}'" for name in ("region", "n", "kind", "xid", "id"))
        await tamper(
            service,
            f"insert into ketenzorg.audit_head values ({columns}, '\\x{head['hash'].hex()}', '{head['at']}',"
            f" '{head['key']}', '\\x{head['signature'].hex()}')",
        )
    findings, _ = await walked(service)
    assert [(each.what, each.last) for each in findings] == [("forged", 6), ("forged", 8)]


async def test_a_shorter_chain_is_seen_and_a_wholly_shorter_log_by_who_kept_a_head(service: Service) -> None:
    await a_day(service)
    async with chain_of(service) as chain:
        kept = await chain.head()
    assert kept is not None
    assert SEAL.signed(statement("head", "groningen", 8, kept.hash, kept.at), kept.signature)
    lines = "delete from ketenzorg.audit where id in (select id from ketenzorg.audit_chain where n > 6)"
    await tamper(service, lines, "delete from ketenzorg.audit_chain where n > 6")
    findings, _ = await walked(service)
    assert [(each.what, each.first, each.last) for each in findings] == [("cut off", 7, 8)]
    await tamper(service, "delete from ketenzorg.audit_head where n > 6")
    assert await walked(service) == ([], 6)  # nothing inside the database tells any more
    findings, _ = await walked(service, kept)
    assert [(each.what, each.first, each.last) for each in findings] == [("cut off", 7, 8)]


async def test_links_that_are_gone_are_counted_and_what_follows_is_still_judged(service: Service) -> None:
    day = await a_day(service)
    await tamper(
        service,
        "delete from ketenzorg.audit_chain where n in (4, 5)",
        f"update ketenzorg.audit set client = 'x' where id = '{day[7]['id']}'",
    )
    findings, _ = await walked(service)
    assert [(each.what, each.id, each.first) for each in findings] == [
        ("links gone", None, 4),
        ("put in", day[3]["id"], 0),
        ("put in", day[4]["id"], 0),
        ("changed", day[7]["id"], 8),
    ]


async def test_a_line_that_commits_late_is_chained_in_its_turn(service: Service) -> None:
    """By id alone it would be skipped: of 12 writers at once 912 of 3,127 rows were."""
    await service.refer(a_referral("1"))
    await chained(service)
    late = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    transaction = late.transaction()
    await transaction.start()
    await late.execute(
        "insert into ketenzorg.audit select (jsonb_populate_record(a, jsonb_build_object("
        "'id', gen_random_uuid(), 'request', 'late', 'xid', pg_current_xact_id()::text))).* from ketenzorg.audit a"
    )
    await service.refer(a_referral("2"))  # begins later, and is committed before
    await chained(service)
    assert len(await service.rows("select 1 from ketenzorg.audit_chain")) == 1
    await transaction.commit()
    await late.close()
    await chained(service)
    requests = [
        row["request"] for row in await service.rows("select request from ketenzorg.audit_chain order by n")
    ]
    assert (len(requests), requests[1]) == (3, "late")
    findings, _ = await walked(service)
    assert {each.what for each in findings} <= {"hidden"}


async def test_any_number_of_workers_chain_each_line_once(service: Service) -> None:
    for number in range(12):
        await service.refer(a_referral(f"w-{number}"))
    async with chain_of(service) as chain:
        workers = [Chainer(chain, SEAL, real_time) for _ in range(6)]
        await asyncio.gather(*(each.chain_until_current() for each in workers))
    assert await walked(service) == ([], 12)
    assert len(await service.rows("select 1 from ketenzorg.audit_chain")) == 12


@pytest.mark.parametrize("table", ["audit", "audit_chain", "audit_head"])
@pytest.mark.parametrize("how", ["update {} set at = now()", "delete from {}", "truncate {}"])
async def test_not_even_the_owner_changes_the_log_while_its_triggers_stand(
    service: Service, table: str, how: str
) -> None:
    await a_day(service)
    statement = how.format(f"ketenzorg.{table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await execute(service.database.admin_url, statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(service.database.admin_url, f"set role ketenzorg_owner; {statement}")


async def test_a_log_that_was_signed_with_another_key_is_said_to_be(service: Service) -> None:
    await service.refer()
    async with chain_of(service) as chain:
        other = Seal(bytes(range(32)))
        await Chainer(chain, other, real_time).chain_until_current()
    findings, lines = await walked(service)
    assert ([each.what for each in findings], lines) == (["other key"], 1)
