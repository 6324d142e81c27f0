"""What was delivered is kept for a month and then goes; what was not stays, and nobody takes gone for never been."""

from datetime import timedelta

import pytest

from delivery.conftest import Clock
from delivery.test_subscription import all_of_it, standing, subscribed
from ketenzorg.delivery.forgetting import Forgetter
from ketenzorg.delivery.worker import Worker
from ketenzorg.settings import EVENT_DAYS, Settings, WrongSetting
from receivers import OK, answer, receiver
from referrals import a_referral, texts
from services import SETTINGS, Service
from subscriptions import numbers, polling, subscription, values


@pytest.fixture
def forgetter(service: Service) -> Forgetter:
    return Forgetter(service.app.litestar.state.world, SETTINGS.event_days)


async def kept(service: Service) -> list[tuple[int, str]]:
    rows = await service.rows("select number, state from ketenzorg.outbox order by number")
    return [tuple(row) for row in rows]


def errors(bundle: dict[str, object]) -> list[str]:
    [status, *_] = bundle["entry"]  # type: ignore[misc]
    return [
        each["valueCodeableConcept"]["text"]
        for each in status["resource"]["parameter"]  # type: ignore[index]
        if each["name"] == "error"
    ]


async def test_what_arrived_goes_after_a_month_and_what_did_not_stays(
    service: Service, worker: Worker, clock: Clock, forgetter: Forgetter
) -> None:
    async with receiver(OK, answer(204), answer(400), answer(204)) as his:
        made = await subscribed(service.his, subscription(his.url))
        for number in ("1", "2", "3"):
            await service.refer(a_referral(number))
            await all_of_it(worker)
        await service.rows("update ketenzorg.outbox set state = 'parked' where number = 2")
        clock.passes(days=29)
        await service.refer(a_referral("4"))
        await all_of_it(worker)
        assert await forgetter.look(clock.now()) == 0
        clock.passes(days=1, minutes=1)
        assert await forgetter.look(clock.now()) == 2
        assert await kept(service) == [(2, "parked"), (4, "delivered")]

        address = f"/fhir/Subscription/{made['id']}"
        assert (await standing(service.his, made))["events-since-subscription-start"] == "4"
        for asked in (
            "eventsSinceNumber=1",
            "eventsSinceNumber=1&eventsUntilNumber=1",
            "eventsSinceNumber=3",
        ):
            gone = await service.his.get(f"{address}/$events?{asked}")
            assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted"), asked
        assert "Ask from 4 on" in texts(gone)
        for asked, there, missing in (
            ("", [2, 4], ["delivered, and kept no longer: 1, 3"]),
            ("?eventsSinceNumber=2", [2, 4], ["delivered, and kept no longer: 3"]),
            ("?eventsSinceNumber=4", [4], []),
            ("?eventsSinceNumber=5", [], []),
        ):
            found = (await service.his.get(f"{address}/$events{asked}")).json()
            assert (numbers(found), errors(found)) == (there, missing)

        again = {
            "resourceType": "Parameters",
            "parameter": [{"name": "eventsSinceNumber", "valueString": "3"}],
        }
        assert (await service.his.post(f"{address}/$resend", json=again)).status_code == 410
        del again["parameter"]
        resent = await service.his.post(f"{address}/$resend", json=again)
        assert values(resent.json())["events"] == 2
        clock.passes(days=31)
        assert await forgetter.look(clock.now()) == 0  # asked for again, and not there yet
        await all_of_it(worker)
    assert sorted(got.number for got in his.got[-2:]) == [2, 4]


async def test_all_of_it_gone_is_no_empty_success(
    service: Service, clock: Clock, forgetter: Forgetter
) -> None:
    made = await subscribed(service.coach, polling())
    address = f"/fhir/Subscription/{made['id']}/$events"
    await service.refer(a_referral("1"))
    await service.refer(a_referral("2"))
    await service.coach.get(f"{address}?eventsSinceNumber=3")  # so all before it has arrived
    assert await forgetter.look(clock.now() + timedelta(days=31)) == 2
    gone = await service.coach.get(f"{address}?eventsSinceNumber=2")
    assert gone.status_code == 410
    assert "Nothing is left" in texts(gone)
    everything = (await service.coach.get(address)).json()
    assert (numbers(everything), errors(everything)) == ([], ["delivered, and kept no longer: 1-2"])
    assert (await service.coach.get(f"{address}?eventsSinceNumber=3")).status_code == 200
    await service.refer(a_referral("3"))
    assert numbers((await service.coach.get(f"{address}?eventsSinceNumber=3")).json()) == [3]


@pytest.mark.parametrize(("text", "days"), [("", 30), ("90", 90)])
def test_for_how_long_is_a_setting(text: str, days: int) -> None:
    assert Settings.from_environ({EVENT_DAYS.name: text}).event_days == days


@pytest.mark.parametrize("text", ["29", "-1", "ever", "3651"])
def test_it_is_never_less_than_what_we_promise(text: str) -> None:
    with pytest.raises(WrongSetting, match=f"{EVENT_DAYS.name}: a number from 30 to 3650"):
        Settings.from_environ({EVENT_DAYS.name: text})
