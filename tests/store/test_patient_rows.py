"""By what a Patient is found is said twice, in Python and in SQL: of the same Patient both say the same."""

from typing import Any

import asyncpg

from databases import APP_PASSWORD
from ketenzorg.access.finding import rows_of
from ketenzorg.fhir import json
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.migrate import migrate
from referrals import a_referral, of
from services import Service

IDENTIFIERS: list[dict[str, Any]] = [
    {"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "999990019"},
    {"system": "urn:oid:2.16.840.1.113883.2.4.6.3", "value": "999990019"},
    {"system": "https://his.example/patient", "value": "17"},
    {"system": "https://his.example/patient", "value": "999990019"},
    {"value": "zonder"},
    {"value": "bsn:zonder"},
    {"system": "https://his.example/leeg", "type": {"text": "kaart"}},
]
FOUND_BY = "select param, code, system, id, parties from ketenzorg.search_token where type = 'Patient' order by 1, 2, 3"


def identified(bundle: dict[str, Any]) -> None:
    of(bundle, "Patient")["identifier"] = IDENTIFIERS


async def test_the_rows_of_a_hand_over_are_those_of_the_referral(service: Service) -> None:
    await service.refer(a_referral("1", identified))
    [row] = await service.rows("select body from ketenzorg.resource where type = 'Patient'")
    connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    told = await connection.fetch("select * from ketenzorg.identifiers($1)", row["body"])
    await connection.close()

    rows = {tuple(each) for each in rows_of(json.read(row["body"])).tokens}
    assert {tuple(each) for each in told} == rows
    assert sorted(param for param, _, _ in rows) == ["bsn", "identifier", "identifier", "identifier"]
    assert {tuple(each)[:3] for each in await service.rows(FOUND_BY)} == rows


async def test_who_was_referred_before_is_found_as_well(service: Service) -> None:
    await service.refer(a_referral("1", identified))
    before = await service.rows(FOUND_BY)
    await migrate(service.database.admin_url, app_password=APP_PASSWORD, to="0014")
    assert await service.rows(FOUND_BY) == []
    await migrate(service.database.admin_url, app_password=APP_PASSWORD)
    assert await service.rows(FOUND_BY) == before
