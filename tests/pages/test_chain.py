"""The chain team's page: the figures as they are counted, small groups hidden everywhere, and for nobody else."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO

import msgspec
import pytest

from content import CATALOGUE
from ketenzorg.pages import charts
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Measures, Waiting
from ketenzorg.throughput.selection import Selection, usual_period
from ketenzorg.throughput.tables import TABLES, as_csv
from services import START, Service
from throughput.counting import all_counted
from throughput.regions import region, write

from .browsers import Browser

PATHWAY = CATALOGUE.current("welzijn-op-recept")
URL = "/keten/welzijn-op-recept"
BIG, SMALL = "GM0014", "GM0765"
FEW = 9  # trajecten in the small municipality


@pytest.fixture
async def counted(service: Service) -> Service:
    return await counted_of(PATHWAY, service)


async def counted_of(pathway: Pathway, service: Service, until: datetime = START) -> Service:
    """A region of 120 trajecten, nine of them in a municipality of their own."""
    logs = region(pathway, 3, 120, 40, until=until)
    for place, log in enumerate(logs):
        where = SMALL if place < FEW else BIG
        log[0] = (1, msgspec.structs.replace(log[0][1], municipality=where))
    await write(service.database, [(uuid7(), log) for log in logs])
    await all_counted(service.app.litestar.state.throughput.rollup)
    return service


@pytest.fixture
async def wout(browser: Callable[[], Browser], counted: Service) -> Browser:
    """The chain team's director, signed in."""
    return signed_in(browser, counted, "ketenteam")


def signed_in(browser: Callable[[], Browser], service: Service, person: str) -> Browser:
    found, site = browser(), service.app.litestar.state.site
    found.client.cookies.set(site.cookie, site.sessions.cookie(site.sessions.begin(person)))
    return found


async def measured(service: Service) -> Measures:
    selection = Selection(pathway=PATHWAY.name, period=usual_period(START.date()))
    measures: Measures = await service.app.litestar.state.throughput.measures(selection, START)
    return measures


async def test_the_page_shows_the_figures_as_they_are_counted(counted: Service, wout: Browser) -> None:
    await wout.open("/keten")
    assert wout.path == URL
    measures = await measured(counted)
    tiles = {
        tile.all("p")[0].text: tile.all("p")[1].text
        for tile in wout.page.one("ul", **{"aria-label": "In het kort"}).all("li")
    }
    assert measures.totals.inflow
    assert tiles["Verwijzingen"] == str(measures.totals.inflow)
    assert tiles["Nu lopend"] == str(measures.totals.open_now)
    assert tiles["Nu te laat"] == str(measures.totals.late_now)
    norm = next(norm for norm in measures.norms if norm.norm == "eerste contact")
    assert tiles["Mediaan tot eerste contact"] == f"{norm.access.median} dagen"
    assert tiles["Eerste contact binnen 2 weken"] == f"{norm.within.percent} %"
    drawing = wout.page.one("svg", **{"aria-labelledby": "zorgpad-tekening-titel zorgpad-tekening-tekst"})
    for step in measures.steps:
        assert f"{step.title}: nu: {step.open_now or 'minder dan 10'}" in drawing.one("desc").text
    assert all(end.title.split()[0] in drawing.text for end in measures.exits)


async def test_every_picture_and_field_has_words_and_nothing_has_a_style(wout: Browser) -> None:
    await wout.open(URL)
    page = wout.page
    assert len(page.all("h1")) == 1
    for svg in page.all("svg"):
        assert svg.attrs.get("aria-hidden") == "true" or (
            svg.attrs["role"] == "img" and svg.one("title").text
        )
    labels = {label.attrs["for"] for label in page.all("label")}
    assert {each.attrs["id"] for each in page.all("input", "select") if "id" in each.attrs} == labels
    ids = [each.attrs["id"] for each in page.all() if "id" in each.attrs]
    assert len(ids) == len(set(ids))
    assert not [each for each in page.all() if "style" in each.attrs or each.tag in ("style", "script")]
    sheet = next(each.attrs["href"] for each in page.all("link") if "chain" in each.attrs["href"])
    await wout.open(sheet)
    assert wout.response.headers["content-type"].startswith("text/css")


async def test_a_small_group_stays_hidden_in_table_picture_and_file(wout: Browser) -> None:
    await wout.open(URL)
    name = next(row for row in wout.page.all("tr") if row.text.startswith("Pekela"))
    assert {cell.text for cell in name.all("td")} == {"minder dan 10"}
    assert not name.all("svg")
    await wout.open(f"{URL}/municipalities.csv")
    rows = list(csv.reader(StringIO(wout.response.content.decode("utf-8-sig")), delimiter=";"))
    assert set(next(row for row in rows if row[0] == "Pekela")[1:]) == {"minder dan 10"}


