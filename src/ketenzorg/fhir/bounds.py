"""What a body may be before anybody parses it: UTF-8 JSON, not too deep, too long or too precise.

JSON: https://www.rfc-editor.org/rfc/rfc8259. Limits of decimals: https://hl7.org/fhir/R4/datatypes.html#decimal.
Works on the skeleton of the body (everything outside the strings), so that no parser sees a hostile one.
"""

import codecs
import json
import re
from collections import Counter
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from ketenzorg.errors import Issue, Malformed, TooLarge

MAX_DEPTH: Final = 32
MAX_ENTRIES: Final = 500
MAX_STRING: Final = 1024 * 1024
MAX_DIGITS: Final = 18
MAX_EXPONENT: Final = 30

_SPACE = b" \t\r\n"
_LEVELS = bytes.maketrans(b"[]", b"{}")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
# Digits and the point become 0 and E becomes e, so that a plain search finds a long number.
_NUMBERS = bytes.maketrans(b"0123456789.E", b"00000000000e")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_]{0,49}[0-9]?\Z")
_CONTROL = re.compile(rb"\\u00(?:0[0-8bcef]|1[0-9a-f])|\\[bf]", re.IGNORECASE)
_PAIR = re.compile(rb"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}", re.IGNORECASE)
_SURROGATE = re.compile(rb"\\ud[89a-f]", re.IGNORECASE)


class Skeleton(NamedTuple):
    """What a body is made of, without what it says."""

    strings: int  # names of members count too
    nulls: int
    empties: bool  # {} or [] somewhere


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Members(dict[str, Any]):
    """A JSON object that remembers which names came twice."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs) if len(self) < len(pairs) else {}
        self.repeated = sorted(name for name, count in counts.items() if count > 1)


class _Envelope(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - the name in FHIR
    entry: list[msgspec.Raw] = []


_envelope = msgspec.json.Decoder(_Envelope)


def check(body: bytes, *, max_depth: int = MAX_DEPTH, max_entries: int = MAX_ENTRIES) -> Skeleton:
    """Refuse what no FHIR body may be; say what is left to compare with what was read."""
    _check_encoding(body)
    text = body
    if b"\\" in body:
        text = body.replace(b"\\\\", b"")
        _check_escapes(text)
        text = text.replace(b'\\"', b"")
    parts = text.split(b'"')
    if len(parts) % 2 == 0:
        raise not_json()
    if len(body) > MAX_STRING and max(map(len, parts[1::2])) > MAX_STRING:
        raise _too_large(
            f"een tekst van meer dan {MAX_STRING} bytes", f"a string of more than {MAX_STRING} bytes"
        )
    skeleton = b'"'.join(parts[::2]).translate(None, _SPACE)
    _check_depth(skeleton, max_depth)
    _check_numbers(skeleton, body)
    if skeleton.count(b"{") > max_entries:
        _check_entries(body, max_entries)
    return Skeleton(
        strings=len(parts) // 2,
        nulls=skeleton.count(b"null"),
        empties=b"{}" in skeleton or b"[]" in skeleton,
    )


def check_names(body: bytes) -> None:
    """Refuse a name that comes twice in one object: for bodies that are no resource (a patch, CDS Hooks)."""
    data = read(body)
    kind = data.get("resourceType") if isinstance(data, dict) else None
    places = _repeated(data, "" if kind is None else plain(kind))
    if places:
        nl, en = "Dit element staat er twee keer. Houd er één.", "This element is there twice. Keep one."
        raise Malformed(*(Issue(nl, en, (place,)) for place in places[:100]))


def _repeated(data: Any, place: str) -> list[str]:
    if isinstance(data, list):
        return [found for n, value in enumerate(data) for found in _repeated(value, f"{place}[{n}]")]
    if not isinstance(data, Members):
        return []
    inside = [found for name, value in data.items() for found in _repeated(value, f"{place}.{plain(name)}")]
    return [f"{place}.{plain(name)}".lstrip(".") for name in data.repeated] + [
        each.lstrip(".") for each in inside
    ]


def count_strings(encoded: bytes) -> int:
    """The strings in what msgspec wrote, names of members too; as Skeleton counts them."""
    if b"\\" in encoded:
        encoded = encoded.replace(b"\\\\", b"").replace(b'\\"', b"")
    return encoded.count(b'"') // 2


def count_nulls(encoded: bytes) -> int:
    """The nulls in what msgspec wrote, outside its strings."""
    return b'"'.join(encoded.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]).count(b"null")


def read(body: bytes) -> Any:
    """The raw data of a body that passed `check`: objects as Members, numbers as Number."""
    try:
        return json.loads(
            body,
            object_pairs_hook=Members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):
        raise not_json() from None


def plain(name: object) -> str:
    """A member's name for a place; one that does not look like FHIR may be personal data: not repeated."""
    return name if isinstance(name, str) and _NAME.match(name) else "?"


