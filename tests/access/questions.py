"""What can be asked: each way to find something out, by all that anybody stored, whoever may see it.

A row of WAYS makes the addresses of one way, each with a form behind it where it is sent one. Values are taken past
every wall, so that some of them stand where a party does not look. What the CapabilityStatement declares and has no
case here fails.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from ketenzorg.access.rules import TABLE
from ketenzorg.api import definitions
from ketenzorg.api.search_clauses import MODIFIERS
from ketenzorg.cli.demo.people import numbers_for_tests
from ketenzorg.fhir import json
from ketenzorg.fhir.search_in_body import DECLARED, has_rows
from ketenzorg.fhir.search_parameters import PARAMETERS, AllRows, Parameter, all_rows, elements_of
from services import REGION, Service
from spec.beginnings import URA

SYSTEM = "http://fhir.nl/fhir/NamingSystem/bsn"
# No two databases have the same log of who looked: its own tests are in tests/audit. In definitions nobody stands.
NOT_COMPARED = {"AuditEvent"} | definitions.KINDS


async def every_resource(shared: Service) -> list[str]:
    """Read and vread of resources of every type, whoever's they are."""
    found: list[str] = []
    for kind in sorted(TABLE.types["traject"]):
        rows = await shared.rows(
            f"select id, version from ketenzorg.resource where type = '{kind}' order by id"
        )
        older = await shared.rows(
            f"select id, version from ketenzorg.resource_history where type = '{kind}' order by id, version"
        )
        found += [f"/fhir/{kind}/{row['id']}" for row in spread(rows, 12)]
        found += [
            f"/fhir/{kind}/{row['id']}/_history/{row['version']}" for row in spread([*older, *rows], 12)
        ]
    return found


async def every_history(shared: Service) -> list[str]:
    """The versions of resources, of types, since and at moments, page after page, and in part."""
    found: list[str] = []
    for kind in sorted(TABLE.types["traject"]):
        rows = await shared.rows(
            f"select id, updated, version from ketenzorg.resource where type = '{kind}' order by id"
        )
        found.append(f"/fhir/{kind}/_history?_count=200")
        for row in spread(rows, 6):
            at, one = quote(row["updated"].isoformat()), f"/fhir/{kind}/{row['id']}"
            cursor = f"{row['updated'].timestamp() * 1e6:.0f}.{row['id']}.{row['version']}"
            found += [
                f"{one}/_history",
                f"{one}/_history?_at={at}",
                f"{one}/_history?_since={at}&_summary=true",
            ]
            found += [
                f"/fhir/{kind}/_history?_since={at}",
                f"/fhir/{kind}/_history?_at={at}&_elements=status",
            ]
            found += [
                f"/fhir/{kind}/_history?_count=2&_cursor={cursor}",
                f"{one}?_summary=true",
                f"{one}?_summary=text",
            ]
    return [*found, *(f"/fhir/{kind}?_summary=count" for kind in PARAMETERS)]


async def every_parameter(shared: Service) -> list[str]:
    """Every search parameter of the CapabilityStatement."""
    return [
        f"/fhir/{kind}?{query}"
        for kind, name, type_ in await declared(shared)
        if name.startswith(("_id", "_lastUpdated")) or has_rows(kind, name)
        for query in await CASES[type_](shared, kind, name)
    ]


async def every_parameter_in_bodies(shared: Service) -> list[str]:
    """Every other parameter of the CapabilityStatement, with a value that stands in one of the resources named."""
    found: list[str] = []
    names = {(kind, name) for kind, name, _ in await declared(shared) if not has_rows(kind, name)}
    for kind in sorted(DECLARED):
        rows = await shared.rows(f"select id, body from ketenzorg.resource where type = '{kind}' order by id")
        chosen = spread(rows, 15)
        ids = ",".join(str(row["id"]) for row in chosen) or "none"
        for parameter in DECLARED[kind].values():
            if (kind, parameter.name) in names:
                bodies = [json.read(row["body"]) for row in chosen]
                asked = [value for body in bodies for value in said(parameter, body)]
                found += [
                    f"/fhir/{kind}?_id={ids}&{parameter.name}={quote(each)}" for each in spread(asked, 1)
                ]
                if parameter.kind == "reference":
                    found += [f"/fhir/{kind}?{parameter.name}={quote(each)}" for each in spread(asked, 1)]
                if "missing" in MODIFIERS[parameter.kind]:
                    found.append(f"/fhir/{kind}?_id={ids}&{parameter.name}:missing=true")
    return found


def said(parameter: Parameter, body: dict[str, Any]) -> list[str]:
    """Values that find this resource."""
    if parameter.kind == "composite":
        elements = elements_of(body, parameter)
        return [
            "$".join(firsts)
            for element in elements
            if len(firsts := [said(each, element)[0] for each in parameter.parts if said(each, element)])
            == len(parameter.parts)
        ]
    return list(written(all_rows(body, [parameter])))


