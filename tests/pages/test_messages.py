"""An organisation sees whether its messages arrive and why not, and sends again what was parked: its own only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.test_subscription import subscribed
from referrals import a_referral
from services import REGION, Service
from subscribed import listening
from subscriptions import polling, subscription

from .browsers import Browser
from .test_practice import with_cookie

COACH = REGION.of_client("welzijn-demo").id
PAGE = "/berichten"
NOW = datetime.now(UTC)
BY_MAIL = {
    "type": "email",
    "endpoint": "mailto:team@coach.example",
    "_payload": subscription()["channel"]["_payload"],
}
COPIES = """
    insert into ketenzorg.outbox (region, id, subscription, type, resource, version, traject, priority, created,
        owed_since, state, number, ended, run_at)
    select region, gen_random_uuid(), subscription, type, gen_random_uuid(), version, traject, priority, created,
        owed_since, '{state}', {first} + n, created, created
    from ketenzorg.outbox, generate_series(1, 40) n where number = 1
"""


@pytest.fixture
def marieke(service: Service, browser: Callable[[], Browser]) -> Browser:
    """Of the practice that refers."""
    return with_cookie(service, browser(), "huisarts")


async def told(service: Service, **states: str) -> list[str]:
    """Referrals of which the coach was told: each in its state, in their order; their Tasks."""
    await service.rows(listening([COACH]))
    tasks = [(await service.refer(a_referral(name)))["Task"][5:] for name in states]
    for number, (task, state) in enumerate(zip(tasks, states.values(), strict=True), 1):
        ended = f"'{NOW - timedelta(minutes=number)}'" if state in ("delivered", "parked") else "null"
        await service.rows(
            f"update ketenzorg.outbox set state = '{state}', number = {number}, attempts = {number},"
            f" run_at = '{NOW + timedelta(days=number)}', ended = {ended},"
            f" last_error = case when '{state}' = 'delivered' then null else 'http 422' end where resource = '{task}'"
        )
    await service.rows(
        f"update ketenzorg.subscription set number = {len(tasks)} where organisation = '{COACH}'"
    )
    return tasks


def rows(browser: Browser) -> list[str]:
    """The messages of the list."""
    return [each.text for each in browser.page.all("li") if "kz-row--message" in each.attrs.get("class", "")]


async def states(service: Service) -> dict[int, str]:
    found = await service.rows("select number, state from ketenzorg.outbox")
    return {row["number"]: row["state"] for row in found}


async def test_what_was_parked_comes_first_with_why_and_goes_once_more(
    service: Service, noor: Browser
) -> None:
    first, second, *_ = await told(service, a="parked", b="parked", c="waiting", d="delivered")
    await service.happens(f"Task/{first}", "aannemen")
    await service.rows(
        "update ketenzorg.outbox set state = 'queued', number = 9, run_at = now() where state = 'new'"
    )
    await noor.open(PAGE)
    parked, other = rows(noor)
    for words in (
        "Bericht 1",
        "Uw systeem weigerde het bericht (antwoord 422).",
        "1 poging",
        "wacht 1 later bericht",
    ):
        assert words in parked
    assert "achter" not in other
    assert "een later bericht pas na het eerdere" in noor.text
    links = [each.attrs["href"] for each in noor.page.one("ol").all("a")]
    assert links == [f"/werk/{first}", f"/werk/{second}"]
    assert (await noor.client.get(links[0])).status_code == 200
    for personal in ("Veldkamp", "Trijntje", "999990019", "1948", "5550100"):
        assert personal not in noor.response.text

    await noor.press("Opnieuw versturen")
    assert "1 bericht gaat opnieuw op weg" in noor.text
    assert await states(service) == {1: "waiting", 2: "parked", 3: "waiting", 4: "delivered", 9: "queued"}


async def test_all_that_was_parked_from_a_number_on_and_no_other(service: Service, noor: Browser) -> None:
    await told(service, a="parked", b="delivered", c="parked", d="parked", e="delivered")
    await noor.open(PAGE)
    action, fields = noor.form("Verstuur ze opnieuw")
    await noor.post(action, fields | {"nummer": "drie"})
    assert noor.response.status_code == 422
    assert "alleen cijfers" in noor.page.one("p", id="nummer-fout").text
    await noor.post(action, fields | {"nummer": "2"})
    assert "2 berichten gaan opnieuw op weg" in noor.text
    left = {1: "parked", 2: "delivered", 3: "waiting", 4: "waiting", 5: "delivered"}
    assert await states(service) == left
    await noor.post(action, fields | {"nummer": "2"})  # the same form twice
    assert "niets dubbel" in noor.text
    assert await states(service) == left
    lines = await service.rows(
        "select user_id, cardinality(trajecten) as about from ketenzorg.audit where interaction = 'resend' order by id"
    )
    assert [tuple(line) for line in lines] == [("noor", 2), ("noor", 0)]


async def test_what_waits_and_what_arrived_and_when(service: Service, noor: Browser) -> None:
    await told(service, a="delivered", b="waiting", c="delivered")
    await noor.open(PAGE)
    [waits] = rows(noor)
    assert all(words in waits for words in ("Bericht 2", "Volgende poging", "2 pogingen", "antwoord 422"))
    await noor.follow("Aangekomen")
    assert [row.partition(" gebeurd")[0] for row in rows(noor)] == [
        "Bericht 1",
        "Bericht 3",
    ]  # the last first
    assert "3 pogingen" in rows(noor)[1]
    await noor.follow("Geparkeerd")
    assert "Er is niets geparkeerd" in noor.text
    looks = await service.rows(
        "select cardinality(trajecten) as about from ketenzorg.audit where interaction = 'messages' order by id"
    )
    assert [look["about"] for look in looks] == [1, 2, 0]


async def test_a_page_holds_so_many_and_the_next_begins_after_it(service: Service, noor: Browser) -> None:
    await told(service, a="delivered")
    for state, first in (("delivered", 100), ("parked", 200), ("waiting", 300)):
        await service.rows(COPIES.format(state=state, first=first))
    for word, expected in (
        ("aangekomen", [*range(140, 100, -1), 1]),
        ("geparkeerd", [*range(201, 241)]),
        ("wacht", [*range(301, 341)]),
    ):
        await noor.open(f"{PAGE}?lijst={word}")
        seen = [int(row.split()[1]) for row in rows(noor)]
        assert len(seen) == 25
        await noor.follow("Volgende")
        seen += [int(row.split()[1]) for row in rows(noor)]
        assert sorted(seen) == sorted(expected), word
        assert "Volgende" not in noor.text
        if word != "aangekomen":  # the first of them ended a minute before they were copied
            assert seen == expected


async def test_messages_are_of_one_organisation(
    service: Service, noor: Browser, hidde: Browser, marieke: Browser, browser: Callable[[], Browser]
) -> None:
    await told(service, a="parked")
    [ours] = await service.rows("select id from ketenzorg.subscription")
    await noor.open(PAGE)
    action, fields = noor.form("Opnieuw versturen")
    for other in (hidde, marieke):
        await other.open(PAGE)
        assert "Uw organisatie krijgt geen berichten" in other.text
        await other.open(f"{PAGE}?abonnement={ours['id']}")
        there = other.response
        await other.open(f"{PAGE}?abonnement=00000000-0000-7000-8000-000000000000")
        assert (there.status_code, there.text) == (other.response.status_code, other.response.text)
        assert there.status_code == 404
        await other.post(action, fields)
        assert other.response.status_code == 403  # sealed for another session
        seal = service.app.litestar.state.site.sessions
        session = seal.read(next(iter(other.client.cookies.values())))
        own_seal = fields | {"zegel": seal.seal(session, f"berichten:{ours['id']}")}
        await other.post(action, own_seal)
        assert other.response.status_code == 404
    assert await states(service) == {1: "parked"}
    refused = await service.rows(
        "select interaction, user_id from ketenzorg.audit where outcome = '4' and interaction in ('messages', 'resend')"
        f" and what = 'Subscription/{ours['id']}' order by id"
    )
    assert [tuple(row) for row in refused] == [
        (does, user) for user in ("hidde", "huisarts") for does in ("messages", "resend")
    ]
    team = with_cookie(service, browser(), "ketenteam")
    await team.open(PAGE)
    assert team.response.status_code == 403
    await browser().open(PAGE)
    stranger = await browser().open(PAGE)
    assert stranger.path == f"/login?naar={PAGE}"


@pytest.mark.parametrize(
    ("asked", "where", "empty"),
    [
        (subscription("https://coach.example/hook?geheim=x"), "coach.example/hook", "als het adres heeft geantwoord"),
        (polling(), "haalt ze zelf op", "tot uw systeem ze ophaalt"),
        (
            subscription(channel=BY_MAIL),
            "E-mail naar team@coach.example",
            "als het adres heeft geantwoord",
        ),
    ],
)  # fmt: skip
async def test_each_way_of_being_told_says_where_it_goes(
    service: Service, noor: Browser, asked: dict[str, Any], where: str, empty: str
) -> None:
    await subscribed(service.coach, asked)
    await service.refer()
    await noor.open(PAGE)
    assert where in noor.text
    assert empty in noor.text
    assert "geheim" not in noor.text


@pytest.mark.parametrize(
    "query", ["lijst=alles", "na=x", "na=1", f"na={'9' * 18}_1", "abonnement=1", "na=99_-1"]
)
async def test_an_address_that_we_cannot_have_made_is_refused(
    service: Service, noor: Browser, query: str
) -> None:
    await told(service, a="parked")
    await noor.open(f"{PAGE}?{query}")
    assert noor.response.status_code == 400
