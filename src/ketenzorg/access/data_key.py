"""A data key: seals a few bytes so that only who has the key can open them, and only in the row that they belong to.

AES-256-GCM with a random nonce, https://doi.org/10.6028/NIST.SP.800-38D (section 8.3: at most 2^32 of them a key).
"""

import os
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ketenzorg.store.data_keys import Kind

KEY_BYTES = 32
NONCE_BYTES = 12
DERIVED, IN_CLEAR = "1", ""  # the key ids of rows from before there were data keys


class Opener(Protocol):
    """What opens a sealed row."""

    def open(self, sealed: bytes, kind: Kind, row: UUID) -> bytes:
        """What was sealed. Raises cryptography's InvalidTag when it is not of this key and row, or was changed."""


class DataKey:
    """One key of one region. What it sealed does not open in another row, under another id or in another region."""

    def __init__(self, region: str, id_: str, key: bytes) -> None:
        self.id = id_
        self._cipher = AESGCM(key)
        self._ours = f"{region}/{id_}/".encode()

    def seal(self, plain: bytes, kind: Kind, row: UUID) -> bytes:
        """The nonce, and what was made of `plain` for this row."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, self._place(kind, row))

    def open(self, sealed: bytes, kind: Kind, row: UUID) -> bytes:
        """What was sealed. Raises InvalidTag."""
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(kind, row))

    def _place(self, kind: Kind, row: UUID) -> bytes:
        return self._ours + kind.encode() + row.bytes


class DerivedKey:
    """The key of before there were data keys: derived from the secret, its rows bound to the token alone."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def open(self, sealed: bytes, kind: Kind, row: UUID) -> bytes:
        """What was sealed. Raises InvalidTag."""
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.bytes)


class InClear:
    """What was not sealed before there were data keys."""

    def open(self, sealed: bytes, kind: Kind, row: UUID) -> bytes:
        """As it is."""
        return sealed
