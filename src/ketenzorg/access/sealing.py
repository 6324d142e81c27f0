"""Finding the personal numbers of a posted bundle, and taking them out before anything is stored."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from ketenzorg.access.keys import Keys
from ketenzorg.access.personal_numbers import BSN_SYSTEMS, NINE_DIGITS, is_bsn, seal
from ketenzorg.errors import Issue
from ketenzorg.referral.bundle import Entry
from ketenzorg.store.referrals import SealedNumber

BARE = re.compile(rb"[:,\[][0-9.eE+-]*[0-9]{9}")  # in a JSON number, or in a text that looks like one
SYSTEMS_AS_BYTES = tuple(system.encode() for system in BSN_SYSTEMS)


def seal_numbers(entries: Sequence[Entry], keys: Keys) -> tuple[dict[str, SealedNumber], list[Issue]]:
    """Replace every BSN by its token, wherever in the bundle it stands; number -> what the database keeps."""
    issues: list[Issue] = []
    sealed: dict[str, SealedNumber] = {}
    for entry in entries:
        if not any(system in entry.raw for system in SYSTEMS_AS_BYTES):
            continue
        numbers = set(_numbers(entry.content))
        sealed |= {number: seal(number, keys) for number in numbers if is_bsn(number)}
        if not numbers <= sealed.keys():
            issues += [_no_bsn(path) for path in _places(entry.content, entry.path, numbers - sealed.keys())]
    return sealed, issues + _replace(entries, sealed)


def _replace(entries: Sequence[Entry], sealed: Mapping[str, SealedNumber]) -> list[Issue]:
    """Also where a narrative or a note repeats the number, and in other resources; not inside a longer number."""
    tokens = {number.encode(): b"bsn:" + str(kept.token).encode() for number, kept in sealed.items()}
    issues: list[Issue] = []
    for entry in entries:
        if any(number in entry.raw for number in tokens):
            bare = BARE.search(entry.raw)
            entry.raw = NINE_DIGITS.sub(lambda match: tokens.get(match[0], match[0]), entry.raw)
            if bare:
                issues += _still_json(entry)
    return issues


def _numbers(content: Any) -> Iterator[str]:
    """What stands under a system of personal numbers, be it one or not."""
    nodes = [content]
    for node in nodes:  # grows while it is walked
        if isinstance(node, dict):
            if node.get("system") in BSN_SYSTEMS and isinstance(node.get("value"), str):
                yield node["value"]
            nodes += [value for value in node.values() if not isinstance(value, str)]
        elif isinstance(node, list):
            nodes += node


def _places(node: Any, path: str, wrong: Set[str]) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("system") in BSN_SYSTEMS and node.get("value") in wrong:
            yield f"{path}.value"
        for key, value in node.items():
            yield from _places(value, f"{path}.{key}", wrong)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _places(value, f"{path}[{place}]", wrong)


def _no_bsn(path: str) -> Issue:
    return Issue(
        nl="Dit is geen BSN: negen cijfers die de 11-proef doorstaan. Zonder BSN kan ook: laat dit identifier weg.",
        en="This is no BSN: nine digits that pass the 11-proef. A patient without BSN is fine: leave it out.",
        expression=(path,),
        code="value",
    )


def _still_json(entry: Entry) -> Iterator[Issue]:
    """A bare JSON number that equals the BSN cannot hold a token."""
    try:
        msgspec.json.decode(entry.raw)
    except msgspec.DecodeError:
        yield Issue(
            nl="In deze resource staat het BSN als getal; een BSN hoort alleen in een identifier.",
            en="This resource holds the BSN as a number; a BSN belongs in an identifier only.",
            expression=(entry.path,),
            code="value",
        )
