"""How a receiver knows that a message is ours and is not an old one: https://www.standardwebhooks.com"""

import hmac
import secrets
from base64 import b64encode
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


def signed(message: UUID, at: datetime, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of one attempt: the id is the same at each attempt, the time and so the signature are not."""
    timestamp = str(int(at.timestamp()))
    digest = hmac.digest(secret, f"{message}.{timestamp}.".encode() + body, sha256)
    return {
        "webhook-id": str(message),
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
