"""What makes two referrals the same: their content, apart from what a resend changes by itself."""

import re
from typing import Any

import msgspec

from ketenzorg.referral.bundle import Posted

# Written anew at every sending; clinical dates (effective, onset, occurrence) are content.
RESENT_ANEW = frozenset(
    {"id", "meta", "text", "authoredOn", "lastModified", "issued", "authored", "recorded"}
)
_LOCAL = re.compile(rb'"(urn:uuid:[0-9A-Fa-f-]{36})"')


def canonical(posted: Posted) -> bytes:
    """The same bytes for the same content: keys in order, local urns as places, digits as they were sent."""
    places = {entry.full_url.encode(): str(entry.place).encode() for entry in posted.entries}

    def by_place(match: re.Match[bytes]) -> bytes:
        return b'"#' + places.get(match[1], match[1]) + b'"'

    return b"\n".join(_canonical(_LOCAL.sub(by_place, entry.raw)) for entry in posted.entries)


_DIGITS = msgspec.json.Decoder(dict[str, Any], float_hook=str)


def _canonical(raw: bytes) -> bytes:
    resource = _DIGITS.decode(raw)
    content = {key: value for key, value in resource.items() if key not in RESENT_ANEW}
    return msgspec.json.encode(content, order="deterministic")
