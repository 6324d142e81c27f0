"""References inside a posted bundle: found, pointed at what is stored, refused when they lead nowhere.

https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.referral.bundle import OF_A_VERSION, REFERENCE, Entry

VERSION = re.compile(OF_A_VERSION.pattern.encode())
# What else may name an entry: an address in an element, in an extension or in a narrative.
LINK = re.compile(
    rb'("(?:url|valueUri|valueUrl|valueOid|valueUuid)":"|(?:href|src)=\\")(urn:(?:uuid|oid):[^"\\]+)'
)
KNOWN_ELSEWHERE = (b"#", b"http://", b"https://")  # contained here, or kept by another server

# What the coordination rests on: there no reference leads nowhere, whoever sends it.
LEANED_ON = frozenset({"Patient", "ServiceRequest", "Task", "Consent", "QuestionnaireResponse"})
SUBJECT = frozenset({"subject", "patient", "basedOn"})


def resolve(entries: list[Entry], addresses: Mapping[bytes, bytes], known: Set[bytes]) -> list[Issue]:
    """Rewrite every reference in `entries` to the address it means; return those that mean nothing here.

    `addresses` are those of the entries by name, `known` those that are here already.
    """
    lost: list[Issue] = []
    for entry in entries:
        unknown: set[bytes] = set()

        def address(match: "Any", unknown: set[bytes] = unknown) -> bytes:
            target = match[1]
            meant = addresses.get(target)
            if meant is None and target not in known and not target.startswith(KNOWN_ELSEWHERE):
                of_any_version = VERSION.sub(b"", target)
                meant = addresses.get(of_any_version)
                if meant is None and of_any_version not in known:
                    unknown.add(target)
            if meant is not None:
                return b'"reference":"' + meant + b'"'
            whole: bytes = match[0]
            return whole

        entry.raw = REFERENCE.sub(address, entry.raw)
        if b'"urn:' in entry.raw or b'\\"urn:' in entry.raw:
            entry.raw = LINK.sub(lambda match: match[1] + addresses.get(match[2], match[2]), entry.raw)
        if unknown:
            lost.extend(_lost(entry, unknown))
    return lost


def _lost(entry: Entry, unknown: set[bytes]) -> Iterator[Issue]:
    names = {name.decode() for name in unknown}
    for path in _paths(msgspec.json.decode(entry.raw), entry.path, names):
        yield Issue(
            nl="Deze verwijzing (reference) wijst naar niets in de Bundle en naar geen bekende organisatie.",
            en="This reference points at nothing in the Bundle and at no organisation that we know; use the "
            "fullUrl of an entry, or an identifier.",
            expression=(path,),
            code="not-found",
            kind="unresolved",
            soft=entry.kind not in LEANED_ON and _element(path, entry.path) not in SUBJECT,
        )


def _element(path: str, of: str) -> str:
    return path.removeprefix(f"{of}.").partition(".")[0].partition("[")[0]


def _paths(node: Any, path: str, names: set[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference" and value in names:
                yield f"{path}.reference"
            else:
                yield from _paths(value, f"{path}.{key}", names)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _paths(value, f"{path}[{place}]", names)
