"""POST _search: what an address finds, and the only way to ask for a personal number."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from log_lines import capture_logs
from referrals import a_referral, of, places, texts
from services import Service

BSN_SYSTEM = "http://fhir.nl/fhir/NamingSystem/bsn"
BSN, OTHER = "999990019", "999990020"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def by_form(client: httpx.AsyncClient, kind: str, **parameters: str) -> httpx.Response:
    return await client.post(f"/fhir/{kind}/_search", content=urlencode(parameters), headers=FORM)


def with_a_task(number: str, **elements: Any) -> dict[str, Any]:
    def change(bundle: dict[str, Any]) -> None:
        task = {"resourceType": "Task", "status": "requested", "intent": "order", **elements}
        task["focus"] = {"reference": bundle["entry"][1]["fullUrl"]}
        bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})

    return a_referral(number, change)


@pytest.mark.parametrize(
    ("kind", "in_address", "in_form"),
    [
        ("Task", "", ""),
        ("Task", "", "status=requested&_count=1"),
        ("Task", "status=requested", "_count=1"),
        ("Task", "", "authored-on=lt2099&_include=Task%3Apatient"),
        ("ServiceRequest", "", "identifier=https%3A%2F%2Fhis.example%2Fverwijzing%7C1"),
        ("CarePlan", "kleur=rood", "status=active%2Crevoked"),
        ("Patient", "", ""),
        ("Subscription", "", ""),
    ],
)
async def test_a_form_finds_what_an_address_finds(
    service: Service, kind: str, in_address: str, in_form: str
) -> None:
    for number in "12":
        await service.refer(a_referral(number))
    query = "&".join(filter(None, (in_address, in_form)))

    form = await service.his.post(f"/fhir/{kind}/_search?{in_address}", content=in_form, headers=FORM)

    assert form.status_code == 200, form.text
    assert form.json() == (await service.his.get(f"/fhir/{kind}?{query}")).json()


async def test_the_log_is_searched_by_form_too(service: Service) -> None:
    await service.refer()
    asked = "action=C&_count=1"
    form = await service.his.post("/fhir/AuditEvent/_search", content=asked, headers=FORM)
    assert form.json() == (await service.his.get(f"/fhir/AuditEvent?{asked}")).json()
    refused = await service.his.get(f"/fhir/AuditEvent?patient={BSN}")
    assert (refused.status_code, BSN in refused.text) == (400, False)


async def test_a_form_needs_the_same_rights_and_is_as_bounded(service: Service) -> None:
    await service.refer()
    assert (await by_form(service.stranger, "Task")).status_code == 401
    assert (await by_form(service.team, "Task")).status_code == 403
    assert (await by_form(service.his, "Medication")).status_code == 404
    assert "entry" not in (await by_form(service.hospital, "Task")).json()
    wrong = {
        "status": (400, b"status="),
        "": (400, b"a=1&" * 200),
    }
    for name, (status, body) in wrong.items():
        response = await service.his.post("/fhir/Task/_search", content=body, headers=FORM)
        assert response.status_code == status
        assert places(response) == ([name] if name else [])
    json = await service.his.post("/fhir/Task/_search", json={"status": "requested"})
    assert json.status_code == 415
    large = await service.his.post("/fhir/Task/_search", content=b"x" * 1024 * 1024 + b"y", headers=FORM)
    assert large.status_code == 413


ASKED = (
    f"Task?identifier={BSN_SYSTEM}|{BSN}",
    f"Task?identifier={BSN_SYSTEM}%7C{BSN}",
    f"Task?identifier=urn:oid:2.16.840.1.113883.2.4.6.3|{BSN}",
    f"Task?identifier={BSN_SYSTEM}|12345678",  # a slip of the finger is somebody's number as well
    f"Task?identifier={BSN_SYSTEM}\\|{BSN}",
    f"Task?identifier={BSN}",
    f"Task?identifier=|{BSN}",
    f"Task?identifier=urn:his|1,{BSN}",
    "Task?identifier=9999.90.019",
    "Task?identifier=999 990 019",
    f"Task?identifier:of-type=x|y|z,{BSN}",
    f"Task?identifier:of-type=urn:x|NNNLD|{BSN}",
    f"Task?patient:identifier={BSN_SYSTEM}|{BSN}",
    f"Task?patient.identifier={BSN_SYSTEM}|{BSN}",
    f"Task?code={BSN_SYSTEM}|{BSN}",
    f"Task?code={BSN}",
    f"Task?patient={BSN}",
    f"Task?patient=Patient/{BSN}",
    f"Task?_id={BSN}",
    f"Task?bsn={BSN}",
    f"Task?{BSN}=x",
    f"Task?_include=Task:{BSN}",
    f"ServiceRequest?identifier={BSN}",
    f"CarePlan?identifier={BSN_SYSTEM}|{BSN}",
)


@pytest.mark.parametrize("query", ASKED)
async def test_an_address_with_a_number_is_refused_and_told_to_post(service: Service, query: str) -> None:
    with capture_logs() as lines:
        response = await service.his.get(f"/fhir/{query}")
        posted = await service.his.post(f"/fhir/{query.replace('?', '/_search?')}", headers=FORM)

    for each in (response, posted):
        assert each.status_code == 400
        assert "POST [type]/_search" in texts(each)
    told = f"{response.text}{posted.text}{response.headers}{lines}"
    assert not [each for each in (BSN, "12345678", "9999.90.019", "999 990 019") if each in told]


async def test_other_numbers_of_nine_digits_are_searched_as_ever(service: Service) -> None:
    await service.refer(
        with_a_task(
            "1",
            identifier=[{"system": "urn:his", "value": OTHER}],
            code={"coding": [{"system": "http://snomed.info/sct", "code": OTHER}]},
        )
    )
    for query in (f"identifier=urn:his|{OTHER}", f"code=http://snomed.info/sct|{OTHER}"):
        response = await service.his.get(f"/fhir/Task?{query}")
        assert len(response.json()["entry"]) == 1, query
    uuid = "01a23456-7890-7123-8456-a123456782bc"  # with nine digits that pass, inside a word
    assert (await service.his.get(f"/fhir/Task?patient={uuid}")).status_code == 200


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"identifier": f"{BSN_SYSTEM}|123456789"}, "dit is geen BSN"),
        ({"identifier": f"{BSN_SYSTEM}|9999.90.019"}, "dit is geen BSN"),
        ({"patient": BSN}, "met de parameter identifier"),
        ({"bsn": BSN}, "met de parameter identifier"),
        ({"identifier:exact": BSN}, "met de parameter identifier"),
        ({"identifier:of-type": f"urn:x|NNNLD|1,urn:x|NNNLD|{BSN}"}, "met de parameter identifier"),
    ],
)
async def test_a_number_that_is_none_or_stands_elsewhere_is_refused_without_it(
    service: Service, parameters: dict[str, str], said: str
) -> None:
    response = await by_form(service.his, "Task", **parameters)
    assert response.status_code == 400
    assert said in texts(response)
    assert not [each for each in (BSN, "123456789", "9999.90.019") if each in response.text]


# Who is found


def numbered(number: str, kenmerk: str, *changes: Any) -> dict[str, Any]:
    def change(bundle: dict[str, Any]) -> None:
        identifiers = [
            {"system": BSN_SYSTEM, "value": number},
            {"system": "urn:his", "value": f"patient-{number[-3:]}"},
        ]
        of(bundle, "Patient")["identifier"] = identifiers

    return a_referral(kenmerk, change, *changes)


async def found(client: httpx.AsyncClient, asked: str, kind: str = "Patient") -> set[str]:
    response = await by_form(client, kind, identifier=asked)
    assert response.status_code == 200, response.text
    other_system = asked.startswith("urn:his|9")
    assert other_system or not [each for each in (BSN, OTHER) if each in str(response.json()["link"])]
    return {f"{kind}/{entry['resource']['id']}" for entry in response.json().get("entry", ())}


async def test_a_number_finds_the_patient_of_each_traject_and_shows_it_to_who_knows_it(
    service: Service,
) -> None:
    theirs = {(await service.refer(numbered(BSN, each)))["Patient"] for each in ("1", "2")}
    other = (await service.refer(numbered(OTHER, "3")))["Patient"]

    assert await found(service.his, f"{BSN_SYSTEM}|{BSN}") == theirs
    assert await found(service.his, f"urn:oid:2.16.840.1.113883.2.4.6.3|{BSN}") == theirs
    assert await found(service.his, BSN) == theirs
    assert await found(service.his, f"{BSN_SYSTEM}|{BSN},{OTHER}") == {*theirs, other}
    assert await found(service.his, f"urn:his|patient-020,{BSN_SYSTEM}|{BSN}") == {*theirs, other}
    assert await found(service.his, "urn:his|patient-020") == {other}
    assert await found(service.his, f"{BSN_SYSTEM}|") == {*theirs, other}
    assert await found(service.his, f"{BSN_SYSTEM}|999990032") == set()
    assert await found(service.his, f"urn:his|{BSN}") == set()
    [one] = (await by_form(service.his, "Patient", identifier="urn:his|patient-020")).json()["entry"]
    assert one["resource"]["identifier"][0]["value"] == OTHER
    by_id = (await service.his.get(f"/fhir/Patient?_id={other.partition('/')[2]}")).json()["entry"]
    assert [entry["resource"]["id"] for entry in by_id] == [other.partition("/")[2]]


async def test_who_may_not_know_the_number_cannot_tell_whether_it_is_there(service: Service) -> None:
    def and_in_the_task(bundle: dict[str, Any]) -> None:
        number = {"system": BSN_SYSTEM, "value": BSN}
        task = {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "identifier": [number],
            "focus": {"reference": bundle["entry"][1]["fullUrl"]},
        }
        bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})
        of(bundle, "ServiceRequest")["identifier"].append(number)

    referral = await service.refer(numbered(BSN, "1", and_in_the_task))
    for kind in ("Patient", "Task", "ServiceRequest"):
        assert await found(service.his, f"{BSN_SYSTEM}|{BSN}", kind) == {referral[kind]}
        for client in (service.coach, service.hospital):
            for asked in (f"{BSN_SYSTEM}|{BSN}", BSN, f"{BSN_SYSTEM}|", "urn:his|patient-019"):
                there = await by_form(client, kind, identifier=asked)
                absent = await by_form(client, kind, identifier=asked.replace(BSN, OTHER))
                assert "entry" not in there.json()
                assert there.content == absent.content
    assert len((await service.coach.get("/fhir/Patient")).json()["entry"]) == 1  # it does see the patient


async def test_the_wall_behind_it_hides_the_rows_of_a_number_as_well(service: Service) -> None:
    await service.refer(numbered(BSN, "1"))
    rows = await service.rows("select param, parties from ketenzorg.search_token where type = 'Patient'")
    assert {row["param"] for row in rows} == {"bsn", "identifier"}
    coach = await service.rows("select (roles ->> 'welzijnscoach')::uuid as id from ketenzorg.traject")
    assert not [row for row in rows if coach[0]["id"] in row["parties"]]


async def test_who_has_a_row_too_many_finds_nothing_by_it_either(service: Service) -> None:
    await service.refer(numbered(BSN, "1"))
    everybody = "(select parties from ketenzorg.traject)"  # as if the second wall had a hole
    await service.rows(f"update ketenzorg.search_token set parties = {everybody} where type = 'Patient'")
    assert await found(service.coach, f"{BSN_SYSTEM}|{BSN}") == set()
    assert len(await found(service.his, f"{BSN_SYSTEM}|{BSN}")) == 1


async def test_more_than_a_page_is_asked_for_by_the_same_form(service: Service) -> None:
    theirs = {(await service.refer(numbered(BSN, str(each))))["Patient"] for each in range(3)}
    seen: list[str] = []
    form = {"identifier": f"{BSN_SYSTEM}|{BSN}", "_count": "2"}
    while True:
        answer = (await by_form(service.his, "Patient", **form)).json()
        assert [link["relation"] for link in answer["link"]] == ["self"]
        last = answer["entry"].pop() if answer["entry"][-1]["search"]["mode"] == "outcome" else None
        seen += [f"Patient/{entry['resource']['id']}" for entry in answer["entry"]]
        if last is None:
            break
        form["_cursor"] = last["resource"]["issue"][0]["diagnostics"].rpartition("=")[2].rstrip(".")
    assert (len(seen), set(seen)) == (3, theirs)


async def test_a_search_by_number_is_on_record_without_it(service: Service) -> None:
    await service.refer(numbered(BSN, "1"))
    await by_form(service.his, "Patient", identifier=f"{BSN_SYSTEM}|{BSN}")
    [line] = await service.rows("select audit::text as line from ketenzorg.audit where action = 'E'")
    assert "identifier" in line["line"]
    assert BSN not in line["line"]
    [token] = await service.rows("select token from ketenzorg.personal_number")
    assert str(token["token"]) not in line["line"]
