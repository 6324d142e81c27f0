"""How long it takes when some are still waiting: the product-limit estimate of Kaplan and Meier.

https://doi.org/10.1080/01621459.1958.10501452. Leaving the open ones out would make the longest waits invisible.
"""

from collections.abc import Mapping

ROUNDING = 1e-9  # a share of exactly 0.8 must not be missed by the last bit of a product


def percentile(ended: Mapping[int, int], censored: Mapping[int, int], share: float) -> int | None:
    """The first day by which at least this share has ended; None: not reached by anybody who was followed so long.

    `ended` and `censored` give how many after so many days. Who is censored on a day was still at risk that day.
    """
    at_risk = sum(ended.values()) + sum(censored.values())
    still_waiting = 1.0
    for day in sorted({*ended, *censored}):
        if ended.get(day):
            still_waiting *= 1 - ended[day] / at_risk
            if 1 - still_waiting >= share - ROUNDING:
                return day
        at_risk -= ended.get(day, 0) + censored.get(day, 0)
    return None
