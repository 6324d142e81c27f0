"""Whoever answered hears what we could not read of it, and never that he did not answer."""

from typing import Any

from examples import an_example, issues
from kidneys import new_data
from referrals import of
from services import Service

REQUESTED = "valueCoding met code verwijzen, meekijken, controleren"


def told(response: Any) -> dict[str, tuple[str, str, str]]:
    """By linkId what was said about its answer: how serious, its code and the words."""
    found = {}
    for each in issues(response):
        for place in each.get("expression", ()):
            if "linkId='" in place:
                found[place.split("'")[1]] = (each["severity"], each["code"], each["details"]["text"])
    return found


async def test_an_answer_of_another_kind_is_named_with_what_we_read(service: Service) -> None:
    bundle = an_example("chronische-nierschade", vraag="verwijs", diabetes="onbekend")
    of(bundle, "QuestionnaireResponse")["item"] += [
        {"linkId": "bovendruk-thuis", "answer": [{"valueInteger": 140}]},
        {"linkId": "kalium-vorig-jaar"},
        {"linkId": "dysmorfe-erytrocyten", "answer": [{"valueInteger": 40}]},
        {"linkId": "twijfel", "answer": [{"valueBoolean": True}, {"valueBoolean": False}]},
        {"linkId": "metabole-complicaties", "answer": [{"valueString": "een beetje"}]},
    ]
    response = await service.his.post("/fhir", json=bundle)
    assert response.status_code == 200
    assert told(response) == {
        "vraag": ("warning", "value", f"vraag: dit antwoord lezen wij niet; wel: {REQUESTED}."),
        "bovendruk-thuis": (
            "warning",
            "not-supported",
            "bovendruk-thuis: deze vraag kent dit zorgpad niet.",
        ),
        "dysmorfe-erytrocyten": (
            "warning",
            "value",
            "dysmorfe-erytrocyten: dit antwoord lezen wij niet; wel: valueQuantity met eenheid, zoals %.",
        ),
        "twijfel": ("warning", "conflict", "twijfel: er staan verschillende antwoorden: kies er een."),
        "metabole-complicaties": (
            "warning",
            "value",
            "metabole-complicaties: dit antwoord lezen wij niet; wel: ja of nee (valueBoolean), of de code onbekend.",
        ),
    }


async def test_a_refusal_says_that_the_answer_was_there_and_which_would_do(service: Service) -> None:
    response = await service.his.post("/fhir", json=an_example("antistolling", regiebehandelaar="dokter"))
    assert response.status_code == 422
    assert [each["code"] for each in issues(response)] == ["required", "value"]
    assert "wel: valueCoding met code huisarts, specialist" in issues(response)[1]["details"]["text"]


async def test_answers_that_come_later_are_told_the_same(service: Service) -> None:
    referral = await service.his.post("/fhir", json=an_example("chronische-nierschade"))
    request = referral.json()["entry"][1]["response"]["location"].partition("/_history")[0]
    later = of(an_example("chronische-nierschade", vraag="straks"), "QuestionnaireResponse")
    later["basedOn"] = [{"reference": request}]
    later["item"] = [item for item in later["item"] if item["linkId"] == "vraag"]
    del later["subject"]
    response = await service.his.post("/fhir", json=new_data(request, later))
    assert response.status_code == 200, response.text
    assert told(response)["vraag"][:2] == ("warning", "value")


async def test_a_link_id_that_could_be_a_number_of_a_person_is_not_repeated(service: Service) -> None:
    bundle = an_example("chronische-nierschade")
    strange = ("999990019", "x999990019", "Trijntje Veldkamp")
    of(bundle, "QuestionnaireResponse")["item"] += [
        {"linkId": each, "answer": [{"valueBoolean": True}]} for each in strange
    ]
    response = await service.his.post("/fhir", json=bundle)
    assert told(response)["?"][2] == "?: deze vraag kent dit zorgpad niet."
    assert not [each for each in strange if each in response.text]
