"""When a message that did not arrive is sent again, and when that ends."""

FIRST_S = 1.0
LONGEST_S = 3600.0
IN_ALL_S = 72 * 3600.0  # over a weekend that a receiver is down
JITTER = 0.2  # of each wait, up and down: receivers that come back do not get everything at one moment


def retry_s(attempts: int, asked_s: float, chance: float) -> float:
    """Seconds to wait after so many attempts. `chance`: 0 to 1; `asked_s`: what the receiver's Retry-After says.

    A receiver that asks for more than the longest wait gets that: otherwise the end would not be after 72 hours.
    """
    own = _wait(attempts) * (1 - JITTER + 2 * JITTER * chance)
    return max(own, min(asked_s, LONGEST_S))


def _wait(attempts: int) -> float:
    return min(FIRST_S * 2.0 ** min(attempts - 1, 32), LONGEST_S)


def _attempts() -> int:
    attempts, waited = 1, 0.0
    while waited < IN_ALL_S:
        waited += _wait(attempts)
        attempts += 1
    return attempts


ATTEMPTS = _attempts()  # after the last one a message is parked
