"""The published examples, read with their digits, and compared by them."""

import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

_READ = msgspec.json.Decoder(float_hook=Decimal)
_WRITE = msgspec.json.Encoder(decimal_format="number")
_EXACT = msgspec.json.Decoder(float_hook=lambda text: ("number", Decimal(text).as_tuple()))


def files(folder: Path) -> Iterator[tuple[str, bytes, Any]]:
    """The name, the bytes and the content of each; digits stay in the content."""
    for path in sorted(folder.rglob("*.json*")):
        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        yield path.relative_to(folder).as_posix(), body, read(body)


def inside(name: str, data: Any) -> Iterator[tuple[str, Any]]:
    """What is in a file: itself, or what is in the entries of its Bundle."""
    if isinstance(data, dict) and data.get("resourceType") == "Bundle":
        for n, entry in enumerate(data.get("entry", [])):
            if "resource" in entry:
                yield from inside(f"{name}#{n}", entry["resource"])
    else:
        yield name, data


def read(body: bytes) -> Any:
    """From JSON, with the digits that are there."""
    return _READ.decode(body)


def written(data: Any) -> bytes:
    """As JSON, with the digits that were read."""
    return _WRITE.encode(data)


def exact(body: bytes) -> Any:
    """Numbers by their digits and exponent: 1.10 is not 1.1; the order of members does not count."""
    return _EXACT.decode(body)
