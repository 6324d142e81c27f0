"""The inbox: what is new, mine, late and waiting, and nothing of another organisation."""

from datetime import timedelta

from referrals import a_referral, of
from services import START, Service

from .browsers import Browser


def rows(browser: Browser) -> list[str]:
    return [each.text for each in browser.page.all("li") if "kz-row" in each.attrs.get("class", "").split()]


def counts(browser: Browser) -> dict[str, str]:
    tabs = browser.page.one("nav", **{"aria-label": "Lijsten"}).all("a")
    return {words.rpartition(" ")[0]: words.rpartition(" ")[2] for words in (tab.text for tab in tabs)}


async def test_each_list_holds_what_it_says(service: Service, noor: Browser, sjoerd: Browser) -> None:
    world = [(await service.refer(a_referral(f"n-{number}")))["Task"] for number in range(3)]
    await service.happens(world[1], "aannemen")
    await service.happens(world[2], "informatie vragen", vraag="Welke dag?")

    await noor.open("/werk")
    assert [("Trijntje Veldkamp" in row, "Aangemeld" in row) for row in rows(noor)] == [(True, True)]
    shown = counts(noor)
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
    assert noor.page.one("ol").attrs["start"] == "51"
    await noor.follow("Vorige")
    assert len(rows(noor)) == 50


async def test_looking_is_on_record_under_the_persons_name(service: Service, noor: Browser) -> None:
    task = (await service.refer())["Task"].partition("/")[2]
    await noor.open("/werk")
    await noor.open(f"/werk/{task}")
    looked = await service.rows("select distinct what from ketenzorg.audit where client = 'pagina:noor'")
    patient = (await service.rows("select id from ketenzorg.resource where type = 'Patient'"))[0][0]
    assert {"Task", f"Patient/{patient}"} <= {row[0] for row in looked}
