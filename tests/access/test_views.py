"""What is left of a resource for who may see a part of it, as a pure function of the view."""

from typing import Any
from uuid import UUID

import pytest

from ketenzorg.access.finding import rows_of, who_finds
from ketenzorg.access.rules import TABLE
from ketenzorg.access.views import CANDIDATE, is_cut, shown, sight_of, view_of
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.pathway.standing import NEVER, Standing
from ketenzorg.pathway.visibility import Visibility, narrowest, widest
from services import CATALOGUE

WELZIJN, BLOOD = CATALOGUE.current("welzijn-op-recept"), CATALOGUE.current("antistolling")
COACH = view_of(WELZIJN, "welzijnscoach", "aangemeld")
TOKEN = "bsn:0199aaaa-0000-7000-8000-00000000000a"
PATIENT, CONDITION = (
    "Patient/0199aaaa-0000-7000-8000-00000000000b",
    "Condition/0199aaaa-0000-7000-8000-00000000000c",
)
NAME = "Trijntje Veldkamp"
PERSON: dict[str, Any] = {
    "reference": PATIENT,
    "display": NAME,
    "identifier": {"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": TOKEN},
}
TASK: dict[str, Any] = {
    "resourceType": "Task",
    "id": "0199aaaa-0000-7000-8000-00000000000d",
    "meta": {"versionId": "1"},
    "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAME}</div>'},
    "contained": [{"resourceType": "Patient", "name": [{"text": NAME}]}],
    "identifier": [PERSON["identifier"], {"system": "urn:his", "value": "17"}],
    "status": "requested",
    "intent": "order",
    "code": {"coding": [{"system": "urn:x", "code": "1", "display": "Een gesprek"}]},
    "description": f"Voor {NAME}",
    "for": PERSON,
    "requester": {"reference": "Organization/1", "display": "Praktijk"},
    "owner": {"type": "Practitioner", "identifier": {"value": "9"}, "display": "Noor Bolt"},
    "note": [{"text": NAME}],
    "input": [{"type": {"text": "brief"}, "valueString": f"{NAME}, {TOKEN}"}],
}


def seen(resource: dict[str, Any], sight: Visibility) -> dict[str, Any]:
    body = shown(json.write(resource), resource["resourceType"], sight, {})
    if resource["resourceType"] == "Task":
        decode_as(body, r4.Task)
    return json.read(body)


def test_a_candidate_sees_what_is_asked_and_neither_name_nor_number() -> None:
    """Whoever is asked and not chosen; the table of rules names its elements, by which all is found that is found."""
    task = seen(TASK, CANDIDATE)

    assert is_cut(task)
    assert NAME not in str(task)
    assert "bsn" not in str(task)
    assert task["for"] == {"reference": PATIENT}
    assert task["identifier"] == [{"system": "urn:his", "value": "17"}]
    assert task["code"]["coding"][0]["display"] == "Een gesprek"  # of a code, not of a person
    assert task["requester"]["display"] == "Praktijk"  # who there is stands in the directory
    assert "display" not in task["owner"]
    assert not {"text", "contained", "description", "note", "input", "output"} & task.keys()
    for kind in TABLE.types["traject"] - {"Task", "ServiceRequest", "CarePlan"}:
        assert not CANDIDATE.sees(kind), kind
    assert not (CANDIDATE.bsn or CANDIDATE.everything or CANDIDATE.answers)
    for kind in TABLE.candidate:
        assert all(CANDIDATE.shows_element(kind, each.element) for each in PARAMETERS[kind]), kind


def test_a_reference_does_not_call_by_name_what_the_view_hides() -> None:
    elements = frozenset({"status", "intent", "for", "reasonReference"})
    sight = Visibility(
        everything=False,
        bsn=False,
        shows={"Task": elements, "Patient": frozenset({"name"})},
        answers=frozenset(),
    )
    hidden = [
        {"reference": CONDITION},
        {"reference": "https://his.example/fhir/Condition/12"},
        {"reference": f"{CONDITION}/_history/2"},
        {"reference": "urn:oid:1.2.3"},
        {"type": "Condition", "identifier": {"value": "1"}},
    ]
    told = [
        PERSON | {"identifier": {"value": "1"}},
        {"identifier": {"value": "1"}},
        {"reference": "Organization/1"},
    ]
    for reference in hidden:
        task = {**TASK, "reasonReference": {**reference, "display": "Depressie"}}
        assert seen(task, sight)["reasonReference"] == reference, reference
    contained = {**TASK, "reasonReference": {"reference": "#1", "display": "Depressie"}}
    assert "reasonReference" not in seen(contained, sight)
    for reference in told:
        task = {**TASK, "reasonReference": {**reference, "display": "Praktijk"}}
        assert seen(task, sight)["reasonReference"]["display"] == "Praktijk", reference


