"""A pathway as others meet it: what a role sees, the PlanDefinition, the text and the diagram."""

from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.plandefinition import PlanDefinition

from content import CATALOGUE
from ketenzorg.fhir import r4
from ketenzorg.pathway.loaded import Pathway, compile_pathway
from ketenzorg.pathway.plan_definition import plan_definition
from ketenzorg.pathway.show import NOT_ADOPTED, mermaid, show
from ketenzorg.pathway.visibility import visibility


@pytest.fixture(scope="module")
def welzijn() -> Pathway:
    return CATALOGUE.current("welzijn-op-recept")


@pytest.mark.parametrize("kind", ["Condition", "Observation", "MedicationStatement", "DocumentReference"])
def test_a_coach_never_sees_anything_medical(welzijn: Pathway, kind: str) -> None:
    coach = visibility(welzijn, "welzijnscoach")
    assert not coach.sees(kind)
    assert not coach.shows_element(kind, "id")


def test_a_coach_sees_how_to_reach_the_patient_and_no_bsn(welzijn: Pathway) -> None:
    coach = visibility(welzijn, "welzijnscoach")
    elements = ("name", "telecom", "birthDate", "_birthDate", "identifier", "contained", "id")
    assert {name for name in elements if coach.shows_element("Patient", name)} == {"name", "telecom", "id"}
    assert not coach.bsn


def test_a_coach_sees_the_answers_that_are_meant_for_a_coach(welzijn: Pathway) -> None:
    answers = visibility(welzijn, "welzijnscoach").answers
    assert {"reden", "voorkeurstijd", "taal", "veiligheidsopmerking"} <= answers
    assert not answers & {"gevaar", "psychiatrie-of-verslaving", "cognitie-zonder-steun"}


def test_an_answer_for_everybody_is_for_each_role_that_sees_a_part(welzijn: Pathway) -> None:
    data = dict(welzijn.file.data)
    data["gevaar"] = msgspec.structs.replace(data["gevaar"], for_=["iedereen"])
    opened = compile_pathway(msgspec.structs.replace(welzijn.file, data=data))
    assert "gevaar" in visibility(opened, "welzijnscoach").answers


def test_no_reason_or_supporting_element_of_the_request_leaks(welzijn: Pathway) -> None:
    coach = visibility(welzijn, "welzijnscoach")
    for element in ("reasonCode", "reasonReference", "supportingInfo", "note", "text", "contained"):
        assert not coach.shows_element("ServiceRequest", element)


def test_all_of_a_type_is_still_without_what_may_hide_in_it(welzijn: Pathway) -> None:
    coach = visibility(welzijn, "welzijnscoach")
    assert coach.shows_element("Task", "output")
    assert not coach.shows_element("Task", "contained")


def test_the_referrer_sees_everything(welzijn: Pathway) -> None:
    referrer = visibility(welzijn, "verwijzer")
    assert referrer.everything
    assert referrer.bsn
    assert referrer.shows_element("Condition", "contained")


def test_the_plan_definition_is_valid_r4_for_two_readers(welzijn: Pathway) -> None:
    body = msgspec.json.encode(plan_definition(welzijn))
    msgspec.json.decode(body, type=r4.PlanDefinition)
    PlanDefinition.model_validate_json(body)


def test_a_pathway_that_nobody_adopted_says_so_everywhere(welzijn: Pathway) -> None:
    plan = plan_definition(welzijn)
    assert (plan["status"], plan["experimental"]) == ("draft", True)
    assert NOT_ADOPTED in plan["description"]
    assert NOT_ADOPTED in show(welzijn)


def test_every_related_action_exists(welzijn: Pathway) -> None:
    actions: list[dict[str, Any]] = plan_definition(welzijn)["action"]
    ids = [action["id"] for action in actions]
    assert len(ids) == len(set(ids))
    assert {other["actionId"] for action in actions for other in action.get("relatedAction", [])} <= set(ids)


def test_the_text_shows_every_question_norm_step_end_and_source(welzijn: Pathway) -> None:
    text, file = show(welzijn), welzijn.file
    wanted = [
        *(element.ask for element in file.data.values()),
        *(norm.name for norm in file.norm),
        *(step.title for step in file.steps.values()),
        *(side.name for side in file.side),
        *(question.ask for question in file.open),
        *file.sources,
    ]
    assert [words for words in wanted if words not in text] == []


def test_the_diagram_follows_the_file(welzijn: Pathway) -> None:
    lines = mermaid(welzijn).splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert "  [*] --> aangemeld: verwijzing ontvangen" in lines
    assert "  activiteit --> nazorg: nazorg na 3 maanden" in lines
    assert "  afgerond --> [*]" in lines
