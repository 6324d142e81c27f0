"""Finding the personal numbers of a posted bundle, and taking them out before anything is stored."""

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.free_text import may_hold, undeclared
from ketenzorg.access.keys import Keys
from ketenzorg.access.personal_numbers import BSN_SYSTEMS, is_bsn, token_of
from ketenzorg.errors import Issue
from ketenzorg.referral.bundle import Entry

FHIR_NL, AS_OID = (system.encode() for system in sorted(BSN_SYSTEMS))
BETWEEN = (
    b" .-/\xc2\xa0"  # what people put between digits; the last two bytes are a space that does not break
)
SOMETHING_BETWEEN = rb"(?:[ ./-]|\xc2\xa0)?"


class TakenOut(NamedTuple):
    """The numbers of a bundle, and what stands in their place."""

    tokens: dict[str, UUID]
    issues: list[Issue]

    def without(self, text: str) -> str:
        """A text with tokens for the numbers in it."""
        raw = text.encode()
        for number, token in self.tokens.items():
            raw = _put(_written(token), number.encode(), raw)
        return raw.decode()


def take_numbers_out(entries: Sequence[Entry], keys: Keys) -> TakenOut:
    """Replace every BSN by its token, wherever in the bundle it stands; refuse where that cannot be done."""
    issues: list[Issue] = []
    tokens: dict[str, UUID] = {}
    for entry in entries:
        if FHIR_NL not in entry.raw and AS_OID not in entry.raw:
            continue
        numbers = set(_numbers(entry.content))
        tokens |= {number: token_of(number, keys) for number in numbers if is_bsn(number)}
        if not numbers <= tokens.keys():
            issues += [_no_bsn(path) for path in _places(entry.content, entry.path, numbers - tokens.keys())]
    # Looking through all of it at once is most of the speed; minified JSON has no line end of its own.
    whole = b"\n".join(entry.raw for entry in entries)
    for number, token in tokens.items():
        whole = _put(_written(token), number.encode(), whole)
    for entry, raw in zip(entries, whole.split(b"\n"), strict=True):
        if len(raw) != len(entry.raw):
            issues += _still_json(entry, raw)
            entry.raw = raw
    if may_hold(whole):
        issues += undeclared(entries, tokens)
    return TakenOut(tokens, issues)


def _written(token: UUID) -> bytes:
    return b"bsn:" + str(token).encode()


def _put(token: bytes, number: bytes, raw: bytes) -> bytes:
    """The token for the number, also in a narrative or a note and with dots or spaces; not inside a longer number."""
    if number in raw:  # a pattern would take longer than all the rest
        done, *rest = raw.split(number)
        for part in rest:
            inside = done[-1:].isdigit() or part[:1].isdigit()
            done += (number if inside else token) + part
        raw = done
    if number in raw.translate(None, BETWEEN):
        digits = SOMETHING_BETWEEN.join(bytes([digit]) for digit in number)
        raw = re.sub(rb"(?<![0-9])" + digits + rb"(?![0-9])", token, raw)
    return raw


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
        kind="personal-number",
    )


def _still_json(entry: Entry, raw: bytes) -> Iterator[Issue]:
    """A bare JSON number that equals the BSN cannot hold a token."""
    try:
        msgspec.json.decode(raw)
    except msgspec.DecodeError:
        yield Issue(
            nl="In deze resource staat het BSN als getal; een BSN hoort alleen in een identifier.",
            en="This resource holds the BSN as a number; a BSN belongs in an identifier only.",
            expression=(entry.path,),
            code="value",
            kind="personal-number",
        )
