"""How a line of the audit log is held to the one before it, and how we sign for the last one.

A link is the SHA-256 of the link before it and the line; so with the log and a signed head in hand anybody can tell
whether it is the same log, without any key of ours. https://www.rfc-editor.org/rfc/rfc8032 (Ed25519)
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

BEGINNING = bytes(32)  # what the first link follows
FINGERPRINT = 16  # hex digits by which a key is called


def link(before: bytes, line: Mapping[str, Any]) -> bytes:
    """The hash of a line in its place."""
    return sha256(before + canonical(line)).digest()


def canonical(line: Mapping[str, Any]) -> bytes:
    """A line as bytes. What is empty is left out, so that a column that comes later changes no older line."""
    kept = {name: value for name, value in line.items() if value not in (None, "", [])}
    return msgspec.json.encode(kept, order="sorted")


class Seal:
    """Signs heads, and says whether a signature is ours."""

    def __init__(self, key: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(key)
        self.public = self._private.public_key().public_bytes_raw()
        self.key = sha256(self.public).hexdigest()[:FINGERPRINT]

    def sign(self, statement: bytes) -> bytes:
        return self._private.sign(statement)

    def signed(self, statement: bytes, signature: bytes) -> bool:
        return is_signed(statement, signature, self.public)


def is_signed(statement: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the holder of a key signed this."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def statement(kind: str, region: str, n: int, hash_: bytes, at: datetime) -> bytes:
    """What is signed, as a person can read it: so many links, the last with this hash, at this moment."""
    return f"ketenzorg audit {kind} {region} {n} {hash_.hex()} {at.astimezone(UTC).isoformat()}".encode()
