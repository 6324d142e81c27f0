"""How long it takes when some are still waiting: the product-limit estimate of Kaplan and Meier.

https://doi.org/10.1080/01621459.1958.10501452. Leaving the open ones out would make the longest waits invisible.
"""

from collections.abc import Sequence
from itertools import zip_longest

ROUNDING = 1e-9  # a share of exactly 0.8 must not be missed by the last bit of a product


def percentiles(ended: Sequence[int], censored: Sequence[int], shares: Sequence[float]) -> list[int | None]:
    """For each share (rising) the first day by which at least so many have ended.

    `ended` and `censored` say how many after 0, 1, 2 days; who is censored on a day was at risk that day. None: not
    reached in the time that anybody was followed.
    """
    at_risk = sum(ended) + sum(censored)
    still_waiting = 1.0
    found: list[int | None] = []
    for day, (out, lost) in enumerate(zip_longest(ended, censored, fillvalue=0)):
        if out:
            still_waiting *= 1 - out / at_risk
            while len(found) < len(shares) and 1 - still_waiting >= shares[len(found)] - ROUNDING:
                found.append(day)
            if len(found) == len(shares):
                break
        at_risk -= out + lost
    return found + [None] * (len(shares) - len(found))
