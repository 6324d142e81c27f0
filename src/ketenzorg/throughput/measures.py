"""The figures of a selection: the place where counts become what people read."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ketenzorg.pathway.calendar import Amount, local_day
from ketenzorg.pathway.definition import Norm
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Region
from ketenzorg.store.database import Database
from ketenzorg.throughput.cells import Counts, Flow, Gathering, together
from ketenzorg.throughput.definitions import DEFINITIONS
from ketenzorg.throughput.facts import CLOCK, DUE, IN, MISTAKE, OPEN_CLOCK, OPEN_STAY, OUT, STAY
from ketenzorg.throughput.figures import (
    Chosen,
    Exit,
    Measures,
    NormAt,
    NormFigures,
    PlaceFigures,
    Point,
    StepFigures,
    Totals,
)
from ketenzorg.throughput.rollup import EVERYBODY, Rollup
from ketenzorg.throughput.selection import Period, Selection, week_text, why_widened, widened
from ketenzorg.throughput.small_groups import SMALLEST, Share, share, shown

ALL_KINDS = [STAY, OPEN_STAY, CLOCK, OPEN_CLOCK, DUE, IN, OUT]
OF_TEAMS = [CLOCK, OPEN_CLOCK, OPEN_STAY, DUE, IN, OUT]
REFUSED = "rejected_by_receiver"
# Exits after which the referrer may expect to hear what came of it.
FEEDBACK_EXPECTED = frozenset(
    {
        "completed",
        "dropped_out",
        "not_eligible",
        "referred_on",
        "emergency_upgrade",
        REFUSED,
        "returned_to_referrer",
    }
)
PIECES_BEFORE_A_PAGE = 5  # of the log, folded while somebody waits
DAYS = {"dagen": 1, "weken": 7}


class Throughput:
    """The measures of one region."""

    def __init__(self, database: Database, region: Region, catalogue: Catalogue) -> None:
        self.region = region
        self.catalogue = catalogue
        self.rollup = Rollup(database, region.code, catalogue)
        self._database = database

    async def measures(self, asked: Selection, now: datetime) -> Measures:
        """All figures of a selection, brought up to date first."""
        await self.rollup.fold_until_current(PIECES_BEFORE_A_PAGE)
        pathway = self.catalogue.current(asked.pathway)
        used = await self._widened(asked)
        # At once: the database has more than one core.
        by_place, by_week, teams = await asyncio.gather(
            self._read(used, ALL_KINDS, by_place=True),
            self._read(used, [CLOCK, OPEN_CLOCK, OUT], by_week=True),
            self._teams(used, pathway, now),
        )
        gathering, weekly, reasons = (Gathering(used.period, local_day(now)) for _ in range(3))
        gathering.add(by_place, "municipality")
        weekly.add_weeks(row for row in by_week if row["kind"] != OUT)
        reasons.add((row for row in by_week if row["kind"] == OUT), "municipality")
        counts, weeks = gathering.places, weekly.places
        whole, period = together(counts.values()), used.period
        per_point = _weeks_per_point(whole, period)
        municipalities = {
            code: name
            for code, name in self.region.municipalities.items()
            if used.municipality in (None, code)
        }
        return Measures(
            pathway=pathway.name,
            title=pathway.title,
            version=pathway.version,
            adopted=pathway.adopted,
            now=now,
            behind=await self.rollup.behind(),
            asked=_chosen(asked),
            used=_chosen(used),
            widened=why_widened(asked, used),
            totals=_totals(whole, period),
            steps=_steps(pathway, whole),
            norms=[_norm(norm, amount, whole) for norm, amount in pathway.norms],
            weeks_per_point=per_point,
            trend=_trend(period.pieces(per_point), whole, weeks, pathway),
            exits=_exits(whole, period, pathway),
            refusals=_refusals(together(reasons.places.values()), period, pathway),
            municipalities=_places(municipalities, counts, period, pathway),
            teams=teams,
            definitions=DEFINITIONS,
        )

    async def _widened(self, asked: Selection) -> Selection:
        everywhere = Selection(pathway=asked.pathway, period=asked.period, organisation=asked.organisation)
        gathering = Gathering(asked.period, asked.period.last_day)
        gathering.add(await self._read(everywhere, [IN], by_place=True), "municipality")
        return widened(
            asked,
            {
                (municipality, week): n
                for municipality, counts in gathering.places.items()
                for week, n in counts.came.firsts_by_week().items()
            },
        )

    async def _teams(self, used: Selection, pathway: Pathway, now: datetime) -> list[PlaceFigures]:
        if used.organisation is not None:
            return []
        names = teams_of(self.region, pathway)
        gathering = Gathering(used.period, local_day(now))
        gathering.add(await self._read(used, OF_TEAMS, [*names]), "organisation")
        counts = {str(id_): each for id_, each in gathering.places.items()}
        return _places({str(id_): name for id_, name in names.items()}, counts, used.period, pathway)

    async def _read(
        self,
        chosen: Selection,
        kinds: list[str],
        teams: list[UUID] | None = None,
        *,
        by_place: bool = False,
        by_week: bool = False,
    ) -> list[Any]:
        sides, organisations = ["everybody"], [EVERYBODY]
        if teams is not None:
            sides, organisations = ["owner"], teams
        elif chosen.organisation is not None:
            sides, organisations = ["owner", "requester"], [chosen.organisation]
        return await self._database.fetch(
            "select * from read_counts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            self.region.code,
            chosen.pathway,
            sides,
            organisations,
            chosen.municipality,
            chosen.period.first,
            chosen.period.last_day,
            kinds,
            by_place,
            by_week,
        )


def teams_of(region: Region, pathway: Pathway) -> dict[UUID, str]:
    """The organisations that receive referrals in this pathway."""
    kinds = pathway.file.roles[pathway.role_of("owner")].kinds
    return {
        each.id: each.name
        for each in region.organisations
        if each.kind in kinds and pathway.name in each.pathways
    }


def _chosen(selection: Selection) -> Chosen:
    period = selection.period
    return Chosen(
        week_text(period.first), week_text(period.last), selection.municipality, selection.organisation
    )


def _totals(whole: Counts, period: Period) -> Totals:
    return Totals(
        open_now=whole.total_open(),
        late_now=whole.total_late(),
        inflow=whole.came.shown(period),
        outflow=whole.gone().shown(period),
        feedback=_feedback(whole, period),
    )


def _feedback(counts: Counts, period: Period) -> Share:
    expected = counts.gone(lambda end: end.exit in FEEDBACK_EXPECTED)
    told = counts.gone(lambda end: end.exit in FEEDBACK_EXPECTED and end.feedback)
    within = (period.first, period.last)
    return share(told.n(*within), expected.n(*within), expected.trajecten(*within))


def _steps(pathway: Pathway, whole: Counts) -> list[StepFigures]:
    steps = [step for step in pathway.steps.values() if not step.side and not step.ends]
    lengths = {step.name: whole.lengths[STAY, step.name] for step in steps}
    total = sum(each.days() for each in lengths.values() if each.trajecten() >= SMALLEST)
    return [
        StepFigures(
            step=step.name,
            title=step.title,
            owner=step.owner,
            open_now=shown(whole.open_now[step.name]),
            late_now=shown(whole.late_in_step[step.name]),
            dwell=lengths[step.name].waiting(),
            days_percent=round(100 * lengths[step.name].days() / total)
            if total and lengths[step.name].trajecten() >= SMALLEST
            else None,
        )
        for step in steps
    ]


def _norm(norm: Norm, amount: Amount, whole: Counts) -> NormFigures:
    lengths = whole.lengths[CLOCK, norm.name]
    return NormFigures(
        norm=norm.name,
        from_events=norm.from_,
        to_events=norm.to,
        max=norm.max,
        max_days=amount.number * DAYS[amount.unit] if amount.unit in DAYS else None,
        source=norm.source.key or norm.source.note,
        source_status=norm.source.status,
        access=lengths.waiting(),
        within=lengths.within(),
        late_now=shown(whole.late_of_norm[norm.name]),
    )


def _norms_at(counts: Counts, pathway: Pathway) -> list[NormAt]:
    return [
        NormAt(norm.name, lengths.waiting(), lengths.within())
        for norm, _ in pathway.norms
        for lengths in (counts.lengths[CLOCK, norm.name],)
    ]


def _weeks_per_point(whole: Counts, period: Period) -> int:
    """One week, or as many as it takes for the average point to be large enough to show."""
    came = whole.came.trajecten(period.first, period.last)
    weeks = 1
    while weeks < period.weeks and came * weeks < SMALLEST * period.weeks:
        weeks *= 2
    return weeks


def _trend(
    pieces: Iterable[Period], whole: Counts, weeks: Mapping[date, Counts], pathway: Pathway
) -> list[Point]:
    gone = whole.gone()
    return [_point(piece, whole.came, gone, weeks, pathway) for piece in pieces]


def _point(piece: Period, came: Flow, gone: Flow, weeks: Mapping[date, Counts], pathway: Pathway) -> Point:
    here = together(counts for week, counts in weeks.items() if piece.first <= week <= piece.last)
    return Point(
        week_text(piece.first),
        week_text(piece.last),
        came.shown(piece),
        gone.shown(piece),
        shown(
            came.n(date.min, piece.last) - gone.n(date.min, piece.last)
        ),  # all that came, less all that went
        _norms_at(here, pathway),
    )


def _exits(whole: Counts, period: Period, pathway: Pathway) -> list[Exit]:
    titles = {step.ends: step.title for step in pathway.steps.values() if step.ends and step.ends != MISTAKE}
    flows: dict[str, Flow] = defaultdict(Flow)
    for end, flow in whole.went.items():
        flows[end.exit].add_all(flow)
    return _by_number(titles, flows, period)


def _refusals(whole: Counts, period: Period, pathway: Pathway) -> list[Exit]:
    moves = (move for step in pathway.steps.values() for move in step.moves)
    needs = {need for move in moves if pathway.steps[move.to].ends == REFUSED for need in move.needs}
    asked = (pathway.file.needs[need] for need in sorted(needs))
    codes = [code for need in asked if need.goes_to == "reden" for code in need.codes]
    flows: dict[str, Flow] = defaultdict(Flow)
    for end, flow in whole.went.items():
        if end.exit == REFUSED:
            flows[end.reason or ""].add_all(flow)
    return _by_number({code: pathway.file.codes[code] for code in codes}, flows, period)


def _by_number(titles: Mapping[str, str], flows: Mapping[str, Flow], period: Period) -> list[Exit]:
    """Most frequent first. All there can be: that one is listed must not tell that it happened."""
    exits = [Exit(code, title, flows.get(code, Flow()).shown(period)) for code, title in titles.items()]
    return sorted(exits, key=lambda each: (-(each.n or 0), each.title))


def _places(
    names: Mapping[str, str], counts: Mapping[Any, Counts], period: Period, pathway: Pathway
) -> list[PlaceFigures]:
    return [_place(id_, name, counts.get(id_, Counts()), period, pathway) for id_, name in names.items()]


def _place(id_: str, name: str, counts: Counts, period: Period, pathway: Pathway) -> PlaceFigures:
    return PlaceFigures(
        id=id_,
        name=name,
        inflow=counts.came.shown(period),
        outflow=counts.gone().shown(period),
        open_now=counts.total_open(),
        late_now=counts.total_late(),
        feedback=_feedback(counts, period),
        norms=_norms_at(counts, pathway),
    )
