"""How long it takes when some are still waiting: the product-limit estimate of Kaplan and Meier.

https://doi.org/10.1080/01621459.1958.10501452. Leaving the open ones out would make the longest waits invisible.
"""

from collections.abc import Sequence
from itertools import chain, repeat

ROUNDING = 1e-9  # a share of exactly 0.8 must not be missed by the last bit of a product


UNSURE = 0.05  # so much may still go either way before a share is called unknown


def share_in_time(in_time: Sequence[int], lost: Sequence[int], late: int) -> float | None:
    """What part is in time when everybody has been followed to the end of their time.

    `in_time` and `lost` (who stopped or still waits, with time left) say how many after 0, 1, 2 days; `late` is how
    many were past their time, whenever that was. With one length for all this is Kaplan-Meier at that length. None:
    nobody was followed that far.
    """
    at_risk = sum(in_time) + sum(lost) + late
    not_yet = 1.0
    for met, gone in zip(in_time, chain(lost, repeat(0)), strict=False):
        if met:
            not_yet *= 1 - met / at_risk
        at_risk -= met + gone
    return None if not late and not_yet > UNSURE else 1 - not_yet


def percentiles(ended: Sequence[int], censored: Sequence[int], shares: Sequence[float]) -> list[int | None]:
    """For each share (rising) the first day by which at least so many have ended.

    `ended` and `censored` say how many after 0, 1, 2 days; who is censored on a day was at risk that day. None: not
    reached in the time that anybody was followed.
    """
    at_risk = sum(ended) + sum(censored)
    still_waiting = 1.0
    found: list[int | None] = []
    left = [1 - share + ROUNDING for share in shares]  # of those who wait, when so many have ended
    # After the last one that ended nothing changes any more.
    for day, (out, lost) in enumerate(zip(ended, chain(censored, repeat(0)), strict=False)):
        if out:
            still_waiting *= 1 - out / at_risk
            while still_waiting <= left[len(found)]:
                found.append(day)
                if len(found) == len(left):
                    return found
        at_risk -= out + lost
    return found + [None] * (len(shares) - len(found))
