"""Personal numbers (BSN): checked, replaced by a token in what is stored, put back for who may see them.

The token is a keyed pseudonym of the number: the same person has the same token inside a region, which links a
person's trajecten, and a body never holds the number. https://www.rvig.nl/bsn (check digits: the 11-proef).
"""

import re
from collections.abc import Iterator, Mapping
from uuid import UUID

from ketenzorg.access.data_key import DataKey, Opener
from ketenzorg.access.keyring import opened
from ketenzorg.access.keys import Keys, keyed_digest
from ketenzorg.store.data_keys import Kind, Sealed
from ketenzorg.store.referrals import SealedNumber

BSN_SYSTEMS = frozenset(
    {"http://fhir.nl/fhir/NamingSystem/bsn", "urn:oid:2.16.840.1.113883.2.4.6.3"},
)
TABLE: Kind = "personal_number"
TOKEN = re.compile(rb"bsn:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
# As people write one: 999990019 or 9999.90.019; not a part of a longer number, a uuid or a digest.
WRITTEN = re.compile(r"(?<![0-9a-fA-F])(?:[0-9]{9}|[0-9]{4}\.[0-9]{2}\.[0-9]{3})(?![0-9a-fA-F])")
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def is_bsn(text: str) -> bool:
    """Nine digits that pass the 11-proef; the last weight is -1, unlike that of a bank account.

    >>> is_bsn("999990019"), is_bsn("123456789"), is_bsn("000000000")
    (True, False, False)
    """
    if len(text) != len(WEIGHTS) or not (text.isascii() and text.isdigit()) or text == "000000000":
        return False
    return sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text, strict=True)) % 11 == 0


def numbers_in(words: str) -> Iterator[str]:
    """The digits of every number in a text that may be a personal one.

    >>> list(numbers_in("BSN 9999.90.019 of BSN999990020; order 9999900190, 050-5550100, a999990019, 999 990 019"))
    ['999990019', '999990020']
    """
    for found in WRITTEN.findall(words):
        digits = found.replace(".", "")
        if is_bsn(digits):
            yield digits


def holds_number(words: str) -> bool:
    """Whether a text has a number in it that may be a personal one."""
    return next(numbers_in(words), None) is not None


def token_of(number: str, keys: Keys) -> UUID:
    """The token of a number, which only the holder of the keys can make."""
    return UUID(bytes=keyed_digest(keys.pseudonym, number.encode())[:16])


def seal(number: str, token: UUID, keys: Keys, key: DataKey) -> SealedNumber:
    """A number as the database keeps it, bound to its token, so that a row cannot be given to another person."""
    text = number.encode()
    return SealedNumber(token, keyed_digest(keys.index, text), key.seal(text, TABLE, token), key.id)


def unseal(token: UUID, sealed: Sealed, key: Opener) -> str | None:
    """The number behind a token; None when key, row and token do not belong together."""
    text = opened(key, sealed, TABLE, token)
    return None if text is None else text.decode()


def tokens_in(body: bytes) -> set[UUID]:
    """The tokens that stand for numbers in a stored body."""
    return {UUID(match.decode()) for match in TOKEN.findall(body)} if b"bsn:" in body else set()


def put_back(body: bytes, numbers: Mapping[UUID, str]) -> bytes:
    """A body with its numbers in place; a token without a known number becomes a mask."""
    return TOKEN.sub(lambda match: numbers.get(UUID(match[1].decode()), "*********").encode(), body)
