"""Finding the personal numbers of a posted bundle, and taking them out before anything is stored."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.keys import Keys
from ketenzorg.access.personal_numbers import BSN_SYSTEMS, NINE_DIGITS, is_bsn, token_of
from ketenzorg.errors import Issue
from ketenzorg.referral.bundle import Entry

BARE = re.compile(rb"[:,\[][0-9.eE+-]*[0-9]{9}")  # in a JSON number, or in a text that looks like one
SYSTEMS_AS_BYTES = tuple(system.encode() for system in BSN_SYSTEMS)


def take_numbers_out(entries: Sequence[Entry], keys: Keys) -> tuple[dict[str, UUID], list[Issue]]:
    """Replace every BSN by its token, wherever in the bundle it stands; number -> token."""
    issues: list[Issue] = []
    tokens: dict[str, UUID] = {}
    for entry in entries:
        if not any(system in entry.raw for system in SYSTEMS_AS_BYTES):
            continue
        numbers = set(_numbers(entry.content))
        tokens |= {number: token_of(number, keys) for number in numbers if is_bsn(number)}
        if not numbers <= tokens.keys():
            issues += [_no_bsn(path) for path in _places(entry.content, entry.path, numbers - tokens.keys())]
    return tokens, issues + _replace(entries, tokens)


def _replace(entries: Sequence[Entry], found: Mapping[str, UUID]) -> list[Issue]:
    """Also where a narrative or a note repeats the number, and in other resources; not inside a longer number."""
    tokens = {number.encode(): b"bsn:" + str(token).encode() for number, token in found.items()}
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
