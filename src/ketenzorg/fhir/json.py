"""FHIR JSON as plain dicts, with decimals that keep their digits. https://hl7.org/fhir/R4/json.html"""

from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def read(body: bytes) -> dict[str, Any]:
    """A resource as a dict; for bodies that were checked when they came in."""
    return _DECODER.decode(body)


def write(resource: Any) -> bytes:
    """The bytes of a dict, list or struct; msgspec.Raw parts go out as they are."""
    return _ENCODER.encode(resource)


_ANY = msgspec.json.Decoder(float_hook=Decimal)


def read_any(body: bytes) -> Any:
    """Any JSON that passed the bounds."""
    return _ANY.decode(body)


_AS_SENT = msgspec.json.Decoder(float_hook=lambda written: msgspec.Raw(written.encode()))


def read_as_sent(body: bytes) -> Any:
    """The same for what is only passed on: each decimal is written as it came (1.20E2), and cannot be counted with."""
    return _AS_SENT.decode(body)
