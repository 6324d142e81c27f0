"""Bytes that no FHIR resource may be: each is refused with a clear text, or kept as it is."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ketenzorg.errors import KetenzorgError, Malformed, TooLarge
from ketenzorg.fhir import bounds
from ketenzorg.fhir.decode import decode, decode_as, encode
from ketenzorg.fhir.r4 import Patient, Task


def patient(text: str) -> bytes:
    """A Patient whose name is this JSON text."""
    return f'{{"resourceType":"Patient","name":[{{"text":{text}}}]}}'.encode()


def quantity(number: str) -> bytes:
    """An Observation with this number."""
    shell = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    return (shell % number).encode()


def nested(levels: int) -> bytes:
    """Extensions in extensions: every level is an array and an object."""
    inner = '"valueString":"x"'
    for _ in range(levels // 2):
        inner = f'"extension":[{{"url":"urn:x",{inner}}}]'
    return f'{{"resourceType":"Patient",{inner}}}'.encode()


def bundle(entries: int) -> bytes:
    entry = {"resource": {"resourceType": "Patient", "active": True}}
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [entry] * entries}).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not valid JSON"),
    "not JSON": (b"resourceType: Patient", "not valid JSON"),
    "XML": (b'<Patient xmlns="http://hl7.org/fhir"/>', "not valid JSON"),
    "half a body": (patient('"x"')[:-3], "not valid JSON"),
    "half a string": (b'{"resourceType":"Pat', "not valid JSON"),
    "two bodies": (patient('"x"') * 2, "not valid JSON"),
    "closing first": (b"}{", "not valid JSON"),
    "crossed brackets": (b'{"resourceType":"Patient","name":[}]', "not valid JSON"),
    "a trailing comma": (b'{"resourceType":"Patient",}', "not valid JSON"),
    "NaN": (quantity("NaN"), "not valid JSON"),
    "Infinity": (quantity("-Infinity"), "not valid JSON"),
    "a number with a leading zero": (quantity("01"), "not valid JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + patient('"x"'), "byte order mark"),
    "UTF-16": (patient('"x"').decode().encode("utf-16"), "byte order mark"),
    "UTF-16 without mark": (patient('"x"').decode().encode("utf-16-le"), "NUL"),
    "UTF-32": (patient('"x"').decode().encode("utf-32"), "byte order mark"),
    "Latin-1": (patient('"é"').decode().encode("latin-1"), "not valid UTF-8"),
    "an overlong code": (patient('"x"').replace(b"x", b"\xc0\x80"), "not valid UTF-8"),
    "a surrogate in bytes": (patient('"x"').replace(b"x", b"\xed\xa0\x80"), "not valid UTF-8"),
    "a raw NUL": (patient('"x"').replace(b"x", b"\x00"), "NUL"),
    "an escaped NUL": (patient(r'"a\u0000b"'), "control characters"),
    "an escaped bell": (patient(r'"a\u0007b"'), "control characters"),
    "an escaped form feed": (patient(r'"a\fb"'), "control characters"),
    "an escaped NUL after a backslash": (patient(r'"a\\\u0000b"'), "control characters"),
    "a raw line end in a string": (patient('"a\nb"'), "not valid JSON"),
    "a lone high surrogate": (patient(r'"\ud800"'), "surrogate"),
    "a lone low surrogate": (patient(r'"\udc00"'), "surrogate"),
    "surrogates the wrong way round": (patient(r'"\udc00\ud800"'), "surrogate"),
    "the same name twice": (b'{"resourceType":"Patient","active":true,"active":false}', "there twice"),
    "the same type twice": (b'{"resourceType":"Patient","resourceType":"Patient"}', "there twice"),
    "33 levels": (nested(32), "nested deeper"),
    "500 levels": (nested(500), "nested deeper"),
    "100,000 brackets": (b"[" * 100_000, "nested deeper"),
    "100,000 pairs of brackets": (b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
    "19 digits": (quantity("1234567890.123456789"), "more than 18 digits"),
    "5,000 digits": (quantity("1" * 5000), "more than 18 digits"),
    "5,000 digits behind the point": (quantity("0." + "1" * 5000), "more than 18 digits"),
    "a huge exponent": (quantity("1e400"), "too large an exponent"),
    "a silly exponent": (quantity("1e" + "9" * 5000), "too large an exponent"),
    "32 brackets": (b"[" * 32 + b"]" * 32, "must be an object"),
    "33 brackets": (b"[" * 33 + b"]" * 33, "nested deeper"),
    "a list": (b"[]", "must be an object"),
    "a word": (b'"Patient"', "must be an object"),
    "a number": (b"12", "must be an object"),
    "null": (b"null", "must be an object"),
}


@pytest.mark.parametrize(("body", "says"), BAD.values(), ids=BAD.keys())
def test_r13_r14_r15_bad_bytes_are_refused(body: bytes, says: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(body)
    assert says in str(caught.value)
    assert all(issue.nl and issue.en for issue in caught.value.issues)


KEPT = {
    "a decimal with a zero": quantity("1.10"),
    "zero with digits": quantity("0.00"),
    "minus zero": quantity("-0.0"),
    "18 digits": quantity("123456789.012345678"),
    "leading zeros do not count": quantity("1.23E-23"),
    "an escaped quote before a brace": patient(r'"\"}{[\\"'),
    "a name that starts with a colon": patient('":a"'),
    "text that looks like a null": patient('"null"'),
    "a backslash and u0000": patient(r'"\\u0000"'),
    "letters of elsewhere": patient('"Ýmir Ōe 😀 \u2028"'),
    "500 entries": bundle(500).replace(b" ", b""),
}  # fmt: skip


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT.keys())
def test_r14_r15_good_bytes_come_back_as_they_were(body: bytes) -> None:
    assert encode(decode(body)) == body


def test_31_levels_are_fine() -> None:
    assert json.loads(encode(decode(nested(30)))) == json.loads(nested(30))


def test_escapes_and_white_space_are_read() -> None:
    body = b'{ "name" : [ { "text" : "\\ud83d\\ude00\\/\\n" } ] ,\r\n\t"resourceType" : "Patient" }'
    assert decode_as(body, Patient).name[0].text == "😀/\n"


def test_501_entries_are_too_many() -> None:
    with pytest.raises(TooLarge):
        decode(bundle(501))
    assert decode(bundle(501), max_entries=501)


def test_a_place_is_given_for_a_long_number() -> None:
    with pytest.raises(Malformed) as caught:
        decode(quantity("1" * 19))
    assert caught.value.issues[0].expression == ("Observation.valueQuantity.value",)


def test_a_name_that_comes_twice_is_found_in_any_json() -> None:
    bounds.check_names(b'[{"op":"add"},{"op":"add"}]')
    with pytest.raises(Malformed) as caught:
        bounds.check_names(b'[{"op":"add","value":{"a":1,"a":2}},{"op":"add","op":"test"}]')
    assert [issue.expression[0] for issue in caught.value.issues] == ["[0].value.a", "[1].op"]


def test_a_string_over_one_megabyte_is_too_large() -> None:
    with pytest.raises(TooLarge):
        decode(patient(f'"{"x" * (bounds.MAX_STRING + 1)}"'))


def test_another_type_than_asked_is_refused() -> None:
    with pytest.raises(Malformed, match="must be a Task, not a Patient"):
        decode_as(patient('"x"'), Task)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_what_is_counted_in_a_body_is_what_is_counted_in_what_we_write(data: object) -> None:
    """The counts must agree, or a member sent twice would pass."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        skeleton = bounds.check(body)
    except KetenzorgError:
        return
    assert bounds.count_strings(body) == skeleton.strings
    assert bounds.count_nulls(body) == skeleton.nulls


@given(st.binary(max_size=200) | _json.map(lambda data: json.dumps(data).encode()))
@settings(max_examples=300)
def test_any_bytes_give_a_resource_or_our_own_error(body: bytes) -> None:
    try:
        decode(body)
    except KetenzorgError as error:
        assert error.issues
