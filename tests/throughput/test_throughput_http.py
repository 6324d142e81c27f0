"""The figures over HTTP: who sees which, what of a question is wrong, and what a spreadsheet gets."""

import csv
from datetime import timedelta
from io import StringIO

import httpx
import msgspec
import pytest

from content import CATALOGUE
from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Measures
from ketenzorg.throughput.tables import TABLES, as_csv
from referrals import places
from services import REGION, SECRET, SETTINGS, START, Service
from throughput.counting import all_counted
from throughput.regions import region, write

PATHWAY = CATALOGUE.current("welzijn-op-recept")
URL = "/throughput/welzijn-op-recept"
COACH = REGION.of_client("welzijn-demo").id
OTHER_TEAM = next(
    each.id for each in REGION.organisations if each.kind == "welzijnsorganisatie" and each.id != COACH
)


@pytest.fixture
async def counted(service: Service) -> Service:
    """The service with a region of 400 trajecten behind it."""
    await write(service.database, [(uuid7(), log) for log in region(PATHWAY, 5, 400, 40, until=START)])
    await all_counted(service.app.litestar.state.throughput.rollup)
    return service


async def figures(client: httpx.AsyncClient, query: str = "") -> Measures:
    response = await client.get(f"{URL}{query}")
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Measures)


async def test_the_chain_team_sees_all_and_an_organisation_only_what_it_has_a_part_in(
    counted: Service,
) -> None:
    everything = await figures(counted.team)
    of_team = await figures(counted.team, f"?organisation={COACH}")
    own = await figures(counted.coach)
    assert everything.teams
    assert everything.totals.inflow
    assert own.totals.inflow
    assert own.totals.inflow < everything.totals.inflow
    assert (own.used.organisation, own.teams) == (COACH, [])
    assert own.totals == of_team.totals
    assert (await figures(counted.coach, f"?organisation={COACH}")).totals == own.totals
    other = await counted.coach.get(f"{URL}?organisation={OTHER_TEAM}")
    nobody = await counted.coach.get(f"{URL}?organisation=00000000-0000-4000-8000-00000000dead")
    assert (other.status_code, nobody.status_code) == (400, 400)
    assert other.json() == nobody.json()


async def test_others_see_nothing(counted: Service) -> None:
    assert (await counted.hospital.get(URL)).status_code == 403
    assert (await counted.stranger.get(URL)).status_code == 401
    team = REGION.of_client("ketenteam-demo")
    without = Caller("no-scope", team.id, team.kind, frozenset({"system/Measure.r"}), REGION.code)
    token = tokens_of(SETTINGS, SECRET).issue(without, timedelta(hours=1))
    response = await counted.stranger.get(URL, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403
    assert "system/MeasureReport.r" in response.text


async def test_every_filter_that_is_wrong_is_named(counted: Service) -> None:
    query = "from=2026-W54&to=soon&municipality=Atlantis&organisation=x&colour=red"
    response = await counted.team.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert sorted(places(response)) == ["colour", "from", "municipality", "organisation", "to"]
    assert "Atlantis" not in response.text
    for wrong in ("from=2026-W03&to=2026-W01", "to=2031-W01", "from=1800-W01", "from=2026-W01&from=2026-W02"):
        assert (await counted.team.get(f"{URL}?{wrong}")).status_code == 400, wrong
    unknown = await counted.team.get("/throughput/no-such-pathway")
    assert unknown.status_code == 404
    assert "welzijn-op-recept" in unknown.text


async def test_a_municipality_goes_by_name_or_code(counted: Service) -> None:
    by_name = await figures(counted.team, "?municipality=Oldambt&from=2025-W20")
    assert by_name == msgspec.structs.replace(
        await figures(counted.team, "?municipality=GM1895&from=2025-W20"), now=by_name.now
    )
    assert by_name.asked.municipality == "GM1895"


@pytest.mark.parametrize("table", TABLES)
async def test_each_table_is_the_same_figures_for_a_spreadsheet(counted: Service, table: str) -> None:
    response = await counted.team.get(f"{URL}/{table}.csv", headers={"Accept": "*/*"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(StringIO(response.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


async def test_a_cell_is_never_a_formula(counted: Service) -> None:
    measures = await figures(counted.team)
    place = msgspec.structs.replace(measures.municipalities[0], name='=HYPERLINK("https://evil.example")')
    hostile = msgspec.structs.replace(measures, municipalities=[place])
    row = list(csv.reader(StringIO(as_csv(hostile, "municipalities")), delimiter=";"))[1]
    assert row[0] == '\'=HYPERLINK("https://evil.example")'
    for table in ("nothing", "steps.json", "__class__"):
        assert (await counted.team.get(f"{URL}/{table}")).status_code == 404
