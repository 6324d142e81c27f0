"""Each measure, with open, late, corrected and reopened trajecten in it, against a count over the raw events."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import mean

import msgspec
import pytest

from databases import Database
from ketenzorg.pathway import engine
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.load import load
from ketenzorg.pathway.replay import replay
from ketenzorg.settings import Settings
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Measures, Waiting
from ketenzorg.throughput.measures import Throughput, teams_of
from ketenzorg.throughput.selection import Period, Selection, read_week
from ketenzorg.throughput.small_groups import Share
from services import REGION
from throughput import by_hand
from throughput.by_hand import Case, Round, days_between, hidden, kaplan_meier
from throughput.counting import all_counted
from throughput.regions import region, write

CATALOGUE = load(Settings.from_environ({}).pathways)
PATHWAY = CATALOGUE.current("welzijn-op-recept")
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
    assert found.widened == ""
    assert found.behind == 0
    cases, period = chosen(selection), selection.period
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
        waits = [clock for _, clock in mine if clock.met is None and clock.stopped is None]
        assert figures.late_now == hidden(sum(clock.due < NOW for clock in waits)), figures.norm
        began = [clock for _, clock in mine if inside(clock.began, period)]
        trajecten = first_runs([(number, clock.began) for number, clock in mine], period)
        lengths = [
            (days_between(clock.began, clock.met or clock.stopped or NOW), clock.met is not None)
            for clock in began
        ]
        assert figures.access == waiting(lengths, trajecten), figures.norm
        in_time = sum(clock.met is not None and clock.met <= clock.due for clock in began)
        too_late = sum((clock.met or clock.stopped or NOW) > clock.due for clock in began)
        assert figures.within == percent(in_time, in_time + too_late, trajecten), figures.norm
    assert any(each.access.n is not None and each.access.p90 is None for each in found.norms), (
        "none not reached"
    )


async def test_late_is_what_the_engine_says_is_late(throughput: Throughput, database: Database) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    found = await throughput.measures(SELECTIONS["everything"], NOW)
    late = 0
    for log in LOGS:
        due = engine.due(PATHWAY, replay(PATHWAY, log))
        late += bool(due) and due[0].at < NOW
    assert found.totals.late_now == hidden(late)


async def test_places_and_teams_are_the_same_figures_of_a_smaller_choice(
    throughput: Throughput, database: Database
) -> None:
    await write(database, [(uuid7(), log) for log in LOGS])
    await all_counted(throughput.rollup)
    whole = await throughput.measures(SELECTIONS["everything"], NOW)
    alone = await throughput.measures(SELECTIONS["a municipality"], NOW)
    there = next(place for place in whole.municipalities if place.id == SMALL)
    assert alone.municipalities == [there]
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
