"""$validate with a mode: the verdict is that of the request itself, and nothing of it stays."""

from typing import Any

import httpx
import pytest

from examples import LIFTED, an_example
from referrals import a_referral, of
from services import Service

Json = dict[str, Any]
TABLES = (
    "traject", "event", "resource", "referral_identity", "outbox", "due", "personal_number", "search_token",
    "subscription",
)  # fmt: skip


async def stored(service: Service) -> dict[str, int]:
    return {
        table: (await service.rows(f"select count(*) as n from ketenzorg.{table}"))[0]["n"]
        for table in TABLES
    }


def issues(response: httpx.Response) -> list[Json]:
    body = response.json()
    if body["resourceType"] == "OperationOutcome":
        return list(body["issue"])
    return [each for entry in body["entry"] for each in entry["response"].get("outcome", {}).get("issue", ())]


def told(response: httpx.Response, *, without: str = "") -> set[tuple[str, ...]]:
    """What was said of which place; the ids and moments of what was made differ each time."""
    return {
        (each["severity"], each["details"]["coding"][0]["code"], *each.get("expression", ()))
        for each in issues(response)
        if not without or without not in each["diagnostics"]
    }


def wrong(response: httpx.Response) -> list[Json]:
    return [each for each in issues(response) if each["severity"] in ("error", "fatal")]


async def rehearsed(client: httpx.AsyncClient, address: str, body: Json, mode: str) -> httpx.Response:
    response = await client.post(f"/fhir/{address}/$validate?mode={mode}", json=body)
    assert response.status_code == 200, response.text
    return response


def _broken(**change: Any) -> Json:
    bundle = a_referral("broken")
    of(bundle, "ServiceRequest").update(change)
    return bundle


NOT_NEEDED = {"coding": [{"code": "niet-meer-nodig"}]}
NOBODY = {"identifier": {"system": "http://fhir.nl/fhir/NamingSystem/ura", "value": "1"}}
SCOPE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
}


def _objection() -> Json:
    bundle = a_referral("with an objection")
    consent = {
        "resourceType": "Consent", "status": "active", "patient": {"reference": bundle["entry"][0]["fullUrl"]},
        "scope": SCOPE,
        "category": [{"text": "delen"}], "policyRule": {"text": "bezwaar"}, "provision": {"type": "deny"},
    }  # fmt: skip
    bundle["entry"].append({"resource": consent, "request": {"method": "POST", "url": "Consent"}})
    return bundle


REFERRALS = {
    "fine": a_referral("fine"),
    "kidneys": an_example("chronische-nierschade"),
    "an alarm": an_example("welzijn-op-recept", gevaar=True),
    "an alarm unanswered": an_example("welzijn-op-recept", gevaar=LIFTED),
    "unanswered": an_example("welzijn-op-recept", reden=LIFTED, toestemming=LIFTED),
    "no such pathway": _broken(instantiatesCanonical=["https://elders.example/pad"]),
    "two mistakes": _broken(status="draft", requester=None),
    "no FHIR": _broken(priority="spoed"),
    "an objection in it": _objection(),
    "nobody who can": _broken(performer=[NOBODY]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERRALS)
async def test_a_referral_is_judged_as_it_would_be_and_nothing_stays(service: Service, name: str) -> None:
    bundle = REFERRALS[name]
    before = await stored(service)
    said = await rehearsed(service.his, "Bundle", bundle, "create")
    assert await stored(service) == before

    taken = await service.his.post("/fhir", json=bundle)
    assert (taken.status_code == 200) == (not wrong(said)), (taken.text, said.text)
    assert told(taken) <= told(said)
    assert ("This would be taken" in said.text) == (taken.status_code == 200)


async def test_what_is_here_already_counts_and_asking_is_on_record(service: Service) -> None:
    await service.refer(a_referral("1"))
    other = a_referral("1")
    of(other, "ServiceRequest")["note"] = [{"text": "anders"}]
    before = await stored(service)
    assert wrong(await rehearsed(service.his, "Bundle", a_referral("1"), "create")) == []
    [issue] = wrong(await rehearsed(service.his, "Bundle", other, "create"))
    assert issue["details"]["coding"][0]["code"] == "other-content"
    second = await rehearsed(service.his, "Bundle", a_referral("2"), "create")
    assert told(second) >= told(await service.his.post("/fhir", json=a_referral("2")))
    lines = await service.rows("select count(*) as n from ketenzorg.audit where interaction = 'validate'")
    assert lines[0]["n"] == 3
    assert (await stored(service))["traject"] == before["traject"] + 1
    assert (await service.coach.post("/fhir/Bundle/$validate?mode=create", json=a_referral("3"))).json()[
        "issue"
    ][0]["severity"] == "error"


async def test_in_a_batch_nothing_stays_either(service: Service) -> None:
    task = (await service.refer())["Task"]
    put = {"request": {"method": "PATCH", "url": task}, "resource": {
        "resourceType": "Binary", "contentType": "application/json-patch+json",
        "data": "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zdGF0dXMiLCJ2YWx1ZSI6ImFjY2VwdGVkIn1d",
    }}  # fmt: skip
    before = await stored(service)
    await rehearsed(
        service.coach, "Bundle", {"resourceType": "Bundle", "type": "batch", "entry": [put]}, "create"
    )
    assert await stored(service) == before
    done = await service.coach.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": [put]})
    assert done.json()["entry"][0]["response"]["status"] == "200 OK", done.text


async def test_an_update_says_what_would_be_allowed_and_a_delete_too(service: Service) -> None:
    task = (await service.refer())["Task"]
    seen = (await service.his.get(f"/fhir/{task}")).json()
    before = await stored(service)
    verdicts = {}
    for status in ("requested", "cancelled", "completed", "entered-in-error"):
        changed = seen | {"status": status, "statusReason": NOT_NEEDED}
        said = await rehearsed(service.his, task, changed, "update")
        assert await stored(service) == before
        assert (await service.his.get(f"/fhir/{task}")).json() == seen
        assert told(await rehearsed(service.his, "Task", changed, "update")) == told(said)
        verdicts[status] = {each["details"]["coding"][0]["code"] for each in wrong(said)}
    assert verdicts["cancelled"] == set()
    assert "step" in verdicts["completed"]
    done = await service.his.put(
        f"/fhir/{task}", json=seen | {"status": "cancelled", "statusReason": NOT_NEEDED}
    )
    assert done.status_code == 200, done.text
    before = await stored(service)
    deleted = await service.his.get(f"/fhir/{task}/$validate?mode=delete")
    assert await stored(service) == before
    assert bool(wrong(deleted)) == ((await service.his.delete(f"/fhir/{task}")).status_code >= 400)
    assert (await service.stranger.post(f"/fhir/{task}/$validate?mode=update", json=seen)).status_code == 401
    assert (await service.hospital.post(f"/fhir/{task}/$validate?mode=update", json=seen)).status_code == 404
