"""A worklist finds what it asks for, of what its reader may see: nothing more, nothing less, and page after page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ketenzorg.fhir import r4
from ketenzorg.fhir.dates import period_of
from ketenzorg.fhir.decode import decode_as
from referrals import a_referral, of, places, places_of, texts
from services import REGION, START, Referral, Service

BSN = "999990019"
STADSBREED, WADKANT, SINGEL = (
    REGION.by_identifier("http://fhir.nl/fhir/NamingSystem/ura", ura).id  # type: ignore[union-attr]
    for ura in ("99990015", "99990016", "99990003")
)
# name of the referral: codings of its Task, Task.authoredOn; it comes in on the next day, a is the first
TASKS: dict[str, tuple[list[dict[str, str]] | None, str | None]] = {
    "a": ([{"system": "urn:x", "code": "1"}], "2025"),
    "b": ([{"code": "1"}], "2025-12"),
    "c": ([{"system": "urn:y", "code": "1"}, {"system": "urn:x", "code": "2,5"}], "2025-12-31"),
    "d": (None, "2025-12-31T23:30:00Z"),  # half past midnight of the new year, here
    "e": (None, "2026-01-05T08:00:00+01:00"),
    "f": (None, None),  # so when it came in
}
ELSEWHERE = "e"  # lives where another welfare organisation works


class Region:
    """Six referrals, of which a was accepted and b rejected two days after the last one came in."""

    def __init__(self, service: Service, referrals: dict[str, Referral]) -> None:
        self.service = service
        self.referrals = referrals

    def id(self, name: str, kind: str) -> str:
        return self.referrals[name][kind].partition("/")[2]

    async def found(self, client: httpx.AsyncClient, query: str) -> str:
        """The names of the referrals of which a resource matches, e.g. "acd"."""
        response = await client.get(f"/fhir/{query}")
        assert response.status_code == 200, f"{query}: {response.text}"
        entries = response.json().get("entry", [])
        assert not [entry for entry in entries if entry["search"]["mode"] == "outcome"], query
        found = {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries}
        assert len(found) == len(entries)
        return "".join(name for name, each in self.referrals.items() if found & set(each.locations))


@pytest.fixture
async def region(service: Service) -> Region:
    def day(number: int) -> None:
        service.app.litestar.state.clock.set(START + timedelta(days=number))

    def sent_as(name: str) -> Callable[[dict[str, Any]], None]:
        def change(bundle: dict[str, Any]) -> None:
            coding, authored = TASKS[name]
            task: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}
            task["identifier"] = [{"system": "urn:his", "value": name}]
            task["focus"] = {"reference": bundle["entry"][1]["fullUrl"]}
            task |= {"code": {"coding": coding}} if coding else {}
            task |= {"authoredOn": authored} if authored else {}
            bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})
            if name == ELSEWHERE:
                of(bundle, "Patient")["address"][0]["district"] = "Eemsdelta"

        return change

    referrals = {}
    for number, name in enumerate(TASKS):
        day(number)
        referrals[name] = await service.refer(a_referral(name, sent_as(name)))
    day(7)
    await service.happens(referrals["a"]["Task"], "aannemen")
    await service.happens(referrals["b"]["Task"], "afwijzen", reden_van_afwijzen="geen-plek")
    return Region(service, referrals)


FINDS: dict[str, str] = {
    # {id} is of referral c; what the practice finds, which sees them all
    "Task": "abcdef",
    "Task?_id={Task}": "c",
    "Task?_id={Task},01a20112-0000-7000-8000-000000000000,nonsense": "c",
    "Task?_id={Patient}": "",
    "Task?identifier=urn:his|d": "d",
    "Task?identifier=d,e": "de",
    "Task?status=requested": "cdef",
    "Task?status=rejected,accepted": "ab",
    "Task?status=urn:x|bogus": "",
    "Task?status=http://hl7.org/fhir/task-status|requested": "cdef",
    "Task?business-status=contact zoeken": "a",
    "Task?code=1": "abc",
    "Task?code=urn:x|1": "a",
    "Task?code=|1": "b",
    "Task?code=urn:x|": "ac",
    "Task?code=urn:x|1,|1": "ab",
    "Task?code=urn:x|2\\,5": "c",
    "Task?code=urn:x|2,5": "",
    "Task?code=urn:y|1&code=urn:x|": "c",
    "Task?code=' or 1=1 --": "",
    f"Task?owner=Organization/{STADSBREED}": "abcdf",
    f"Task?owner={WADKANT}": "e",
    f"Task?owner=http://127.0.0.1:8080/fhir/Organization/{WADKANT}": "e",
    f"Task?owner=Patient/{WADKANT}": "",
    "Task?owner=nonsense": "",
    "Task?owner:missing=false&status=rejected&owner:missing=false": "b",
    "Task?owner:missing=false&owner:missing=true": "",
    f"Task?owner={STADSBREED}&owner:missing=false": "abcdf",
    "Task?owner:identifier=http://fhir.nl/fhir/NamingSystem/ura|99990016": "e",
    "Task?owner:identifier=http://fhir.nl/fhir/NamingSystem/ura|1": "",
    f"Task?requester=Organization/{SINGEL}": "abcdef",
    f"Task?requester={STADSBREED}": "",
    f"Task?status=requested&owner={STADSBREED},{WADKANT}": "cdef",
    "Task?patient=Patient/{Patient}": "c",
    "Task?patient={ServiceRequest}": "",
    "Task?focus=ServiceRequest/{ServiceRequest}": "c",
    "Task?based-on=CarePlan/{CarePlan}": "c",
    "Task?authored-on=2025": "abc",
    "Task?authored-on=2025-12": "bc",
    "Task?authored-on=eq2025-12-31": "c",
    "Task?authored-on=2025-01,2025-12-01": "",  # a and b begin there, and last longer
    "Task?authored-on=2026-01-01": "d",
    "Task?authored-on=2025-12-31T23:30:00Z": "d",
    "Task?authored-on=2026-01-05T07:00:00Z": "e",
    "Task?authored-on=2026-01-05T08:00:00+01:00": "e",  # a plus that the client did not encode
    "Task?authored-on=2026-01-05T08:00:00%2B01:00": "e",
    "Task?authored-on=ne2025-12": "adef",
    "Task?authored-on=ge2025-12": "bcdef",
    "Task?authored-on=gt2025-12-31": "def",
    "Task?authored-on=lt2025-12-31": "ab",
    "Task?authored-on=le2025-12-31": "abc",
    "Task?authored-on=sa2025-12": "def",
    "Task?authored-on=eb2026": "abc",
    "Task?authored-on=ge2025-12-31&authored-on=lt2026": "c",
    "Task?authored-on=2025-12-31,2026-01-05": "ce",
    "Task?authored-on=gt2026-01-05T07:00:00Z": "f",
    "Task?_lastUpdated=ge2026-01-17": "abf",
    "Task?_lastUpdated=lt2026-01-15": "c",
    "Task?_lastUpdated=2026-01-16": "e",
    "Task?_lastUpdated=gt2026-01-14&_lastUpdated=lt2026-01-17": "de",
    "Task?_lastUpdated=ne2026-01": "",
    "ServiceRequest?status=active": "abcdef",
    "ServiceRequest?identifier=https://his.example/verwijzing|b": "b",
    "ServiceRequest?code=https://ketenzorg.example/fhir/CodeSystem/pathway|welzijn-op-recept": "abcdef",
    "ServiceRequest?code=|welzijn-op-recept": "",
    "ServiceRequest?patient={Patient}": "c",
    "ServiceRequest?authored=2026-01-12": "abcdef",
    "ServiceRequest?authored=lt2026-01-12": "",
    "ServiceRequest?_id={ServiceRequest}": "c",
    "CarePlan?status=active": "acdef",
    "CarePlan?status=revoked": "b",
    "CarePlan?patient=Patient/{Patient}": "c",
    "CarePlan?date=lt2026-01-14": "ab",
    "CarePlan?date=eb2026-02": "b",
    "CarePlan?date=sa2026-01-16": "f",
}  # fmt: skip


async def test_each_reader_finds_what_matches_of_what_it_may_see(region: Region) -> None:
    service = region.service
    ids = {kind: region.id("c", kind) for kind in ("Task", "ServiceRequest", "CarePlan", "Patient")}
    sees = {service.his: "abcdef", service.coach: "abcdf", service.hospital: ""}
    expected, got = {}, {}
    for query, names in FINDS.items():
        for reader, visible in sees.items():
            key = (query, visible)
            expected[key] = "".join(name for name in names if name in visible)
            got[key] = await region.found(reader, query.format(**ids))
    assert got == expected


async def test_any_two_conditions_find_what_a_filter_over_all_tasks_finds(region: Region) -> None:
    """The oracle: read every visible Task, and choose by looking at them."""
    holds: dict[str, Callable[[dict[str, Any]], bool]] = {
        "status=requested": lambda task: task["status"] == "requested",
        "status=rejected,accepted": lambda task: task["status"] in ("rejected", "accepted"),
        f"owner={STADSBREED}": lambda task: task["owner"]["reference"].endswith(str(STADSBREED)),
        "code=1": lambda task: any(coding["code"] == "1" for coding in task["code"]["coding"]),
        "code=urn:x|": lambda task: any(c.get("system") == "urn:x" for c in task["code"]["coding"]),
        "_lastUpdated=ge2026-01-17": lambda task: task["meta"]["lastUpdated"] >= "2026-01-17",
        "authored-on=lt2026": lambda task: task["authoredOn"] < "2025-12-31T23",
        f"patient={region.id('a', 'Patient')}": lambda task: region.id("a", "Patient") in str(task["for"]),
    }
    for reader in (region.service.his, region.service.coach):
        tasks = [each["resource"] for each in (await reader.get("/fhir/Task")).json()["entry"]]
        for one, one_holds in holds.items():
            for other, other_holds in holds.items():
                response = await reader.get(f"/fhir/Task?{one}&{other}&_count=100")
                found = [each["resource"] for each in response.json().get("entry", [])]
                matching = [task for task in tasks if one_holds(task) and other_holds(task)]
                if "_lastUpdated" in one + other:
                    matching.sort(key=lambda task: str(task["meta"]["lastUpdated"]))
                elif "authored-on" in one + other:
                    matching.sort(key=lambda task: period_of(task["authoredOn"]).low)
                assert found == matching, (
                    one,
                    other,
                )


async def test_what_a_task_refers_to_comes_along_as_far_as_its_reader_may_see_it(region: Region) -> None:
    query = (
        f"/fhir/Task?_id={region.id('a', 'Task')},{region.id('c', 'Task')}"
        "&_include=Task:owner&_include=Task:focus:ServiceRequest&_include=Task:patient&_include=Task:based-on"
    )
    whole = await region.service.his.get(query)
    cut = await region.service.coach.get(query)

    for response in (whole, cut):
        decode_as(response.content, r4.Bundle)
        modes = [
            (entry["search"]["mode"], entry["resource"]["resourceType"]) for entry in response.json()["entry"]
        ]
        assert sorted(modes) == sorted(
            [("match", "Task")] * 2
            + [("include", kind) for kind in ("Patient", "ServiceRequest", "CarePlan")] * 2
            + [("include", "Organization")]  # of both Tasks, once
        )
    organisation = of(cut.json(), "Organization")
    assert (organisation["id"], organisation["name"]) == (str(STADSBREED), "Welzijn Stadsbreed (fictief)")
    assert of(whole.json(), "Patient")["identifier"][0]["value"] == BSN
    assert of(whole.json(), "ServiceRequest")["reasonReference"]
    assert not {"identifier", "birthDate", "gender"} & of(cut.json(), "Patient").keys()
    assert "reasonReference" not in of(cut.json(), "ServiceRequest")
    assert BSN not in cut.text
    assert "entry" not in (await region.service.hospital.get(query)).json()


async def test_an_include_is_no_way_to_a_type_that_the_role_does_not_show(service: Service) -> None:
    def with_medication(bundle: dict[str, Any]) -> None:
        medication = {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "sertraline"},
            "subject": {"reference": bundle["entry"][0]["fullUrl"]},
        }
        address = "urn:uuid:6f1a3c1e-1111-4a6b-9d5e-0000000000ff"
        bundle["entry"].append(
            {
                "fullUrl": address,
                "resource": medication,
                "request": {"method": "POST", "url": "MedicationRequest"},
            }
        )
        of(bundle, "ServiceRequest")["basedOn"] = [{"reference": address}]

    await service.refer(a_referral("1", with_medication))
    parties = "(select parties from ketenzorg.traject)"  # as if the second wall had a hole
    medication = (
        f"update ketenzorg.resource set parties = {parties} where type = 'MedicationRequest' returning 1"
    )
    assert await service.rows(medication)
    query = "/fhir/ServiceRequest?_include=ServiceRequest:based-on&_include=ServiceRequest:patient"

    whole, cut = await service.his.get(query), await service.coach.get(query)
    assert "sertraline" in whole.text
    assert [entry["resource"]["resourceType"] for entry in cut.json()["entry"]] == [
        "ServiceRequest",
        "Patient",
    ]
    assert "sertraline" not in cut.text


async def test_pages_neither_repeat_nor_skip_while_others_come_in_and_move_on(service: Service) -> None:
    tasks = [(await service.refer(a_referral(f"old {number}")))["Task"] for number in range(30)]
    url: str | None = "/fhir/Task?_count=7&status=requested,received"
    seen: list[str] = []
    pages = 0
    while url:
        response = await service.coach.get(url)
        bundle = response.json()
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert "_count=7" in links["self"]
        assert "_cursor" not in links["self"]
        found = [f"Task/{entry['resource']['id']}" for entry in bundle.get("entry", [])]
        assert len(found) <= 7
        seen += found
        url = links.get("next")
        await service.refer(a_referral(f"new {pages}"))
        await service.happens(tasks[pages], "ontvangst bevestigen")  # seen already
        await service.happens(tasks[-1 - pages], "ontvangst bevestigen")  # or not yet
        pages += 1

    assert len(seen) == len(set(seen))
    assert [task for task in seen if task in tasks] == tasks
    assert pages >= 5


async def test_what_is_not_known_is_skipped_with_a_warning_or_refused_when_asked_to_be_strict(
    region: Region,
) -> None:
    his = region.service.his
    unknown = ("kleur", "kleur.name", "patient.kleur", "_has:ServiceRequest:based-on:kleur")
    query = f"/fhir/Task?status=rejected&_sort=-authored-on;drop&%00=1&{'=x&'.join(unknown)}=x"
    lenient = await his.get(query)
    strict = await his.get(query, headers={"Prefer": "return=minimal; handling=strict"})

    decode_as(lenient.content, r4.Bundle)
    match, warning = lenient.json()["entry"]
    assert match["resource"]["id"] == region.id("b", "Task")
    assert warning["search"]["mode"] == "outcome"
    assert [issue["severity"] for issue in warning["resource"]["issue"]] == ["warning"]
    assert set(places_of(warning["resource"]["issue"][0])) == {*unknown, "_sort", "?"}
    assert "kleur" not in lenient.json()["link"][0]["url"]
    assert strict.status_code == 400
    assert {*unknown, "_sort"} <= set(places(strict))


WRONG: dict[str, str] = {
    "_count=-1": "_count",
    "_count=1e9": "_count",
    "_count=1000000000": "_count",
    "_count=": "_count",
    "_count=%D9%A3": "_count",  # an Arabic three
    "authored-on=gisteren": "authored-on",
    "authored-on=2026-02-30": "authored-on",
    "authored-on=ge": "authored-on",
    "authored-on=xx2026": "authored-on",
    "authored-on=0000": "authored-on",
    "authored-on=2026-01-05T08:00:00": "authored-on",
    "_lastUpdated=2026-13": "_lastUpdated",
    "_lastUpdated=2026-01-01T25:00:00Z": "_lastUpdated",
    "status:fluister=requested": "status:fluister",
    "owner:missing=ja": "owner:missing",
    "requester:missing=ja": "requester:missing",
    "authored-on:exact=2026": "authored-on:exact",
    "status=bogus": "status",
    "status=Requested": "status",  # of a code the case counts
    "status=http://hl7.org/fhir/task-status|active": "status",
    "status=": "status",
    "status=a,,b": "status",
    "status=%00": "status",
    f"status={'a' * 10_000}": "status",
    f"status={','.join('abcdefghijklmnopqrstuv')}": "status",
    f"_id={'x' * 10_000}": "_id",
    "_include=*": "_include",
    "_include=Task:note": "_include",
    "_include=Patient:owner": "_include",
}


async def test_a_value_that_cannot_be_meant_is_refused_by_name(service: Service) -> None:
    got = {}
    for query in WRONG:
        response = await service.his.get(f"/fhir/Task?{query}")
        assert response.status_code == 400, query
        decode_as(response.content, r4.OperationOutcome)
        assert len(response.content) < 1_000, query
        got[query] = places(response)
    assert got == {query: [name] for query, name in WRONG.items()}

    together = await service.his.get("/fhir/Task?_count=-&authored-on=x&status:y=1&_include=*")
    assert sorted(places(together)) == ["_count", "_include", "authored-on", "status:y"]
    many = await service.his.get("/fhir/Task?" + "&".join(["status=requested"] * 21))
    assert many.status_code == 400
    assert "at most 20" in texts(many)
    assert (await service.his.get("/fhir/Task?" + "&".join(["status=requested"] * 20))).status_code == 200


async def test_a_search_needs_its_own_scope_and_a_type_that_can_be_searched(service: Service) -> None:
    assert (await service.team.get("/fhir/Task")).status_code == 403
    for kind, status in (("Medication", 404), ("Binary", 405), ("x", 404)):
        response = await service.his.get(f"/fhir/{kind}?identifier={BSN}")
        assert response.status_code == status
        assert BSN not in response.text
