"""The chain team's page: where people wait, per step, team and municipality, with every figure's meaning."""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from ketenzorg.coordination.reading.figures import figures_of
from ketenzorg.coordination.world import Visit
from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages import charts
from ketenzorg.pages.pathway_drawing import draw
from ketenzorg.pages.render import HEADERS, Page, go_to, page
from ketenzorg.pages.site import Http, world_of
from ketenzorg.pages.styles import FOR_EVER
from ketenzorg.pages.visitors import visitor_of
from ketenzorg.pages.words import sentence
from ketenzorg.pathway.calendar import parse
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.audit import Interaction
from ketenzorg.throughput.asking import FILTERS
from ketenzorg.throughput.figures import (
    Compared,
    Measures,
    NormAt,
    NormFigures,
    PlaceFigures,
    Sentence,
    Waiting,
)
from ketenzorg.throughput.measures import Throughput
from ketenzorg.throughput.small_groups import HIDDEN, Share
from ketenzorg.throughput.standing_out import RULES
from ketenzorg.throughput.tables import TABLES, as_csv, days, number, percent

ROLE = "ketenteam"
SCOPES = frozenset({"system/MeasureReport.rs"})  # counts, no people
CSV = ".csv"
TREND_COLUMNS = 5  # the rest of that table is for a spreadsheet
SHEET = (Path(__file__).resolve().parent / "static" / "chain.css").read_bytes()
SHEET_PATH = f"/keten/chain.{sha256(SHEET).hexdigest()[:16]}.css"


class Shown(NamedTuple):
    """A place in the table: its figures, those for the norm of the tiles, and those for hearing back."""

    place: PlaceFigures
    main: Compared
    back: NormAt
    named: bool  # in what stands out


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
    measures = await _measures(request, pathway, every_norm=False)
    throughput = _throughput(request)
    known = throughput.catalogue.current(measures.pathway)
    norm = _main_norm(measures)
    return page(
        request,
        "chain.html",
        sheet=SHEET_PATH,
        m=measures,
        widened=measures.widened
        if request.query_params
        else "",  # who chose nothing reads the weeks in the heading
        norm=norm,
        meaning={each.id: each for each in measures.definitions},
        drawing=charts.both(partial(draw, known, measures)),
        has_long=any(_is_long(norm) for norm in measures.norms),
        norm_bars=charts.both(
            partial(charts.bars, "wachten", "Wachttijd per norm, in dagen", _norm_bars(measures, long=False))
        ),
        long_bars=charts.both(
            partial(charts.bars, "lang", "Termijnen van maanden, in dagen", _norm_bars(measures, long=True))
        ),
        step_bars=charts.both(
            partial(charts.bars, "stappen", "Tijd in elke stap, in dagen", _step_bars(measures))
        ),
        trend=charts.trend("trend", "Instroom en uitstroom", measures.trend, charts.NARROW),
        in_time=charts.shares("deel", "Deel op tijd", _in_time(measures), charts.NARROW),
        tables={name: table(measures) for name, table in TABLES.items()},
        trend_columns=TREND_COLUMNS,
        municipalities=[*_shown(measures.municipalities, measures)],
        teams=[*_shown(measures.teams, measures)],
        small_bar=charts.small_bar,
        number=number,
        percent=percent,
        days=days,
        rules=RULES,
        link_of=partial(_link_of, measures),
        region=throughput.region,
        chosen_place=_chosen_place(measures, throughput),
        organisations=_organisations(throughput, known),
        query=urlencode(_asked(measures)),
    )


@get("/keten/{pathway:str}/{table:str}")
async def chain_table(request: Http, pathway: FromPath[str], table: FromPath[str]) -> Response[bytes]:
    """One table of the same selection, for a spreadsheet."""
    name = table.removesuffix(CSV)
    measures = await _measures(request, pathway, shown_as="export")
    if name == table or name not in TABLES:
        raise NotFound(Issue(nl="Deze tabel is er niet.", en="No such table."))
    file = f'attachment; filename="{measures.pathway}-{name}.csv"'
    return Response(
        as_csv(measures, name).encode(),
        headers=HEADERS | {"Content-Disposition": file},
        media_type="text/csv; charset=utf-8; header=present",
    )


async def _measures(
    request: Http, pathway: str, *, every_norm: bool = True, shown_as: Interaction = "figures"
) -> Measures:
    visitor = visitor_of(request, ROLE)
    pairs = [*request.query_params.multi_items()]
    caller = msgspec.structs.replace(visitor.visit.caller, scopes=SCOPES)
    visit, throughput = Visit(caller, visitor.visit.trail), _throughput(request)
    return await figures_of(
        pathway, pairs, visit, throughput, world_of(request), shown_as=shown_as, every_norm=every_norm
    )


def _throughput(request: Http) -> Throughput:
    throughput: Throughput = request.app.state.throughput
    return throughput


def _main_norm(measures: Measures) -> NormFigures | None:
    return next((norm for norm in measures.norms if norm.norm == measures.main_norm), None)


def _norm_bars(measures: Measures, *, long: bool) -> list[charts.Bar]:
    """Those of months apart: on one scale with them a fortnight cannot be seen."""
    return [
        charts.Bar(
            sentence(norm.norm),
            norm.access,
            norm.max_days,
            norm.max,
            norm.share.within_days if norm.share else None,
            f"{norm.share.wanted_percent}% binnen {norm.share.within}" if norm.share else "",
        )
        for norm in measures.norms
        if _is_long(norm) is long
    ]


def _is_long(norm: NormFigures) -> bool:
    return parse(norm.max).unit == "maanden"


def _step_bars(measures: Measures) -> list[charts.Bar]:
    return [charts.Bar(step.title, step.dwell) for step in measures.steps]


def _in_time(measures: Measures) -> list[tuple[str, Share]]:
    """Per point of the trend the part that met the norm of the tiles."""
    return [
        (point.from_week, next((at.within for at in point.norms if at.norm == measures.main_norm), HIDDEN))
        for point in measures.trend
    ]


def _shown(places: Sequence[PlaceFigures], measures: Measures) -> Iterator[Shown]:
    """By name: this is no ranking."""
    named = {sentence.filter_value for sentence in measures.standing_out if sentence.kind != "beter"}
    for place in sorted(places, key=lambda place: place.name):
        main = next((at for at in place.compared if at.norm == measures.main_norm), None)
        back = next((at for at in place.norms if at.norm == measures.feedback_norm), None)
        if main is not None:
            yield Shown(place, main, back or NormAt("", Waiting(None), HIDDEN), place.id in named)


def _chosen_place(measures: Measures, throughput: Throughput) -> str:
    """What the figures are of: the municipality and the organisation, or the whole region."""
    municipality, organisation = measures.used.municipality, measures.used.organisation
    where = throughput.region.municipalities[municipality] if municipality else "hele regio"
    who = throughput.region.by_id(organisation) if organisation else None
    return f"{where}, {who.name}" if who else where


def _link_of(measures: Measures, sentence: Sentence) -> str:
    """To the page of one place, or to the part of this page that a sentence is about."""
    if not sentence.filter:
        return f"#{sentence.anchor}"
    asked = {**_asked(measures), sentence.filter: sentence.filter_value}
    return f"/keten/{measures.pathway}?{urlencode(asked)}"


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
