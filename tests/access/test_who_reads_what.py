"""Role by role, element by element: what each party reads of a referral that holds everything, by every way."""

from typing import Any
from uuid import UUID

import pytest

from access.parties import everything_of
from every_type import place, with_words, words
from examples import Answer, an_example, an_item
from ketenzorg.access.views import view_of
from ketenzorg.pathway.words import EVERYBODY
from referrals import of
from services import CATALOGUE, Referral, Service
from spec.beginnings import MEDICINE, PHARMACY, URA
from spec.over_http import HOUSES, URAS
from spec.talking import call

BSN = "999990019"
EVERYTHING = "everything"
# Reaching somebody: to a coach what is needed for that, and no more.
CONTACT = {"Patient": {"name", "telecom", "contact", "communication"}}
NAMES = {"Practitioner": {"name"}, "PractitionerRole": {"code", "specialty"}}
# pathway, role -> the places for words that the role reads, of those that every_type.WORDS lists
READS: dict[tuple[str, str], str | dict[str, set[str]]] = {
    ("antistolling", "voorschrijver"): EVERYTHING,
    ("antistolling", "huisarts"): EVERYTHING,
    ("antistolling", "apotheek"): CONTACT | NAMES | {
        "Task": {"input"},
        "Observation": {"valueString", "note", "extension"},
        "MedicationStatement": {"reasonCode", "dosage", "note", "extension"},
        "MedicationRequest": {"reasonCode", "note", "extension"},
        "AllergyIntolerance": {"code", "note", "extension"},
    },
    ("antistolling", "specialist"): EVERYTHING,
    ("antistolling", "expertisecentrum"): EVERYTHING,
    ("artrose", "huisarts"): EVERYTHING,
    ("artrose", "fysiotherapeut"): {
        "Patient": {"name", "telecom", "contact", "communication", "maritalStatus", "generalPractitioner", "extension"},
        "ServiceRequest": {"bodySite", "reasonCode", "supportingInfo", "note", "patientInstruction", "extension"},
        "Task": {"description", "reasonCode", "note", "input", "extension"},
        "QuestionnaireResponse": {"extension"},
        "Condition": {"code", "bodySite", "note", "extension"},
        "Observation": {"valueString", "note", "extension"},
        "MedicationStatement": {"reasonCode", "dosage", "note", "extension"},
        "Practitioner": {"name", "qualification", "extension"},
        "PractitionerRole": {"code", "specialty", "availabilityExceptions", "extension"},
    },
    ("artrose", "orthopeed"): EVERYTHING,
    ("chronische-nierschade", "huisarts"): EVERYTHING,
    ("chronische-nierschade", "nefroloog"): EVERYTHING,
    ("oogzorg", "huisarts"): EVERYTHING,
    ("oogzorg", "eloc"): EVERYTHING,
    ("oogzorg", "oogarts"): EVERYTHING,
    ("pijn-op-de-borst-en-palpitaties", "huisarts"): EVERYTHING,
    ("pijn-op-de-borst-en-palpitaties", "cardioloog"): EVERYTHING,
    ("pijn-op-de-borst-en-palpitaties", "hartcentrum"): EVERYTHING,
    ("valpreventie", "signaleerder"): EVERYTHING,
    ("valpreventie", "huisarts"): EVERYTHING,
    ("valpreventie", "beoordelaar"): EVERYTHING,
    ("valpreventie", "beweegbegeleider"): EVERYTHING,
    ("valpreventie", "beweegaanbieder"): CONTACT | NAMES | {"Consent": {"policyRule"}},
    ("welzijn-op-recept", "verwijzer"): EVERYTHING,
    ("welzijn-op-recept", "welzijnscoach"): CONTACT | NAMES | {"Consent": {"policyRule"}, "Task": {"input"}},
}  # fmt: skip
READS["antistolling", "trombosedienst"] = READS["antistolling", "apotheek"]
NUMBER = {("antistolling", "apotheek"), ("antistolling", "trombosedienst"), ("artrose", "fysiotherapeut")}
# How a referral begins at each role that reads a part: the answers, who sends it, and what is left out.
BEGINS: dict[tuple[str, str], tuple[dict[str, Answer], str, str]] = {
    ("antistolling", "apotheek"): ({}, "praktijk-singel", ""),
    ("antistolling", "trombosedienst"): ({"soort": "vka"}, "praktijk-singel", MEDICINE),
    ("artrose", "fysiotherapeut"): ({}, "praktijk-singel", ""),
    ("valpreventie", "beweegaanbieder"): ({"uitkomst_valrisicotest": "laag"}, PHARMACY, ""),
    ("welzijn-op-recept", "welzijnscoach"): ({}, "praktijk-singel", ""),
}


