"""The figures of a selection: the place where counts become what people read."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.pathway.calendar import Amount, local_day, parse
from ketenzorg.pathway.definition import Norm
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Region
from ketenzorg.store.database import Database
from ketenzorg.throughput.cells import RECENT, Counts, Flow, Gathering, together
from ketenzorg.throughput.comparing import REFUSED, Comparing, Told, norm_at
from ketenzorg.throughput.definitions import DEFINITIONS
from ketenzorg.throughput.facts import (
    CLOCK,
    DUE,
    DUE_CLOCK,
    EXPERIENCE,
    IN,
    MISTAKE,
    OPEN_CLOCK,
    OPEN_STAY,
    OUT,
    SAID,
    STAY,
)
from ketenzorg.throughput.figures import (
    Chosen,
    Exit,
    Measures,
    NormFigures,
    Point,
    ShareOfNorm,
    StepFigures,
    Totals,
)
from ketenzorg.throughput.rollup import EVERYBODY, Rollup
from ketenzorg.throughput.selection import (
    Period,
    Selection,
    Span,
    week_text,
    why_widened,
    widened,
)
from ketenzorg.throughput.small_groups import SMALLEST, shown
from ketenzorg.throughput.standing_out import standing_out

OF_PLACES = [CLOCK, OPEN_CLOCK, DUE_CLOCK, OPEN_STAY, DUE, IN, OUT, SAID]
PER_PLACE, PER_WEEK = "place", "week"
WEEK, BLOCK, WEEK_EVERYWHERE, BLOCK_EVERYWHERE = "week", "block", "week everywhere", "block everywhere"
KEPT = 64  # answers, of some hundred kB each
PIECES_BEFORE_A_PAGE = 5  # of the log, folded while somebody waits
DAYS = {"dagen": 1, "weken": 7}


class Throughput:
    """The measures of one region."""

    def __init__(self, database: Database, region: Region, catalogue: Catalogue) -> None:
        self.region = region
        self.catalogue = catalogue
        self.rollup = Rollup(database, region.code, catalogue)
        self._database = database
        self._kept: dict[tuple[Selection, date, bool, object], Measures] = {}

    async def measures(self, asked: Selection, now: datetime, *, every_norm: bool = True) -> Measures:
        """All figures of a selection, brought up to date first.

        Every norm of every week, municipality and team is most of the work: without `every_norm` only the whole has
        all norms, and these have the norms that are compared.
        """
        place = await self.rollup.fold_until_current(PIECES_BEFORE_A_PAGE)
        key = (asked, local_day(now), every_norm, place)
        # Nothing changes until the next event is counted, or until tomorrow.
        kept = self._kept.pop(key, None) if place else None
        figures = kept or await self._counted(asked, now, every_norm=every_norm)
        if place:
            self._kept[key] = figures
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return msgspec.structs.replace(figures, now=now, behind=await self.rollup.behind())

    def forget(self) -> None:
        """Keep no answers: the next ones are counted from the cells."""
        self._kept.clear()

    async def _counted(self, asked: Selection, now: datetime, *, every_norm: bool) -> Measures:
        pathway, today = self.catalogue.current(asked.pathway), local_day(now)
        used = await self._widened(asked)
        period, recent = used.period, used.period.recent()
        begins = recent.first if recent else date.max
        compare = Comparing(pathway)
        norms = pathway.file.norm if every_norm else compare.norms
        names = [norm.name for norm in norms]
        parts = [(period, 0)] if recent is None else [(period.before(recent), 0), (recent, RECENT)]

        def spans(week: str, block: str = "") -> list[tuple[Span, int]]:
            """Those of the period, its last part apart."""
            return [(span, number) for part, number in parts for span in part.spans(week, block)]

        # Which grains there are of whom: see the migration.
        of_one = used.organisation is not None
        apart = spans(WEEK) if of_one else spans(WEEK, BLOCK)
        everywhere = apart if of_one or used.municipality else spans(WEEK_EVERYWHERE, BLOCK_EVERYWHERE)
        weeks = [(period.spans(WEEK if of_one or used.municipality else WEEK_EVERYWHERE)[0], 0)]
        of_team = spans(WEEK) if used.municipality else spans(WEEK, BLOCK_EVERYWHERE)
        municipalities, weekly, teams = (Gathering(period, today, begins, with_stays=False) for _ in range(3))
        lengths = Gathering(period, today, begins)
        # At once, and each is gathered while the database works on the next.
        await asyncio.gather(
            _gather(
                self._read(used, OF_PLACES, apart, per=PER_PLACE, names=names),
                partial(municipalities.add, by="municipality"),
            ),
            _gather(
                self._read(used, [STAY, OPEN_STAY, CLOCK, OPEN_CLOCK, DUE_CLOCK], everywhere),
                partial(lengths.add, by="organisation"),
            ),
            _gather(
                self._read(used, [CLOCK, OPEN_CLOCK], weeks, per=PER_WEEK, names=names), weekly.add_weeks
            ),
            _gather(self._of_teams(used, pathway, of_team, names), partial(teams.add, by="organisation")),
        )
        whole = together(municipalities.places.values()).with_lengths_of(together(lengths.places.values()))
        per_point = _weeks_per_point(whole, period)
        figures = Measures(
            pathway=pathway.name,
            title=pathway.title,
            version=pathway.version,
            adopted=pathway.adopted,
            now=now,
            behind=0,
            asked=_chosen(asked),
            used=_chosen(used),
            widened=why_widened(asked, used),
            recent_weeks=recent.weeks if recent else 0,
            main_norm=compare.main,
            feedback_norm=compare.feedback,
            totals=_totals(whole, period),
            compared=compare.with_earlier(whole) if recent else [],
            standing_out=[],
            steps=_steps(pathway, whole),
            norms=[_norm(norm, amount, whole) for norm, amount in pathway.norms],
            weeks_per_point=per_point,
            trend=_trend(period.pieces(per_point), whole, weekly.places, norms),
            exits=_exits(whole, period, pathway),
            refusals=_refusals(whole, period, pathway),
            experiences=_experiences(whole, period, pathway),
            municipalities=compare.places(
                {
                    code: name
                    for code, name in self.region.municipalities.items()
                    if used.municipality in (None, code)
                },
                municipalities.places,
                period,
                norms,
            ),
            teams=[]
            if used.organisation
            else compare.places(
                {str(id_): name for id_, name in teams_of(self.region, pathway).items()},
                {str(id_): each for id_, each in teams.places.items()},
                period,
                norms,
            ),
            definitions=DEFINITIONS,
        )
        return msgspec.structs.replace(figures, standing_out=standing_out(figures))

    async def _widened(self, asked: Selection) -> Selection:
        everywhere = Selection(pathway=asked.pathway, period=asked.period, organisation=asked.organisation)
        gathering = Gathering(asked.period, asked.period.last_day)
        gathering.add(await self._read(everywhere, [IN], [], per=PER_PLACE), "municipality")
        return widened(
            asked,
            {
                (municipality, week): n
                for municipality, counts in gathering.places.items()
                for week, n in counts.came.firsts_by_week().items()
            },
        )

    async def _of_teams(
        self, used: Selection, pathway: Pathway, spans: list[tuple[Span, int]], names: list[str]
    ) -> list[Any]:
        if used.organisation is not None:
            return []
        return await self._read(used, OF_PLACES, spans, [*teams_of(self.region, pathway)], names=names)

    async def _read(
        self,
        chosen: Selection,
        kinds: list[str],
        spans: list[tuple[Span, int]],
        teams: list[UUID] | None = None,
        per: str = "",
        names: list[str] | None = None,
    ) -> list[Any]:
        """The counts, each span with the part of the period that it is in; per place, per week or neither."""
        sides, organisations = ["everybody"], [EVERYBODY]
        if teams is not None:
            sides, organisations = ["owner"], teams
        elif chosen.organisation is not None:
            sides, organisations = ["owner", "requester"], [chosen.organisation]
        return await self._database.fetch(
            "select * from read_counts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            self.region.code,
            chosen.pathway,
            sides,
            organisations,
            chosen.municipality,
            kinds,
            names,
            [span.grain for span, _ in spans],
            [span.first for span, _ in spans],
            [span.last for span, _ in spans],
            [part for _, part in spans],
            per == PER_PLACE,
            per == PER_WEEK,
        )


async def _gather(rows: Awaitable[list[Any]], add: Callable[[list[Any]], None]) -> None:
    add(await rows)


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
        feedback=Told.of(whole, period).share(),
    )


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
        max_days=_in_days(amount),
        source=norm.source.key or norm.source.note,
        source_status=norm.source.status,
        share=ShareOfNorm(
            wanted_percent=norm.share.percent,
            within=norm.share.within,
            within_days=_in_days(parse(norm.share.within)),
            source=norm.share.source.key or norm.share.source.note,
            source_status=norm.share.source.status,
            reached=lengths.early(),
        )
        if norm.share
        else None,
        access=lengths.waiting(),
        within=lengths.within(),
        waiting_now=shown(whole.waits_for_norm[norm.name]),
        late_now=shown(whole.late_of_norm[norm.name]),
    )


def _in_days(amount: Amount) -> int | None:
    return amount.number * DAYS[amount.unit] if amount.unit in DAYS else None


def _weeks_per_point(whole: Counts, period: Period) -> int:
    """One week, or as many as it takes for the average point to be large enough to show."""
    came = whole.came.trajecten(period.first, period.last)
    weeks = 1
    while weeks < period.weeks and came * weeks < SMALLEST * period.weeks:
        weeks *= 2
    return weeks


def _trend(
    pieces: Iterable[Period], whole: Counts, weeks: Mapping[date, Counts], norms: Sequence[Norm]
) -> list[Point]:
    gone = whole.gone()
    return [_point(piece, whole.came, gone, weeks, norms) for piece in pieces]


def _point(
    piece: Period, came: Flow, gone: Flow, weeks: Mapping[date, Counts], norms: Sequence[Norm]
) -> Point:
    here = together(counts for week, counts in weeks.items() if piece.first <= week <= piece.last)
    return Point(
        week_text(piece.first),
        week_text(piece.last),
        came.shown(piece),
        gone.shown(piece),
        shown(
            came.n(date.min, piece.last) - gone.n(date.min, piece.last)
        ),  # all that came, less all that went
        [norm_at(norm, here.lengths[CLOCK, norm.name]) for norm in norms],
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


def _experiences(whole: Counts, period: Period, pathway: Pathway) -> list[Exit]:
    """What patients thought of it, where they were asked; none where the pathway does not ask."""
    asked = pathway.file.needs.get(EXPERIENCE)
    titles = {code: pathway.file.codes[code] for code in asked.codes} if asked else {}
    return [Exit(code, title, whole.said[code].shown(period)) for code, title in titles.items()]


def _by_number(titles: Mapping[str, str], flows: Mapping[str, Flow], period: Period) -> list[Exit]:
    """Most frequent first. All there can be: that one is listed must not tell that it happened."""
    exits = [Exit(code, title, flows.get(code, Flow()).shown(period)) for code, title in titles.items()]
    return sorted(exits, key=lambda each: (-(each.n or 0), each.title))
