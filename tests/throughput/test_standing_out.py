"""What stands out, in worlds made for it: nothing in a calm one, and each rule from both sides of its limit."""

import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from content import CATALOGUE
from databases import Database
from ketenzorg.store.database import Database as Pool
from ketenzorg.store.ids import uuid7
from ketenzorg.throughput.figures import Compared, Measures, NormAt, Point, Sentence, Waiting
from ketenzorg.throughput.measures import Throughput
from ketenzorg.throughput.selection import Selection, usual_period
from ketenzorg.throughput.small_groups import Share
from ketenzorg.throughput.standing_out import standing_out
from ketenzorg.throughput.tables import as_csv
from services import REGION
from throughput.counting import all_counted
from throughput.regions import TEAMS, Entry, Walker, write

PATHWAY = CATALOGUE.current("welzijn-op-recept")
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
BUSY, LATE = TEAMS[0], "GM1895"
PLACES = ["GM0014", "GM1966", "GM1979", LATE]
AUTUMN = datetime(2025, 12, 8, tzinfo=UTC)  # the last weeks of the year begin about here
CONTACT, MEETING, BACK, END = "eerste contact", "kennismaking gehouden", "terugkoppelen", "doorverwijzen"
Days = Callable[
    [datetime, UUID, str], tuple[int, int]
]  # of contact after the referral, of hearing back after meeting


def calm(_begin: datetime, _team: UUID, _place: str) -> tuple[int, int]:
    return 6, 3


def overloaded(begin: datetime, team: UUID, _place: str) -> tuple[int, int]:
    return (80 if team == BUSY and begin > AUTUMN else 6), 3


def always_slow(_begin: datetime, team: UUID, _place: str) -> tuple[int, int]:
    return (40 if team == BUSY else 6), 3


def late_back(_begin: datetime, _team: UUID, place: str) -> tuple[int, int]:
    return 6, (30 if place == LATE else 3)


def improved(begin: datetime, _team: UUID, _place: str) -> tuple[int, int]:
    return (6 if begin > AUTUMN else 20), 3