def not_json() -> Malformed:
    """No place in it: a parser's message may quote the body."""
    return Malformed(
        Issue(
            "Het bericht is geen geldige JSON. Controleer haakjes, komma's, aanhalingstekens en getallen "
            "(NaN bestaat niet).",
            "The body is not valid JSON. Check brackets, commas, quotes and numbers (there is no NaN).",
        )
    )


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _check_encoding(body: bytes) -> None:
    if body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _encoding("begint met een byte order mark", "starts with a byte order mark")
    if b"\x00" in body:
        raise _encoding("bevat NUL-tekens (of is UTF-16)", "contains NUL characters (or is UTF-16)")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise _encoding(
            f"is geen geldige UTF-8 (bij byte {error.start})", f"is not valid UTF-8 (at byte {error.start})"
        ) from None


def _check_escapes(text: bytes) -> None:
    """The text comes without escaped backslashes, so every backslash in it starts an escape."""
    if b"\\u" not in text and b"\\b" not in text and b"\\f" not in text:
        return
    if _CONTROL.search(text):
        raise _encoding(
            "bevat stuurtekens (zoals \\u0000); FHIR kent alleen tab en regeleinde",
            "contains control characters (such as \\u0000); FHIR allows only tab and line end",
        )
    if _SURROGATE.search(_PAIR.sub(b"", text)):
        raise _encoding("bevat een half surrogaatpaar (\\ud800)", "contains a lone surrogate (\\ud800)")


def _encoding(nl: str, en: str) -> Malformed:
    return Malformed(
        Issue(f"Het bericht {nl}. Stuur JSON in UTF-8.", f"The body {en}. Send JSON in UTF-8.", code="value")
    )


def _check_depth(skeleton: bytes, max_depth: int) -> None:
    levels = skeleton.translate(_LEVELS, _NOT_BRACKETS)
    for _ in range(max_depth):
        if not levels:
            return
        levels = levels.replace(b"{}", b"")  # one level a time, the innermost first
    if not levels:
        return
    opened, closed = levels.count(b"{"), levels.count(b"}")
    if levels.startswith(b"}") or (opened != closed and opened <= max_depth):
        raise not_json()
    raise Malformed(
        Issue(
            f"Het bericht is dieper genest dan {max_depth} niveaus. Haal niveaus weg.",
            f"The body is nested deeper than {max_depth} levels. Take levels out.",
        )
    )


def _check_numbers(skeleton: bytes, body: bytes) -> None:
    digits = skeleton.translate(_NUMBERS)
    if b"0" * (MAX_DIGITS + 1) not in digits and b"0e" not in digits:
        return
    issues = [
        Issue(
            f"Dit getal heeft meer dan {MAX_DIGITS} cijfers of een te grote exponent. Rond het af.",
            f"This number has more than {MAX_DIGITS} digits or too large an exponent. Round it.",
            (place,),
            "value",
        )
        for place in _long_numbers(read(body), "")
    ]
    if issues:
        raise Malformed(*issues[:100])


def _long_numbers(data: Any, place: str) -> list[str]:
    if isinstance(data, dict):
        here = place or plain(data.get("resourceType"))
        return [
            found for name, value in data.items() for found in _long_numbers(value, f"{here}.{plain(name)}")
        ]
    if isinstance(data, list):
        return [found for n, value in enumerate(data) for found in _long_numbers(value, f"{place}[{n}]")]
    return [place] if isinstance(data, Number) and _is_long(data) else []


def _is_long(number: str) -> bool:
    mantissa, _, exponent = number.lower().partition("e")
    digits = mantissa.lstrip("-").replace(".", "").lstrip("0")
    power = exponent.lstrip("+-").lstrip("0")
    return len(digits) > MAX_DIGITS or len(power) > len(str(MAX_EXPONENT)) or int(power or 0) > MAX_EXPONENT


def _check_entries(body: bytes, max_entries: int) -> None:
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return  # the decoder of the types says what is wrong, and where
    if envelope.resourceType == "Bundle" and len(envelope.entry) > max_entries:
        raise _too_large(f"meer dan {max_entries} entries", f"more than {max_entries} entries")


def _too_large(nl: str, en: str) -> TooLarge:
    return TooLarge(
        Issue(
            f"Het bericht heeft {nl}. Splits het op.", f"The body has {en}. Split it up.", ("Bundle.entry",)
        )
    )
