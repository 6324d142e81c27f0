"""How much one client may ask, so that nobody can use up what is there for all.

Counted in the memory of one process: with several processes a client may do so much at each. Two counts: how fast
(the generic cell rate algorithm: one number a key) and how much at one moment, which is what slow requests take.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ketenzorg.errors import Issue, TooMany
from ketenzorg.metrics import LIMITED
from ketenzorg.settings import Settings

BURST_S = 5.0  # after a silence so many seconds' worth may come at once
MOST = 10_000  # keys that are kept; who was not heard of longest is forgotten first
ONE_HOUSE = 64  # bits of an IPv6 address that one customer gets


@dataclass(slots=True)
class _Use:
    spent: float = 0.0  # until this moment the rate is used up
    under_way: int = 0


class Limiter:
    """Counts for each key by itself."""

    def __init__(self, per_second: int, at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cost = 1 / per_second
        self._at_once = at_once
        self._clock = clock
        self._uses: OrderedDict[str, _Use] = OrderedDict()

    @contextmanager
    def share(self, key: str) -> Iterator[None]:
        """Do one request of this key. Raises TooMany, with when to come back."""
        use = self._use(key)
        now = self._clock()
        if use.under_way >= self._at_once:
            LIMITED.labels("at once").inc()
            raise _too_many(1)
        if use.spent > now + BURST_S:
            LIMITED.labels("rate").inc()
            raise _too_many(math.ceil(use.spent - now - BURST_S))
        use.spent = max(use.spent, now) + self._cost
        use.under_way += 1
        try:
            yield
        finally:
            use.under_way -= 1

    def _use(self, key: str) -> _Use:
        use = self._uses.get(key)
        if use is None:
            use = self._uses[key] = _Use()
            if len(self._uses) > MOST:
                self._uses.popitem(last=False)
        else:
            self._uses.move_to_end(key)
        return use


class Limits:
    """Clients, people who have signed in, and addresses of which nobody is known yet, each with its own measure."""

    def __init__(self, settings: Settings) -> None:
        self.clients = Limiter(settings.client_rate, settings.at_once)
        self.people = Limiter(settings.person_rate, settings.at_once)
        self.addresses = Limiter(settings.address_rate, settings.at_once)
        self.tokens = Limiter(
            settings.address_rate, settings.at_once
        )  # so that nothing else keeps a client from one


def house_of(address: str) -> str:
    """What is counted as one address: of IPv6 a customer has more than anybody could keep."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address  # a socket without addresses
    if parsed.version == 4:  # noqa: PLR2004
        return address
    return str(ipaddress.ip_network((parsed, ONE_HOUSE), strict=False))


def _too_many(seconds: int) -> TooMany:
    return TooMany(
        Issue(
            nl=f"U vraagt meer dan uw deel. Stuur hetzelfde verzoek over {seconds} s nog eens.",
            en=f"You ask more than your share. Send the same request again in {seconds} s.",
        ),
        headers={"Retry-After": str(seconds)},
    )
