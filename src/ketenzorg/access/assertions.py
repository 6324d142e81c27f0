"""The signed assertion by which a system shows who it is when it asks for a token: `private_key_jwt`.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html, RFC 7521, RFC 7523.

What is wrong with the assertion itself is said. Whether it is the client, the key or the signature that we do not know
is not: who guesses the names of clients learns nothing. Our own log tells.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from ketenzorg.access.key_sets import KeySets, KeySetUnusable
from ketenzorg.access.public_keys import ALGORITHMS, PublicKey
from ketenzorg.access.registry import Registry
from ketenzorg.errors import InvalidClient, Issue
from ketenzorg.logs import ASSERTION_REFUSED, log
from ketenzorg.store.clients import Client, Clients

LONGEST = 8192  # characters
LONGEST_ID = 255  # of a jti, a kid and the name of a client
LONGEST_LIFE_S = 300
SKEW_S = 30  # by which the clock of a client may differ from ours
TYPE = "JWT"
Wrong = tuple[str, str]  # in Dutch and in English


class Claims(msgspec.Struct, frozen=True):
    """What the assertion says. `extensions`: for whom, as https://hl7.org/fhir/us/udap-security/b2b.html has it."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    jti: str
    iat: int | float | None = None
    nbf: int | float | None = None
    extensions: dict[str, Any] = {}


class Assertions:
    """Recognises the clients of one installation by what they signed."""

    def __init__(
        self,
        registry: Registry,
        key_sets: KeySets,
        clients: Clients,
        *,
        audience: str,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._key_sets = key_sets
        self._clients = clients
        self._audience = audience
        self._now = now

    async def recognise(self, assertion: str) -> tuple[Client, Claims]:
        """The client that signed this, once. Raises InvalidClient."""
        header, claims = _read(assertion)
        mistakes = list(_mistakes(claims, self._audience, self._now().timestamp()))
        if mistakes:
            raise _refused(*mistakes)
        client = await self._registry.find(claims.iss)
        if client is None:
            raise _unrecognised("unknown client")
        if "jku" in header and header["jku"] != client.jwks_url:
            raise _unrecognised("other jku", client)
        _verify(assertion, header, await self._key(client, header), client)
        expires = datetime.fromtimestamp(claims.exp + SKEW_S, UTC)
        if not await self._clients.claim_assertion(client.id, sha256(claims.jti.encode()).digest(), expires):
            raise _refused(
                ("is al gebruikt: maak een nieuwe, met een nieuwe jti", "was used before: make a new one")
            )
        return client, claims

    async def _key(self, client: Client, header: dict[str, Any]) -> PublicKey:
        try:
            found = await self._key_sets.find(client, header["kid"], ALGORITHMS[header["alg"]])
        except KeySetUnusable as error:
            raise _unrecognised(f"key set: {error}", client) from error
        if len(found) != 1:
            raise _unrecognised("unknown key" if not found else "two keys of one name", client)
        return found[0]


def _mistakes(claims: Claims, audience: str, now: float) -> Iterator[Wrong]:
    """What can be seen without knowing the client."""
    soon = now + SKEW_S
    issued = soon if claims.iat is None else claims.iat
    if claims.iss != claims.sub:
        yield "moet in iss en sub hetzelfde noemen", "must name the same in iss and sub"
    if claims.aud not in (audience, [audience]):
        yield f"moet aud {audience} hebben, en geen andere", f"must have aud {audience}, and no other"
    if not 0 < len(claims.jti) <= LONGEST_ID:
        yield (
            f"heeft een jti van 1 tot {LONGEST_ID} tekens nodig",
            f"needs a jti of 1 to {LONGEST_ID} characters",
        )
    if claims.exp <= now - SKEW_S:
        yield "is verlopen (exp)", "has expired (exp)"
    if claims.exp > min(soon, issued) + LONGEST_LIFE_S:
        yield f"leeft langer dan {LONGEST_LIFE_S} s (exp)", f"lives longer than {LONGEST_LIFE_S} s (exp)"
    if issued > soon or (claims.nbf or 0) > soon:
        yield (
            "geldt nog niet (iat, nbf): vergelijk de klokken",
            "is not valid yet (iat, nbf): compare the clocks",
        )


def _read(assertion: str) -> tuple[dict[str, Any], Claims]:
    """Header and claims, as they are said to be: nothing of it is trusted yet."""
    if len(assertion) > LONGEST:
        raise _refused((f"is langer dan {LONGEST} tekens", f"is longer than {LONGEST} characters"))
    try:
        parts = jws.extract_compact(assertion.encode())
        header = parts.headers()
    except (JoseError, ValueError, RecursionError):
        raise _refused(("is geen JWT in compacte vorm", "is no JWT in compact form")) from None
    if header.get("alg") not in ALGORITHMS:
        raise _refused(("moet RS384 of ES384 als alg hebben", "must have RS384 or ES384 as alg"))
    if header.get("typ") != TYPE or "crit" in header or "b64" in header:
        raise _refused(("moet typ JWT hebben, en geen crit", "must have typ JWT, and no crit"))
    if not isinstance(header.get("kid"), str) or not 0 < len(header["kid"]) <= LONGEST_ID:
        raise _refused(("heeft een kid nodig", "needs a kid"))
    try:
        return header, msgspec.json.decode(parts.payload, type=Claims)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _refused(
            (
                "heeft iss, sub, aud, exp en jti nodig, elk van zijn eigen soort",
                "needs iss, sub, aud, exp and jti, each of its own type",
            )
        ) from None


def _verify(assertion: str, header: dict[str, Any], key: PublicKey, client: Client) -> None:
    try:
        jws.deserialize_compact(assertion, key, algorithms=[header["alg"]])
    except (JoseError, ValueError) as error:
        raise _unrecognised("signature", client) from error


def _unrecognised(why: str, client: Client | None = None) -> InvalidClient:
    log(ASSERTION_REFUSED, why=why, client=client.id if client else "")
    return _refused(
        (
            "is niet van een client die wij kennen: vergelijk iss, kid, alg en de sleutels die u registreerde",
            "is not of a client that we know: compare iss, kid, alg and the keys that you registered",
        )
    )


def _refused(*wrong: Wrong) -> InvalidClient:
    return InvalidClient(*(Issue(nl=f"De assertion {nl}.", en=f"The assertion {en}.") for nl, en in wrong))
