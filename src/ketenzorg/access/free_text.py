"""Personal numbers in what people wrote: those that no identifier of the bundle declares, and so nobody takes out.

Only texts are looked at (string, markdown, narrative), and attachments. The value of an identifier, a code or a
telephone number says itself what it is: of all order numbers of nine digits one in eleven would pass for a BSN. So it
is with a code that a narrative repeats: one in eleven of the codes of SNOMED CT that have nine digits.
"""

import html
import re
from base64 import b64decode
from collections.abc import Collection, Iterator
from typing import NamedTuple

import msgspec

from ketenzorg.access.personal_numbers import holds_number, is_bsn, numbers_in
from ketenzorg.errors import Issue
from ketenzorg.fhir import elements, r4
from ketenzorg.referral.bundle import Entry

TEXTS = frozenset({"string", "markdown", "xhtml"})
NO_TEXT = (r4.Identifier, r4.ContactPoint)
AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
SIGNS = (b"000000000", b"0000.00.000")
SAID_TO_BE = (b'"code":"', b'"value":"')  # in front of what is a code, or the value of an identifier
ENTITY, ATTACHED = b"&#", b'"data":"'  # where digits do not look like digits
CODE = re.compile(rb'"code":"([0-9]{9})"')


class _Fine(NamedTuple):
    """The numbers that a text may hold: those that are taken out of it, and the codes of the same resource."""

    taken_out: frozenset[str]
    codes: frozenset[str]


def undeclared(entries: Collection[Entry], known: Collection[str]) -> list[Issue]:
    """Where a text or an attachment holds a number that will rest in it; `known` ones were taken out of the texts."""
    return [
        _no_place_for(path)
        for entry in entries
        if may_hold(entry.raw)
        for path in _places(entry.resource, entry.path, _Fine(frozenset(known), _codes(entry.raw)))
    ]


def in_texts(resource: msgspec.Struct, path: str) -> list[Issue]:
    """Where a resource that is no part of a referral holds a number in a text."""
    return [_no_place_for(place) for place in _places(resource, path, _Fine(frozenset(), frozenset()))]


def may_hold(raw: bytes) -> bool:
    """Whether it is worth reading every text: the bytes of most resources tell that there is nothing to find."""
    return (b"&" in raw and ENTITY in raw) or ATTACHED in raw or any(map(is_bsn, _candidates(raw)))


def _candidates(raw: bytes) -> Iterator[str]:
    """By plain search: a pattern takes longer than all the rest of taking numbers out."""
    zeros = raw.translate(AS_ZEROS)
    for sign in SIGNS:
        at = zeros.find(sign)
        while at >= 0:
            end = at + len(sign)
            alone = not zeros[at - 1 : at].isdigit() and not zeros[end : end + 1].isdigit()
            if alone and not raw[max(0, at - len(SAID_TO_BE[1])) : at].endswith(SAID_TO_BE):
                yield raw[at:end].replace(b".", b"").decode()
            at = zeros.find(sign, end)


def _codes(raw: bytes) -> frozenset[str]:
    return frozenset(code.decode() for code in CODE.findall(raw))


def _places(node: msgspec.Struct, path: str, fine: _Fine) -> Iterator[str]:
    if isinstance(node, r4.Attachment) and node.data and _in_attachment(node, fine.taken_out):
        yield f"{path}.data"
    for element in elements.of(type(node)).values():
        value, place = getattr(node, element.attribute), f"{path}.{element.place}"
        values = enumerate(value) if isinstance(value, list) else [(None, value)]
        for n, each in values:
            here = place if n is None else f"{place}[{n}]"
            if isinstance(each, msgspec.Struct):
                yield from _places(each, here, fine)
            elif element.title in TEXTS and not isinstance(node, NO_TEXT) and each and _in_text(each, fine):
                yield here


def _in_text(text: str, fine: _Fine) -> bool:
    """A number that was taken out and still stands here was written in signs that hide it."""
    hidden = "&#" in text and not fine.codes.issuperset(numbers_in(html.unescape(text)))
    return hidden or not (fine.taken_out | fine.codes).issuperset(numbers_in(text))


def _in_attachment(attachment: r4.Attachment, taken_out: frozenset[str]) -> bool:
    """The patient's own in any file, somebody else's in one that is text."""
    data = b64decode(attachment.data or "")
    if any(number.encode() in data for number in taken_out):
        return True
    return (attachment.contentType or "").startswith("text/") and holds_number(
        data.decode("utf-8", "replace")
    )


def _no_place_for(path: str) -> Issue:
    return Issue(
        nl="Hier staat een getal dat een burgerservicenummer (BSN) kan zijn. Een BSN hoort alleen in een identifier: "
        "laat het hier weg. Is het iets anders, schrijf het dan in groepjes (123 456 782).",
        en="This holds a number that may be a personal number (BSN). That belongs in an identifier only: leave it out "
        "here. Is it something else, then write it in groups (123 456 782).",
        expression=(path,),
        code="business-rule",
        kind="personal-number",
    )
