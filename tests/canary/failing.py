"""Everything that somebody can get wrong with a number in hand."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from canary.talking import BSN, CANARY, FORM, OTHER, PATCH, Region, written
from ketenzorg.access.rules import TABLE
from referrals import a_referral, of, said

# What somebody could send anywhere.
PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "event", "valueString": OTHER},
        {"name": "organisatie", "valueReference": {"identifier": {"system": BSN, "value": OTHER}}},
    ],
}
SUBSCRIPTION = {
    "resourceType": "Subscription", "status": "requested", "reason": OTHER, "criteria": f"Task?patient={OTHER}",
    "channel": {"type": "rest-hook", "endpoint": f"https://{OTHER}.example/{OTHER}", "header": [OTHER]},
}  # fmt: skip
TOKEN_REQUEST = {
    "grant_type": OTHER,
    "client_id": OTHER,
    "client_assertion": OTHER,
    "scope": OTHER,
    "token": OTHER,
}
ANYTHING = (
    (json.dumps(PARAMETERS), {}),
    (json.dumps(SUBSCRIPTION), {}),
    (json.dumps({OTHER: OTHER}), {}),
    (urlencode(TOKEN_REQUEST | {f"antwoord-{OTHER}": OTHER, "naar": f"/werk/{OTHER}", "wie": OTHER}), FORM),
)


async def goes_wrong(all_: Region, places: dict[str, str]) -> None:
    """Everything that somebody could get wrong with a number in hand."""
    task = places["Task"]
    for path in (
        f"/fhir/Patient/{CANARY}", f"/fhir/{CANARY}", f"/fhir/{CANARY}/{CANARY}", f"/{CANARY}", f"/werk/{CANARY}",
        f"/login?naar=/werk/{CANARY}", f"/keten/{CANARY}", f"/throughput/{CANARY}?from={CANARY}",
        f"/throughput/welzijn-op-recept?{CANARY}={CANARY}", f"/fhir/Task/$overdue?after={CANARY}",
        f"{task}/_history/{CANARY}", f"{task}/${CANARY}", f"/static/{CANARY}", f"/sandbox/clock?{CANARY}",
        f"/zorgpaden/{CANARY}", f"/fhir/metadata?_format={CANARY}",
    ):  # fmt: skip
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for who in ("practice", "coach", "stranger"):
                await all_.ask(who, method, path, content=b"{}")
    for route in TABLE.routes:
        method, _, path = re.sub(r"\{[^}]*\}", CANARY, route).partition(" ")
        for who in ("practice", "coach"):
            for content, headers in ANYTHING:
                await all_.ask(who, method, path, content=content, headers=headers, params={"x": CANARY})
    claims = b64encode(json.dumps({"sub": CANARY, "org": CANARY}).encode()).decode().rstrip("=")
    for name, value in (
        ("Authorization", f"Bearer {CANARY}"), ("Authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims}.{CANARY}"),
        ("Authorization", f"Basic {CANARY}"), ("X-Request-Id", CANARY), ("X-Request-Id", f"bsn-{CANARY}"),
        ("X-Correlation-Id", CANARY), ("AORTA-ID", f"initialRequestID={CANARY}; requestID={CANARY}"),
        ("If-Match", f'W/"{CANARY}"'), ("If-Match", CANARY), ("Accept", f"text/{CANARY}"), ("Prefer", CANARY),
        ("Content-Type", f"text/{CANARY}"), ("Content-Encoding", CANARY), ("User-Agent", CANARY),
        ("Cookie", f"ketenzorg={CANARY}"), ("Origin", f"https://{CANARY}.example"), ("X-Forwarded-For", CANARY),
        (CANARY, CANARY),
    ):  # fmt: skip
        await all_.ask("practice", "GET", task, headers={name: value})
        await all_.ask("practice", "POST", f"{task}/$event", headers={name: value}, json=said(OTHER))
    for change in broken():
        await all_.ask("practice", "POST", "/fhir", json=a_referral("2", change))
    for body in (f'{{"resourceType": "{CANARY}', f'{{"{CANARY}": 1}}', CANARY, f'["{CANARY}"]'):
        await all_.ask("practice", "POST", "/fhir", content=body)


async def writes_it_in_a_task(all_: Region, task: str) -> None:
    text = written(OTHER)
    whole = (
        {"note": [{"text": text}]},
        {"status": OTHER},
        {"id": OTHER},
        {OTHER: OTHER},
        {"description": text},
        {"identifier": [{"system": BSN, "value": OTHER}]},
        {"input": [{"type": {"text": text}, "valueString": text}]},
        {"owner": {"identifier": {"system": BSN, "value": OTHER}}},
        {"text": {"status": "generated", "div": text}},
    )
    operations = (
        {"op": "add", "path": "/note", "value": [{"text": text}]},
        {"op": "replace", "path": f"/{OTHER}", "value": OTHER},
        {"op": OTHER, "path": "/status", "value": OTHER},
    )
    events = (("afwijzen", {"toelichting": text}), (OTHER, {}), ("afwijzen", {OTHER: OTHER}))
    for who in ("practice", "coach", "hospital"):
        for event, given in events:
            await all_.ask(who, "POST", f"{task}/$event", json=said(event, **given))
        shown = (await all_.ask(who, "GET", task)).json()
        for change in whole:
            await all_.ask(who, "PUT", task, json=shown | change)
        for operation in operations:
            await all_.ask(who, "PATCH", task, json=[operation], headers=PATCH)


def broken() -> list[Callable[[dict[str, Any]], None]]:
    """Referrals that are refused, each with a number where it is wrong."""
    text = written(OTHER)

    def into(kind: str, **elements: Any) -> Callable[[dict[str, Any]], None]:
        return lambda bundle: of(bundle, kind).update(elements)

    identifiers = ({"system": BSN, "value": "999951751"}, {"system": f"{BSN}{CANARY}", "value": ""})
    return [
        *(into("Patient", identifier=[each]) for each in identifiers),
        into("Patient", **{OTHER: 1}),
        into("Patient", gender=OTHER),
        into("Patient", birthDate=OTHER),
        into("Patient", active=OTHER),
        into("Patient", multipleBirthInteger=OTHER),
        into("Patient", multipleBirthInteger=int(CANARY), identifier=[{"system": BSN, "value": CANARY}]),
        into("Patient", name=[{"text": text}]),
        into("Patient", resourceType=OTHER),
        into("ServiceRequest", note=[{"text": text}]),
        into("ServiceRequest", status=OTHER, instantiatesCanonical=[OTHER]),
        into("ServiceRequest", subject={"reference": f"Patient/{OTHER}"}),
        into("ServiceRequest", requester={"identifier": {"system": BSN, "value": OTHER}}),
        into("ServiceRequest", requester={"reference": f"#{OTHER}"}),
        into("Condition", encounter={"reference": f"Encounter/{OTHER}"}),
        into("QuestionnaireResponse", item=[{"linkId": OTHER, "answer": [{"valueString": text}]}]),
        into("QuestionnaireResponse", questionnaire=OTHER),
        lambda bundle: bundle.update(type=OTHER),
        lambda bundle: bundle["entry"][0].update(fullUrl=OTHER),
        lambda bundle: bundle["entry"][0]["request"].update(url=OTHER, ifNoneExist=f"identifier={OTHER}"),
    ]
