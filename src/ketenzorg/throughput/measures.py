"""The figures of a selection: the place where counts become what people read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ketenzorg.pathway.calendar import Amount, local_day
from ketenzorg.pathway.definition import Norm
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Region
from ketenzorg.store.database import Database
from ketenzorg.throughput.cells import Counts, Ends, Gathering, together
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
        gathering = Gathering(used.period, local_day(now))
        gathering.add(await self._read(used, ALL_KINDS, by_place=True), "municipality")
        weekly = Gathering(used.period, local_day(now))
        weekly.add_weeks(await self._read(used, [CLOCK, OPEN_CLOCK], by_week=True))
        counts, weeks = gathering.places, weekly.places
        teams = await self._teams(used, pathway, now) if asked.organisation is None else []
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
            trend=[_point(piece, whole, weeks, pathway) for piece in period.pieces(per_point)],
            exits=_exits(whole.ends(period), pathway),
            refusals=_refusals(whole.ends(period), pathway),
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
                for week, n in counts.came_first.items()
            },
        )

    async def _teams(self, used: Selection, pathway: Pathway, now: datetime) -> list[PlaceFigures]:
        names = teams_of(self.region, pathway)
        gathering = Gathering(used.period, local_day(now))
        gathering.add(await self._read(used, OF_TEAMS, [*names]), "organisation")
        counts = {str(id_): each for id_, each in gathering.places.items()}
        return _places({str(id_): name for id_, name in names.items()}, counts, used.period, pathway)

    async def _read(
        self,
        chosen: Selection,
        kinds: list[str],
        organisations: list[UUID] | None = None,
        *,
        by_place: bool = False,
        by_week: bool = False,
    ) -> list[Any]:
        return await self._database.fetch(
            "select * from read_counts($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            self.region.code,
            chosen.pathway,
            [chosen.organisation or EVERYBODY] if organisations is None else organisations,
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
        inflow=whole.inflow(period),
        outflow=whole.outflow(period),
        feedback=_feedback(whole.ends(period)),
    )


def _feedback(ends: Iterable[Ends]) -> Share:
    expected = [each for each in ends if each.exit in FEEDBACK_EXPECTED]
    return share(
        sum(each.n for each in expected if each.feedback),
        sum(each.n for each in expected),
        sum(each.trajecten for each in expected),
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
    came = sum(n for week, n in whole.came_first.items() if period.first <= week <= period.last)
    weeks = 1
    while weeks < period.weeks and came * weeks < SMALLEST * period.weeks:
        weeks *= 2
    return weeks


def _point(piece: Period, whole: Counts, weeks: Mapping[date, Counts], pathway: Pathway) -> Point:
    here = together(counts for week, counts in weeks.items() if piece.first <= week <= piece.last)
    return Point(
        week_text(piece.first),
        week_text(piece.last),
        whole.inflow(piece),
        whole.outflow(piece),
        whole.open_at_end(piece),
        _norms_at(here, pathway),
    )


def _exits(ends: Sequence[Ends], pathway: Pathway) -> list[Exit]:
    titles = {step.ends: step.title for step in pathway.steps.values() if step.ends}
    titles.pop(MISTAKE, None)
    return _by_number(((each.exit, each) for each in ends), titles)


def _refusals(ends: Sequence[Ends], pathway: Pathway) -> list[Exit]:
    moves = (move for step in pathway.steps.values() for move in step.moves)
    needs = {need for move in moves if pathway.steps[move.to].ends == REFUSED for need in move.needs}
    asked = (pathway.file.needs[need] for need in sorted(needs))
    codes = [code for need in asked if need.goes_to == "reden" for code in need.codes]
    titles = {code: pathway.file.codes[code] for code in codes}
    return _by_number(((each.reason, each) for each in ends if each.exit == REFUSED), titles)


def _by_number(ends: Iterable[tuple[str, Ends]], titles: Mapping[str, str]) -> list[Exit]:
    """Most frequent first. All there can be: that one is listed must not tell that it happened."""
    found: dict[str, list[Ends]] = defaultdict(list)
    for code, each in ends:
        found[code].append(each)
    exits = [
        Exit(
            code,
            title,
            shown(sum(each.n for each in found[code]), sum(each.trajecten for each in found[code])),
        )
        for code, title in titles.items()
    ]
    return sorted(exits, key=lambda each: (-(each.n or 0), each.title))


def _places(
    names: Mapping[str, str], counts: Mapping[Any, Counts], period: Period, pathway: Pathway
) -> list[PlaceFigures]:
    return [_place(id_, name, counts.get(id_, Counts()), period, pathway) for id_, name in names.items()]


def _place(id_: str, name: str, counts: Counts, period: Period, pathway: Pathway) -> PlaceFigures:
    return PlaceFigures(
        id=id_,
        name=name,
        inflow=counts.inflow(period),
        outflow=counts.outflow(period),
        open_now=counts.total_open(),
        late_now=counts.total_late(),
        feedback=_feedback(counts.ends(period)),
        norms=_norms_at(counts, pathway),
    )
