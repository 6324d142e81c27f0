"""The form in which a resource is stored: ours are the id, the version and the moment; the rest is the sender's."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.fhir import json

_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FIRST = b'{"resourceType":"'
KEPT_OF_META = ("profile", "security", "tag")


@lru_cache(maxsize=256)  # one moment stands in all resources of a write
def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to the millisecond.

    >>> from datetime import UTC
    >>> instant(datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    '2026-03-01T09:30:00.000Z'
    """
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ours(kind: str, id_: UUID, version: int, at: datetime) -> dict[str, Any]:
    """What a resource of our own making begins with."""
    meta = {"versionId": str(version), "lastUpdated": instant(at)}
    return {"resourceType": kind, "id": str(id_), "meta": meta}


def stored_form(raw: bytes, id_: UUID, version: int, at: datetime, **set_: Any) -> bytes:
    """`raw` under our id and version, with the elements of `set_` put in; None takes an element out."""
    if not set_ and raw.startswith(_FIRST) and b'"id":' not in raw and b'"meta":' not in raw:
        return _with_ours(raw, id_, version, at)
    top = _TOP.decode(raw)
    sent_meta = msgspec.json.decode(top.pop("meta")) if "meta" in top else {}
    meta = {"versionId": str(version), "lastUpdated": instant(at)}
    meta |= {key: sent_meta[key] for key in KEPT_OF_META if key in sent_meta}
    top.pop("id", None)
    resource: dict[str, Any] = {"resourceType": top.pop("resourceType"), "id": str(id_), "meta": meta, **top}
    resource |= set_
    return json.write({key: value for key, value in resource.items() if value is not None})


def _with_ours(raw: bytes, id_: UUID, version: int, at: datetime) -> bytes:
    """Our elements straight behind the type: most resources come without an id and meta of their own."""
    end = raw.index(b'"', len(_FIRST)) + 1
    return raw[:end] + b',"id":"%b",%b' % (str(id_).encode(), _meta(version, at)) + raw[end:]


@lru_cache(maxsize=256)
def _meta(version: int, at: datetime) -> bytes:
    return json.write({"meta": {"versionId": str(version), "lastUpdated": instant(at)}})[1:-1]
