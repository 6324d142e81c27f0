"""When what did not arrive is sent again, when that ends, and when a receiver is left alone for a while."""

from datetime import timedelta

FIRST_S = 1.0
LONGEST_S = 3600.0
JITTER = 0.2  # of each wait, up and down: receivers that come back do not get everything at one moment
PARKED_AFTER = timedelta(hours=72)  # over a weekend that a receiver is down
TRIP = 5  # failures one after the other: it is the receiver, not the message
LONGEST_REST_S = 60.0  # then one message finds out whether it is back
HANDSHAKES = 5  # in half a minute: who asked for it is looking


def retry_s(attempts: int, asked_s: float, chance: float) -> float:
    """Seconds until the next try of a message after so many. `chance`: 0 to 1; `asked_s`: what Retry-After says.

    A receiver that asks for more than the longest wait gets that: otherwise nobody would hear that it did not arrive.
    """
    return max(_jittered(_wait(attempts), chance), min(asked_s, LONGEST_S))


def rest_s(failures: int, asked_s: float, chance: float) -> float:
    """Seconds that a receiver is left alone after so many failures one after the other; 0: it is not."""
    own = _jittered(min(_wait(failures - TRIP + 1), LONGEST_REST_S), chance) if failures >= TRIP else 0.0
    return max(own, min(asked_s, LONGEST_S))


def _wait(attempts: int) -> float:
    return min(FIRST_S * 2.0 ** min(attempts - 1, 32), LONGEST_S)


def _jittered(seconds: float, chance: float) -> float:
    return seconds * (1 - JITTER + 2 * JITTER * chance)
