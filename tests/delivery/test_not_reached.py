"""Who referred sees who has not heard within the limit of the urgency, and whom to call; until it has arrived."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from audit.day import browser_of
from delivery.conftest import Clock
from delivery.test_delivery import all_of_it
from delivery.test_warning import LIMITS, referral
from ketenzorg.delivery.worker import Worker
from pages.browsers import Browser
from receivers import answer, receiver
from referrals import said
from services import REGION, Service

COACH, PRACTICE = (REGION.of_client(client).id for client in ("welzijn-demo", "his-demo"))
Opens = Callable[[str], Awaitable[Browser]]
NOT_THERE = "Nog niet aangekomen bij Welzijn Stadsbreed (fictief): bel"


@pytest.fixture
async def opens(service: Service) -> AsyncIterator[Opens]:
    """Opens a browser in which somebody has signed in."""
    async with AsyncExitStack() as stack:
        yield lambda person: browser_of(service, person, stack)


@pytest.fixture
async def marieke(opens: Opens) -> Browser:
    """Of the practice that refers."""
    return await opens("huisarts")


async def ages(service: Service, by: timedelta) -> None:
    """So much time passes for what was sent."""
    await service.rows(
        f"update ketenzorg.outbox set owed_since = owed_since - interval '{by.total_seconds()} seconds'"
    )


@pytest.mark.parametrize("priority", ["asap", "routine"])
async def test_within_the_limit_nothing_and_after_it_whom_to_call_until_it_arrives(
    service: Service,
    worker: Worker,
    clock: Clock,
    marieke: Browser,
    priority: str,
) -> None:
    async with receiver(*[answer(500)] * 9) as coach, receiver() as practice:
        await service.listens(COACH, coach.url)
        await service.listens(PRACTICE, practice.url)
        task = (await service.refer(referral(priority)))["Task"][5:]
        await worker.deliver_due()
        pages = ("/praktijk?lijst=loopt", f"/praktijk/{task}")
        await ages(service, LIMITS[priority] - timedelta(minutes=1))
        for page in pages:
            await marieke.open(page)
            assert NOT_THERE not in marieke.text
        await ages(service, timedelta(minutes=1))
        for page in pages:
            await marieke.open(page)
            assert f"{NOT_THERE} 050-5550115" in marieke.text
            for inside in ("http", "500", "127.0.0.1", "antwoordde"):
                assert inside not in marieke.text
        assert marieke.page.all("a", href="tel:0505550115")
        coach.answers.clear()
        clock.passes(minutes=5)
        await all_of_it(worker)
        for page in pages:
            await marieke.open(page)
            assert NOT_THERE not in marieke.text


async def test_who_did_something_since_then_knows(
    service: Service,
    worker: Worker,
    marieke: Browser,
) -> None:
    """By its page, while its system is down; of what comes after that it has not heard."""
    await service.listens(COACH, "http://127.0.0.1:9/")
    task = (await service.refer())["Task"]
    await worker.deliver_due()
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    await ages(service, timedelta(days=1))
    await marieke.open(f"/praktijk/{task[5:]}")
    assert NOT_THERE not in marieke.text
    response = await service.his.post(
        f"/fhir/{task}/$event", json=said("informatie gegeven", antwoord="Maandag.")
    )
    assert response.status_code == 200, response.text
    await ages(service, timedelta(days=1))
    await marieke.open(f"/praktijk/{task[5:]}")
    assert NOT_THERE in marieke.text


async def test_only_the_referrer_is_told_and_only_of_who_wants_to_hear(
    service: Service,
    worker: Worker,
    marieke: Browser,
    opens: Opens,
) -> None:
    await service.listens(COACH, "http://127.0.0.1:9/")
    await service.listens(PRACTICE, "http://127.0.0.1:9/")
    task = (await service.refer())["Task"][5:]
    await worker.deliver_due()
    await ages(service, timedelta(days=1))
    noor, hidde = await opens("noor"), await opens("hidde")
    await noor.open(f"/werk/{task}")
    assert "Nog niet aangekomen" not in noor.text
    await hidde.open("/werk?lijst=open")
    assert "Nog niet aangekomen" not in hidde.text
    world = service.app.litestar.state.world
    late = {priority: world.real_now() for priority in LIMITS}
    trajecten = [row["id"] for row in await service.rows("select id from ketenzorg.traject")]
    for other in (REGION.of_client("ziekenhuis-demo").id, REGION.file.organisations["welzijn-wadkant"].id):
        assert await world.messages.not_reached(other, trajecten, late) == {}
    assert await world.messages.not_reached(PRACTICE, trajecten, late) == {trajecten[0]: (COACH,)}

    await marieke.open(f"/praktijk/{task}")
    assert NOT_THERE in marieke.text
    await service.rows(f"update ketenzorg.subscription set status = 'off' where organisation = '{COACH}'")
    await marieke.open(f"/praktijk/{task}")
    assert NOT_THERE not in marieke.text  # it turned that off itself
    await service.rows("update ketenzorg.subscription set error = 'http 410' where status = 'off'")
    await marieke.open(f"/praktijk/{task}")
    assert NOT_THERE in marieke.text
