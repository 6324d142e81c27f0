"""Ids of our own making: uuid7, so that rows of one moment lie side by side. RFC 9562 section 5.7."""

import os
import time
from uuid import UUID

from asyncpg.pgproto import pgproto


def uuid7() -> UUID:
    """A new id: 48 bits of milliseconds, 74 bits of chance."""
    milliseconds = time.time_ns() // 1_000_000
    chance = bytearray(os.urandom(10))
    chance[0] = chance[0] & 0x0F | 0x70  # the version
    chance[2] = chance[2] & 0x3F | 0x80  # the variant
    # The driver's UUID is one of Python's, made and written twenty times as fast.
    id_: UUID = pgproto.UUID(milliseconds.to_bytes(6, "big") + chance)
    return id_
