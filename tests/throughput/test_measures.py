"""Each measure, with open, late, corrected and reopened trajecten in it, against a count over the raw events."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import mean

import msgspec
import pytest

from content import CATALOGUE
from databases import Database
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.definition import NormShare
from ketenzorg.pathway.loaded import Catalogue, compile_pathway
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Measures, Waiting
from ketenzorg.throughput.measures import Throughput, teams_of
from ketenzorg.throughput.selection import Period, Selection, read_week
from ketenzorg.throughput.small_groups import Share
from services import REGION
from throughput import by_hand
from throughput.by_hand import Case, Clock, Round, days_between, hidden, kaplan_meier
from throughput.counting import all_counted
from throughput.regions import region, write

FILE = CATALOGUE.current("welzijn-op-recept").file
# As a Treeknorm: a share of all in a time that is shorter than the maximum; in working days, and in weeks.
SHARES = {"eerste poging": "2 werkdagen", "eerste contact": "1 week", "kennismaking": "12 dagen"}
PATHWAY = compile_pathway(
    msgspec.structs.replace(
        FILE,
        norm=[
            msgspec.structs.replace(
                norm, share=NormShare(percent=80, within=SHARES[norm.name], source=norm.source)
            )
            if norm.name in SHARES
            else norm
            for norm in FILE.norm
        ],
    )
)
CATALOGUE = Catalogue([PATHWAY])
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
LOGS = region(PATHWAY, 7, 700, 40, until=NOW)
BIG, SMALL = "GM0014", "GM0765"
# Most people live in one municipality, few in another one.
LOGS = [
    [(1, msgspec.structs.replace(log[0][1], municipality=BIG if place % 5 else SMALL)), *log[1:]]
    for place, log in enumerate(LOGS)
]
CASES = [*by_hand.cases(LOGS)]
EVER = Period(read_week("2025-W20"), read_week("2026-W10"))  # type: ignore[arg-type]
HALF = Period(read_week("2025-W40"), read_week("2026-W02"))  # type: ignore[arg-type]
TEAM = max(teams_of(REGION, PATHWAY), key=lambda team: sum(case.received.owner == team for case in CASES))
SELECTIONS = {
    "everything": Selection(pathway=PATHWAY.name, period=EVER),
    "some weeks": Selection(pathway=PATHWAY.name, period=HALF),
    "a municipality": Selection(pathway=PATHWAY.name, period=EVER, municipality=SMALL),
    "an organisation": Selection(pathway=PATHWAY.name, period=HALF, organisation=TEAM),
}


@pytest.fixture
async def throughput(database: Database) -> AsyncIterator[Throughput]:
    pool = Pool(database.app_url)
    yield Throughput(pool, REGION, CATALOGUE)
    await pool.close()


def chosen(selection: Selection) -> list[Case]:
    return [
        case
        for case in CASES
        if selection.municipality in (None, case.received.municipality)
        and selection.organisation in (None, case.received.requester, case.received.owner)
    ]


def inside(at: datetime, period: Period) -> bool:
    return period.first <= local_day(at) <= period.last_day


def first_runs(runs: list[tuple[int, datetime]], period: Period) -> int:
    """How many trajecten had their first run in the period; a later one does not make them count there."""
    first: dict[int, datetime] = {}
    for traject, began in runs:
        first.setdefault(traject, began)
    return sum(inside(began, period) for began in first.values())


def waiting(lengths: list[tuple[int, bool]], trajecten: int) -> Waiting:
    """Of (days, ended)."""
    if trajecten < 10:
        return Waiting(None)
    ended = [days for days, done in lengths if done]
    censored = [days for days, done in lengths if not done]
    return Waiting(hidden(trajecten), *(kaplan_meier(ended, censored, share) for share in (0.5, 0.8, 0.9)))


def in_time(clocks: list[Clock], due: Callable[[Clock], datetime], trajecten: int) -> Share:
    """The part that is answered before `due`, with who still has time left counted until they were last seen."""
    met = [each for each in clocks if each.met is not None and each.met <= due(each)]
    late = [each for each in clocks if (each.met or each.stopped or NOW) > due(each)]
    left = [each for each in clocks if each not in met and each not in late]
    known = len(met) + len(late)
    if min(known, trajecten) < 10:
        return Share(None, None)
    part, unsure = by_hand.share_in_time(
        [days_between(each.began, each.met or NOW) for each in met],
        [days_between(each.began, each.stopped or NOW) for each in left],
        len(late),
    )
    if unsure > 0.05:
        return Share(hidden(known), None)
    exact = 100 * (part + unsure)
    return Share(hidden(known), int(exact + 0.5) if known >= 100 else int(exact / 5 + 0.5) * 5)


def percent(part: int, group: int, trajecten: int) -> Share:
    if min(group, trajecten) < 10:
        return Share(None, None)
    exact = 100 * part / group
    return Share(hidden(group), int(exact + 0.5) if group >= 100 else int(exact / 5 + 0.5) * 5)


@pytest.mark.parametrize("name", SELECTIONS)
async def test_each_figure_is_what_a_count_by_hand_gives(
    throughput: Throughput, database: Database, name: str
) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    selection = SELECTIONS[name]
    found = await throughput.measures(selection, NOW)
    assert found.behind == 0
    used = [read_week(week) for week in (found.used.from_week, found.used.to_week)]
    cases, period = chosen(selection), Period(*used)  # type: ignore[arg-type]
    assert period.first <= selection.period.first <= selection.period.last <= period.last
    _check_flow(found, cases, period)
    _check_steps(found, cases, period)
    _check_norms(found, cases, period)


def _check_flow(found: Measures, cases: list[Case], period: Period) -> None:
    # Each beginning and each end, and whether it is its traject's first.
    begun = [(round_[0][0], not number) for case in cases for number, round_ in enumerate(case.rounds)]
    ends = [
        (next(step for _, _, step in round_ if step and step.exit), round_, not number)
        for case in cases
        for number, round_ in enumerate(round_ for round_ in case.rounds if _exit(round_))
    ]

    def came(first: date, last: date) -> int | None:
        within = [is_first for at, is_first in begun if first <= by_hand.week(at) <= last]
        return hidden(len(within), sum(within))

    def went(first: date, last: date) -> int | None:
        within = [is_first for step, _, is_first in ends if first <= by_hand.week(step.at) <= last]
        return hidden(len(within), sum(within))

    def still_open(last: date) -> int | None:
        all_begun = sum(by_hand.week(at) <= last for at, _ in begun)
        return hidden(all_begun - sum(by_hand.week(step.at) <= last for step, _, _ in ends))

    assert found.totals.inflow == came(period.first, period.last)
    assert found.totals.outflow == went(period.first, period.last)
    for point in found.trend:
        first, last = read_week(point.from_week), read_week(point.to_week)
        assert first
        assert last
        assert (point.inflow, point.outflow, point.open_at_end) == (
            came(first, last),
            went(first, last),
            still_open(last),
        )
    within = [(step, _exit(round_), round_, first) for step, round_, first in ends if inside(step.at, period)]
    for exit_ in found.exits:
        mine = [first for _, code, _, first in within if code == exit_.code]
        assert exit_.n == hidden(len(mine), sum(mine)), exit_
    for refusal in found.refusals:
        mine = [
            first
            for step, code, _, first in within
            if code == "rejected_by_receiver" and step.reason == refusal.code
        ]
        assert refusal.n == hidden(len(mine), sum(mine)), refusal
    for answer in found.experiences:
        mine = [
            first for step, _, _, first in within if step.codes.get("ervaring-van-patient") == answer.code
        ]
        assert answer.n == hidden(len(mine), sum(mine)), answer
    told = {"completed", "dropped_out", "not_eligible", "referred_on", "emergency_upgrade", "rejected_by_receiver",
            "returned_to_referrer"}  # fmt: skip
    expected = [(round_, first) for _, code, round_, first in within if code in told]
    heard = sum(any(s and "terugkoppeling" in s.outputs for _, _, s in round_) for round_, _ in expected)
    assert found.totals.feedback == percent(heard, len(expected), sum(first for _, first in expected))


def _exit(round_: Round) -> str | None:
    return next((step.exit for _, _, step in reversed(round_) if step and step.exit), None)


def _check_steps(found: Measures, cases: list[Case], period: Period) -> None:
    open_now = 0
    for figures in found.steps:
        visits = [
            (number, entered, left)
            for number, case in enumerate(cases)
            for name, entered, left in by_hand.stays(case, PATHWAY)
            if name == figures.step
        ]
        here = sum(left is None for _, _, left in visits)
        open_now += here
        assert figures.open_now == hidden(here), figures.step
        lengths = [
            (days_between(entered, left or NOW), left is not None)
            for _, entered, left in visits
            if inside(entered, period)
        ]
        trajecten = first_runs([(number, entered) for number, entered, _ in visits], period)
        assert figures.dwell == waiting(lengths, trajecten), figures.step
    assert found.totals.open_now == hidden(open_now)
    shown = [each.days_percent for each in found.steps if each.days_percent is not None]
    assert abs(sum(shown) - 100) <= len(shown) / 2


def _check_norms(found: Measures, cases: list[Case], period: Period) -> None:
    runs = [(number, clock) for number, case in enumerate(cases) for clock in by_hand.clocks(case, PATHWAY)]
    for figures in found.norms:
        mine = [(number, clock) for number, clock in runs if clock.norm == figures.norm]
        late = sum(figures.norm in case.late(PATHWAY, NOW) for case in cases)
        assert figures.late_now == hidden(late), figures.norm
        began = [clock for _, clock in mine if inside(clock.began, period)]
        trajecten = first_runs([(number, clock.began) for number, clock in mine], period)
        lengths = [
            (days_between(clock.began, clock.met or clock.stopped or NOW), clock.met is not None)
            for clock in began
        ]
        assert figures.access == waiting(lengths, trajecten), figures.norm
        assert figures.within == in_time(began, lambda clock: clock.due, trajecten), figures.norm
        if figures.share:
            reached = in_time(began, lambda clock: clock.early, trajecten)
            assert figures.share.reached == reached, figures.norm
            assert figures.share.reached != figures.within
        if figures.max_days is not None and figures.access.n and figures.within.n >= 100:  # type: ignore[operator]
            # Two ways to say the same: 80 percent in time, or the 80 percent reached in that time.
            assert figures.within.percent is not None
            reached_80 = figures.access.p80 is not None and figures.access.p80 <= figures.max_days
            assert reached_80 == (figures.within.percent >= 80), figures.norm
    assert any(each.access.n is not None and each.access.p90 is None for each in found.norms), (
        "none not reached"
    )


async def test_late_is_what_the_engine_says_is_late(throughput: Throughput, database: Database) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    found = await throughput.measures(SELECTIONS["everything"], NOW)
    assert found.totals.late_now == hidden(sum(bool(case.late(PATHWAY, NOW)) for case in CASES))


async def test_places_and_teams_are_the_same_figures_of_a_smaller_choice(
    throughput: Throughput, database: Database
) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    whole = await throughput.measures(SELECTIONS["everything"], NOW)
    alone = await throughput.measures(SELECTIONS["a municipality"], NOW)
    there = next(place for place in whole.municipalities if place.id == SMALL)
    assert [each.norms for each in alone.municipalities] == [there.norms]
    assert (there.inflow, there.open_now, there.late_now) == (
        alone.totals.inflow,
        alone.totals.open_now,
        alone.totals.late_now,
    )
    assert [each.within for each in there.norms] == [each.within for each in alone.norms]
    of_team = await throughput.measures(
        msgspec.structs.replace(SELECTIONS["everything"], organisation=TEAM), NOW
    )
    team = next(place for place in whole.teams if place.id == str(TEAM))
    assert (team.inflow, team.outflow, team.feedback) == (
        of_team.totals.inflow,
        of_team.totals.outflow,
        of_team.totals.feedback,
    )
    assert [each.access for each in team.norms] == [each.access for each in of_team.norms]
    assert of_team.teams == []


async def test_a_place_beside_the_others_and_beside_itself_before(
    throughput: Throughput, database: Database
) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    whole = await throughput.measures(SELECTIONS["everything"], NOW)
    one, other = (next(place for place in whole.municipalities if place.id == id_) for id_ in (BIG, SMALL))
    assert [each.norm for each in one.compared] == [whole.main_norm, whole.feedback_norm]
    assert (whole.main_norm, whole.feedback_norm) == ("eerste contact", "terugkoppeling na kennismaking")
    assert (one.feedback_of_others, other.feedback_of_others) == (other.feedback, one.feedback)
    recent = EVER.recent()
    assert recent
    assert recent.weeks == whole.recent_weeks
    for here, there in zip(one.compared, other.compared, strict=True):
        assert here.others == there.here
        assert here.here == next(at for at in one.norms if at.norm == here.norm)
        clocks = [(number, clock) for number, case in enumerate(CASES) if case.received.municipality == BIG
                  for clock in by_hand.clocks(case, PATHWAY) if clock.norm == here.norm]  # fmt: skip
        open_ones = [clock for _, clock in clocks if clock.met is None and clock.stopped is None]
        assert here.waiting_now == hidden(len(open_ones))
        of_big = [case for case in CASES if case.received.municipality == BIG]
        assert here.late_now == hidden(sum(here.norm in case.late(PATHWAY, NOW) for case in of_big))
        for at, period in ((here.recent, recent), (here.earlier, EVER.before(recent))):
            began = [clock for _, clock in clocks if inside(clock.began, period)]
            trajecten = first_runs([(number, clock.began) for number, clock in clocks], period)
            assert at.within == in_time(began, lambda clock: clock.due, trajecten), (here.norm, period)


async def test_figures_are_kept_until_something_else_is_counted(
    throughput: Throughput, database: Database
) -> None:
    half = len(LOGS) // 2
    await write(database, [(uuid7(), log) for log in LOGS[:half]])
    await all_counted(throughput.rollup)
    asked = SELECTIONS["everything"]
    before = await throughput.measures(asked, NOW)
    later = NOW + timedelta(hours=1)
    assert await throughput.measures(asked, later) == msgspec.structs.replace(before, now=later)
    tomorrow = await throughput.measures(asked, NOW + timedelta(days=30))
    assert tomorrow.totals.late_now != before.totals.late_now
    await write(database, [(uuid7(), log) for log in LOGS[half:]])
    await all_counted(throughput.rollup)
    after = await throughput.measures(asked, NOW)
    pool = Pool(database.app_url)
    assert after == await Throughput(pool, REGION, CATALOGUE).measures(asked, NOW) != before
    await pool.close()
    short = await throughput.measures(asked, NOW, every_norm=False)
    assert [[at.norm for at in point.norms] for point in short.trend[:1]] == [
        [after.main_norm, after.feedback_norm]
    ]
    assert {len(place.norms) for place in [*short.municipalities, *short.teams]} == {2}
    same = {name: getattr(after, name) for name in ("trend", "municipalities", "teams")}
    assert msgspec.structs.replace(short, **same) == after
    assert [each.compared for each in short.teams] == [each.compared for each in after.teams]


def test_the_invented_region_has_all_that_makes_counting_hard() -> None:
    every = [event for log in LOGS for _, event in log]
    kinds = {type(event).__name__ for event in every}
    assert kinds == {"ReferralReceived", "StepTaken", "StepCorrected"}
    assert len(CASES) < len(LOGS)  # some were entered by mistake
    assert any(len(case.rounds) > 1 for case in CASES)
    assert any("(" in event.to_step for event in every if hasattr(event, "to_step"))
    late_ones = sum(one.at > two.at for log in LOGS for (_, one), (_, two) in pairwise(log))
    assert late_ones > 50
    assert mean(len(log) for log in LOGS) > 5
