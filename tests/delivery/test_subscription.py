"""An organisation says over FHIR what it wants to hear of, and gets that and no more."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.conftest import Clock
from ketenzorg.access.signing import signed
from ketenzorg.delivery.schedule import HANDSHAKES
from ketenzorg.delivery.worker import Worker
from ketenzorg.fhir import r4
from ketenzorg.fhir.decode import decode_as
from receivers import Got, answer, receiver
from referrals import a_referral, texts
from services import REGION, Service
from subscriptions import extended, filtered, numbers, polling, subscription, values

PRACTICE = REGION.of_client("his-demo").id


async def subscribed(client: Any, asked: dict[str, Any]) -> dict[str, Any]:
    response = await client.post("/fhir/Subscription", json=asked)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def standing(client: Any, made: dict[str, Any]) -> dict[str, Any]:
    response = await client.get(f"/fhir/Subscription/{made['id']}/$status")
    assert response.status_code == 200, response.text
    [entry] = response.json()["entry"]
    return values(entry["resource"])


async def all_of_it(worker: Worker) -> None:
    while await worker.deliver_due():
        pass


def secret_in(made: dict[str, Any]) -> bytes:
    [text] = [each["valueString"] for each in made["extension"] if each["url"].endswith("webhook-secret")]
    return b64decode(text.removeprefix("whsec_"))


def is_signed_with(got: Got, secret: bytes) -> bool:
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    ours = signed(got.headers["webhook-id"], at, got.body, [secret])["webhook-signature"]  # type: ignore[arg-type]
    return ours in got.headers["webhook-signature"].split(" ")


async def test_it_is_active_only_after_its_endpoint_has_answered(service: Service, worker: Worker) -> None:
    async with receiver(answer(500)) as his:
        made = await subscribed(service.his, subscription(his.url))
        assert made["status"] == "requested"
        assert made["meta"]["versionId"] == "1"
        await service.refer()
        await worker.deliver_due()
        assert (await standing(service.his, made))["status"] == "requested"
        assert [got.kind for got in his.got] == ["handshake"]

    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        await service.refer(a_referral("2"))
        await all_of_it(worker)
        assert [got.kind for got in his.got] == ["handshake", "event-notification"]
        assert (await standing(service.his, made))["status"] == "active"
        handshake, event = his.got
        assert handshake.status["subscription"].endswith(made["id"])
        assert (event.number, event.status["events-since-subscription-start"]) == (1, "1")
        assert all(is_signed_with(got, secret_in(made)) for got in his.got)
        assert "extension" not in (await service.his.get(f"/fhir/Subscription/{made['id']}")).json()
        for got in his.got:
            decode_as(got.body, r4.Bundle)


async def test_a_refused_handshake_ends_in_error_and_must_be_asked_for_anew(
    service: Service, worker: Worker, clock: Clock
) -> None:
    async with receiver(*[answer(403)] * HANDSHAKES) as his:
        made = await subscribed(service.his, subscription(his.url))
        await service.refer()
        for _ in range(HANDSHAKES + 2):
            await worker.deliver_due()
            clock.passes(seconds=30)
        assert [got.kind for got in his.got] == ["handshake"] * HANDSHAKES
        now = await standing(service.his, made)
        assert (now["status"], now["error"]) == ("error", {"text": "handshake: http 403"})

        again = await service.his.put(
            f"/fhir/Subscription/{made['id']}", json={**subscription(his.url), "id": made["id"]}
        )
        assert (again.status_code, again.json()["status"]) == (200, "requested")
        await all_of_it(worker)

    assert [got.kind for got in his.got[HANDSHAKES:]] == ["handshake", "event-notification"]
    assert his.got[-1].number == 1  # what happened meanwhile is not lost


async def test_a_heartbeat_says_that_we_are_there_when_nothing_happens(
    service: Service, worker: Worker, clock: Clock
) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, extended(subscription(his.url), heartbeat_period=60))
        await all_of_it(worker)
        clock.passes(seconds=50)
        await service.refer()
        await all_of_it(worker)
        clock.passes(seconds=50)
        await all_of_it(worker)
        assert [got.kind for got in his.got] == ["handshake", "event-notification"]
        clock.passes(seconds=20)
        await all_of_it(worker)
        await all_of_it(worker)

    assert [got.kind for got in his.got] == ["handshake", "event-notification", "heartbeat"]
    assert his.got[-1].status["events-since-subscription-start"] == "1"
    assert (await standing(service.his, made))["status"] == "active"


async def test_each_topic_tells_of_its_own_type_and_a_filter_narrows_it(
    service: Service, worker: Worker
) -> None:
    heard: dict[str, list[str]] = {}
    async with receiver() as his:
        for to in ("Task", "ServiceRequest", "CarePlan"):
            await subscribed(service.his, subscription(his.url, to=to))
        coach = REGION.of_client("welzijn-demo").id
        only = subscription(
            his.url, _criteria=filtered(f"Task?status=accepted,rejected&owner=Organization/{coach}")
        )
        other = subscription(
            his.url, _criteria=filtered("Task?status=http://hl7.org/fhir/task-status|rejected")
        )
        filtered_ids = [(await subscribed(service.his, each))["id"] for each in (only, other)]
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")
        await all_of_it(worker)

    for got in his.got:
        if got.kind == "event-notification":
            heard.setdefault(got.status["subscription"][-36:], []).append(
                got.focus[len("http://test/fhir/") :]
            )
    assert heard.pop(filtered_ids[0]) == [f"{referral['Task']}/_history/2"]
    assert filtered_ids[1] not in heard
    assert sorted(heard.values()) == sorted(
        [f"{referral[kind]}/_history/{version}" for version in versions]
        for kind, versions in (("Task", (1, 2)), ("ServiceRequest", (1,)), ("CarePlan", (1, 2)))
    )


async def test_the_whole_resource_is_what_the_reader_would_see_and_never_more(
    service: Service, worker: Worker
) -> None:
    async with receiver() as his, receiver() as coach:
        await subscribed(service.his, subscription(his.url, to="ServiceRequest", content="full-resource"))
        await subscribed(service.coach, subscription(coach.url, to="ServiceRequest", content="full-resource"))
        await subscribed(service.coach, subscription(coach.url, content="full-resource"))
        referral = await service.refer()
        await service.happens(referral["Task"], "aannemen")
        await all_of_it(worker)

        for client, one in ((service.his, his), (service.coach, coach)):
            for got in one.got:
                if got.kind != "event-notification":
                    continue
                resource = decode_as(got.body, r4.Bundle).entry[1].resource
                address = got.focus.removeprefix("http://test")
                seen = (await client.get(address)).json()
                assert (resource.id, resource.meta.versionId) == (seen["id"], seen["meta"]["versionId"])
                assert got.body.decode().count("SUBSETTED") == str(seen).count("SUBSETTED")
    assert any("SUBSETTED" in got.body.decode() for got in coach.got)
    assert not any("999990019" in got.body.decode() for got in coach.got)
    reads = await service.rows("select client from ketenzorg.audit where client like 'bericht:%'")
    assert len(reads) == 4


async def test_who_may_no_longer_see_it_hears_the_number_and_nothing_else(
    service: Service, worker: Worker, clock: Clock
) -> None:
    """Medplum and others send what was queued before the right was withdrawn."""
    async with receiver(answer(204), answer(500)) as coach:
        made = await subscribed(service.coach, subscription(coach.url, content="full-resource"))
        first = await service.refer(a_referral("1"))
        await all_of_it(worker)
        await service.refer(a_referral("2"))
        withdrawn = first["Task"][5:]
        await service.rows(
            f"update ketenzorg.resource set parties = '{{{PRACTICE}}}' where id = '{withdrawn}'"
        )
        clock.passes(minutes=5)
        await all_of_it(worker)

    again = [got for got in coach.got if got.kind == "event-notification" and got.number == 1][-1]
    assert "focus" not in again.event
    assert len(decode_as(again.body, r4.Bundle).entry) == 1
    assert withdrawn not in again.body.decode()
    assert sorted({got.number for got in coach.got[1:]}) == [1, 2]
    [status] = (await service.coach.get(f"/fhir/Subscription/{made['id']}/$events")).json()["entry"][:1]
    assert withdrawn not in str(status)


async def test_who_polls_gets_what_happened_since_the_last_number_it_knows(service: Service) -> None:
    made = await subscribed(service.coach, polling())
    assert made["status"] == "active"
    address = f"/fhir/Subscription/{made['id']}/$events"
    referral = await service.refer()
    first = (await service.coach.get(address)).json()
    assert decode_as((await service.coach.get(address)).content, r4.Bundle).type == "history"
    assert numbers(first) == [1]
    await service.happens(referral["Task"], "aannemen")
    assert numbers((await service.coach.get(f"{address}?eventsSinceNumber=2")).json()) == [2]
    assert numbers((await service.coach.get(f"{address}?eventsSinceNumber=3")).json()) == []
    assert numbers((await service.coach.get(f"{address}?eventsUntilNumber=1")).json()) == [1]
    bare = (await service.coach.get(f"{address}?content=empty")).json()
    assert (numbers(bare), len(bare["entry"])) == ([1, 2], 1)
    states = await service.rows("select state from ketenzorg.outbox order by number")
    assert [row["state"] for row in states] == ["delivered", "delivered"]
    looks = await service.rows(
        "select a.client, a.rule, a.trajecten = array[t.id] as of_it from ketenzorg.audit a, ketenzorg.traject t"
        " where interaction = 'events'"
    )
    # Not on record: that there was nothing to hear.
    assert [tuple(look) for look in looks] == [("welzijn-demo", "keeps-own-subscriptions", True)] * 5


async def test_what_a_poll_shows_in_full_is_a_reading_by_who_polls(service: Service) -> None:
    made = await subscribed(service.coach, polling(content="full-resource"))
    await service.refer()
    asked = {"X-Request-Id": "poll.1"}
    events = await service.coach.get(f"/fhir/Subscription/{made['id']}/$events", headers=asked)
    assert events.json()["entry"][1]["resource"]["resourceType"] == "Task"
    looks = await service.rows(
        "select client, interaction, version from ketenzorg.audit where request = 'poll.1' order by id"
    )
    assert [tuple(look) for look in looks] == [
        ("welzijn-demo", "events", None),
        ("welzijn-demo", "vread", 1),
    ]


async def test_a_range_is_sent_again_in_order_and_under_the_ids_that_it_had(
    service: Service, worker: Worker
) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        referral = await service.refer(a_referral("1"))
        await service.happens(referral["Task"], "aannemen")
        await service.refer(a_referral("2"))
        await all_of_it(worker)
        before = {got.number: got for got in his.got if got.kind == "event-notification"}
        range_ = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "eventsSinceNumber", "valueString": "1"},
                {"name": "eventsUntilNumber", "valueString": "2"},
            ],
        }
        response = await service.his.post(f"/fhir/Subscription/{made['id']}/$resend", json=range_)
        assert values(response.json()) == {"events": 2, "eventsUntilNumber": "2"}
        await all_of_it(worker)

    again = his.got[4:]
    assert [got.number for got in again] == [1, 2]
    for got in again:
        assert got.headers["webhook-id"] == before[got.number].headers["webhook-id"]
        assert got.body == before[got.number].body


async def test_both_secrets_sign_while_a_receiver_changes_over(service: Service, worker: Worker) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        renewed = await service.his.post(f"/fhir/Subscription/{made['id']}/$renew-secret")
        new = secret_in(
            {"extension": [{"url": "webhook-secret", "valueString": values(renewed.json())["secret"]}]}
        )
        await all_of_it(worker)
        await service.rows("update ketenzorg.endpoint set signs_until = now() where signs_until is not null")
        await service.refer()
        await all_of_it(worker)

    both, later = his.got
    assert is_signed_with(both, secret_in(made))
    assert is_signed_with(both, new)
    assert is_signed_with(later, new)
    assert not is_signed_with(later, secret_in(made))


async def test_what_was_turned_off_hears_nothing_more(service: Service, worker: Worker) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        address = f"/fhir/Subscription/{made['id']}"
        await all_of_it(worker)
        active = await service.his.get(address)
        seen = {"If-Match": active.headers["ETag"]}
        body = {**active.json(), "status": "off"}
        off = await service.his.put(address, json=body, headers=seen)
        assert (off.status_code, off.json()["status"]) == (200, "off")
        assert (await service.his.put(address, json=body, headers=seen)).status_code == 412
        await service.refer()
        await all_of_it(worker)
    assert [got.kind for got in his.got] == ["handshake"]
    assert await service.rows("select 1 from ketenzorg.outbox") == []


async def test_a_subscription_ends_when_it_said_so(service: Service, worker: Worker, clock: Clock) -> None:
    end = (clock.now() + timedelta(hours=1)).isoformat(timespec="milliseconds")
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url, end=end))
        await all_of_it(worker)
        clock.passes(hours=2)
        await service.refer()
        await all_of_it(worker)
    assert [got.kind for got in his.got] == ["handshake"]
    assert (await standing(service.his, made))["status"] == "off"


async def test_of_one_that_is_deleted_nothing_is_left(service: Service, worker: Worker) -> None:
    async with receiver() as his:
        made = await subscribed(service.his, subscription(his.url))
        await service.refer()
        await all_of_it(worker)
    address = f"/fhir/Subscription/{made['id']}"
    assert (await service.his.delete(address)).status_code == 204
    assert [
        (await service.his.get(address)).status_code,
        (await service.his.delete(address)).status_code,
    ] == [404] * 2
    for table in ("subscription", "endpoint", "outbox"):
        assert await service.rows(f"select 1 from ketenzorg.{table}") == []


async def test_nobody_reaches_the_subscription_of_another(service: Service) -> None:
    made = await subscribed(service.his, subscription())
    for method, operation in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/$status"),
        ("GET", "/$events"),
        ("POST", "/$resend"),
        ("POST", "/$renew-secret"),
    ):
        answers = []
        for id_ in (made["id"], "00000000-0000-7000-8000-000000000000"):
            body = {"resourceType": "Parameters"} if operation else {**subscription(), "id": id_}
            path = f"/fhir/Subscription/{id_}{operation}"
            answers.append(await service.coach.request(method, path, json=body if method != "GET" else None))
        theirs, nobodys = answers
        assert theirs.status_code == nobodys.status_code == 404, (method, operation)
        assert theirs.content == nobodys.content
    assert (await service.coach.get("/fhir/Subscription")).json()["total"] == 0
    assert (await service.coach.get("/fhir/Subscription/$status")).json()["total"] == 0
    assert (await service.his.get("/fhir/Subscription")).json()["entry"][0]["resource"]["id"] == made["id"]
    assert (await service.team.post("/fhir/Subscription", json=subscription())).status_code == 403


@pytest.mark.parametrize(
    ("asked", "place", "said"),
    [
        (subscription(status="active"), "status", "requested"),
        (subscription(criteria="Task?status=requested"), "criteria", "SubscriptionTopic/task"),
        (subscription("http://his.example/hook"), "channel.endpoint", "https"),
        (subscription("https://169.254.169.254/"), "channel.endpoint", "network"),
        (subscription(content="everything"), "channel.payload.extension", "full-resource"),
        (subscription(_criteria=filtered("Task?patient.name=Veldkamp")), "criteria.extension", "Task?name=value"),
        (subscription(_criteria=filtered("Task?identifier=999990019")), "criteria.extension", "Task?name=value"),
        (subscription(_criteria=filtered("CarePlan?status=active")), "criteria.extension", "Task?name=value"),
        (subscription(_criteria=filtered("Task?status=" + "a" * 500)), "criteria.extension", "500"),
        (subscription(_criteria=filtered(*["Task?status=requested"] * 6)), "criteria.extension", "5 filters"),
        (subscription(reason="over 999990019"), "reason", "BSN"),
        (extended(subscription(), heartbeat_period=1), "channel.extension", "60"),
        (extended(subscription(), timeout=31), "channel.extension", "30"),
        (subscription(end="2016-12-31T23:59:60Z"), "end", "future"),
        (subscription(contact=[{"system": "email", "value": "a\r\nb@c.nl"}]), "contact.value", "e-mail"),
    ],
)  # fmt: skip
async def test_what_we_cannot_do_is_refused_with_its_place(
    service: Service, asked: dict[str, Any], place: str, said: str
) -> None:
    response = await service.his.post("/fhir/Subscription", json=asked)
    assert response.status_code == 422, response.text
    issues = response.json()["issue"]
    assert f"Subscription.{place}" in [each for issue in issues for each in issue["expression"]]
    assert said in texts(response)


@pytest.mark.parametrize(
    "channel",
    [
        {"type": "websocket"},
        {"type": "email", "endpoint": "https://his.example"},
        {"type": "rest-hook", "endpoint": "https://his.example", "header": ["Authorization: Bearer x"]},
    ],
)
async def test_a_channel_that_we_do_not_have_is_refused(service: Service, channel: dict[str, Any]) -> None:
    payload = subscription()["channel"]["_payload"]
    response = await service.his.post(
        "/fhir/Subscription", json=subscription(channel={**channel, "_payload": payload})
    )
    assert response.status_code == 422
    assert "Subscription.channel" in str(response.json())


async def test_an_organisation_has_no_more_than_twenty(service: Service) -> None:
    for _ in range(20):
        await subscribed(service.his, subscription())
    assert (await service.his.post("/fhir/Subscription", json=subscription())).status_code == 422
    assert (await service.coach.post("/fhir/Subscription", json=subscription())).status_code == 201


async def test_the_topics_stand_in_the_capability_statement(service: Service) -> None:
    resources = (await service.stranger.get("/fhir/metadata")).json()["rest"][0]["resource"]
    [ours] = [each for each in resources if each["type"] == "Subscription"]
    assert {each["valueCanonical"].rpartition("/")[2] for each in ours["extension"]} == {
        "task",
        "servicerequest",
        "careplan",
    }
