"""Sending again: by If-None-Exist, by Idempotency-Key, by the identifier alone; R5a to R5c sixteen at a time."""

import asyncio
import json
import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from ketenzorg.app import tokens_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.referral.content import RESENT_ANEW
from ketenzorg.store.retries import KEPT, UNDER_WAY
from promises.talking import PATCH, accepting, stored
from referrals import a_referral, of, places, said, texts
from services import REGION, SECRET, SETTINGS, START, Referral, Service
from systems import speaking

AT_ONCE = 16


def conditional(number: str, *changes: Any) -> dict[str, Any]:
    """A referral of which the sender says: only if it is not there."""
    bundle = a_referral(number, *changes)
    [entry] = [each for each in bundle["entry"] if each["resource"]["resourceType"] == "ServiceRequest"]
    [identifier] = entry["resource"]["identifier"]
    entry["request"]["ifNoneExist"] = f"identifier={identifier['system']}|{identifier['value']}"
    return bundle


def other_words(bundle: dict[str, Any]) -> None:
    of(bundle, "ServiceRequest")["note"] = [{"text": "Bel na twaalf uur."}]


def another_observation(bundle: dict[str, Any]) -> None:
    weight = {
        "resourceType": "Observation", "status": "final", "code": {"text": "gewicht"},
        "subject": {"reference": bundle["entry"][0]["fullUrl"]},
    }  # fmt: skip
    bundle["entry"].append({"resource": weight, "request": {"method": "POST", "url": "Observation"}})


async def post(
    service: Service, bundle: dict[str, Any], key: str | None = None, **more: str
) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return await service.his.post(
        "/fhir", json=bundle, headers=headers | ({"Idempotency-Key": key} if key else {})
    )


def statuses(answer: httpx.Response) -> set[str]:
    return {each["response"]["status"] for each in answer.json()["entry"]}


def where(answer: httpx.Response, kind: str) -> str:
    """The address of the resource of this type, in an answer that may not have one for each entry."""
    entries = [each["response"].get("location", "") for each in answer.json()["entry"]]
    [found] = [each.partition("/_history")[0] for each in entries if each.startswith(f"{kind}/")]
    return found


async def test_r5a_by_if_none_exist_one_is_made_and_the_others_hear_where_it_is(service: Service) -> None:
    """R5a."""
    bundles = [conditional("1", other_words) if n % 2 else conditional("1") for n in range(AT_ONCE)]
    answers = await asyncio.gather(*(post(service, bundle) for bundle in bundles))

    made = Counter("201 Created" in statuses(each) for each in answers)
    assert made == {True: 1, False: AT_ONCE - 1}
    assert len({where(each, "ServiceRequest") for each in answers}) == 1
    assert await stored(service) == 1


async def test_if_none_exist(service: Service) -> None:
    first = await service.refer(conditional("1"))
    again = await post(service, conditional("1", other_words, another_observation))
    entries = [each["response"] for each in again.json()["entry"]]
    assert where(again, "ServiceRequest") == first["ServiceRequest"]
    assert where(again, "Task") == first["Task"]
    assert entries[1]["outcome"]["issue"][0]["severity"] == "warning"
    assert [each for each in entries[:-2] if "location" in each] == [entries[1]]
    # Without the condition it is a mistake, and stays one.
    assert (await post(service, a_referral("1", other_words))).status_code == 409


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("Patient", "identifier=x|1"),
        ("ServiceRequest", "identifier=x|1"),
        ("ServiceRequest", "status=active"),
        ("ServiceRequest", "identifier=%7C"),
    ],
)
async def test_a_condition_that_could_race_is_refused_with_the_one_that_cannot(
    service: Service, kind: str, condition: str
) -> None:
    bundle = a_referral()
    [place] = [n for n, each in enumerate(bundle["entry"]) if each["resource"]["resourceType"] == kind]
    bundle["entry"][place]["request"]["ifNoneExist"] = condition
    answer = await post(service, bundle)
    assert (answer.status_code, places(answer)) == (422, [f"Bundle.entry[{place}].request.ifNoneExist"])


async def test_idempotency_key(service: Service) -> None:
    """R5b."""
    answers = await asyncio.gather(*(post(service, a_referral("1"), "a-key") for _ in range(AT_ONCE)))
    under_way = [each for each in answers if each.status_code == 409]
    assert all(each.headers["Retry-After"] == "1" for each in under_way)
    done = [each for each in answers if each.status_code == 200]
    assert (len(done) + len(under_way), len({each.content for each in done})) == (AT_ONCE, 1)
    late = await post(service, a_referral("1"), '"a-key"')  # with quotes it is the same string
    assert (late.content, statuses(late)) == (done[0].content, {"201 Created"})
    assert await stored(service) == 1


