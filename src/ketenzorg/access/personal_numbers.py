"""Personal numbers (BSN): checked, replaced by a token in what is stored, put back for who may see them.

The token is a keyed pseudonym of the number: the same person has the same token inside a region, which links a
person's trajecten, and a body never holds the number. https://www.rvig.nl/bsn (check digits: the 11-proef).
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ketenzorg.access.keys import Keys, keyed_digest
from ketenzorg.store.referrals import SealedNumber

BSN_SYSTEMS = frozenset(
    {"http://fhir.nl/fhir/NamingSystem/bsn", "urn:oid:2.16.840.1.113883.2.4.6.3"},
)
KEY_ID = "1"  # which number key encrypted it; a rotated key gets the next
TOKEN = re.compile(rb"bsn:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
NINE_DIGITS = re.compile(rb"(?<![0-9])[0-9]{9}(?![0-9])")
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def is_bsn(text: str) -> bool:
    """Nine digits that pass the 11-proef; the last weight is -1, unlike that of a bank account.

    >>> is_bsn("999990019"), is_bsn("123456789"), is_bsn("000000000")
    (True, False, False)
    """
    if len(text) != len(WEIGHTS) or not (text.isascii() and text.isdigit()) or text == "000000000":
        return False
    return sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text, strict=True)) % 11 == 0


def holds_number(words: bytes) -> bool:
    """Whether nine digits that pass the 11-proef stand in a text, not inside a longer number."""
    return any(is_bsn(found.decode()) for found in NINE_DIGITS.findall(words))


def seal(number: str, keys: Keys) -> SealedNumber:
    """Encrypt a number (AES-256-GCM) under a token that only the holder of the keys can make again."""
    text = number.encode()
    token = UUID(bytes=keyed_digest(keys.pseudonym, text)[:16])
    nonce = os.urandom(12)
    # The token is bound to the ciphertext, so that a row cannot be given to another person.
    ciphertext = nonce + _cipher(keys.number).encrypt(nonce, text, token.bytes)
    return SealedNumber(token, keyed_digest(keys.index, text), ciphertext, KEY_ID)


def unseal(token: UUID, ciphertext: bytes, keys: Keys) -> str:
    """The number behind a token. Raises cryptography's InvalidTag when key, row or token do not belong together."""
    return _cipher(keys.number).decrypt(ciphertext[:12], ciphertext[12:], token.bytes).decode()


@cache  # one key a process; making its schedule costs more than using it
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def tokens_in(body: bytes) -> set[UUID]:
    """The tokens that stand for numbers in a stored body."""
    return {UUID(match.decode()) for match in TOKEN.findall(body)} if b"bsn:" in body else set()


def put_back(body: bytes, numbers: Mapping[UUID, str]) -> bytes:
    """A body with its numbers in place; a token without a known number becomes a mask."""
    return TOKEN.sub(lambda match: numbers.get(UUID(match[1].decode()), "*********").encode(), body)
