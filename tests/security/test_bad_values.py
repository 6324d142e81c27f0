"""Bytes, numbers and dates that are not what they seem: R12, R14, R15 and R16 of docs/threat-model.md, over HTTP."""

import json
import re
from itertools import product
from typing import Any

import httpx

from api.test_appointment import appointment
from api.test_message import a_message
from examples import FOLDER
from ketenzorg.fhir.bounds import MAX_ENTRIES
from pages.browsers import ORIGIN, Browser
from referrals import a_referral, of, said
from services import Referral, Service
from subscriptions import polling

EXAMPLES = [path.read_text("utf-8") for path in sorted(FOLDER.glob("*.json"))]
MOMENT = re.compile(r'"20[0-9]{2}-[0-9]{2}-[0-9]{2}[^"]*"')
STORED = "select (select count(*) from ketenzorg.resource), (select count(*) from ketenzorg.event)"


def observed(bundle: dict[str, Any], **elements: Any) -> None:
    """Add a measurement that no pathway asks for."""
    weight = {
        "resourceType": "Observation", "status": "final", "code": {"text": "gewicht"},
        "subject": {"reference": bundle["entry"][0]["fullUrl"]}, **elements,
    }  # fmt: skip
    bundle["entry"].append({"resource": weight, "request": {"method": "POST", "url": "Observation"}})


# R12: size


async def test_r12_a_referral_of_as_many_entries_as_may_be_is_taken(service: Service) -> None:
    bundle = a_referral()
    own = len(bundle["entry"])
    while len(bundle["entry"]) < MAX_ENTRIES:
        observed(bundle, valueInteger=len(bundle["entry"]))
    taken = await service.refer(bundle)
    measured = [each for each in taken.locations if each.startswith("Observation/")]
    assert len(measured) == MAX_ENTRIES - own


# R14: bytes

BAD = {
    "an escaped NUL": b'"a\\u0000b"',
    "a raw NUL": b'"a\0b"',
    "a lone surrogate": b'"\\ud800"',
    "bad UTF-8": b'"\xe9"',
    "an overlong code": b'"\xc0\x80"',
    "a surrogate in bytes": b'"\xed\xa0\x80"',
    "the same name twice": b'"x","id":"1","id":"2"',
    "NaN": b"NaN",
    "a number without an end": b"1e999999",
    "5,000 digits": b"9" * 5000,
}
BODIES: dict[str, tuple[str, str, Any]] = {
    "patch": ("PATCH", "/fhir/{task}", [{"op": "add", "path": "/note", "value": [{"text": "HERE"}]}]),
    "put": ("PUT", "/fhir/{task}", {"resourceType": "Task", "status": "accepted", "intent": "order",
        "description": "HERE"}),
    "$event": ("POST", "/fhir/{task}/$event", said("aannemen", toelichting="HERE")),
    "$validate": ("POST", "/fhir/Patient/$validate", {"resourceType": "Patient", "name": [{"text": "HERE"}]}),
    "Subscription": ("POST", "/fhir/Subscription", {**polling(), "reason": "HERE"}),
    "data by themselves": ("POST", "/fhir/Observation", {"resourceType": "Observation", "status": "final",
        "code": {"text": "HERE"}, "subject": {"reference": "Patient/1"}}),
    "a message": ("POST", "/fhir/$process-message", a_message("1", lambda bundle: of(bundle, "ServiceRequest").update(
        note=[{"text": "HERE"}]))),
    "several in a transaction": ("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "GET", "url": "Task"}},
        {"resource": {"resourceType": "Task", "status": "accepted", "intent": "order", "description": "HERE"},
         "request": {"method": "PUT", "url": "Task/1"}}]}),
}  # fmt: skip


async def test_r14_r15_bytes_that_no_body_may_hold_are_refused_everywhere(service: Service) -> None:
    task = (await service.refer())["Task"]
    before = await service.rows(STORED)
    for name, (method, path, body) in BODIES.items():
        kind = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
        for what, bad in spoiled(json.dumps(body)).items():
            url = path.format(task=task)
            answer = await service.coach.request(method, url, content=bad, headers={"Content-Type": kind})
            # Of what can be read at all, $validate says what is wrong with it.
            said_so = name == "$validate" and answer.json()["issue"][0]["severity"] == "error"
            assert answer.status_code == 400 or said_so, (name, what, answer.text)
    assert await service.rows(STORED) == before


def spoiled(sound: str) -> dict[str, bytes]:
    odd = {what: sound.encode().replace(b'"HERE"', bad) for what, bad in BAD.items()}
    return odd | {"a byte order mark": b"\xef\xbb\xbf" + sound.encode(), "UTF-16": sound.encode("utf-16")}


async def test_r14_text_of_any_language_comes_back_as_it_was_sent(service: Service) -> None:
    for number, text in enumerate(
        (
            "é",
            "e\u0301",
            "\u2028\u2029",
            "😀👩\u200d⚕️",
            "\u202egnal",
            "\ufeffx",
            "\uffff\ufffe",
            "\\u0000",
            '\\"',
            "a\tb\r\nc",
        )
    ):

        def writes(bundle: dict[str, Any], text: str = text) -> None:
            of(bundle, "ServiceRequest")["note"] = [{"text": text}]

        referral = await service.refer(a_referral(str(number), writes))
        read = await service.his.get(f"/fhir/{referral['ServiceRequest']}")
        assert read.json()["note"][0]["text"] == text


