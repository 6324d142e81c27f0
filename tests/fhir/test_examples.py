"""Published examples come back with the same values, digits and order, or are refused for a reason that is listed."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ketenzorg.errors import Malformed
from ketenzorg.fhir import elements
from ketenzorg.fhir.decode import decode, encode
from published import exact, files, written

_LIST = tomllib.loads((Path(__file__).parent / "refused_examples.toml").read_text(encoding="utf-8"))
REFUSED = {each["file"]: each["expression"] for each in _LIST["refused"]}


def test_every_example_comes_back_or_is_refused_for_a_listed_reason(examples: Path) -> None:
    refused = {}
    read = 0
    for file, whole, data in files(examples):
        for name, body in _bodies(file, whole, data):
            try:
                resource = decode(body, max_entries=10**6)
            except Malformed as error:
                refused[name] = [place for issue in error.issues for place in issue.expression]
            else:
                read += 1
                assert exact(encode(resource)) == exact(body), name
    assert read > 500
    assert set(refused) == set(REFUSED)
    for name, place in REFUSED.items():
        assert place in refused[name], name


def _bodies(name: str, body: bytes, data: Any) -> Iterator[tuple[str, bytes]]:
    """The body of a file, or its entries of our types when the Bundle has others too."""
    if _is_ours(data):
        yield name, body
    elif isinstance(data, dict) and data.get("resourceType") == "Bundle":
        for n, entry in enumerate(data.get("entry", [])):
            if _is_ours(entry.get("resource")):
                yield f"{name}#{n}", written(entry["resource"])


def _is_ours(data: Any) -> bool:
    """Whether we know the resource and every resource in it."""
    if not isinstance(data, dict) or data.get("resourceType") not in elements.RESOURCES:
        return False
    inner = [entry["resource"] for entry in data.get("entry", []) if "resource" in entry]
    return all(_is_ours(each) for each in inner + data.get("contained", []))