def test_a_question_that_is_not_for_a_role_is_hidden_under_one_that_is() -> None:
    for_coach, hidden = "reden", "psychiatrie-of-verslaving"
    assert {for_coach, hidden} & COACH.answers == {for_coach}
    secret = {"linkId": hidden, "text": "Geheim", "answer": [{"valueBoolean": True}]}
    told = {"linkId": for_coach, "answer": [{"valueString": "Eenzaam"}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "1",
        "item": [
            {**told, "item": [secret]},
            {**told, "answer": [{"valueString": "Eenzaam", "item": [secret, told]}]},
            {**secret, "item": [told]},
            secret,
        ],
    }
    assert seen(response, COACH)["item"] == [
        told,
        {**told, "answer": [{"valueString": "Eenzaam", "item": [told]}]},
        {"linkId": hidden, "item": [told]},
    ]


def test_a_view_of_two_is_what_both_or_what_either_shows() -> None:
    one = view_of(BLOOD, "apotheek", "eerste uitgifte")
    whole = view_of(BLOOD, "huisarts", "eerste uitgifte")
    assert narrowest(one, whole) is narrowest(whole, one) is one
    assert widest(one, whole) is widest(whole, one) is whole
    both, either = narrowest(one, CANDIDATE), widest(one, CANDIDATE)
    for kind in TABLE.types["traject"]:
        assert both.sees(kind) == (one.sees(kind) and CANDIDATE.sees(kind))
        for element in ("identifier", "name", "note", "status", "contained", "description"):
            shows = one.shows_element(kind, element), CANDIDATE.shows_element(kind, element)
            assert both.shows_element(kind, element) == all(shows)
            assert either.shows_element(kind, element) == any(shows)
    assert (both.bsn, either.bsn, both.answers, either.answers) == (False, True, frozenset(), one.answers)


def test_what_a_role_knows_follows_the_step_that_identity_names() -> None:
    own = view_of(BLOOD, "apotheek", "eerste uitgifte")
    assert own.sees("Patient")
    assert own.bsn
    for step in ("regie gevraagd", "advies gevraagd", NEVER):
        unknown = view_of(BLOOD, "apotheek", step)
        assert not unknown.sees("Patient")
        assert not unknown.bsn
        assert unknown.shows_element("Task", "status")
    assert view_of(BLOOD, "huisarts", "advies gevraagd").everything


@pytest.mark.parametrize("pathway", CATALOGUE.versions(), ids=str)
def test_no_step_of_any_pathway_shows_a_role_more_than_it_sees(pathway: Any) -> None:
    for role, table in pathway.file.roles.items():
        own = pathway.file.views.get(table.sees)
        for step in (NEVER, *pathway.steps) if own else ():
            view = view_of(pathway, role, step)
            assert not view.everything
            assert view.bsn <= own.bsn
            assert view.shows.keys() <= own.shows.keys()
            for kind, elements in view.shows.items():
                listed = own.shows[kind]
                assert listed == ["alles"] or (elements is not None and elements <= {*listed}), (
                    role,
                    step,
                    kind,
                )


def test_of_two_roles_of_one_organisation_each_shows_what_it_knew() -> None:
    house, other = UUID(int=1), UUID(int=2)
    roles = {"apotheek": house, "huisarts": other}
    assert sight_of(BLOOD, house, Standing("regie gevraagd", roles, {"apotheek": NEVER})).sees("Task")
    assert not sight_of(BLOOD, house, Standing("regie gevraagd", roles, {"apotheek": NEVER})).sees("Patient")
    kept = Standing("regie gevraagd", roles, {"apotheek": "in controle"})
    assert sight_of(BLOOD, house, kept).sees("Patient")
    both = Standing("regie gevraagd", {**roles, f"specialist#{house}": house}, {
        "apotheek": NEVER, f"specialist#{house}": "bij de specialist",
    })  # fmt: skip
    assert sight_of(BLOOD, house, both).everything
    assert not sight_of(BLOOD, UUID(int=3), both).sees("Task")


def test_nobody_finds_by_an_element_that_its_view_hides_or_by_the_token_of_a_number() -> None:
    practice, coach, candidate = (UUID(int=number) for number in (1, 2, 3))
    narrow = Visibility(
        everything=False, bsn=False, shows={"Task": frozenset({"status", "for"})}, answers=frozenset()
    )
    sights = {practice: view_of(WELZIJN, "verwijzer", "aangemeld"), coach: narrow, candidate: CANDIDATE}
    finders = who_finds("Task", sights)
    assert finders["status"] == finders["patient"] == (practice, coach, candidate)
    assert finders["identifier"] == finders["owner"] == (practice, candidate)
    assert {each.code for each in rows_of(TASK).tokens if each.param == "identifier"} == {"17"}
