"""A GP system posts a referral for each pathway: who must act and why, how soon, what else, and what stops it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from content import CATALOGUE
from examples import FOLDER, LIFTED, Answer, an_example, asked, issues, lines, measured
from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from referrals import EXAMPLE, of
from services import REGION, SECRET, SETTINGS, Service

CKD, CHEST, BLOOD, EYES, JOINTS, FALLS = (
    "chronische-nierschade",
    "pijn-op-de-borst-en-palpitaties",
    "antistolling",
    "oogzorg",
    "artrose",
    "valpreventie",
)
URA = "http://fhir.nl/fhir/NamingSystem/ura"
EGFR, CREATININE, ACR_MOLAR, ACR_MASS = "62238-1", "14682-9", "32294-1", "9318-7"
ML = "mL/min/{1.73_m2}"
QUESTIONS = {name: set(CATALOGUE.current(name).file.data) for name in CATALOGUE.names}
HOUSES = {
    "apotheek": "Apotheek De Vijzel (fictief)",
    "trombosedienst": "Trombosedienst De Peilstok (fictief)",
    "expertisecentrum": "Expertisecentrum trombose (fictief)",
    "martini": "Martini Ziekenhuis",
    "eloc": "Optometriecentrum De Lens (fictief)",
    "fysio": "Fysiotherapie Veerkracht (fictief)",
    "focuskliniek": "Focuskliniek Orthopedie De Gang (fictief)",
    "praktijk": "Huisartsenpraktijk De Singel (fictief)",
}
Case = tuple[str, dict[str, Answer], str, str, str, int]


async def post(service: Service, bundle: dict[str, Any]) -> httpx.Response:
    return await service.his.post("/fhir", json=bundle)


async def task_of(service: Service, response: httpx.Response) -> dict[str, Any]:
    places = [entry["response"]["location"].partition("/_history")[0] for entry in response.json()["entry"]]
    place = next(each for each in places if each.startswith("Task/"))
    task: dict[str, Any] = (await service.his.get(f"/fhir/{place}")).json()
    return task


async def is_taken(
    service: Service, bundle: dict[str, Any], owner: str, priority: str, step: str, row: int
) -> list[str]:
    """Taken, by this owner with this priority, and the answer says why."""
    response = await post(service, bundle)
    assert response.status_code == 200, response.text
    task, said = await task_of(service, response), lines(response)
    names = {f"Organization/{each.id}": each.name for each in REGION.organisations}
    assert names[task["owner"]["reference"]] == HOUSES[owner]
    assert task["priority"] == priority
    assert said[0].startswith(f"Aan zet: {HOUSES[owner]}"), said[0]
    assert f"Step: '{step}'. Table 'wie is aan zet', row {row} (" in said[0], said[0]
    assert "; bron: " in said[0]
    assert any(line.startswith("Urgentie: ") for line in said), said
    return said


async def is_stopped(service: Service, bundle: dict[str, Any], pathway: str) -> httpx.Response:
    """Refused; nothing is stored, and every place that is pointed at is a question."""
    response = await post(service, bundle)
    assert response.status_code == 422, response.text
    assert asked(response) <= QUESTIONS[pathway], asked(response) - QUESTIONS[pathway]
    assert not await service.rows(
        "select 1 from ketenzorg.traject union all select 1 from ketenzorg.resource"
    )
    return response


EXAMPLES: list[tuple[str, str, str, str, int, list[str]]] = [
    (BLOOD, "apotheek", "routine", "eerste uitgifte", 2, [
        "Uitkomst ‘CHA2DS2-VA’: 2.",
        "Uitkomst ‘Creatinineklaring (Cockcroft-Gault), niet de eGFR’: 75,64 mL/min.",
        "Uitkomst ‘complexiteit’: Laag-complex",
        "Norm ‘middel klaar’: uiterlijk 13-01-2026 (landelijk, JAAAH).",
        "Advies (kans op een beroerte; landelijk, CHADSVA)",
    ]),
    (CKD, "martini", "routine", "verwezen", 1, [
        "Uitkomst ‘Leeftijd’: 67 jaar.",
        "Uitkomst ‘risicocategorie’: Sterk verhoogd risico.",
        "Norm ‘eerste consult bij de nefroloog’: uiterlijk 09-02-2026 (landelijk, VWS-TREEK).",
    ]),
    (CHEST, "martini", "urgent", "verwezen", 1, [
        "Uitkomst ‘Typering van de pijn op de borst’: typisch.",
        "Urgentie: Versneld",
        "Advies (Marburg Heart Score; landelijk, MDCALC): NIET VOOR ACS.",
    ]),
    (EYES, "eloc", "routine", "verwezen naar het ELOC", 1, [
        "Norm ‘onderzoek bij het ELOC’: uiterlijk 19-01-2026 (andere regio, THOON).",
    ]),
    (JOINTS, "fysio", "routine", "aangemeld bij de fysiotherapeut", 3, [
        "Uitkomst ‘klinische criteria’: Ja, klinisch.",
        "Advies (beeldvorming nodig; landelijk, RLDB-ART-DX): De diagnose is klinisch",
    ]),
    (FALLS, "fysio", "routine", "gesignaleerd", 1, [
        "Uitkomst ‘valrisico’: Hoog.",
        "Norm ‘test na het signaal’: uiterlijk 26-01-2026 (voorstel).",
        "Advies (wat erbij past; landelijk, LGL-VAL): Hoog risico: eerst een valanalyse",
    ]),
]  # fmt: skip


def test_every_pathway_has_an_example_that_is_posted() -> None:
    posted = {EXAMPLE.stem, *(f"referral-{each[0]}" for each in EXAMPLES)}
    assert (
        posted == {file.stem for file in FOLDER.glob("*.json")} == {f"referral-{name}" for name in QUESTIONS}
    )


@pytest.mark.parametrize(
    ("pathway", "owner", "priority", "step", "row", "explained"), EXAMPLES, ids=[each[0] for each in EXAMPLES]
)
async def test_the_example_of_each_pathway_is_complete_and_explained(
    service: Service, pathway: str, owner: str, priority: str, step: str, row: int, explained: list[str]
) -> None:
    bundle = an_example(pathway)
    said = await is_taken(service, bundle, owner, priority, step, row)
    for expected in explained:
        assert any(expected in line for line in said), (expected, said)
    assert not any("Not answered yet" in line for line in said), said
    assert "niet door een zorginhoudelijk eigenaar vastgesteld" in said[-1]
    patient = bundle["entry"][0]["resource"]
    assert not any(patient["name"][0]["family"] in line for line in said)
    assert not any(patient["identifier"][0]["value"] in line for line in said)


ASPECIFIC: dict[str, Answer] = {"weg_in_rust": False, "uitgelokt": False}
ORTHO: dict[str, Answer] = {
    "vraag": "orthopeed",
    "stap_2_gedaan": True,
    "complexiteit": "geen",
    "operatie_indicatie": True,
}
VARIANTS: list[Case] = [
    (BLOOD, {"vraag": "advies"}, "expertisecentrum", "routine", "advies gevraagd", 9),
    (BLOOD, {"vraag": "verwijzen"}, "martini", "routine", "verwezen naar de specialist", 10),
    (BLOOD, {"vraag": "zelf-controleren"}, "praktijk", "routine", "in controle", 4),
    (BLOOD, {"kunstklep": True}, "expertisecentrum", "asap", "advies gevraagd", 8),
    (CKD, {"vraag": "meekijken"}, "martini", "routine", "meekijkconsult gevraagd", 2),
    (CKD, {"vraag": LIFTED}, "martini", "routine", "verwezen", 4),
    (CHEST, {"weg_in_rust": False}, "martini", "urgent", "verwezen", 1),
    (CHEST, ASPECIFIC | {"toch_verwijzen": "niet-pluis"}, "martini", "routine", "verwezen", 1),
    (CHEST, {"ernstige_comorbiditeit": True}, "martini", "routine", "verwezen", 1),
    (CHEST, {"duur_in_rust": (15, "min")}, "martini", "urgent", "verwezen", 1),
    (CHEST, {"vraag": "beoordelen"}, "praktijk", "urgent", "beoordeling", 3),
    (EYES, {"haast": "semi-spoed"}, "eloc", "urgent", "verwezen naar het ELOC", 1),
    (EYES, {"vraag": "oogarts"}, "martini", "routine", "verwezen naar de oogarts", 2),
    (EYES, {"vraag": LIFTED, "operatie_nodig": True}, "martini", "routine", "verwezen naar de oogarts", 3),
    (EYES, {"vlekken": "zwevend", "vlekken_duur": (7, "wk")}, "eloc", "routine", "verwezen naar het ELOC", 1),
    (JOINTS, {"vraag": "stap-1"}, "praktijk", "routine", "stap 1 voorbereiden", 1),
    (JOINTS, {"snelle_achteruitgang": True}, "fysio", "urgent", "aangemeld bij de fysiotherapeut", 3),
    (JOINTS, ORTHO, "martini", "routine", "verwezen naar de orthopeed", 5),
    (JOINTS, ORTHO | {"asa": (2, "{score}")}, "focuskliniek", "routine", "verwezen naar de orthopeed", 4),
    (JOINTS, ORTHO | {"asa": (3, "{score}")}, "martini", "routine", "verwezen naar de orthopeed", 5),
    (FALLS, {"vaker_gevallen": False}, "fysio", "routine", "gesignaleerd", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pathway", "answers", "owner", "priority", "step", "row"),
    VARIANTS,
    ids=[f"{each[0]}-{'-'.join(each[1])}" for each in VARIANTS],
)
async def test_another_answer_changes_who_acts_or_how_soon(
    service: Service, pathway: str, answers: dict[str, Answer], owner: str, priority: str, step: str, row: int
) -> None:
    await is_taken(service, an_example(pathway, **answers), owner, priority, step, row)


@pytest.mark.parametrize(
    ("egfr", "owner", "step", "row", "risk"),
    [(29, "martini", "verwezen", 4, "Sterk"), (31, "praktijk", "waarde bevestigen", 6, "Matig")],
)
async def test_an_egfr_on_either_side_of_30_changes_who_acts(
    service: Service, egfr: float, owner: str, step: str, row: int, risk: str
) -> None:
    bundle = measured(an_example(CKD, vraag=LIFTED), ACR_MOLAR, (2.0, "mg/mmol", "2026-01-07"))
    bundle = measured(bundle, EGFR, (egfr, ML, "2025-10-06"), (egfr, ML, "2026-01-07"))
    said = await is_taken(service, bundle, owner, "routine", step, row)
    assert any(f"‘risicocategorie’: {risk} verhoogd risico" in line for line in said)


STOPS: list[tuple[str, dict[str, Answer], str, set[str]]] = [
    (CHEST, {"acs_vermoeden": True}, "Bel nu 112", {"acs-vermoeden"}),
    (CHEST, {"acs_vermoeden": "asked-unknown"}, "Bel nu 112", {"acs-vermoeden"}),
    (CHEST, {"duur_in_rust": (16, "min")}, "bel nu 112", {"duur-in-rust"}),
    (EYES, {"chemisch_letsel": True}, "Eerst spoelen: meteen", {"chemisch-letsel"}),
    (EYES, {"vlekken": "zwevend", "vlekken_duur": (6, "wk")}, "bel nu", {"vlekken", "vlekken-duur"}),
    (BLOOD, {"ernstige_bloeding": True}, "el nu 112", {"ernstige-bloeding"}),
    (CKD, {"vermoeden_acuut": True}, "el nu", {"vermoeden-acuut"}),
    (JOINTS, {"nachtpijn_met_alarm": LIFTED}, "bel nu", {"nachtpijn-met-alarm"}),
    (FALLS, {"wegraking": "asked-unknown"}, "bel nu de huisarts", {"wegraking"}),
]


@pytest.mark.parametrize(
    ("pathway", "answers", "says", "places"), STOPS, ids=[f"{e[0]}-{'-'.join(e[1])}" for e in STOPS]
)
async def test_an_alarm_says_bel_nu_and_stores_nothing(
    service: Service, pathway: str, answers: dict[str, Answer], says: str, places: set[str]
) -> None:
    response = await is_stopped(service, an_example(pathway, **answers), pathway)
    first = issues(response)[0]
    assert first["severity"] == "fatal"
    assert says in first["details"]["text"]
    assert asked(response) == places
    assert "arburg" not in response.text


async def test_aspecific_chest_pain_is_not_referred_and_the_answer_points_at_real_questions(
    service: Service,
) -> None:
    response = await is_stopped(service, an_example(CHEST, **ASPECIFIC), CHEST)
    assert lines(response)[0].startswith("Niet verwijzen: ")
    assert {"vraag", "toch-verwijzen", "drukkend-retrosternaal", "weg-in-rust"} <= asked(response)
    assert "arburg" not in response.text


async def test_a_score_that_may_not_be_shown_is_nowhere(service: Service) -> None:
    response = await post(service, an_example(CHEST, oorzaak_duidelijk=True))
    assert response.status_code == 200, response.text
    assert "arburg" not in response.text


async def test_a_practice_is_named_and_never_chosen_by_us(service: Service) -> None:
    bundle = an_example(BLOOD, vraag="regie-overdragen")
    request = of(bundle, "ServiceRequest")
    request["requester"] = {"identifier": {"system": URA, "value": "99990022"}}
    response = await service.hospital.post("/fhir", json=bundle)
    assert response.status_code == 422, response.text
    assert lines(response)[0].startswith("Bij welke huisartspraktijk is deze patiënt?")
    request["performer"] = [{"identifier": {"system": URA, "value": "99990004"}}]
    response = await service.hospital.post("/fhir", json=bundle)
    assert response.status_code == 200, response.text
    assert lines(response)[0].startswith("Aan zet: Huisartsenpraktijk Hoornse Lucht")


async def test_whom_the_task_leaves_to_the_request_takes_part_too(service: Service) -> None:
    bundle = an_example(FALLS)
    request = bundle["entry"][1]["fullUrl"]
    performers = of(bundle, "ServiceRequest")["performer"]
    owner = performers.pop(0)
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "owner": owner}
    task["focus"] = {"reference": request}
    bundle["entry"].append({"resource": task, "request": {"method": "POST", "url": "Task"}})
    response = await post(service, bundle)
    assert response.status_code == 200, response.text
    [row] = await service.rows("select roles ->> 'huisarts' as practice from ketenzorg.traject")
    assert row["practice"] == str(REGION.of_client("his-demo").id)


async def test_a_practice_that_asks_for_regie_keeps_its_own_patient(service: Service) -> None:
    practice = REGION.file.organisations["praktijk-hoornse-lucht"]  # not the first of its municipality
    bundle = an_example(BLOOD, vraag=LIFTED)
    of(bundle, "ServiceRequest")["requester"] = {"identifier": {"system": URA, "value": practice.ura}}
    caller = Caller("his", practice.id, practice.kind, frozenset({"system/*.cruds"}), REGION.code)
    token = tokens_of(SETTINGS, SECRET).issue(caller, timedelta(hours=1))
    response = await service.stranger.post("/fhir", json=bundle, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    assert lines(response)[0].startswith(f"Aan zet: {practice.name}")


async def test_an_answer_that_must_be_there_is_named_as_such(service: Service) -> None:
    response = await is_stopped(service, an_example(CHEST, klacht=LIFTED), CHEST)
    assert lines(response) == [
        "Zonder dit antwoord wordt niets verstuurd: Welke klacht?\n"
        "Nothing was sent: linkId 'klacht' must be answered (proposal): 'Welke klacht?'"
    ]
