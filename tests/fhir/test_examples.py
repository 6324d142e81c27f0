"""Published examples come back with the same values, digits and order, or are refused for a reason that is listed."""

import gzip
import json
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ketenzorg.errors import Malformed
from ketenzorg.fhir import elements
from ketenzorg.fhir.decode import decode, encode

_LIST = tomllib.loads((Path(__file__).parent / "refused_examples.toml").read_text(encoding="utf-8"))
REFUSED = {each["file"]: each["expression"] for each in _LIST["refused"]}


def test_every_example_comes_back_or_is_refused_for_a_listed_reason(examples: Path) -> None:
    refused = {}
    read = 0
    for path in sorted(examples.rglob("*.json*")):
        for name, body in _bodies(path, examples):
            try:
                resource = decode(body, max_entries=10**6)
            except Malformed as error:
                refused[name] = [place for issue in error.issues for place in issue.expression]
            else:
                read += 1
                assert _exact(encode(resource)) == _exact(body), name
    assert read > 500
    assert set(refused) == set(REFUSED)
    for name, place in REFUSED.items():
        assert place in refused[name], name


def _bodies(path: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The body of a file, or its entries of our types when the Bundle has others too."""
    body = path.read_bytes()
    body = gzip.decompress(body) if path.suffix == ".gz" else body
    data = json.loads(body, parse_float=_Digits)
    name = path.relative_to(folder).as_posix()
    if _is_ours(data):
        yield name, body
    elif isinstance(data, dict) and data.get("resourceType") == "Bundle":
        for n, entry in enumerate(data.get("entry", [])):
            if _is_ours(entry.get("resource")):
                yield f"{name}#{n}", _text(entry["resource"]).encode()


def _is_ours(data: Any) -> bool:
    """Whether we know the resource and every resource in it."""
    if not isinstance(data, dict) or data.get("resourceType") not in elements.RESOURCES:
        return False
    inner = [entry["resource"] for entry in data.get("entry", []) if "resource" in entry]
    return all(_is_ours(each) for each in inner + data.get("contained", []))


class _Digits(float):
    """A float that writes itself as it was read."""

    def __new__(cls, text: str) -> "_Digits":
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def _text(data: Any) -> str:
    if isinstance(data, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ",".join(map(_text, data)) + "]"
    return repr(data) if isinstance(data, _Digits) else json.dumps(data)


def _exact(body: bytes) -> Any:
    """Numbers by their digits and exponent: 1.10 is not 1.1; the order of members does not count."""
    return json.loads(body, parse_float=_digits, parse_int=_digits)


def _digits(text: str) -> tuple[str, Any]:
    return "number", Decimal(text).as_tuple()
