"""Measurements in another unit, under another code, too old, or two at one moment: converted, or named and not used."""

from typing import Any

import pytest

from examples import LIFTED, an_example, asked, issues, lines, measured
from services import Service

CKD, BLOOD = "chronische-nierschade", "antistolling"
EGFR, MOLAR, MASS, ACR_MOLAR, ACR_MASS = "62238-1", "14682-9", "2160-0", "32294-1", "9318-7"
MDRD = "33914-3"  # an eGFR all the same, by a formula of before CKD-EPI
ML, DAY = "mL/min/{1.73_m2}", "2026-01-07"


async def said(service: Service, bundle: dict[str, Any], status: int = 200) -> str:
    """What the answer says; never what was measured of whom."""
    response = await service.his.post("/fhir", json=bundle)
    assert response.status_code == status, response.text
    patient = bundle["entry"][0]["resource"]
    for secret in (patient["identifier"][0]["value"], patient["name"][0]["family"], patient["birthDate"]):
        assert secret not in response.text
    return "\n".join(lines(response))


def with_acr(code: str, value: float, unit: str) -> dict[str, Any]:
    without = measured(measured(an_example(CKD, vraag=LIFTED), ACR_MOLAR), ACR_MASS)
    healthy = measured(without, EGFR, (70, ML, "2025-10-06"), (70, ML, DAY))
    return measured(healthy, code, (value, unit, DAY))


@pytest.mark.parametrize(
    ("code", "value", "unit", "risk"),
    [
        (ACR_MOLAR, 2.9, "mg/mmol", "Geen"),
        (ACR_MOLAR, 3.0, "mg/mmol", "Mild"),
        (ACR_MASS, 26.5, "mg/g", "Geen"),
        (ACR_MASS, 26.6, "mg/g", "Mild"),
    ],
)
async def test_albumine_by_mass_and_by_mole_decide_alike(
    service: Service, code: str, value: float, unit: str, risk: str
) -> None:
    assert f"‘risicocategorie’: {risk}" in await said(service, with_acr(code, value, unit))


@pytest.mark.parametrize(
    ("code", "unit", "other"), [(ACR_MOLAR, "mg/g", ACR_MASS), (ACR_MASS, "mg/mmol", ACR_MOLAR)]
)
async def test_a_code_for_mass_and_one_for_moles_are_told_apart(
    service: Service, code: str, unit: str, other: str
) -> None:
    text = await said(service, with_acr(code, 40, unit))
    assert f"de eenheid is ‘{unit}’; bij ‘{unit}’ hoort code {other}." in text
    assert "Outcome of 'risicocategorie'" not in text


@pytest.mark.parametrize(("code", "value", "unit"), [(MOLAR, 88.4, "umol/L"), (MASS, 1.0, "mg/dL")])
async def test_creatinine_by_mass_and_by_mole_give_one_clearance(
    service: Service, code: str, value: float, unit: str
) -> None:
    bundle = measured(measured(an_example(BLOOD), MOLAR), code, (value, unit, DAY))
    assert "niet de eGFR’: 75,3 mL/min" in await said(service, bundle)


async def test_an_unknown_unit_is_named_with_what_is_taken(service: Service) -> None:
    text = await said(service, measured(an_example(BLOOD), MOLAR, (1.0, "mg%", DAY)))
    assert "‘mg%’ kunnen wij niet gebruiken; wel in: umol/L, mmol/L, mg/dL, mg/L." in text
    assert "'mg%' cannot be used; these can: umol/L, mmol/L, mg/dL, mg/L." in text


async def test_a_required_value_in_an_unknown_unit_stops_and_says_why(service: Service) -> None:
    bundle = measured(an_example(CKD), EGFR, (31, "L/h", DAY))
    response = await service.his.post("/fhir", json=bundle)
    assert response.status_code == 422
    assert [issue["code"] for issue in issues(response)] == ["required", "value"]
    assert asked(response) == {"egfr"}
    assert "egfr: eGFR in ‘L/h’ kunnen wij niet gebruiken" in lines(response)[1]


async def test_an_egfr_without_its_formula_is_named(service: Service) -> None:
    bundle = measured(an_example(CKD, egfr=(31, ML)), EGFR)
    assert "An eGFR without its formula: CKD-EPI 2009 or 2021 cannot be told." in await said(
        service, bundle, 422
    )


async def test_an_egfr_under_a_code_that_is_none_of_ours_is_named(service: Service) -> None:
    text = await said(service, measured(measured(an_example(BLOOD), EGFR), MDRD, (74, ML, DAY)))
    assert f"egfr: De code http://loinc.org|{MDRD} staat niet voor eGFR; wel: http://loinc.org|{EGFR}" in text
    assert f"egfr: The code http://loinc.org|{MDRD} does not stand for egfr; these do: " in text


async def test_a_value_that_is_too_old_is_named(service: Service) -> None:
    text = await said(service, measured(an_example(BLOOD), EGFR, (74, ML, "2024-01-07")))
    assert "egfr: De nieuwste waarde is te oud: hoogstens 12 maanden." in text
    assert "egfr: The newest value is too old: at most 12 months." in text


async def test_two_values_of_one_moment_are_named_and_not_averaged(service: Service) -> None:
    text = await said(service, measured(an_example(CKD), EGFR, (31, ML, DAY), (45, ML, DAY)))
    assert "egfr: Twee verschillende waarden van hetzelfde moment" in text
    assert "Outcome of 'risicocategorie'" not in text