def world(days: Days) -> list[list[Entry]]:
    """Two referrals a day for a year, spread evenly over teams and places; each goes the same way."""
    chance = random.Random(4)
    walker = Walker(PATHWAY, chance)
    logs = []
    for number in range(2 * 365):
        begin = NOW - timedelta(days=365 - number / 2)
        team, place = TEAMS[number % len(TEAMS)], PLACES[number // len(TEAMS) % len(PLACES)]
        received = msgspec.structs.replace(walker.received(begin), owner=team, municipality=place)
        contact, back = days(begin, team, place)
        # Not everybody on the same day: one in ten is late everywhere.
        contact += 12 * (number % 10 == 0)
        meant = [
            ("aannemen", 1),
            (CONTACT, contact),
            (MEETING, contact + 5),
            (BACK, contact + 5 + back),
            (END, contact + 60),
        ]
        happened = [(event, begin + timedelta(days=after)) for event, after in meant]
        logs.append(walker.follow(received, happened, NOW))
    return logs


@pytest.fixture
async def throughput(database: Database) -> AsyncIterator[Throughput]:
    pool = Pool(database.app_url)
    yield Throughput(pool, REGION, CATALOGUE)
    await pool.close()


async def lived(throughput: Throughput, database: Database, days: Days) -> Measures:
    await write(database, [(uuid7(), log) for log in world(days)])
    await all_counted(throughput.rollup)
    return await throughput.measures(Selection(pathway=PATHWAY.name, period=usual_period(NOW.date())), NOW)


def name_of(team: UUID) -> str:
    return next(each.name for each in REGION.organisations if each.id == team)


async def test_where_all_is_as_everywhere_and_as_always_nothing_stands_out(
    throughput: Throughput, database: Database
) -> None:
    found = await lived(throughput, database, calm)
    assert found.standing_out == []
    assert "Niets valt op" in as_csv(found, "standing_out")


async def test_a_team_that_cannot_keep_up_is_named_first_with_its_figures(
    throughput: Throughput, database: Database
) -> None:
    found = await lived(throughput, database, overloaded)
    first = found.standing_out[0]
    assert (first.kind, first.place, first.filter, first.filter_value) == (
        "overbelast", name_of(BUSY), "organisation", str(BUSY)
    )  # fmt: skip
    at = next(team for team in found.teams if team.id == str(BUSY)).compared[0]
    assert (
        f"bij {at.recent.within.percent}% binnen 2 weken, daarvoor bij {at.earlier.within.percent}%"
        in first.text
    )
    assert f"Bij de andere teams is dat {at.others.within.percent}%" in first.text
    assert f"Nu wachten daar {at.late_now} mensen langer dan 2 weken" in first.text
    assert not [each for each in found.standing_out if each.kind in ("langer wachten", "terugkoppeling")]


async def test_a_team_that_was_always_slow_waits_longer_but_is_not_overloaded(
    throughput: Throughput, database: Database
) -> None:
    found = await lived(throughput, database, always_slow)
    assert [(each.kind, each.place) for each in found.standing_out] == [("langer wachten", name_of(BUSY))]


async def test_a_municipality_that_hears_late_is_named(throughput: Throughput, database: Database) -> None:
    found = await lived(throughput, database, late_back)
    assert [(each.kind, each.filter_value) for each in found.standing_out] == [("terugkoppeling", LATE)]
    assert "krijgt laat terugkoppeling" in found.standing_out[0].text


async def test_what_got_better_is_told(throughput: Throughput, database: Database) -> None:
    found = await lived(throughput, database, improved)
    assert [(each.kind, each.filter) for each in found.standing_out] == [("beter", "")]
    assert "binnen 2 weken, daarvoor bij 0%" in found.standing_out[0].text


# From both sides of each limit: a calm world of figures, in which one place is changed.
FINE = NormAt(CONTACT, Waiting(100, 6, 7, 18), Share(100, 90))


def norm_at(percent: int | None, n: int | None = 100, median: int | None = 6) -> NormAt:
    return NormAt(CONTACT, Waiting(n, median), Share(n, percent))


def compared(here: NormAt, earlier: NormAt, recent: NormAt, late: int | None = 10) -> Compared:
    return Compared(CONTACT, here, FINE, recent, earlier, 50, late)


@pytest.fixture
async def figures(throughput: Throughput, database: Database) -> Callable[..., list[Sentence]]:
    """The sentences of a calm region in which one team or municipality is as given."""
    found = await lived(throughput, database, calm)

    def changed(
        *,
        at: Compared | None = None,
        feedback: tuple[Share, Share] | None = None,
        whole: tuple[int, int] | None = None,
        still_open: tuple[int | None, int | None] | None = None,
    ) -> list[Sentence]:
        team, place = found.teams[0], found.municipalities[0]
        if at is not None:
            back = msgspec.structs.replace(team.compared[1], norm=found.feedback_norm)
            team = msgspec.structs.replace(team, compared=[at, back])
        if feedback is not None:
            place = msgspec.structs.replace(place, feedback=feedback[0], feedback_of_others=feedback[1])
        seen = msgspec.structs.replace(
            found, teams=[team, *found.teams[1:]], municipalities=[place, *found.municipalities[1:]]
        )
        if whole is not None:
            earlier, recent = map(norm_at, whole)
            seen = msgspec.structs.replace(seen, compared=[compared(recent, earlier, recent)])
        if still_open is not None:
            seen = msgspec.structs.replace(seen, trend=_trend(seen, *still_open))
        return standing_out(seen)

    return changed


def _trend(found: Measures, before: int | None, now: int | None) -> list[Point]:
    """A quarter of a year ago so many were open, and today so many; between and before that other numbers."""
    back = -(-found.recent_weeks // found.weeks_per_point)
    *early, _ = [msgspec.structs.replace(point, open_at_end=10) for point in found.trend]
    then = len(found.trend) - 1 - back
    early[then] = msgspec.structs.replace(early[then], open_at_end=before, to_week="2025-W49")
    return [*early, msgspec.structs.replace(found.trend[-1], open_at_end=now)]


async def test_each_limit_from_both_sides(figures: Callable[..., list[Sentence]]) -> None:
    def kinds(**changes: object) -> list[str]:
        return [each.kind for each in figures(**changes)]

    worse, before, lately = norm_at(75), norm_at(85), norm_at(75)
    assert kinds() == []
    assert kinds(at=compared(worse, before, lately)) == ["overbelast"]
    assert kinds(at=compared(worse, before, lately, late=None)) == ["langer wachten"]
    assert kinds(at=compared(worse, before, norm_at(76))) == ["langer wachten"]
    assert kinds(at=compared(norm_at(76), before, lately)) == []
    assert kinds(at=compared(norm_at(75, n=15), before, lately)) == []
    assert kinds(at=compared(norm_at(None, n=None), norm_at(None, None), norm_at(None, None))) == []
    assert kinds(at=compared(norm_at(80), norm_at(70), norm_at(80))) == ["beter"]
    assert kinds(at=compared(norm_at(80), norm_at(71), norm_at(80))) == []
    # Its median is not reached, so there is no number of days to compare; it is named by its part in time.
    (named,) = figures(at=compared(norm_at(40, median=None), norm_at(45), norm_at(40)))
    assert "mediaan: nog niet bereikt" in named.text
    assert kinds(feedback=(Share(20, 60), Share(100, 75))) == ["terugkoppeling"]
    assert kinds(feedback=(Share(20, 61), Share(100, 75))) == []
    assert kinds(feedback=(Share(15, 10), Share(100, 75))) == []
    assert kinds(feedback=(Share(None, None), Share(100, 75))) == []


async def test_all_of_it_got_worse_is_told_when_no_place_explains_it(
    figures: Callable[..., list[Sentence]],
) -> None:
    (told,) = figures(whole=(80, 70))
    assert (told.kind, told.place, told.filter, told.anchor) == ("slechter", "Alles samen", "", "wachttijd")
    assert told.text == (
        "gaat slechter dan eerst. ‘Eerste contact’ lukte de laatste 13 weken bij 70% binnen 2 weken, daarvoor bij 80%."
    )
    assert figures(whole=(80, 71)) == []
    slow = compared(norm_at(75), norm_at(75), norm_at(75))
    assert [each.kind for each in figures(whole=(80, 70), at=slow)] == ["langer wachten"]


async def test_more_trajecten_than_a_quarter_ago_is_growth(figures: Callable[..., list[Sentence]]) -> None:
    (told,) = figures(still_open=(80, 100))
    assert (told.kind, told.place, told.anchor) == ("groei", "Het aantal lopende trajecten", "verloop")
    assert (
        told.text == "groeit. Er lopen nu 100 trajecten; aan het eind van week 49 van 2025 waren dat er 80."
    )
    assert figures(still_open=(81, 101)) == []  # not a quarter more
    assert figures(still_open=(40, 59)) == []  # not twenty more
    assert [each.kind for each in figures(still_open=(40, 60))] == ["groei"]
    assert figures(still_open=(None, 100)) == []  # too few to show: nothing to compare with
    assert figures(still_open=(80, None)) == []
