"""Due moments on the calendar of Amsterdam."""

from datetime import UTC, date, datetime

import pytest

from ketenzorg.pathway.calendar import AMSTERDAM, due, is_working_day, parse


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


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
    "text", ["2 weeks", "0 dagen", "2weken", "-1 dagen", "twee weken", "1.5 dagen", "99999 dagen"]
)
def test_another_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


def test_a_sunday_and_a_holiday_are_no_working_days() -> None:
    days = [date(2026, 3, 8), date(2026, 5, 14), date(2026, 3, 9)]
    assert [is_working_day(day) for day in days] == [False, False, True]
