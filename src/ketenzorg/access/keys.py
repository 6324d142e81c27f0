"""The keys that are derived from the installation's one secret, each for one use."""

import hmac
from functools import lru_cache
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Keys(msgspec.Struct, frozen=True):
    """32 bytes each; what one key signs or hides says nothing about the others."""

    token: bytes  # the keys that sign bearer tokens are made from it
    number: bytes  # opens the personal numbers from before there were data keys
    pseudonym: bytes  # makes the token that stands for a personal number
    index: bytes  # makes the blind index that keeps a personal number to one row
    digest: bytes  # makes the digest that tells whether two referrals have the same content
    kek: bytes  # wraps the data keys where no other key-encryption key is named
    session: bytes  # signs the session cookie and the forms of the pages
    patient: bytes  # makes the pseudonym that stands for a person in the audit log
    query: bytes  # makes the digest of a search that stands there
    log: bytes  # signs the audit log
    retry: bytes  # makes the digests of an Idempotency-Key and of what came under it

    @classmethod
    def derive(cls, secret: bytes) -> "Keys":
        return cls(**{name: derive(secret, name) for name in cls.__struct_fields__})


def keyed_digest(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256: without the key nobody can try out values until the digest fits. The key is kept in memory."""
    digest = _begun(key).copy()
    digest.update(text)
    return digest.digest()


@lru_cache(maxsize=16)  # to begin takes longer than to digest something short
def _begun(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def pseudonym_of(person: UUID, keys: Keys) -> UUID:
    """What stands for a person in the audit log: neither the number nor the key by which we know them."""
    return UUID(bytes=keyed_digest(keys.patient, person.bytes)[:16])


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one use. HKDF-SHA256, https://www.rfc-editor.org/rfc/rfc5869"""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"ketenzorg {purpose}".encode()).derive(secret)
