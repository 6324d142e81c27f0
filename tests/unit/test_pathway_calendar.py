"""Due moments on the calendar of Amsterdam."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketenzorg.pathway.calendar import (
    AMSTERDAM,
    Amount,
    Stop,
    before,
    due,
    due_with_stops,
    elapsed,
    in_words,
    is_working_day,
    parse,
    working_days,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("length", "nl", "en"),
    [
        ("1 week", "1 week", "1 week"),
        ("5 werkdagen", "5 werkdagen", "5 working days"),
        ("12 maanden", "12 maanden", "12 months"),
        ("5 jaar", "5 jaar", "5 years"),
    ],
)
def test_a_length_in_both_languages(length: str, nl: str, en: str) -> None:
    assert in_words(parse(length)) == (nl, en)


def stopped(times: list[tuple[str, str | None]]) -> list[Stop]:
    return [Stop(at(since), at(until) if until else None) for since, until in times]


@pytest.mark.parametrize(
    ("start", "amount", "last"),
    [
        ("2026-03-02T10:00", "5 werkdagen", "2026-03-09T23:59:59"),  # over a weekend
        ("2026-03-06T10:00", "1 werkdag", "2026-03-09T23:59:59"),  # from Friday to Monday
        ("2026-03-07T10:00", "1 werkdag", "2026-03-09T23:59:59"),  # from Saturday to Monday
        ("2026-04-02T10:00", "1 werkdag", "2026-04-07T23:59:59"),  # over Good Friday and Easter Monday
        ("2026-04-24T10:00", "1 werkdag", "2026-04-28T23:59:59"),  # over King's Day
        ("2025-05-02T10:00", "1 werkdag", "2025-05-06T23:59:59"),  # 5 May is a day off in 2025
        ("2026-05-04T10:00", "1 werkdag", "2026-05-05T23:59:59"),  # and a working day in 2026
        ("2026-12-24T10:00", "2 werkdagen", "2026-12-29T23:59:59"),  # over Christmas and a weekend
        ("2026-03-02T23:30", "2 weken", "2026-03-16T23:59:59"),
        ("2026-03-02T00:00", "14 dagen", "2026-03-16T23:59:59"),
        ("2026-03-28T10:00", "1 dag", "2026-03-29T23:59:59"),  # the short night: summer time
        ("2026-10-24T10:00", "1 dag", "2026-10-25T23:59:59"),  # the long night
        ("2026-01-31T10:00", "1 maand", "2026-02-28T23:59:59"),
        ("2026-11-30T10:00", "3 maanden", "2027-02-28T23:59:59"),
    ],
)
def test_days_end_at_the_end_of_the_day_in_amsterdam(start: str, amount: str, last: str) -> None:
    assert due(at(start), parse(amount)) == at(last)


def test_the_day_is_that_of_amsterdam_not_of_utc() -> None:
    late_on_monday_in_utc = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # Tuesday in Amsterdam
    assert due(late_on_monday_in_utc, parse("1 dag")) == at("2026-03-04T23:59:59")


def test_hours_are_real_hours_also_in_the_night_of_the_clock_change() -> None:
    assert due(at("2026-03-28T12:00"), parse("24 uur")) == at("2026-03-29T13:00")


def test_the_answer_is_in_utc() -> None:
    assert due(at("2026-03-02T10:00"), parse("1 dag")).tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        due(datetime(2026, 3, 2), parse("1 dag"))


@pytest.mark.parametrize(
    "text", ["2 weeks", "0 dagen", "2weken", "-1 dagen", "twee weken", "1.5 dagen", "99999 dagen", "100 jaar"]
)
def test_another_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


def test_a_sunday_and_a_holiday_are_no_working_days() -> None:
    days = [date(2026, 3, 8), date(2026, 5, 14), date(2026, 3, 9)]
    assert [is_working_day(day) for day in days] == [False, False, True]


@pytest.mark.parametrize(
    ("now", "max_age", "first"),
    [
        ("2026-05-31T10:00", "3 maanden", "2026-02-28T00:00"),
        ("2026-03-02T10:00", "5 jaar", "2021-03-02T00:00"),
        ("2024-02-29T10:00", "1 jaar", "2023-02-28T00:00"),
        ("2026-03-30T10:00", "2 dagen", "2026-03-28T00:00"),  # over the short night
        ("2026-03-29T13:00", "24 uur", "2026-03-28T12:00"),
        ("2026-10-25T12:00", "24 uur", "2026-10-24T13:00"),  # over the long night
        ("2026-03-09T10:00", "1 werkdag", "2026-03-06T00:00"),
    ],
)
def test_how_far_back_an_age_reaches(now: str, max_age: str, first: str) -> None:
    assert before(at(now), parse(max_age)) == at(first)


def test_hours_are_real_hours_also_in_the_long_night() -> None:
    assert due(at("2026-10-24T12:00"), parse("24 uur")) == at("2026-10-25T11:00")


@pytest.mark.parametrize(
    ("amount", "stops", "last"),
    [
        ("2 dagen", [], "2026-03-04T23:59:59"),
        ("2 dagen", [("2026-03-03T09:00", "2026-03-03T17:00")], "2026-03-04T23:59:59"),  # within a day
        ("2 dagen", [("2026-03-03T17:00", "2026-03-04T09:00")], "2026-03-05T23:59:59"),  # one midnight
        ("2 werkdagen", [("2026-03-03T17:00", "2026-03-09T09:00")], "2026-03-10T23:59:59"),  # 4, 5, 6, 9
        ("2 werkdagen", [("2026-03-03T17:00", "2026-03-03T18:00")], "2026-03-04T23:59:59"),
        ("1 maand", [("2026-03-03T17:00", "2026-03-13T17:00")], "2026-04-12T23:59:59"),
        ("24 uur", [("2026-03-02T11:00", "2026-03-02T12:30")], "2026-03-03T11:30"),
        ("24 uur", [("2026-03-02T08:00", "2026-03-02T11:00")], "2026-03-03T11:00"),  # from the start on
        ("24 uur", [("2026-03-02T11:00", "2026-03-02T13:00"), ("2026-03-02T12:00", "2026-03-02T14:00")],
         "2026-03-03T13:00"),  # two that overlap stop the clock once
        ("24 uur", [("2026-03-03T11:00", "2026-03-04T11:00")], "2026-03-03T10:00"),  # too late to help
        # the second stop begins after the old last moment, and before the moved one
        ("24 uur", [("2026-03-02T11:00", "2026-03-02T13:00"), ("2026-03-03T11:00", "2026-03-03T15:00")],
         "2026-03-03T16:00"),
        ("2 dagen", [("2026-03-03T09:00", None)], None),
        ("2 dagen", [("2026-03-05T09:00", None)], "2026-03-04T23:59:59"),
        ("24 uur", [("2026-03-03T11:00", "2026-03-03T11:00")], "2026-03-03T10:00"),
    ],
)  # fmt: skip
def test_a_clock_that_stood_still_moves_the_last_moment(
    amount: str, stops: list[tuple[str, str | None]], last: str | None
) -> None:
    found = due_with_stops(at("2026-03-02T10:00"), parse(amount), stopped(stops))
    assert found == (at(last) if last else None)


@pytest.mark.parametrize(
    ("start", "until", "last"),
    [
        ("2026-03-28T12:00", "2026-03-29T12:00", "2026-03-30T12:00"),  # 24 hours after the stop
        ("2026-10-24T12:00", "2026-10-25T12:00", "2026-10-26T12:00"),  # and not an hour less or more
    ],
)
def test_a_stop_in_the_night_of_the_clock_change_takes_its_real_hours(
    start: str, until: str, last: str
) -> None:
    assert due_with_stops(at(start), parse("24 uur"), stopped([(start, until)])) == at(last)


def test_elapsed_time_is_real_time_without_the_stops() -> None:
    stops = stopped([("2026-03-28T20:00", "2026-03-29T08:00"), ("2026-03-29T20:00", None)])
    # 48 hours by the clock is 47; the first stop took 11, the last is still running
    assert elapsed(at("2026-03-28T12:00"), at("2026-03-30T12:00")) == timedelta(hours=47)
    assert elapsed(at("2026-03-28T12:00"), at("2026-03-30T12:00"), stops) == timedelta(hours=20)
    assert elapsed(at("2026-10-24T12:00"), at("2026-10-26T12:00")) == timedelta(hours=49)
    assert elapsed(at("2026-03-30T12:00"), at("2026-03-28T12:00")) == timedelta(0)


def test_working_days_between_two_moments() -> None:
    start, end = at("2026-04-02T10:00"), at("2026-04-09T10:00")  # over Easter
    assert working_days(start, end) == 3
    assert working_days(start, end, stopped([("2026-04-07T09:00", "2026-04-08T09:00")])) == 2
    assert working_days(start, end, stopped([("2026-04-07T09:00", None)])) == 1


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda m: m.replace(tzinfo=AMSTERDAM)
)
AMOUNTS = st.sampled_from(["24 uur", "1 dag", "5 werkdagen", "2 weken", "3 maanden"]).map(parse)


@given(
    MOMENTS,
    AMOUNTS,
    st.lists(st.tuples(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40))), max_size=4),
)
def test_a_stop_never_makes_the_last_moment_earlier(
    start: datetime, amount: Amount, times: list[tuple[datetime, timedelta]]
) -> None:
    stops = [Stop(since, (since.astimezone(UTC) + long)) for since, long in times]
    moved = due_with_stops(start, amount, stops)
    assert moved is not None
    assert moved >= due(start, amount)
    assert due_with_stops(start, amount, [*stops, *stops]) == moved