def written(rows: AllRows) -> Iterator[str]:
    """As a search has them."""
    yield from (f"{each.system}|{each.code}" for each in sorted(rows.tokens))
    yield from (f"{each.type}/{each.target}" for each in sorted(rows.references))
    yield from (f"ge{each.period.low.isoformat()}" for each in sorted(rows.dates))
    yield from (each.text.replace(",", "\\,") for each in sorted(rows.texts))
    yield from (f"{each.value}|{each.system}|{each.code}" for each in sorted(rows.amounts))


async def every_order_and_count(shared: Service) -> list[str]:
    """In any order, page after page, and how many there are."""
    dates = {
        kind: ["_lastUpdated", *(name for name, each in declared.items() if each.kind == "date")]
        for kind, declared in DECLARED.items()
        if kind in PARAMETERS
    }
    return [
        f"/fhir/{kind}?{query}"
        for kind, names in dates.items()
        for query in (
            "_count=0",
            "_total=accurate&_count=3",
            *(f"_sort={sign}{name}&_count=200" for name in names for sign in ("", "-")),
        )
    ]


async def every_chain(shared: Service) -> list[str]:
    """What others must be: whoever does not see these, finds nothing by them."""
    rows = await shared.rows(
        "select type, param, code, system from ketenzorg.search_token where param <> 'bsn'"
        " group by 1, 2, 3, 4 order by 1, 2, 3"
    )
    asked: list[str] = []
    for row in spread(rows, 40):
        tail = f"{row['param']}={quote(row['system'] + '|' + row['code'])}"
        asked += {
            "Task": [f"ServiceRequest?_has:Task:focus:{tail}", f"Patient?_has:Task:patient:{tail}"],
            "ServiceRequest": [f"Task?focus:ServiceRequest.{tail}"],
            "CarePlan": [f"Task?based-on:CarePlan.{tail}", f"Patient?_has:CarePlan:patient:{tail}"],
            "Patient": [f"Task?patient.{tail}", f"Observation?patient.{tail}"],
        }[row["type"]]
    observations = await shared.rows(
        "select body from ketenzorg.resource where type = 'Observation' order by id"
    )
    for row in spread(observations, 5):
        body = json.read(row["body"])
        for value in said(DECLARED["Observation"]["code"], body)[:1]:
            asked.append(f"Patient?_has:Observation:patient:code={quote(value)}")
            asked.append(f"Observation?patient={body['subject']['reference']}&code={quote(value)}")
    asked += ["Task?owner.name=welzijn", "Task?requester.name:contains=huisarts", "Organization?name=w"]
    return [f"/fhir/{each}" for each in asked]


async def two_at_once(shared: Service) -> list[str]:
    """Any two parameters of a type together: an element that is hidden narrows nothing."""
    first: dict[str, list[str]] = {kind: [] for kind in PARAMETERS}
    for kind, name, type_ in await declared(shared):
        if kind in PARAMETERS and (has_rows(kind, name) or name in ("_id", "_lastUpdated")):
            first[kind] += (await CASES[type_](shared, kind, name))[:1]
    return [
        f"/fhir/{kind}?{one}&{other}"
        for kind, queries in first.items()
        for place, one in enumerate(queries)
        for other in queries[place + 1 :]
    ]


async def every_include(shared: Service) -> list[str]:
    """Every include of the CapabilityStatement that rows find, each alone; the others, and all that refers, in tens."""
    statement = (await shared.his.get("/fhir/metadata")).json()
    found = []
    for each in statement["rest"][0]["resource"]:
        kind, includes = each["type"], [f"_include={name}" for name in each.get("searchInclude", ())]
        reverse = [f"_revinclude={name}" for name in each.get("searchRevInclude", ())]
        rows = await shared.rows(f"select id from ketenzorg.resource where type = '{kind}' order by id")
        if not rows:
            continue
        ids = "_id=" + ",".join(str(row["id"]) for row in spread(rows, 15))
        alone = [[include] for include in includes] if kind in PARAMETERS else []
        tens = [asked[at : at + 10] for asked in (includes, reverse) for at in range(0, len(asked), 10)]
        found += [f"/fhir/{kind}?{ids}&{'&'.join(chosen)}" for chosen in (*alone, *tens)]
        if kind in PARAMETERS:
            further = includes[:3] + [name.replace("=", ":iterate=") for name in includes[:3]]
            found.append(f"/fhir/{kind}?{'&'.join(further)}")
    return found


async def every_page(shared: Service) -> list[str]:
    """Pages of a few, of all that is there: the next begins after any resource that anybody has."""
    cursors = await shared.rows("select type, id from ketenzorg.resource where type in ('Task', 'CarePlan')")
    return [f"/fhir/{kind}?_count={count}" for kind in PARAMETERS for count in (1, 3, 200)] + [
        f"/fhir/{row['type']}?_count=2&_cursor={row['id']}" for row in cursors[::5]
    ]


