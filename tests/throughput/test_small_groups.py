"""No figure, and no difference of two figures, tells of fewer than ten trajecten: over every pair of filters."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content import CATALOGUE
from databases import Database
from ketenzorg.pathway.calendar import week_in_words
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Measures
from ketenzorg.throughput.measures import Throughput, teams_of
from ketenzorg.throughput.selection import Period, Selection, read_week, usual_period, widened
from ketenzorg.throughput.tables import TABLES, as_csv
from services import REGION
from throughput import by_hand
from throughput.counting import all_counted
from throughput.regions import PRACTICES, region, write

PATHWAY = CATALOGUE.current("welzijn-op-recept")
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
LOGS = region(PATHWAY, 11, 90, 30, until=NOW)
CASES = [*by_hand.cases(LOGS)]
PERIODS = [
    Period(read_week(first), read_week(last))  # type: ignore[arg-type]
    for first, last in (("2025-W20", "2026-W10"), ("2025-W20", "2026-W09"), ("2025-W40", "2026-W10"))
]
MUNICIPALITIES = [None, *REGION.municipalities]
ORGANISATIONS = [None, PRACTICES[0], *teams_of(REGION, PATHWAY)]
# What counts trajecten, in every part of the answer; percentages and days are told apart by their names.
COUNTS = {"n", "open_now", "late_now", "inflow", "outflow", "open_at_end"}


@pytest.fixture
async def throughput(database: Database) -> AsyncIterator[Throughput]:
    await write(database, [(uuid7(), log) for log in LOGS])
    pool = Pool(database.app_url)
    found = Throughput(pool, REGION, CATALOGUE)
    await all_counted(found.rollup)
    yield found
    await pool.close()


def numbers(node: Any, path: str = "") -> Iterator[tuple[str, int | None]]:
    """Every number of trajecten in an answer, with where it stands."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in COUNTS:
                yield f"{path}.{key}", value
            elif key not in ("definitions", "weeks_per_point", "behind"):
                yield from numbers(value, f"{path}.{key}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from numbers(value, f"{path}[{place}]")


def begun(selection: Selection) -> set[int]:
    """The trajecten that began in a selection, and count as its inflow."""
    return {
        number
        for number, case in enumerate(CASES)
        if selection.municipality in (None, case.received.municipality)
        and selection.organisation in (None, case.received.requester, case.received.owner)
        and any(
            selection.period.first <= by_hand.week(round_[0][0]) <= selection.period.last
            for round_ in case.rounds
        )
    }


def could_be(shown: int | None) -> range:
    """What a reader knows of a number that is shown like this."""
    return range(10) if shown is None else range(max(10, shown - 2), shown + 3)


async def test_no_difference_of_two_answers_points_at_few_people(throughput: Throughput) -> None:
    answers: dict[Selection, Measures] = {}
    for period, municipality, organisation in product(PERIODS, MUNICIPALITIES, ORGANISATIONS):
        asked = Selection(
            pathway=PATHWAY.name, period=period, municipality=municipality, organisation=organisation
        )
        if begun(asked):
            found = await throughput.measures(asked, NOW)
            answers[asked] = found
            for where, number in numbers(msgspec.to_builtins(found)):
                assert number is None or (number >= 10 and number % 5 == 0), (asked, where, number)
    small = 0
    for inner, outer in permutations(answers, 2):
        more = begun(outer) - begun(inner)
        if not (begun(inner) < begun(outer) and 0 < len(more) < 10):
            continue
        if answers[inner].widened or answers[outer].widened:
            assert answers[inner].used != inner or answers[outer].used != outer
            continue
        small += 1
        whole, part = answers[outer].totals.inflow, answers[inner].totals.inflow
        differences = {a - b for a in could_be(whole) for b in could_be(part) if a >= b}
        assert len(differences & set(range(10))) > 1, (inner, outer)
    assert small > 5  # there was something to find


async def test_a_hidden_municipality_does_not_follow_from_the_total(throughput: Throughput) -> None:
    found = await throughput.measures(Selection(pathway=PATHWAY.name, period=PERIODS[0]), NOW)
    places = [place.inflow for place in found.municipalities]
    hidden = places.count(None)
    assert 0 < hidden < len(places)
    assert found.totals.inflow is not None
    shown = [could_be(place) for place in places if place is not None]
    most = max(could_be(found.totals.inflow)) - sum(min(each) for each in shown)
    least = min(could_be(found.totals.inflow)) - sum(max(each) for each in shown)
    assert most - least >= 9


async def test_a_choice_that_is_too_small_becomes_larger_and_says_so(throughput: Throughput) -> None:
    smallest = min(
        REGION.municipalities, key=lambda code: sum(case.received.municipality == code for case in CASES)
    )
    last_week = Period(read_week("2026-W10"), read_week("2026-W10"))  # type: ignore[arg-type]
    asked = Selection(pathway=PATHWAY.name, period=last_week, municipality=smallest)
    found = await throughput.measures(asked, NOW)
    assert found.asked.from_week == "2026-W10"
    assert (found.used.municipality, found.used.to_week) == (None, "2026-W10")
    assert found.used.from_week < "2026-W10"
    assert "minder dan 10" in found.widened
    assert "de hele regio" in found.widened
    assert week_in_words(found.used.from_week) in found.widened
    assert [place.id for place in found.municipalities] == [*REGION.municipalities]


def test_the_period_grows_before_the_area_and_what_is_large_enough_stays() -> None:
    usual = usual_period(NOW.date())
    asked = Selection(pathway="p", period=Period(usual.last, usual.last), municipality="A")
    weeks = [Period(usual.last, usual.last)]
    for _ in range(3):
        weeks.append(weeks[-1].longer())
    few = {("A", week.first): 4 for week in weeks} | {("B", usual.last): 50}
    assert widened(asked, few | {("A", usual.last): 10}) == asked
    grown = widened(asked, few)
    # Four weeks would hold ten, and leave four trajecten that could be had by taking them from a longer period.
    assert (grown.municipality, grown.period.weeks, grown.period.last) == ("A", 8, usual.last)
    alone = widened(asked, {("A", usual.last): 4, ("B", usual.last): 6})
    assert (alone.municipality, alone.period) == (None, asked.period)
    # Nothing is large enough: what was asked for, with everything in it hidden.
    assert widened(asked, {("A", usual.last): 4, ("B", usual.last): 5}) == asked


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=12, max_size=40))
def test_whoever_asks_for_many_periods_finds_no_two_that_differ_by_a_few(weekly: list[int]) -> None:
    """The attack: a practice that refers one or two a week, and every period there is, to take one from another."""
    first = usual_period(NOW.date()).first
    weeks = [first + timedelta(weeks=number) for number in range(len(weekly))]
    few = {("A", week): n for week, n in zip(weeks, weekly, strict=True) if n}
    had = set()
    for begin, end in combinations_with_replacement(range(len(weeks)), 2):
        used = widened(Selection(pathway="p", period=Period(weeks[begin], weeks[end])), few)
        inside = frozenset(week for _, week in few if used.period.first <= week <= used.period.last)
        if sum(few["A", week] for week in inside) >= 10:  # else nothing is shown
            had.add(inside)
    assert had or sum(weekly) < 10
    for one, other in combinations(had, 2):
        assert sum(few["A", week] for week in one ^ other) >= 10


async def test_nobody_is_shown_when_all_there_is_is_too_few(database: Database) -> None:
    await write(database, [(uuid7(), log) for log in LOGS[:9]])
    pool = Pool(database.app_url)
    throughput = Throughput(pool, REGION, CATALOGUE)
    await all_counted(throughput.rollup)
    found = await throughput.measures(Selection(pathway=PATHWAY.name, period=PERIODS[0]), NOW)
    await pool.close()
    assert {number for _, number in numbers(msgspec.to_builtins(found))} == {None}
    assert all(norm.within.percent is None and norm.access.median is None for norm in found.norms)
    assert all(step.dwell.median is None and step.days_percent is None for step in found.steps)
    for table in TABLES:
        if table != "definitions":
            assert "%" not in as_csv(found, table).splitlines()[1]
    assert "nog niet bereikt" not in as_csv(found, "norms")
