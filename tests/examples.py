"""The example referrals of fhir_profiles/examples, one per pathway, with what a test changes in them."""

import copy
import json
from pathlib import Path
from typing import Any

import httpx

FOLDER = Path(__file__).parents[1] / "fhir_profiles" / "examples"
LOINC = "http://loinc.org"
LIFTED = object()  # an answer that is not given
Answer = bool | str | tuple[float, str] | object


def an_example(pathway: str, /, **answers: Answer) -> dict[str, Any]:
    """The example of a pathway; answers by linkId, with _ for -; a number goes with its unit."""
    bundle: dict[str, Any] = json.loads((FOLDER / f"referral-{pathway}.json").read_text("utf-8"))
    response = next(each for each in _resources(bundle) if each["resourceType"] == "QuestionnaireResponse")
    for name, said in answers.items():
        link = name.replace("_", "-")
        response["item"] = [item for item in response["item"] if item["linkId"] != link]
        if said is not LIFTED:
            response["item"].append(an_item(link, said))
    return bundle


def an_item(link: str, said: Answer) -> dict[str, Any]:
    """One answered question of a QuestionnaireResponse."""
    return {"linkId": link, "answer": [_answer(said)]}


def an_observation(code: str, value: float, unit: str, day: str) -> dict[str, Any]:
    """A measurement under a LOINC code, about nobody yet."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": f"{day}T08:00:00+01:00",
        "valueQuantity": _quantity(value, unit),
    }


def measured(bundle: dict[str, Any], code: str, *values: tuple[float, str, str]) -> dict[str, Any]:
    """The bundle with only these (value, unit, day) under a LOINC code, in the place of what was there."""
    entries = [entry for entry in bundle["entry"] if code not in _codes(entry["resource"])]
    patient = bundle["entry"][0]["fullUrl"]
    for value, unit, day in values:
        observation = {**an_observation(code, value, unit, day), "subject": {"reference": patient}}
        entries.append({"resource": observation, "request": {"method": "POST", "url": "Observation"}})
    return {**copy.deepcopy(bundle), "entry": entries}


def lines(response: httpx.Response) -> list[str]:
    """Each issue of the answer, in Dutch and in English: of a referral that was taken, or of a refusal."""
    return [f"{each['details']['text']}\n{each['diagnostics']}" for each in issues(response)]


def issues(response: httpx.Response) -> list[dict[str, Any]]:
    body: dict[str, Any] = response.json()
    if body["resourceType"] == "OperationOutcome":
        return list(body["issue"])
    outcomes = [entry["response"].get("outcome", {}) for entry in body["entry"]]
    return [issue for outcome in outcomes for issue in outcome.get("issue", ())]


def asked(response: httpx.Response) -> set[str]:
    """The linkIds that an answer points at."""
    places = [place for issue in issues(response) for place in issue.get("expression", ())]
    return {place.split("'")[1] for place in places if "linkId='" in place}


def _resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def _codes(resource: dict[str, Any]) -> set[str]:
    if resource["resourceType"] != "Observation":
        return set()
    return {coding["code"] for coding in resource["code"]["coding"]}


def _answer(said: Any) -> dict[str, Any]:
    if isinstance(said, bool):
        return {"valueBoolean": said}
    if isinstance(said, tuple):
        return {"valueQuantity": _quantity(*said)}
    return {"valueCoding": {"code": said}}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