async def every_task(shared: Service) -> list[str]:
    """What may happen next to every Task, and what is late."""
    rows = await shared.rows("select id from ketenzorg.resource where type = 'Task' order by id")
    return ["/fhir/Task/$overdue", *(f"/fhir/Task/{row['id']}/$next" for row in rows)]


async def every_letter(shared: Service) -> list[str]:
    """Every letter as one whole, for a system and for a person."""
    rows = await shared.rows("select id from ketenzorg.resource where type = 'Composition' order by id")
    return [address for row in rows for address in (f"/fhir/Composition/{row['id']}/$document",)]


async def every_message(shared: Service) -> list[str]:
    """How each subscription stands, and all that there was to hear, with as much of it as may be asked for."""
    rows = await shared.rows("select id from ketenzorg.subscription order by id")
    subscriptions = [f"/fhir/Subscription/{row['id']}" for row in spread(rows, 12)]
    return ["/fhir/Subscription", *(
        address
        for each in subscriptions
        for address in (each, f"{each}/$status", f"{each}/$events", f"{each}/$events?content=full-resource")
    )]  # fmt: skip


async def every_number(_: Service) -> list[str]:
    """Personal numbers of people who are known here, by form, as no address may hold them."""
    numbers = [*islice(numbers_for_tests(), 0, 40, 5), "999990019"]
    return [
        f"/fhir/{kind}/_search identifier={quote(f'{SYSTEM}|{number}')}"
        for kind in PARAMETERS
        for number in numbers
    ]


WAYS = (
    every_resource, every_history, every_parameter, every_parameter_in_bodies, two_at_once, every_order_and_count,
    every_chain, every_include, every_page, every_task, every_letter, every_message, every_number,
)  # fmt: skip


async def declared(shared: Service) -> list[tuple[str, str, str]]:
    """(type of resource, parameter, kind of parameter), as the CapabilityStatement has them."""
    statement = (await shared.his.get("/fhir/metadata")).json()
    found = [
        (each["type"], parameter["name"], parameter["type"])
        for each in statement["rest"][0]["resource"]
        for parameter in each.get("searchParam", ())
    ]
    assert {kind for kind, _, _ in found} == DECLARED.keys() | NOT_COMPARED
    return [each for each in found if each[0] not in NOT_COMPARED]


async def by_token(shared: Service, kind: str, name: str) -> list[str]:
    if name == "_id":
        rows = await shared.rows(f"select id from ketenzorg.resource where type = '{kind}' order by id")
        return [f"_id={row['id']}" for row in spread(rows)] + [
            "_id=" + ",".join(str(row["id"]) for row in rows[:20])
        ]
    rows = await shared.rows(
        f"select distinct code, system from ketenzorg.search_token where type = '{kind}' and param = '{name}'"
        " order by code"
    )
    return [
        f"{name}={quote(value, safe='')}"
        for row in spread(rows)
        for value in (row["code"], f"{row['system']}|{row['code']}", f"{row['system']}|")
        if value.strip("|")
    ]


async def by_reference(shared: Service, kind: str, name: str) -> list[str]:
    rows = await shared.rows(
        "select distinct target, target_type from ketenzorg.search_reference"
        f" where type = '{kind}' and param = '{name}' order by target"
    )
    known = {each.id: each.ura for each in REGION.organisations}
    return [
        *(f"{name}={row['target_type']}/{row['target']}" for row in spread(rows)),
        *(f"{name}={row['target']}" for row in spread(rows)[:2]),
        *(f"{name}:identifier={URA}|{known[row['target']]}" for row in spread(rows) if row["target"] in known),
    ]  # fmt: skip


async def by_date(shared: Service, kind: str, name: str) -> list[str]:
    table = (
        f"select distinct updated as low from ketenzorg.resource where type = '{kind}' order by 1"
        if name == "_lastUpdated"
        else f"select distinct low from ketenzorg.search_date where type = '{kind}' and param = '{name}' order by 1"
    )
    moments = [row["low"] for row in spread(await shared.rows(table))]
    prefixes = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
    return [f"{name}={prefix}{quote(each.isoformat())}" for each in moments for prefix in prefixes]


# Of what rows are kept.
CASES: dict[str, Callable[[Service, str, str], Awaitable[list[str]]]] = {
    "token": by_token, "reference": by_reference, "date": by_date,
}  # fmt: skip


def spread(rows: Sequence[Any], most: int = 3) -> list[Any]:
    """A few of them, from the first to the last."""
    return list(rows[:: max(1, len(rows) // most)])[: most + 1]


def difference(one: Any, other: Any) -> str:
    """Where two answers part, for who must mend it."""
    first, second = str(one), str(other)
    at = next((place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    return f"...{first[max(0, at - 60) : at + 120]} / ...{second[max(0, at - 60) : at + 120]}"