def test_every_role_of_every_pathway_stands_in_the_table() -> None:
    roles = {(each.name, role) for each in CATALOGUE.versions() for role in each.file.roles}
    assert READS.keys() == roles
    cut = {
        (each.name, role)
        for each in CATALOGUE.versions()
        for role in each.file.roles
        for step in each.steps
        if not view_of(each, role, step).everything and READS[each.name, role] == EVERYTHING
    }
    # A view is cut for who reads everything in the steps alone that [[identity]] does not name for it.
    assert all(view_of(CATALOGUE.current(name), role, "").everything is False for name, role in cut)
    assert BEGINS.keys() == {role for role, what in READS.items() if what != EVERYTHING}


def a_bundle(pathway: str, role: str) -> dict[str, Any]:
    """A referral to this role with words in every place and an answer to every question."""
    answers, sender, without = BEGINS[pathway, role]
    bundle = an_example(pathway, **answers)
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != without]
    of(bundle, "Patient")["identifier"][0]["value"] = BSN
    request, response = of(bundle, "ServiceRequest"), of(bundle, "QuestionnaireResponse")
    request["requester"] = {"identifier": {"system": URA, "value": URAS[sender]}}
    request.pop("performer", None)
    asked = {item["linkId"] for item in response["item"]}
    for name, element in CATALOGUE.current(pathway).file.data.items():
        if element.type == "tekst":
            response["item"] = [item for item in response["item"] if item["linkId"] != name]
            response["item"].append({"linkId": name, "answer": [{"valueString": place("answer", name)}]})
        elif element.type == "ja-nee" and name not in asked and element.need == "mag":
            response["item"].append(an_item(name, False))
    with_words(bundle)
    if pathway == "artrose":  # a Task without an owner would be open to a claim
        of(bundle, "Task")["owner"] = {"identifier": {"system": URA, "value": URAS["fysio-veerkracht"]}}
    return bundle


@pytest.mark.parametrize(("pathway", "role"), BEGINS, ids=map(" ".join, BEGINS))
async def test_a_role_reads_what_is_needed_for_its_part_by_every_way_there_is(
    service: Service, pathway: str, role: str
) -> None:
    bundle = a_bundle(pathway, role)
    sender = HOUSES[BEGINS[pathway, role][1]].id
    referral = Referral(await call(service, sender, "POST", "/fhir", bundle, 200))
    reader = UUID(
        (await call(service, sender, "GET", f"/fhir/{referral['Task']}")).json()["owner"]["reference"][13:]
    )

    whole = await everything_of(service, sender, referral)
    part = await everything_of(service, reader, referral)

    table = READS[pathway, role]
    assert isinstance(table, dict)
    assert {each for each in words() if place(*each) not in whole} == set()
    assert {each for each in words() if place(*each) in part} == {
        (kind, element) for kind, elements in table.items() for element in elements
    }
    assert (BSN in part) == ((pathway, role) in NUMBER)
    assert await answers_in(service, reader, referral) == meant_for(pathway, role, bundle)


async def answers_in(service: Service, reader: UUID, referral: Referral) -> set[str]:
    """The questions whose answers it reads."""
    read = [
        (await call(service, reader, "GET", f"/fhir/{each}")).json()
        for each in referral.locations
        if each.startswith("QuestionnaireResponse/")
    ]
    return {item["linkId"] for each in read for item in each.get("item", ())}


def meant_for(pathway: str, role: str, bundle: dict[str, Any]) -> set[str]:
    """The questions that were answered and that the file says are for this role."""
    file = CATALOGUE.current(pathway).file
    if "QuestionnaireResponse" not in file.views[file.roles[role].sees].shows:
        return set()
    asked = {item["linkId"] for item in of(bundle, "QuestionnaireResponse")["item"]}
    return {name for name in asked if {role, EVERYBODY} & {*file.data[name].for_}}
