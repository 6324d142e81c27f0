"""Kaplan-Meier against a table that was computed by hand and is in every textbook."""

import pytest

from ketenzorg.throughput.survival import percentiles


def days(*counts: tuple[int, int]) -> list[int]:
    found = [0] * (1 + max(day for day, _ in counts))
    for day, n in counts:
        found[day] = n
    return found


# Freireich 1963, 6-MP in leukaemia: 21 patients, 9 of them followed to a relapse.
# S: 6 .857, 7 .807, 10 .753, 13 .690, 16 .627, 22 .538, 23 .448
RELAPSED = days((6, 3), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1))
FOLLOWED = days(
    (6, 1), (9, 1), (10, 1), (11, 1), (17, 1), (19, 1), (20, 1), (25, 1), (32, 2), (34, 1), (35, 1)
)


@pytest.mark.parametrize(
    ("share", "day"),
    [(0.14, 6), (0.143, 7), (0.24, 10), (0.25, 13), (0.37, 16), (0.46, 22), (0.5, 23), (0.56, None)],
)
def test_as_in_the_table(share: float, day: int | None) -> None:
    assert percentiles(RELAPSED, FOLLOWED, [share]) == [day]


def test_without_anybody_who_waits_it_is_the_plain_percentile() -> None:
    assert percentiles([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [], [0.5, 0.8, 0.9]) == [5, 8, 9]


def test_who_still_waits_pushes_a_percentile_away_and_not_reached_is_no_number() -> None:
    assert percentiles([0, 10], [], [0.5, 0.8]) == [1, 1]
    assert percentiles([0, 10], [0, 0, 8], [0.5, 0.8]) == [1, None]
    assert percentiles([], [0, 0, 8], [0.5]) == [None]
    assert percentiles([], [], [0.5]) == [None]
