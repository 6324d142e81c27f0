"""Measurements over time: which one counts, and what is named instead of used."""

from datetime import UTC, datetime

import pytest

from ketenzorg.pathway.calendar import parse
from ketenzorg.pathway.series import Series, moment, newest, of_one_formula, series
from measurements import NOW, measured, run


def codes(given: Series) -> list[str]:
    return [issue.code for issue in given.problems]


def test_measurements_are_sorted_by_time_and_one_that_comes_twice_counts_once() -> None:
    found = run(("2026-02-01", "70"), ("2025-02-01", "80"), ("2026-02-01", "70"))
    assert [str(point.value) for point in found.points] == ["80", "70"]
    assert found.problems == ()


def test_the_newest_of_those_that_are_young_enough() -> None:
    found = newest(run(("2025-02-01", "80"), ("2026-02-01", "70")), NOW, parse("3 maanden"))
    assert found.found == measured("2026-02-01", "70")


@pytest.mark.parametrize(
    ("at", "used"),
    [
        ("2025-12-02", True),  # three months ago to the day
        ("2025-12-01", False),
        ("2025-12-02T00:00:00+01:00", True),
        ("2025-12-01T23:59:59+01:00", False),
        ("2025-12", False),  # perhaps the 1st
        ("2026-01", True),
    ],
)
def test_too_old_is_named_and_not_used(at: str, used: bool) -> None:
    found = newest(run((at, "70")), NOW, parse("3 maanden"))
    assert (found.found is not None) is used
    assert [issue.code for issue in found.problems] == ([] if used else ["expired"])
    assert all("hoogstens 3 maanden" in each.nl and "at most 3 months" in each.en for each in found.problems)


def test_two_values_of_one_moment_are_named_and_neither_is_used() -> None:
    found = newest(run(("2026-02-01", "70", "", "a"), ("2026-02-01", "72", "", "b")), NOW)
    assert found.found is None
    assert [issue.expression for issue in found.problems] == [("a", "b")]


def test_two_values_of_an_earlier_moment_are_named_and_the_newest_is_used() -> None:
    found = newest(run(("2026-01-01", "70"), ("2026-01-01", "72"), ("2026-02-01", "71")), NOW)
    assert found.found == measured("2026-02-01", "71")
    assert [issue.code for issue in found.problems] == ["conflict"]


def test_a_vague_date_that_may_be_the_newest_takes_the_certainty_away() -> None:
    assert newest(run(("2026-02", "70"), ("2026-02-10", "60")), NOW).found is None
    assert newest(run(("2026-01", "70"), ("2026-02-10", "60")), NOW).found == measured("2026-02-10", "60")
    assert newest(run(("2026", "60"), ("2026-02-10", "60")), NOW).found is not None  # the same either way


def test_a_clash_with_an_earlier_measurement_than_the_one_before_is_found_too() -> None:
    found = run(("2026-02-01", "80"), ("2026-02-05", "90"), ("2026-02", "90"))
    assert codes(found) == ["conflict"]


def test_the_future_and_an_egfr_without_formula_are_left_out_and_named() -> None:
    found = series(
        [measured("2026-03-03", "70"), measured("2026-02-01", "71", ""), measured("2026-01-01", "72")],
        NOW,
        with_formula=True,
    )
    assert [point.value for point in found.points] == [72]
    assert sorted(codes(found)) == ["incomplete", "value"]
    assert {issue.expression for issue in found.problems} == {("op 2026-03-03",), ("op 2026-02-01",)}


def test_a_day_is_that_of_amsterdam() -> None:
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # the 3rd in Amsterdam
    assert series([measured("2026-03-03", "70")], late).problems == ()
    assert moment("2026-03-29").first == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert moment("2026-03-29").last == datetime(2026, 3, 29, 21, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-13", "2026-02-30", "2026-03-01T10:00:00", "0000", "gisteren", ""])
def test_a_time_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment(text)


def test_only_the_formula_of_the_newest_stays() -> None:
    mixed = run(("2024-01-01", "70", "CKD-EPI 2021"), ("2025-01-01", "60"), ("2026-01-01", "58"))
    found, fell_away = of_one_formula(mixed)
    assert fell_away
    assert [point.value for point in found.points] == [60, 58]
    assert codes(found) == ["conflict"]
    assert of_one_formula(run(("2025-01-01", "60"))) == (run(("2025-01-01", "60")), False)
