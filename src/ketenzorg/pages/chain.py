"""The chain team's page: where people wait, per step, team and municipality, with every figure's meaning."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from ketenzorg.errors import BadRequest, Issue, NotFound
from ketenzorg.pages import charts
from ketenzorg.pages.pathway_drawing import draw
from ketenzorg.pages.render import HEADERS, Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.styles import FOR_EVER
from ketenzorg.pages.visitors import visitor_of
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.throughput.asking import FILTERS, what_is_asked
from ketenzorg.throughput.figures import Measures, NormFigures, PlaceFigures, Waiting
from ketenzorg.throughput.measures import Throughput
from ketenzorg.throughput.tables import TABLES, as_csv, days, number

ROLE = "ketenteam"
SCOPES = frozenset({"system/MeasureReport.rs"})  # counts, no people
FIRST_CONTACT = "eerste contact"  # the norm of the tiles, in a pathway that has it
CSV = ".csv"
# What stands out: so many trajecten, and a median so many times that of the region and so many days longer.
ENOUGH, CLEARLY, AT_LEAST = 20, 1.5, 2
MOST_SENTENCES = 4
TREND_COLUMNS = 5  # the rest of that table is for a spreadsheet
SHEET = (Path(__file__).resolve().parent / "static" / "chain.css").read_bytes()
SHEET_PATH = f"/keten/chain.{sha256(SHEET).hexdigest()[:16]}.css"


class StandsOut(NamedTuple):
    """One place that waits clearly longer than the region."""

    name: str
    norm: str
    median: int
    region: int


class Shown(NamedTuple):
    """A place in the table: its figures, and those for the norm of the tiles."""

    place: PlaceFigures
    access: Waiting
    within: int | None


@get("/keten")
async def first_pathway(request: Http) -> Page:
    """To the first pathway of this team."""
    visitor = visitor_of(request, ROLE)
    names = [
        name for name in world_of(request).catalogue.names if name in visitor.person.organisation.pathways
    ]
    if not names:
        raise NotFound(Issue(nl="Uw team heeft geen zorgpad.", en="This team has no pathway."))
    return go_to(request, f"/keten/{names[0]}")


@get(SHEET_PATH)
async def chain_sheet() -> Response[bytes]:
    """The style of this page alone."""
    return Response(SHEET, headers=HEADERS | {"Cache-Control": FOR_EVER}, media_type="text/css")


@get("/keten/{pathway:str}")
async def show_chain(request: Http, pathway: FromPath[str]) -> Page:
    """All figures of a selection."""
    measures = await _measures(request, pathway)
    throughput = _throughput(request)
    known = throughput.catalogue.current(measures.pathway)
    norm = _main_norm(measures)
    return page(
        request,
        "chain.html",
        sheet=SHEET_PATH,
        m=measures,
        norm=norm,
        meaning={each.id: each for each in measures.definitions},
        drawing=draw(known, measures),
        norm_bars=charts.bars("wachten", "Wachttijd per norm, in dagen", _norm_bars(measures)),
        step_bars=charts.bars("stappen", "Tijd in elke stap, in dagen", _step_bars(measures)),
        trend=charts.trend("trend", "Instroom en uitstroom", measures.trend),
        tables={name: table(measures) for name, table in TABLES.items()},
        trend_columns=TREND_COLUMNS,
        municipalities=[*_shown(measures.municipalities, norm)],
        teams=[*_shown(measures.teams, norm)],
        small_bar=charts.small_bar,
        number=number,
        days=days,
        outstanding=stands_out(measures, norm)[:MOST_SENTENCES],
        rule=(ENOUGH, str(CLEARLY).replace(".", ",")),
        region=throughput.region,
        organisations=_organisations(throughput, known),
        query=urlencode(_asked(measures)),
    )


@get("/keten/{pathway:str}/{table:str}")
async def chain_table(request: Http, pathway: FromPath[str], table: FromPath[str]) -> Response[bytes]:
    """One table of the same selection, for a spreadsheet."""
    name = table.removesuffix(CSV)
    measures = await _measures(request, pathway)
    if name == table or name not in TABLES:
        raise NotFound(Issue(nl="Deze tabel is er niet.", en="No such table."))
    file = f'attachment; filename="{measures.pathway}-{name}.csv"'
    return Response(
        as_csv(measures, name).encode(),
        headers=HEADERS | {"Content-Disposition": file},
        media_type="text/csv; charset=utf-8; header=present",
    )


def stands_out(measures: Measures, main: NormFigures | None) -> list[StandsOut]:
    """Per norm the team and the municipality that wait longest, where that is clear and may be shown."""
    norms = sorted(measures.norms, key=lambda norm: norm is not main)
    found = (_longest(places, norm) for norm in norms for places in (measures.teams, measures.municipalities))
    return [each for each in found if each is not None]


def _longest(places: Sequence[PlaceFigures], norm: NormFigures) -> StandsOut | None:
    region = norm.access.median
    if region is None or len(places) < 2:  # noqa: PLR2004  (one place is the region)
        return None
    longer = [
        StandsOut(place.name, norm.norm, median, region)
        for place in places
        for at in place.norms
        for median, n in [(at.access.median, at.access.n)]
        if at.norm == norm.norm and median is not None and n is not None and n >= ENOUGH
        if median >= CLEARLY * region and median - region >= AT_LEAST
    ]
    return max(longer, key=lambda each: each.median, default=None)


async def _measures(request: Http, pathway: str) -> Measures:
    visitor = visitor_of(request, ROLE)
    pairs = [*request.query_params.multi_items()]
    filters = dict(pairs)
    if len(filters) < len(pairs):
        raise BadRequest(Issue(nl="Een filter staat er twee keer.", en="A filter stands twice."))
    throughput, now = _throughput(request), world_of(request).now()
    caller = msgspec.structs.replace(visitor.visit.caller, scopes=SCOPES)
    asked = what_is_asked(pathway, filters, caller, throughput.region, throughput.catalogue, now)
    return await throughput.measures(asked, now)


def _throughput(request: Http) -> Throughput:
    throughput: Throughput = request.app.state.throughput
    return throughput


def _main_norm(measures: Measures) -> NormFigures | None:
    norms = measures.norms
    return next((norm for norm in norms if norm.norm == FIRST_CONTACT), norms[0] if norms else None)


def _norm_bars(measures: Measures) -> list[charts.Bar]:
    return [
        charts.Bar(norm.norm.capitalize(), norm.access, norm.max_days, norm.max) for norm in measures.norms
    ]


def _step_bars(measures: Measures) -> list[charts.Bar]:
    return [charts.Bar(step.title, step.dwell) for step in measures.steps]


def _shown(places: Sequence[PlaceFigures], norm: NormFigures | None) -> Iterator[Shown]:
    """By name: this is no ranking."""
    for place in sorted(places, key=lambda place: place.name):
        at = next((at for at in place.norms if norm and at.norm == norm.norm), None)
        yield Shown(place, at.access if at else Waiting(None), at.within.percent if at else None)


def _organisations(throughput: Throughput, pathway: Pathway) -> list[tuple[str, str]]:
    """Everybody who takes part in this pathway, by name."""
    kinds = {kind for role in pathway.file.roles.values() for kind in role.kinds}
    return sorted(
        (
            (str(each.id), each.name)
            for each in throughput.region.organisations
            if each.kind in kinds and pathway.name in each.pathways
        ),
        key=lambda each: each[1],
    )


def _asked(measures: Measures) -> dict[str, str]:
    values = msgspec.to_builtins(measures.asked)
    return {name: str(values[name]) for name in FILTERS if values[name]}
