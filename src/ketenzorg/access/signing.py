"""How a receiver knows that a message is ours and is not an old one: https://www.standardwebhooks.com"""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> bytes:
    """What we and one receiver share."""
    return secrets.token_bytes(SECRET_BYTES)


def in_text(secret: bytes) -> str:
    """The secret as libraries for Standard Webhooks take it."""
    return f"whsec_{b64encode(secret).decode()}"


def signed(message: UUID, at: datetime, body: bytes, with_: Iterable[bytes]) -> dict[str, str]:
    """The headers of one attempt: the id is the same at each attempt, the time and so the signature are not.

    More than one secret: while a receiver changes over, either of them will do.
    """
    timestamp = str(int(at.timestamp()))
    content = f"{message}.{timestamp}.".encode() + body
    digests = [hmac.digest(secret, content, sha256) for secret in with_]
    return {
        "webhook-id": str(message),
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }
