"""What the demo makes up: the same at every start, nobody real, and the two troubles that a chain team must find."""

from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from random import Random

from content import CATALOGUE
from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.cli.demo.command import PERIOD, PLAYS
from ketenzorg.cli.demo.courses import Act, Course, Manner, Silence, Strain
from ketenzorg.cli.demo.referrals import make_cases
from ketenzorg.pathway.calendar import AMSTERDAM
from services import REGION

CASES = make_cases(REGION, CATALOGUE, PLAYS, PERIOD, 60)


def test_the_referrals_are_the_same_at_every_start() -> None:
    again = make_cases(REGION, CATALOGUE, PLAYS, PERIOD, len(CASES))

    assert again == CASES
    assert {case.practice.municipality for case in CASES} == set(REGION.municipalities)
    assert PERIOD.begins <= CASES[0].at < CASES[-1].at <= PERIOD.today


def test_a_year_and_a_half_has_more_referrals_than_there_are_numbers() -> None:
    cases = make_cases(REGION, CATALOGUE, PLAYS, PERIOD, 1500)
    people = Counter(case.person for case in cases)
    numbers = [person.bsn for person in people if person.bsn]

    assert len(set(numbers)) == len(numbers) <= 907  # nobody has somebody else's
    assert all(number.startswith("99999") and is_bsn(number) for number in numbers)
    assert sum(times > 1 for times in people.values()) > 100  # some come again, with another question
    for person, times in people.items():
        if times > 1:
            questions = [case.question.icpc for case in cases if case.person == person]
            assert all(one != next_ for one, next_ in pairwise(questions))


def acts_of(manner: Manner, at: datetime, seed: int) -> list[Act]:
    """One referral's whole way with a team that works in this manner."""
    case = CASES[0]._replace(at=at)
    course = Course(case, "welzijnscoach", manner, PLAYS[0].feedback, Random(seed))
    PLAYS[0].whole_way(course)
    return course.all_acts()


def first_contact(manner: Manner, at: datetime) -> float:
    """Days until the first contact, on average."""
    waits = [
        (act.at - at).days
        for seed in range(40)
        for act in acts_of(manner, at, seed)
        if act.event == "eerste contact"
    ]
    return sum(waits) / len(waits)


def test_a_team_under_strain_is_slower_every_month_and_only_since_then() -> None:
    tired = Manner(strain=Strain(since=date(2026, 3, 2), each_month=6, most=38, slower=1.3))
    before, soon, late = (datetime(2026, month, 11, 10, tzinfo=AMSTERDAM) for month in (2, 5, 9))

    assert first_contact(tired, before) < 14
    assert first_contact(Manner(), late) < 14 < first_contact(tired, soon) < first_contact(tired, late) - 14


def test_where_nobody_tells_the_practice_word_comes_late_or_never() -> None:
    silent = Manner(silence=Silence(never=0.45, omits=0.75, later=(10, 30), closing=frozenset({"afronden"})))
    at = datetime(2025, 9, 1, 10, tzinfo=AMSTERDAM)
    told = [{act.event for act in acts_of(silent, at, seed)} for seed in range(40)]

    assert 10 < sum("terugkoppelen" in events for events in told) < 35
    assert 10 < sum("afronden" in events for events in told) < 35
    assert all("nazorg na 6 maanden" in events for events in told)
    usual = [{act.event for act in acts_of(Manner(), at, seed)} for seed in range(40)]
    assert all({"terugkoppelen", "afronden"} <= events for events in usual)
