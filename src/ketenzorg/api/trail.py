"""By which ids a request goes on record, and from where it came."""

import re
from collections.abc import Mapping
from typing import Any

from ketenzorg.access.personal_numbers import holds_number, is_bsn
from ketenzorg.coordination.world import Trail
from ketenzorg.store.ids import uuid7

TRACE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
BETWEEN = re.compile(r"[._-]")
# https://aorta-on-fhir.scrollhelp.site: initialRequestID=<uuid>; requestID=<uuid>
AORTA = re.compile(r"(initialRequestID|requestID)=([A-Za-z0-9._-]{1,64})")
LONGEST_AORTA_ID = 128  # characters


def trail_of(headers: Mapping[bytes, str], client: Any) -> Trail:
    """X-Request-Id and X-Correlation-Id, else what AORTA-ID says. A request id that could say anything is replaced."""
    aorta = dict(AORTA.findall(headers.get(b"aorta-id", "")[:LONGEST_AORTA_ID]))
    request = _safe(headers.get(b"x-request-id") or aorta.get("requestID", ""))
    correlation = _safe(headers.get(b"x-correlation-id") or aorta.get("initialRequestID", ""))
    return Trail(request or str(uuid7()), correlation, str(client[0]) if client else "")


def _safe(given: str) -> str:
    if not TRACE_ID.match(given):
        return ""
    return "" if holds_number(given) or is_bsn(BETWEEN.sub("", given)) else given