async def test_at_the_same_moment(service: Service) -> None:
    """R5c."""
    answers = await asyncio.gather(*(post(service, a_referral("1")) for _ in range(AT_ONCE)))
    assert Counter("201 Created" in statuses(each) for each in answers) == {True: 1, False: AT_ONCE - 1}
    assert len({tuple(Referral(each).locations) for each in answers}) == 1
    assert await stored(service) == 1


async def test_key_with_another_body(service: Service) -> None:
    assert (await post(service, a_referral("1"), "k")).status_code == 200
    answer = await post(service, a_referral("2"), "k")
    assert (answer.status_code, "new key" in texts(answer)) == (422, True)
    assert await stored(service) == 1


async def test_key_of_a_client(service: Service) -> None:
    assert (await post(service, a_referral("1"), "k")).status_code == 200
    practice = caller_for(REGION, "his-demo")
    token = tokens_of(SETTINGS, SECRET).issue(
        msgspec.structs.replace(practice, client="another-his"), timedelta(hours=1)
    )
    async with speaking(service.app, token) as other:
        answer = await other.post("/fhir", json=a_referral("2"), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, statuses(answer)) == (200, {"201 Created"})


async def test_key_after_a_mistake(service: Service) -> None:
    wrong = a_referral("1", lambda bundle: of(bundle, "ServiceRequest").pop("requester"))
    assert (await post(service, wrong, "k")).status_code == 422
    assert statuses(await post(service, a_referral("1"), "k")) == {"201 Created"}


async def test_a_kept_answer_holds_no_resource_and_its_reading_is_on_record(service: Service) -> None:
    first = await post(service, a_referral("1"), "k", Prefer="return=representation")
    again = await post(service, a_referral("1"), "k", Prefer="return=representation")
    assert [each["resource"]["id"] for each in again.json()["entry"]] == [
        each["resource"]["id"] for each in first.json()["entry"]
    ]
    [kept] = await service.rows("select answer from ketenzorg.idempotency_key")
    assert b'"resource"' not in kept["answer"]
    request = Referral(first)["ServiceRequest"]
    lines = await service.rows(
        f"select action, patients from ketenzorg.audit where what = '{request}' order by at"
    )
    assert [row["action"] for row in lines][:1] == ["C"]
    assert [row["action"] for row in lines].count("R") == 3  # read twice, and the answer given again
    assert len({tuple(row["patients"]) for row in lines}) == 1


async def test_key_is_kept(service: Service) -> None:
    await post(service, a_referral("1"), "k")
    aged = "update ketenzorg.idempotency_key set at = clock_timestamp() - interval '{0} seconds'"
    await service.rows(aged.format(KEPT.total_seconds() - 60))
    assert statuses(await post(service, a_referral("1"), "k")) == {"201 Created"}
    await service.rows(aged.format(KEPT.total_seconds() + 60))
    await post(service, a_referral("2"), "another")
    assert len(await service.rows("select from ketenzorg.idempotency_key")) == 1
    assert statuses(await post(service, a_referral("1"), "k")) == {"200 OK"}  # the identifier is for ever


async def test_key_under_way(service: Service) -> None:
    first = await post(service, a_referral("1"), "k")
    unanswered = (
        "update ketenzorg.idempotency_key set answer = null, at = clock_timestamp() - interval '{0} seconds'"
    )
    await service.rows(unanswered.format(UNDER_WAY.total_seconds() - 30))
    assert (await post(service, a_referral("1"), "k")).status_code == 409
    await service.rows(unanswered.format(UNDER_WAY.total_seconds() + 1))
    assert (await post(service, a_referral("2"), "k")).status_code == 422
    again = await post(service, a_referral("1"), "k")
    assert (statuses(again), Referral(again).locations) == ({"200 OK"}, Referral(first).locations)


async def test_no_answer(service: Service) -> None:
    """The sender goes away while we work; it never hears what came of it."""
    trajecten = service.app.litestar.state.world.referrals
    taken, receive = asyncio.Event(), trajecten.receive

    async def receives(package: Any) -> Any:
        stored_now = await receive(package)
        taken.set()
        await asyncio.sleep(3600)
        return stored_now

    trajecten.receive = receives
    lost = asyncio.create_task(post(service, a_referral("1")))
    await taken.wait()
    lost.cancel()
    trajecten.receive = receive
    again = await post(service, a_referral("1"))
    assert (again.status_code, statuses(again), await stored(service)) == (200, {"200 OK"}, 1)


