"""Referrals for tests: valid by default, with one thing broken; and what an OperationOutcome says."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

EXAMPLE = Path(__file__).parents[1] / "fhir_profiles" / "examples" / "referral-welzijn-op-recept.json"
Change = Callable[[dict[str, Any]], None]


def a_referral(number: str = "2026-000123", *changes: Change) -> dict[str, Any]:
    """The valid example under a number of its own, with what the test breaks in it."""
    bundle: dict[str, Any] = copy.deepcopy(json.loads(EXAMPLE.read_text("utf-8")))
    of(bundle, "ServiceRequest")["identifier"][0]["value"] = number
    for change in changes:
        change(bundle)
    return bundle


def of(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    """The (first) resource of a type in a bundle."""
    found: dict[str, Any] = next(
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    )
    return found


def said(event: str, /, **given: str) -> dict[str, Any]:
    """The Parameters of $event; names of answers have dashes where Python has underscores."""
    answers = [{"name": name.replace("_", "-"), "valueString": text} for name, text in given.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "event", "valueString": event}, *answers]}


def texts(response: httpx.Response) -> str:
    """Everything that an OperationOutcome says."""
    issues = response.json()["issue"]
    return "\n".join(f"{each['details']['text']}\n{each['diagnostics']}" for each in issues)


def places(response: httpx.Response) -> list[str]:
    """The expressions of an OperationOutcome, and the parameters that it names."""
    return [path for each in response.json()["issue"] for path in places_of(each)]


def places_of(issue: dict[str, Any]) -> tuple[str, ...]:
    """In the resource, or the name of a parameter of the request."""
    return (*issue.get("expression", ()), *(at.removeprefix("http.") for at in issue.get("location", ())))
