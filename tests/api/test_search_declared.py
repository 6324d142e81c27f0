"""All that the CapabilityStatement names of searching, one by one: it finds what matches, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import asyncpg
import pytest

from access.oracle import index, place
from access.questions import said
from databases import Database, new_database
from every_type import with_every_type
from filled import filled
from ketenzorg.fhir import json
from ketenzorg.fhir.search_in_body import DECLARED, ORGANIZATION
from ketenzorg.fhir.search_parameters import CODES, Parameter
from ketenzorg.settings import for_asyncpg
from referrals import a_referral
from services import REGION, Service, serving

NOBODY = "00000000-0000-0000-0000-000000000000"
OTHERWISE = {
    "token": "urn:anders|anders", "date": "1999", "string": "Zo heet niemand", "uri": "urn:anders",
    "canonical": "urn:anders", "quantity": "9999|http://unitsofmeasure.org|kg",
}  # fmt: skip


class Filled(NamedTuple):
    """One traject with one resource of every type, in which every parameter has something to find."""

    service: Service
    bodies: dict[str, dict[str, Any]]
    declared: dict[str, dict[str, Any]]  # by type, as the CapabilityStatement has it

    async def finds(self, kind: str, query: str) -> set[str]:
        response = await self.service.his.get(f"/fhir/{kind}?{query}")
        assert response.status_code == 200, f"{kind}?{query}: {response.text}"
        return {
            f"{each['resource']['resourceType']}/{each['resource']['id']}"
            for each in response.json().get("entry", ())
        }

    async def holds(self, kind: str, query: str) -> bool:
        """Whether the one of this type is found by it."""
        own = self.bodies[kind]["id"]
        return f"{kind}/{own}" in await self.finds(kind, f"_id={own}&{query}")


@pytest.fixture(scope="module")
async def everything(postgres: str, template: str) -> AsyncIterator[Filled]:
    async with new_database(postgres, template) as database, serving(database) as service:
        await service.refer(a_referral("1", with_every_type))
        bodies = await fill(service, database)
        statement = (await service.his.get("/fhir/metadata")).json()
        described = {each["type"]: each for each in statement["rest"][0]["resource"]}
        yield Filled(service, bodies, described)


async def fill(service: Service, database: Database) -> dict[str, dict[str, Any]]:
    """Past every wall, so that each element has something; what no sender has, we make."""
    practice = REGION.of_client("his-demo")
    connection = await asyncpg.connect(for_asyncpg(database.admin_url))
    await connection.execute("set search_path = ketenzorg; set session_replication_role = replica")
    rows = await connection.fetch(
        "select distinct on (type) type, id, traject from resource order by type, id"
    )
    ids = {row["type"]: row["id"] for row in rows}
    for number, kind in enumerate(DECLARED.keys() - ids.keys() - {ORGANIZATION}):
        ids[kind] = UUID(int=number + 1)
        await connection.execute(
            "insert into resource select region, $1, $2, 1, updated, traject, source, parties, body from resource"
            " where type = 'Task' limit 1",
            kind, ids[kind],
        )  # fmt: skip
    ids[ORGANIZATION] = practice.id
    texts = {kind: str(id_) for kind, id_ in ids.items()}
    bodies = {kind: filled(kind, texts) for kind in DECLARED.keys() - {ORGANIZATION}}
    await connection.execute(
        "delete from search_token; delete from search_reference; delete from search_date"
    )
    for kind, body in bodies.items():
        written = json.write(body)
        await connection.execute(
            "update resource set body = $1, parties = array_append(parties, $3) where type = $2 and id = $4",
            written, kind, practice.id, ids[kind],
        )  # fmt: skip
        await index(connection, kind, ids[kind], json.read(written), practice.id)
    await place(connection, practice.id)
    await connection.close()
    bodies[ORGANIZATION] = (await service.his.get(f"/fhir/Organization/{practice.id}")).json()
    return {kind: json.read(json.write(body)) for kind, body in bodies.items()}


def declared(kind: str, name: str) -> Parameter:
    return DECLARED[kind][name]


def otherwise(parameter: Parameter) -> str:
    """A value that does not match."""
    if parameter.system:
        return CODES[parameter.system][-1]
    if parameter.kind == "reference":
        return f"Patient/{NOBODY}"
    if parameter.kind == "composite":
        return "$".join(otherwise(each) for each in parameter.parts)
    return OTHERWISE[parameter.kind]


@pytest.mark.parametrize("kind", sorted(DECLARED))
async def test_every_parameter_that_is_named_finds_what_matches_and_nothing_else(
    everything: Filled, kind: str
) -> None:
    named = {each["name"]: each for each in everything.declared[kind]["searchParam"]}
    wrong = []
    for name, told in named.items():
        if name in ("_id", "_lastUpdated"):
            continue
        parameter = declared(kind, name)
        value = quote(said(parameter, everything.bodies[kind])[0], safe="")
        expected = {f"{name}={value}": True, f"{name}={quote(otherwise(parameter))}": False}
        if ":missing" in told["documentation"]:
            expected |= {f"{name}:missing=false": True, f"{name}:missing=true": False}
        if ":not" in told["documentation"]:
            expected |= {f"{name}:not={value}": False, f"{name}:not={quote(otherwise(parameter))}": True}
        if ":exact" in told["documentation"]:
            upper = value.upper() if "%" not in value else "E" + value
            expected |= {
                f"{name}:exact={value}": True,
                f"{name}:exact={upper}": False,
                f"{name}:contains={value[-3:].upper()}": True,
                f"{name}:contains=zzz": False,
            }
        if ":[type]" in told["documentation"]:
            type_, _, id_ = said(parameter, everything.bodies[kind])[0].partition("/")
            expected |= {
                f"{name}:{type_}={id_}": True,
                f"{name}:Composition={NOBODY}": False,
                f"{name}={id_}": True,
            }
        wrong += [
            query for query, holds in expected.items() if await everything.holds(kind, query) is not holds
        ]
    assert wrong == []


@pytest.mark.parametrize("kind", sorted(DECLARED))
async def test_the_parameters_of_every_type(everything: Filled, kind: str) -> None:
    assert await everything.holds(kind, "_lastUpdated=ge2000")
    assert not await everything.holds(kind, "_lastUpdated=lt2000")
    assert await everything.finds(kind, f"_id={NOBODY}") == set()
    if kind not in (ORGANIZATION, "Task"):
        patient = everything.bodies["Patient"]["id"]
        for name in DECLARED[kind].keys() & {"patient"}:
            assert f"{kind}/{everything.bodies[kind]['id']}" in await everything.finds(
                kind, f"{name}={patient}"
            )


@pytest.mark.parametrize("kind", sorted(DECLARED))
async def test_every_include_that_is_named_brings_what_it_names(everything: Filled, kind: str) -> None:
    bodies, told = everything.bodies, everything.declared[kind]
    for include in told.get("searchInclude", ()):
        own, name = include.split(":")
        [target] = said(declared(own, name), bodies[own])[:1]
        assert target in await everything.finds(own, f"_id={bodies[own]['id']}&_include={include}"), include
        type_, _, id_ = target.partition("/")
        assert include in everything.declared[type_]["searchRevInclude"]
        if type_ != ORGANIZATION:
            brought = await everything.finds(type_, f"_id={id_}&_revinclude={include}")
            assert f"{own}/{bodies[own]['id']}" in brought, include
