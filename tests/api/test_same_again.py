"""The same referral once more, sixteen at a time: by If-None-Exist, by Idempotency-Key, by its identifier alone."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from ketenzorg.app import tokens_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.store.retries import KEPT, UNDER_WAY
from referrals import a_referral, of, places, texts
from services import REGION, SECRET, SETTINGS, Referral, Service
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


async def stored(service: Service) -> int:
    return (await service.rows("select count(*) as n from ketenzorg.traject"))[0]["n"]


async def test_by_if_none_exist_one_is_made_and_the_others_hear_where_it_is(service: Service) -> None:
    """R5a."""
    bundles = [conditional("1", other_words) if n % 2 else conditional("1") for n in range(AT_ONCE)]
    answers = await asyncio.gather(*(post(service, bundle) for bundle in bundles))

    made = Counter("201 Created" in statuses(each) for each in answers)
    assert made == {True: 1, False: AT_ONCE - 1}
    assert len({where(each, "ServiceRequest") for each in answers}) == 1
    assert await stored(service) == 1


async def test_by_if_none_exist_other_content_is_not_stored_and_that_is_said(service: Service) -> None:
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


async def test_by_key_every_answer_is_the_same_or_says_that_it_is_under_way(service: Service) -> None:
    """R5b."""
    answers = await asyncio.gather(*(post(service, a_referral("1"), "a-key") for _ in range(AT_ONCE)))
    under_way = [each for each in answers if each.status_code == 409]
    assert all(each.headers["Retry-After"] == "1" for each in under_way)
    done = [each for each in answers if each.status_code == 200]
    assert (len(done) + len(under_way), len({each.content for each in done})) == (AT_ONCE, 1)
    late = await post(service, a_referral("1"), '"a-key"')  # with quotes it is the same string
    assert (late.content, statuses(late)) == (done[0].content, {"201 Created"})
    assert await stored(service) == 1


async def test_by_identifier_alone_one_is_stored(service: Service) -> None:
    """R5c."""
    answers = await asyncio.gather(*(post(service, a_referral("1")) for _ in range(AT_ONCE)))
    assert Counter("201 Created" in statuses(each) for each in answers) == {True: 1, False: AT_ONCE - 1}
    assert len({tuple(Referral(each).locations) for each in answers}) == 1
    assert await stored(service) == 1


async def test_another_body_under_a_key_is_refused_and_nothing_is_stored(service: Service) -> None:
    assert (await post(service, a_referral("1"), "k")).status_code == 200
    answer = await post(service, a_referral("2"), "k")
    assert (answer.status_code, "new key" in texts(answer)) == (422, True)
    assert await stored(service) == 1


async def test_a_key_is_of_one_client(service: Service) -> None:
    assert (await post(service, a_referral("1"), "k")).status_code == 200
    practice = caller_for(REGION, "his-demo")
    token = tokens_of(SETTINGS, SECRET).issue(
        msgspec.structs.replace(practice, client="another-his"), timedelta(hours=1)
    )
    async with speaking(service.app, token) as other:
        answer = await other.post("/fhir", json=a_referral("2"), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, statuses(answer)) == (200, {"201 Created"})


async def test_what_failed_is_not_kept_so_that_it_can_be_mended(service: Service) -> None:
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


async def test_keys_are_kept_as_long_as_we_say_and_then_go(service: Service) -> None:
    await post(service, a_referral("1"), "k")
    aged = "update ketenzorg.idempotency_key set at = clock_timestamp() - interval '{0} seconds'"
    await service.rows(aged.format(KEPT.total_seconds() - 60))
    assert statuses(await post(service, a_referral("1"), "k")) == {"201 Created"}
    await service.rows(aged.format(KEPT.total_seconds() + 60))
    await post(service, a_referral("2"), "another")
    assert len(await service.rows("select from ketenzorg.idempotency_key")) == 1
    assert statuses(await post(service, a_referral("1"), "k")) == {"200 OK"}  # the identifier is for ever


async def test_who_died_at_work_holds_a_key_no_longer_than_a_minute(service: Service) -> None:
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


@pytest.mark.parametrize("key", ["", "é", "x" * 256, 'a"b'])
async def test_a_key_that_is_none_is_said_to_be_none(service: Service, key: str) -> None:
    answer = await service.his.post(
        "/fhir", json=a_referral(), headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert (answer.status_code, "1 to 255" in texts(answer)) == (400, True)