async def test_a_small_group_stays_hidden_where_the_norm_has_a_share_too(
    service: Service, browser: Callable[[], Browser]
) -> None:
    """Oogzorg counts 80 percent within 3 weeks beside its maximum: a column more, in which nobody shows either."""
    await counted_of(CATALOGUE.current("oogzorg"), service)
    director = signed_in(browser, service, "ketenteam-oogzorg")
    await director.open("/keten/oogzorg")
    small = next(row for row in director.page.all("tr") if row.text.startswith("Pekela"))
    assert {cell.text for cell in small.all("td")} == {"minder dan 10"}


async def test_a_choice_that_is_too_small_is_widened_and_says_so(wout: Browser) -> None:
    await wout.open(f"{URL}?municipality={SMALL}")
    assert "gaat over minder dan 10 trajecten. Daarom ziet u" in wout.text
    chosen = wout.page.one("select", name="municipality").all("option")
    assert [each.text for each in chosen if "selected" in each.attrs] == ["Pekela"]


async def test_who_chose_nothing_is_told_nothing_of_a_choice(
    service: Service, browser: Callable[[], Browser]
) -> None:
    await counted_of(PATHWAY, service, until=START - timedelta(days=350))
    assert (await measured(service)).widened
    wout = signed_in(browser, service, "ketenteam")
    await wout.open(URL)
    assert "Daarom ziet u" not in wout.text


@pytest.mark.parametrize("table", TABLES)
async def test_each_table_of_the_same_choice_is_a_file(counted: Service, wout: Browser, table: str) -> None:
    await wout.open(f"{URL}?municipality={BIG}&organisation=")
    link = next(
        each.attrs["href"] for each in wout.page.all("a") if f"/{table}.csv?" in each.attrs.get("href", "")
    )
    assert f"municipality={BIG}" in link
    await wout.open(link)
    selection = Selection(pathway=PATHWAY.name, period=usual_period(START.date()), municipality=BIG)
    measures = await counted.app.litestar.state.throughput.measures(selection, START)
    assert wout.response.text == as_csv(measures, table)
    assert "proposal" not in wout.response.text  # people read this file too


async def test_nobody_else_gets_in(counted: Service, browser: Callable[[], Browser], noor: Browser) -> None:
    for path in ("/keten", URL, f"{URL}/steps.csv"):
        await noor.open(path)
        assert noor.response.status_code == 403
        assert "niet voor uw rol" in noor.text
        stranger = await browser().open(path)
        assert stranger.path.startswith("/login")


async def test_the_page_of_another_team_says_so_and_speaks_of_no_form(wout: Browser) -> None:
    await wout.open("/keten/antistolling")
    assert wout.response.status_code == 403
    assert "Deze pagina is niet voor u" in wout.text
    assert "ketenteam" in wout.text
    assert "formulier" not in wout.text


async def test_what_is_wrong_in_the_address_is_named_in_dutch_and_never_repeated(wout: Browser) -> None:
    hostile = "<script>alert(1)</script>"
    for name in ("from", "to", "municipality", "organisation", hostile):
        response = await wout.client.get(URL, params={name: hostile})
        assert response.status_code == 400
        assert "alert(1)" not in response.text
    await wout.open(f"{URL}?from=morgen&municipality=Atlantis&kleur=rood")
    assert "Dit is geen week" in wout.text
    assert "Deze gemeente is niet in deze regio" in wout.text
    assert "Dit filter kennen we niet" in wout.text
    for path in ("/keten/nergens", f"{URL}/nergens.csv", f"{URL}/steps.json"):
        assert (await wout.client.get(path)).status_code == 404


async def test_what_stands_out_is_said_with_its_meaning_and_a_way_to_it(
    counted: Service, wout: Browser
) -> None:
    await wout.open(URL)
    card = wout.page.one("section", **{"aria-labelledby": "opvallend"})
    measures = await measured(counted)
    if not measures.standing_out:
        assert "Niets valt op." in card.text
    for sentence in measures.standing_out:
        said = next(
            each for each in card.all("li") if each.text.startswith(f"{sentence.place} {sentence.text}")
        )
        meanings = {each.id: each.text for each in measures.definitions}
        assert all(meanings[id_] in said.text for id_ in sentence.definitions)
        link = said.one("a").attrs["href"]
        if sentence.filter:
            assert f"{sentence.filter}={sentence.filter_value}" in link
        else:
            assert [each for each in wout.page.all() if each.attrs.get("id") == link.removeprefix("#")]


def test_a_name_in_a_picture_is_text() -> None:
    hostile = "</title><script>alert(1)</script>"
    drawn = charts.bars(
        "proef", hostile, [charts.Bar(hostile, Waiting(20, 3, None, None), 14, hostile)], charts.WIDE
    )
    assert "<script" not in drawn
    assert "80% nog niet bereikt" in drawn