async def test_known_by_identifier(service: Service) -> None:
    nameless = await post(
        service, a_referral("1", lambda bundle: of(bundle, "ServiceRequest").pop("identifier"))
    )
    assert (nameless.status_code, places(nameless)) == (422, ["Bundle.entry[1].resource.identifier"])

    def of_another_list(bundle: dict[str, Any]) -> None:
        of(bundle, "ServiceRequest")["identifier"][0]["system"] = "https://elsewhere.example/list"

    first, other = await service.refer(a_referral("1")), await service.refer(a_referral("1", of_another_list))
    assert first["ServiceRequest"] != other["ServiceRequest"]


async def test_same_content(service: Service) -> None:
    first = await service.refer()
    await service.happens(first["Task"], "aannemen")
    before = await service.rows("select xmin::text as x, id from ketenzorg.resource order by id")
    again = await service.refer()
    assert again.locations == first.locations
    assert await service.rows("select xmin::text as x, id from ketenzorg.resource order by id") == before


async def test_what_is_content(service: Service) -> None:
    first = await service.refer(a_referral("1"))
    anew = {
        "id": "other", "meta": {"versionId": "7"}, "text": {"status": "generated", "div": "<div>x</div>"},
        "authoredOn": "2026-01-11", "lastModified": "2026-01-11T00:00:00Z", "issued": "2026-01-11T00:00:00Z",
        "authored": "2026-01-11", "recorded": "2026-01-11T00:00:00Z",
    }  # fmt: skip
    assert set(anew) == RESENT_ANEW
    fits = {
        "ServiceRequest": ("id", "meta", "text", "authoredOn"),
        "QuestionnaireResponse": ("authored",),
        "Condition": (),
    }
    for kind, names in fits.items():
        for name in names:
            resent = a_referral("1", lambda b, kind=kind, name=name: of(b, kind).update({name: anew[name]}))
            if name == "text":
                of(resent, kind)["text"]["div"] = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'
            assert (await service.refer(resent)).locations == first.locations, name
    text = json.dumps(a_referral("1"), indent=3, sort_keys=True)
    for urn in set(re.findall(r"urn:uuid:[0-9a-f-]{36}", text)):
        text = text.replace(urn, f"urn:uuid:{uuid4()}")
    assert Referral(await service.his.post("/fhir", content=text)).locations == first.locations


async def test_other_content(service: Service) -> None:
    task = (await service.refer(a_referral("1")))["Task"]
    answer = await post(service, a_referral("1", other_words))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (409, "duplicate")
    assert task in texts(answer)
    note = [{"op": "add", "path": "/note", "value": [{"text": "Bel na twaalf uur."}]}]
    assert (await service.his.patch(f"/fhir/{task}", json=note, headers=PATCH)).status_code == 200
    withdrawn = await service.his.post(
        f"/fhir/{task}/$event", json=said("intrekken", reden_van_intrekken="wil-niet")
    )
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "cancelled")


async def test_identifiers_are_kept(service: Service) -> None:
    first = await service.refer()
    service.app.litestar.state.clock.set(START + timedelta(days=4000))
    again = await service.refer()
    assert again.locations == first.locations


async def test_if_match(service: Service) -> None:
    task = (await service.refer())["Task"]
    seen = {"If-Match": (await service.coach.get(f"/fhir/{task}")).headers["ETag"]}
    assert [(await accepting(service, task, seen)).status_code for _ in "12"] == [200, 412]
    seen = {"If-Match": (await service.coach.get(f"/fhir/{task}")).headers["ETag"]}
    reached = said("eerste contact")
    events = [await service.coach.post(f"/fhir/{task}/$event", json=reached, headers=seen) for _ in "12"]
    assert [each.status_code for each in events] == [200, 412]
    whole = await service.his.get(f"/fhir/{task}")
    changed = whole.json() | {"note": [{"text": "Bel na twaalf uur."}]}
    put = [
        (
            await service.his.put(f"/fhir/{task}", json=changed, headers={"If-Match": whole.headers["ETag"]})
        ).status_code
        for _ in "12"
    ]
    assert put == [200, 412]
    assert len(await service.rows("select from ketenzorg.event")) == 4  # received, accepted, reached, noted
