"""The keys of a client: registered with it, or at its own address, from where they are kept no longer than it allows.

Anybody who knows the name of a client can make us look there. So one look at a time goes to an address, and the next
one begins no sooner than PAUSE_S after it, or UNKNOWN_PAUSE_S when all that is new is a key that we do not know.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from ketenzorg.access.outgoing import AddressRefused, Outgoing
from ketenzorg.access.public_keys import MOST_BYTES, PublicKey, usable_keys
from ketenzorg.store.clients import Client

FETCH_S = 5.0
PAUSE_S = 1.0
UNKNOWN_PAUSE_S = 30.0
KEPT_S = 300.0  # a set whose sender says nothing of caching
LONGEST_KEPT_S = 3600.0  # whatever the sender says: a key that it took out counts for nothing within the hour
MAX_AGE = re.compile(r"max-age=\"?([0-9]{1,9})\"?\Z")


class KeySetUnusable(Exception):
    """The key set at a client's address cannot be had, or is none; its text is a code word for our log."""


@dataclass
class _Kept:
    """What came from an address, and how long it counts."""

    keys: Sequence[PublicKey] = ()
    until: float = float("-inf")
    came: float = float("-inf")
    tried: float = float("-inf")
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """The keys of all clients, as one process has seen them."""

    def __init__(self, outgoing: Outgoing, *, clock: Callable[[], float]) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._kept: dict[str, _Kept] = {}  # by address: only those of registered clients get here

    async def find(self, client: Client, kid: str, kind: str) -> list[PublicKey]:
        """The keys of a client with this name and of this kind: one, or something is wrong. Raises KeySetUnusable."""
        if client.jwks_url is None:
            keys: Sequence[PublicKey] = usable_keys((client.jwks or "").encode())
        else:
            keys = await self._at(client.jwks_url, kid)
        return [key for key in keys if key.kid == kid and key.key_type == kind]

    async def _at(self, url: str, kid: str) -> Sequence[PublicKey]:
        kept = self._kept.setdefault(url, _Kept())
        asked = self._clock()
        async with kept.looking:
            now = self._clock()
            counts = now < kept.until or kept.came > asked  # what came after we asked is new, kept or not
            unknown = all(key.kid != kid for key in kept.keys)
            if counts and not (unknown and now >= kept.tried + UNKNOWN_PAUSE_S):
                return kept.keys
            if not counts and now < kept.tried + PAUSE_S:
                raise KeySetUnusable("too soon")
            await self._look(url, kept)  # one that fails leaves what we have as it is
            return kept.keys

    async def _look(self, url: str, kept: _Kept) -> None:
        try:
            raw, seconds = await fetch(self._outgoing, url)
            kept.keys = usable_keys(raw)
            kept.came = self._clock()
            kept.until = kept.came + seconds
        except ValueError as error:
            raise KeySetUnusable(str(error)) from error
        finally:
            kept.tried = self._clock()


async def fetch(outgoing: Outgoing, url: str) -> tuple[bytes, float]:
    """What stands at an address, and for how many seconds it counts. Raises KeySetUnusable."""
    try:
        async with (
            asyncio.timeout(FETCH_S),
            outgoing.client(timeout_s=FETCH_S, accept="application/jwk-set+json, application/json") as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise KeySetUnusable(f"http {response.status_code}")
            return await _body(response), _seconds(response.headers)
    except TimeoutError as error:
        raise KeySetUnusable("timeout") from error
    except AddressRefused as error:
        raise KeySetUnusable("address") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise KeySetUnusable("connection") from error


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():  # as it came: we asked for no compression
        body += piece
        if len(body) > MOST_BYTES:
            raise KeySetUnusable("too large")
    return bytes(body)


def _seconds(headers: httpx.Headers) -> float:
    """RFC 9111: max-age counts from when the sender made it, which Age tells."""
    said = [part.strip().lower() for part in headers.get("cache-control", "").split(",") if part.strip()]
    if not said:
        return KEPT_S
    ages = [int(found[1]) for part in said if (found := MAX_AGE.match(part))]
    if {"no-store", "no-cache"} & set(said) or not ages:
        return 0.0
    passed = headers.get("age", "0")
    return min(max(min(ages) - (int(passed) if passed.isdecimal() else 0), 0), LONGEST_KEPT_S)
