"""The published examples as somebody who connects a system sends them: with a referral, as little changed as can be.

Changed are: the reference to the subject, which is the patient of the referral; references to what does not come along,
which name the server where it is; and what a request, a Task or an Appointment must say here.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from published import files, inside, written
from referrals import a_referral, of

Json = dict[str, Any]
ELSEWHERE = "https://elders.example/fhir"
PATIENT, REQUEST = (entry["fullUrl"] for entry in a_referral()["entry"][:2])
SUBJECT = ("subject", "patient", "for")  # the elements that name the patient
MOST, LARGEST = 400, 800_000  # entries and bytes of one bundle
REACHED = {
    "linkId": "contactgegevens",
    "answer": [{"valueString": "via de praktijk"}],
}  # many have no telephone
COACH = {"identifier": {"system": "http://fhir.nl/fhir/NamingSystem/ura", "value": "99990015"}}
IMPOSED: Mapping[str, tuple[str, ...]] = {
    "ServiceRequest": (
        "identifier", "instantiatesCanonical", "status", "intent", "subject", "requester", "performer",
    ),
}  # fmt: skip


class Example(NamedTuple):
    """One resource, as it will be sent."""

    name: str
    kind: str
    sent: Json


def examples_in(folder: Path) -> Iterator[Example]:
    """Every resource of every file."""
    for file, _, data in files(folder):
        names = dict(_names(data))
        for name, resource in inside(file, data):
            if isinstance(resource, dict) and "resourceType" in resource:
                yield Example(name, resource["resourceType"], _brought(resource, names))


def bundles(examples: Sequence[Example]) -> Iterator[tuple[list[Example], bytes]]:
    """Referrals that bring all of these along, as few as there is room for."""
    waiting = list(examples)
    while waiting:
        together, size = list[Example](), 0
        while waiting and len(together) < MOST and size < LARGEST:
            together.append(waiting.pop(0))
            size += len(written(together[-1].sent))
        yield together, referral(together[0].name, *(each.sent for each in together))


def referral(number: str, *along: Json, **instead: Json) -> bytes:
    """A referral under this number; `instead` of its own Patient or ServiceRequest another one."""
    bundle = a_referral(number)
    of(bundle, "ServiceRequest")["performer"] = [COACH]
    of(bundle, "QuestionnaireResponse")["item"].append(REACHED)
    for kind, resource in instead.items():
        entry = next(each for each in bundle["entry"] if each["resource"]["resourceType"] == kind)
        entry["resource"] = resource | {name: entry["resource"][name] for name in IMPOSED.get(kind, ())}
    for each in along:
        request = {"method": "POST", "url": each["resourceType"]}
        bundle["entry"].append({"resource": each, "request": request})
    return written(bundle)


def as_coordination_task(task: Json) -> Json:
    """The same Task as the one of the referral."""
    imposed = {"status": "requested", "intent": "order", "focus": {"reference": REQUEST}, "owner": COACH}
    return task | imposed


def as_our_appointment(appointment: Json) -> Json:
    """The same Appointment of the patient of the referral, for what was asked, and still to come."""
    made = deepcopy(appointment) | {"basedOn": [{"reference": REQUEST}], "status": "booked"}
    for each in made["participant"]:
        actor = each.get("actor", {})
        if actor.get("reference", "").startswith(f"{ELSEWHERE}/Patient/"):
            actor["reference"] = PATIENT
    return made


def _names(data: Any) -> Iterator[tuple[str, str]]:
    for entry in data.get("entry", []) if isinstance(data, dict) else []:
        if "fullUrl" in entry and isinstance(entry.get("resource"), dict):
            resource = entry["resource"]
            yield entry["fullUrl"], f"{resource.get('resourceType')}/{resource.get('id')}"


def _brought(resource: Json, names: Mapping[str, str]) -> Json:
    subjects = {
        named["reference"]
        for element in SUBJECT
        if isinstance(named := resource.get(element), dict) and "reference" in named
    }
    return {key: _pointed(value, names, subjects) for key, value in resource.items()}


def _pointed(node: Any, names: Mapping[str, str], subjects: set[str]) -> Any:
    if isinstance(node, dict):
        return {
            key: _address(value, names, subjects)
            if key == "reference" and isinstance(value, str)
            else _pointed(value, names, subjects)
            for key, value in node.items()
        }
    return [_pointed(each, names, subjects) for each in node] if isinstance(node, list) else node


def _address(reference: str, names: Mapping[str, str], subjects: set[str]) -> str:
    meant = names.get(reference, reference)
    if reference in subjects and meant.startswith("Patient/"):
        return PATIENT
    return reference if meant.startswith(("#", "http")) else f"{ELSEWHERE}/{meant}"