# R15: numbers


async def test_r15_a_number_keeps_its_digits_wherever_it_is_read(service: Service) -> None:
    for written in ("1.10", "0.00", "1.20E2", "-0.0", "1" * 18, "0.123456789012345678", "1e-7"):
        bundle = a_referral(written)
        observed(bundle, valueQuantity={"value": "HERE"})
        referral = Referral(
            await service.his.post("/fhir", content=json.dumps(bundle).replace('"HERE"', written))
        )
        for place in ("", "/_history/1"):
            read = await service.his.get(f"/fhir/{referral['Observation']}{place}")
            assert f'"value":{written}}}' in read.text


async def test_r15_a_number_that_cannot_be_kept_is_refused_with_its_place(service: Service) -> None:
    for written in (
        "1" * 19,
        "1." + "1" * 22,
        "9" * 5000,
        "1e400",
        "-1e400",
        "1e999999",
        "01",
        "1.",
        ".5",
        "+1",
        "0x1",
    ):
        bundle = a_referral()
        observed(bundle, valueQuantity={"value": "HERE"})
        refused = await service.his.post("/fhir", content=json.dumps(bundle).replace('"HERE"', written))
        assert refused.status_code == 400, written
    assert [tuple(each) for each in await service.rows(STORED)] == [(0, 0)]


# R16: dates

KEPT = (
    "2024", "2024-02", "2024-02-29", "0001-01-01", "9999-12-31", "9999", "2024-02-29T10:00:00+14:00",
    "2024-02-29T10:00:00-14:00", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5+01:00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:60Z", "2024-02-29T10:00:00.123456789Z",
)  # fmt: skip
ENDS = ("2016-12-31T23:59:60Z", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:60-14:00")
REFUSED = (
    "2024-02-30", "2023-02-29", "0000", "0000-01-01", "10000", "10000-01-01", "2024-13", "2024-00", "2024-1-1", "24",
    "2024-02-29T24:00:00Z", "2024-02-29T10:00:00+14:01", "2024-02-29T10:00:00", "2024-02-29T10:60:00Z", "2024-W09",
    "2024-02-29T10:00:61Z", "2024-02-29 10:00:00Z", "-2024", "٢٠٢٤", "",
)  # fmt: skip


async def test_r16_a_date_of_any_precision_is_kept_as_it_was_written(service: Service) -> None:
    for number, written in enumerate(KEPT):
        bundle = a_referral(str(number))
        observed(bundle, effectiveDateTime=written)
        referral = await service.refer(bundle)
        read = await service.his.get(f"/fhir/{referral['Observation']}")
        assert read.json()["effectiveDateTime"] == written


async def test_r16_what_is_no_date_is_refused_with_its_place(service: Service) -> None:
    for written in REFUSED:
        bundle = a_referral()
        observed(bundle, effectiveDateTime=written)
        refused = await service.his.post("/fhir", json=bundle)
        assert refused.status_code == 400, written
        [issue] = refused.json()["issue"]
        place = f"Bundle.entry[{len(bundle['entry']) - 1}].resource.effective"
        assert issue["expression"] in ([f"{place}DateTime"], [f"{place}.ofType(dateTime)"])
    assert [tuple(each) for each in await service.rows(STORED)] == [(0, 0)]


async def test_r16_the_ends_of_time_and_leap_seconds_stand_in_any_element_of_any_referral(
    service: Service,
) -> None:
    """Nothing may compare, shift to Amsterdam or put into an index what has no room for it."""
    for example, written in product(EXAMPLES, ENDS):
        for place in MOMENT.finditer(example):
            one = example[: place.start()] + f'"{written}"' + example[place.end() :]
            is_answered(await service.his.post("/fhir", content=one.encode()))


async def test_r16_when_something_happened_may_be_a_leap_second_or_an_end_of_time(service: Service) -> None:
    task = (await service.refer())["Task"]
    for written in (each for each in KEPT if "T" in each):
        happened = said("aannemen")
        happened["parameter"].append({"name": "at", "valueDateTime": written})
        is_answered(await service.coach.post(f"/fhir/{task}/$event", json=happened))
        for asked in (f"authored-on=lt{written}", f"authored-on=ap{written}", f"_lastUpdated=ge{written}"):
            is_answered(await service.coach.get(f"/fhir/Task?{asked.replace('+', '%2B')}"))


def is_answered(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text


async def test_r16_an_appointment_may_end_in_a_leap_second_and_at_the_end_of_time(service: Service) -> None:
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    for start, end in (
        ("2026-12-31T23:30:00Z", "2026-12-31T23:59:60Z"),
        ("2026-06-30T23:59:60Z", "9999-12-31T23:59:60-14:00"),
    ):
        made = await service.coach.post("/fhir/Appointment", json=appointment(referral, start=start, end=end))
        assert (made.status_code, made.json().get("end")) == (201, end), made.text
    transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True) as client:
        noor = await Browser(client).sign_in("Noor Bolt")
        page = await noor.open(f"/werk/{referral['Task'].partition('/')[2]}")
        assert page.response.status_code == 200
