"""The public keys in a JWK Set of a client: which of them we can use, and what is wrong with the others. RFC 7517."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from ketenzorg.errors import Invalid, Issue

PublicKey = RSAKey | ECKey
ALGORITHMS = {"RS384": "RSA", "ES384": "EC"}  # of an assertion, with the kind of key that each takes
MOST_BYTES = 64 * 1024
MOST_KEYS = 20
MOST_KID = 255  # characters
RSA_BITS = (2048, 8192)  # under it is guessed, over it is work for us
MOST_EXPONENT = 8  # characters of base64url


class _Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


def usable_keys(raw: bytes) -> list[PublicKey]:
    """The keys in a set that can check a signature of ours; others are none of our business. Raises ValueError."""
    if len(raw) > MOST_BYTES:
        raise ValueError("too large")
    try:
        found = msgspec.json.decode(raw, type=_Keys).keys
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("no key set") from error
    if len(found) > MOST_KEYS:
        raise ValueError("too many keys")
    return [key for each in found if isinstance(key := _read(each), RSAKey | ECKey)]


def check_keys(raw: bytes) -> list[PublicKey]:
    """The keys of a set that is to be registered. Raises Invalid with everything that is wrong with it."""
    try:
        usable = usable_keys(raw)
    except ValueError as error:
        raise Invalid(
            Issue(
                nl=f'Dit is geen JWK Set: {{"keys": [...]}} met hoogstens {MOST_KEYS} sleutels.',
                en=f'This is no JWK Set: {{"keys": [...]}} with at most {MOST_KEYS} keys.',
            )
        ) from error
    issues = list(_mistakes(msgspec.json.decode(raw, type=_Keys).keys))
    if issues or not usable:
        raise Invalid(*(issues or [_mistake("keys", "er is geen sleutel", "there is no key")]))
    return usable


def _mistakes(found: list[dict[str, Any]]) -> Iterator[Issue]:
    kids = [key.get("kid") for key in found]
    for place, key in enumerate(found):
        read = _read(key)
        if isinstance(read, tuple):
            yield _mistake(f"keys[{place}]", *read)
        elif kids.count(key["kid"]) > 1:
            yield _mistake(f"keys[{place}].kid", "staat er meer dan eens", "stands there more than once")


def _mistake(place: str, nl: str, en: str) -> Issue:
    return Issue(nl=f"{place}: {nl}.", en=f"{place}: {en}.", expression=(place,))


def _read(key: dict[str, Any]) -> PublicKey | tuple[str, str]:
    """A key, or what is wrong with it in Dutch and in English."""
    kid = key.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= MOST_KID:
        return (
            f"heeft een kid nodig, van hoogstens {MOST_KID} tekens",
            f"needs a kid of at most {MOST_KID} characters",
        )
    if "d" in key:
        return (
            "is een privésleutel: die houdt u voor uzelf; maak een nieuwe, deze is nu bekend",
            "is a private key: keep it to yourself; make another, this one is known now",
        )
    if key.get("use", "sig") != "sig":
        return "is niet om mee te ondertekenen (use)", "is not for signing (use)"
    try:
        return _imported(key) or _wrong_kind()
    except (JoseError, ValueError, TypeError, KeyError):
        return "is geen hele sleutel", "is not a whole key"


def _imported(key: dict[str, Any]) -> PublicKey | None:
    if key.get("kty") == "RSA" and len(key["e"]) <= MOST_EXPONENT:
        bits = int.from_bytes(urlsafe_b64decode(key["n"] + "==")).bit_length()
        smallest, largest = RSA_BITS
        return RSAKey.import_key(key) if smallest <= bits <= largest else None
    if key.get("kty") == "EC" and key.get("crv") == "P-384":
        return ECKey.import_key(key)
    return None


def _wrong_kind() -> tuple[str, str]:
    return (
        f"is geen RSA-sleutel van {RSA_BITS[0]} tot {RSA_BITS[1]} bits en geen EC-sleutel op P-384",
        f"is no RSA key of {RSA_BITS[0]} to {RSA_BITS[1]} bits and no EC key on P-384",
    )
