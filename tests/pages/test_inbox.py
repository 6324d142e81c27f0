"""The inbox: what is new, mine, late and waiting, and nothing of another organisation."""

from datetime import timedelta

import pytest

from referrals import a_referral, of
from services import START, Service

from .browsers import Browser


async def copy(service: Service, copies: int, traject: str = "seq = seq", part: str = "seen = 0") -> None:
    """Change the one referral that there is, and copy it: some with equal terms, some without."""
    await service.refer()
    await service.rows(f"update ketenzorg.traject set {traject}")
    await service.rows(
        "insert into ketenzorg.traject select region, gen_random_uuid(), pathway, version, step, counts, happened,"
        " seq, person, patient, service_request, care_plan, gen_random_uuid(), roles, parties, municipality, started,"
        " ended, case when n % 3 > 0 or due < started then due + (n / 10) * interval '1 minute' end, due_norm,"
        " involved, pseudonym"
        f" from ketenzorg.traject, generate_series(1, {copies}) n"
    )
    await service.rows(f"update ketenzorg.part set {part}")


def rows(browser: Browser) -> list[str]:
    return [each.text for each in browser.page.all("li") if "kz-row" in each.attrs.get("class", "").split()]


def tasks(browser: Browser) -> list[str]:
    links = [each.attrs["href"] for each in browser.page.one("ol").all("a")]
    return [link.rpartition("/")[2] for link in links]


async def test_each_list_holds_what_it_says(service: Service, noor: Browser, sjoerd: Browser) -> None:
    world = [(await service.refer(a_referral(f"n-{number}")))["Task"] for number in range(3)]
    await service.happens(world[1], "aannemen")
    await service.happens(world[2], "informatie vragen", vraag="Welke dag?")

    await noor.open("/werk")
    assert [("Trijntje Veldkamp" in row, "Aangemeld" in row) for row in rows(noor)] == [(True, True)]
    shown = noor.counts()
    assert {name: shown[name] for name in ("Nieuw", "Van mij", "Te laat", "Wacht op een ander", "Alles open")} == {
        "Nieuw": "1", "Van mij": "0", "Te laat": "0", "Wacht op een ander": "1", "Alles open": "3",
    }  # fmt: skip

    await noor.open(f"/werk/{world[1].partition('/')[2]}")
    await noor.press("Geef door", collega="noor")
    await noor.open("/werk?lijst=mijn")
    assert len(rows(noor)) == 1
    await sjoerd.open("/werk?lijst=mijn")
    assert rows(sjoerd) == []
    await sjoerd.open("/werk?lijst=open")
    assert any("Noor Bolt" in row for row in rows(sjoerd))
    await noor.open("/werk?lijst=wacht")
    assert len(rows(noor)) == 1

    service.app.litestar.state.clock.set(START + timedelta(days=8))
    await noor.open("/werk?lijst=te-laat")
    assert len(rows(noor)) == 3
    assert all("dag te laat" in row or "dagen te laat" in row for row in rows(noor))  # in words, not colour


async def test_another_organisation_sees_nothing_of_it(service: Service, hidde: Browser) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    await hidde.open("/werk?lijst=open")
    assert rows(hidde) == []
    for path in (f"/werk/{task}", f"/werk/{task}/brief", f"/werk/{task}/doen/afwijzen"):
        await hidde.open(path)
        assert hidde.response.status_code == 404
        assert "Niet gevonden" in hidde.text
        assert "Veldkamp" not in hidde.response.text
    await hidde.open("/werk/00000000-0000-4000-8000-000000000000")
    nowhere = hidde.text
    await hidde.open(f"/werk/{task}")
    assert hidde.text == nowhere


async def test_fifty_to_a_page(service: Service, noor: Browser) -> None:
    def named(number: int) -> dict[str, object]:
        bundle = a_referral(f"p-{number}")
        of(bundle, "Patient")["name"] = [{"text": f"Persoon {number}"}]
        del of(bundle, "Patient")["identifier"]
        return bundle

    for number in range(51):
        await service.refer(named(number))
    await noor.open("/werk?lijst=open")
    assert len(rows(noor)) == 50
    await noor.follow("Volgende")
    assert len(rows(noor)) == 1
    last = rows(noor)
    assert not [each for each in noor.page.all("a") if "Volgende" in each.text]
    await noor.follow("Vorige")
    assert len(rows(noor)) == 50
    assert not [each for each in noor.page.all("a") if "Vorige" in each.text]
    assert len({*rows(noor), *last}) == 51  # each of them once


@pytest.mark.parametrize(
    "spot",
    ["", "1", "1_2_3", f"{'9' * 18}_{'0' * 32}_coach", f"1_{'0' * 32}_a%00", f"١_{'0' * 32}_coach", "%ff"],
)
async def test_a_spot_that_is_none_is_refused(noor: Browser, spot: str) -> None:
    for name in ("na", "voor"):
        await noor.open(f"/werk?lijst=open&{name}={spot}")
        assert noor.response.status_code == 400
        assert "Begin bij het begin van de lijst" in noor.text


@pytest.mark.parametrize(
    ("lijst", "traject", "part"),
    [
        ("nieuw", "seq = seq", "seen = 0"),
        ("mijn", "seq = seq", "colleague = 'noor'"),
        ("bericht", "seq = seq", "news = '{2}'"),
        ("te-laat", "due = due - interval '1 year'", "seen = 0"),
        ("wacht", "step = 'aangemeld (informatie gevraagd)'", "seen = 0"),
        ("open", "seq = seq", "seen = 0"),
        ("klaar", "ended = started + interval '1 day'", "seen = 0"),
    ],
)
async def test_every_list_goes_forward_and_back_also_when_a_line_has_gone(
    service: Service, noor: Browser, lijst: str, traject: str, part: str
) -> None:
    await copy(service, 119, traject, part)
    await noor.open(f"/werk?lijst={lijst}")
    first = tasks(noor)
    await noor.follow("Volgende")
    second = tasks(noor)
    await noor.follow("Volgende")
    third = tasks(noor)
    assert [len(first), len(second), len(third)] == [50, 50, 20]
    assert len({*first, *second, *third}) == 120  # each of them once

    await service.rows(f"delete from ketenzorg.part where task in ('{third[0]}', '{second[0]}')")
    await noor.follow("Vorige")
    assert tasks(noor) == [first[-1], *second[1:]]
    await noor.follow("Vorige")
    assert tasks(noor) == first[:-1]
    assert not [each for each in noor.page.all("a") if "Vorige" in each.text]


async def test_more_than_can_be_shown_is_not_counted(service: Service, noor: Browser) -> None:
    await copy(service, 1000)
    await noor.open("/werk")
    assert (noor.counts()["Nieuw"], noor.counts()["Alles open"]) == ("999+", "999+")


async def test_looking_is_on_record_under_the_persons_name(service: Service, noor: Browser) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    await noor.open("/werk")
    await noor.open(f"/werk/{task}")
    looked = await service.rows(
        "select interaction, what, user_id, trajecten from ketenzorg.audit where client = 'pagina:noor' order by id"
    )
    [traject] = (await service.rows("select id from ketenzorg.traject"))[0]
    assert [tuple(row) for row in looked] == [
        ("list", "Task", "noor", []),  # after signing in there was nothing yet
        ("list", "Task", "noor", [traject]),
        ("page", f"Task/{task}", "noor", [traject]),
    ]
