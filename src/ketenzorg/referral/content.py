"""What makes two referrals the same: their content, apart from what a resend changes by itself."""

import re

import msgspec

from ketenzorg.referral.bundle import Posted

# Written anew at every sending; clinical dates (effective, onset, occurrence) are content.
RESENT_ANEW = frozenset(
    {"id", "meta", "text", "authoredOn", "lastModified", "issued", "authored", "recorded"}
)
_LOCAL = re.compile(rb'"(urn:(?:uuid:[0-9A-Fa-f-]{36}|oid:[0-9.]+))"')


def canonical(posted: Posted) -> bytes:
    """The same bytes for the same content: keys in order, local urns as places, digits as they were sent."""
    places = {entry.full_url.encode(): str(entry.place).encode() for entry in posted.entries}
    contents = [
        {key: value for key, value in entry.content.items() if key not in RESENT_ANEW}
        for entry in posted.entries
    ]
    text = msgspec.json.encode(contents, order="deterministic")
    return _LOCAL.sub(lambda match: b'"#' + places.get(match[1], match[1]) + b'"', text)
