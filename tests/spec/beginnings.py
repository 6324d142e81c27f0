"""The referral that begins a walk: the example of its pathway, with the answers that lead to the step of the first row.

By pathway, and by that step with what stands between brackets behind its event. And for each row of ‘ketenzorg’
the new data that make it raise that signal.
"""

from dataclasses import dataclass, field
from typing import Any

from examples import LIFTED, Answer, an_example, an_item, an_observation, measured
from referrals import of

URA = "http://fhir.nl/fhir/NamingSystem/ura"
WEIGHT, CREATININE, EGFR, ACR = "29463-7", "14682-9", "62238-1", "32294-1"
ML = "mL/min/{1.73_m2}"
PRACTICE = "praktijk-singel"
Values = tuple[tuple[float, str, str], ...]  # (value, unit, day)


@dataclass(frozen=True)
class Beginning:
    """How a referral differs from the example of its pathway."""

    answers: dict[str, Answer] = field(default_factory=dict)
    measured: dict[str, Values] = field(default_factory=dict)
    sender: str = PRACTICE  # the key of an organisation of the region
    owner: str = ""  # who acts first; empty: as ketenzorg chooses
    without: str = ""  # resources of this type are left out

    def bundle(
        self, pathway: str, number: int, bsn: str, performers: list[str], uras: dict[str, str]
    ) -> dict[str, Any]:
        """The Bundle under a number of its own, about a patient of its own; the first performer acts first."""
        bundle = an_example(pathway, **self.answers)
        for code, values in self.measured.items():
            bundle = measured(bundle, code, *values)
        bundle["entry"] = [
            each for each in bundle["entry"] if each["resource"]["resourceType"] != self.without
        ]
        of(bundle, "Patient")["identifier"][0]["value"] = bsn
        request = of(bundle, "ServiceRequest")
        request["identifier"][0]["value"] = f"wandeling-{number}"
        request["requester"] = {"identifier": {"system": URA, "value": uras[self.sender]}}
        request.pop("performer", None)
        if performers:
            named = ({"system": URA, "value": uras[each]} for each in performers)
            request["performer"] = [{"identifier": each} for each in named]
        return bundle


# Typical pain is versneld; here the doctor refers for what does not look like it.
ASPECIFIC: dict[str, Answer] = {"weg_in_rust": False, "uitgelokt": False, "toch_verwijzen": "niet-pluis"}
PALPITATIONS: dict[str, Answer] = {"klacht": "palpitaties", "atriumfibrilleren": False}
UNKNOWN_CLEARANCE: dict[str, Values] = {WEIGHT: ()}  # then the length of the control is unknown too
UNKNOWN_RISK: dict[str, Values] = {EGFR: ((51, ML, "2025-10-06"), (50, ML, "2026-01-07")), ACR: ()}
PRESCRIBER = "martini"
MEDICINE = "MedicationStatement"  # of the DOAC of the example
PHARMACY = "apotheek-vijzel"

BEGINNINGS: dict[str, dict[str, Beginning]] = {
    "antistolling": {
        "regie gevraagd": Beginning(
            {"vraag": "regie-overdragen"}, UNKNOWN_CLEARANCE, PRESCRIBER, PRACTICE
        ),
        "regie gevraagd (controle-interval bij een DOAC 6 maanden)": Beginning(
            {"vraag": "regie-overdragen", "kwetsbaar": True}, {}, PRESCRIBER, PRACTICE
        ),
        "in controle": Beginning({"vraag": "zelf-controleren"}, UNKNOWN_CLEARANCE),
        "in controle (controle-interval bij een DOAC 3 maanden)": Beginning(
            {"vraag": "zelf-controleren", "kwetsbaar": True},
            {CREATININE: ((190, "umol/L", "2026-01-07"),)},
        ),
        "eerste uitgifte": Beginning({}, UNKNOWN_CLEARANCE),
        "controle plaatjesremmer": Beginning(
            {"vraag": "zelf-controleren", "soort": "plaatjesremmer"}, without=MEDICINE
        ),
        "aangemeld bij de trombosedienst": Beginning({"soort": "vka"}, without=MEDICINE),
        "advies gevraagd": Beginning({"vraag": "advies"}, UNKNOWN_CLEARANCE),
        "verwezen naar de specialist": Beginning({"vraag": "verwijzen"}, UNKNOWN_CLEARANCE),
    },
    "artrose": {
        "stap 1 voorbereiden": Beginning({"vraag": "stap-1"}),
        "aangemeld bij de fysiotherapeut": Beginning(),
        "verwezen naar de orthopeed": Beginning({"vraag": "orthopeed", "stap_2_gedaan": True}),
        "verwezen naar de orthopeed (semi-spoed)": Beginning(
            {"vraag": "orthopeed", "stap_2_gedaan": True, "snelle_achteruitgang": True}
        ),
        "samen beslissen": Beginning({"vraag": LIFTED, "stap_2_gedaan": True}),
    },
    "chronische-nierschade": {
        "verwezen": Beginning({}, UNKNOWN_RISK),
        "meekijkconsult gevraagd": Beginning({"vraag": "meekijken"}, UNKNOWN_RISK),
        "waarde bevestigen": Beginning({"vraag": "controleren"}, UNKNOWN_RISK),
        "waarde bevestigen (controle-interval 6 maanden)": Beginning(
            {"vraag": "controleren"},
            {
                EGFR: ((41, ML, "2025-10-06"), (40, ML, "2026-01-07")),
                ACR: ((2.0, "mg/mmol", "2025-10-06"), (2.1, "mg/mmol", "2026-01-07")),
            },
        ),
    },
    "oogzorg": {
        "verwezen naar het ELOC": Beginning(),
        "verwezen naar het ELOC (controle-interval 6 maanden)": Beginning({"controletermijn": "maanden-6"}),
        "verwezen naar de oogarts": Beginning({"vraag": "oogarts"}),
        "verwezen naar de oogarts (semi-spoed)": Beginning({"vraag": "oogarts", "haast": "semi-spoed"}),
    },
    "pijn-op-de-borst-en-palpitaties": {
        "verwezen": Beginning(ASPECIFIC),
        "verwezen (versneld)": Beginning(),
        "verwezen (semi-spoed)": Beginning(PALPITATIONS | {"bijna_flauwgevallen": True}),
        "verwezen (spoed)": Beginning(
            PALPITATIONS | {"atriumfibrilleren": True, "duur_atriumfibrilleren": (12, "h")}
        ),
        "meekijkconsult gevraagd (meekijkconsult)": Beginning(ASPECIFIC | {"vraag": "meekijken"}),
        "beoordeling": Beginning(ASPECIFIC | {"vraag": "beoordelen"}),
        "beoordeling (U5)": Beginning(ASPECIFIC | {"vraag": "beoordelen"}),
        "beoordeling (U4)": Beginning(ASPECIFIC | {"vraag": "beoordelen", "triage": "U4"}),
        "beoordeling (U3)": Beginning(ASPECIFIC | {"vraag": "beoordelen", "triage": "U3"}),
        "beoordeling (versneld)": Beginning({"vraag": "beoordelen"}),
    },
    "valpreventie": {
        "gesignaleerd": Beginning({}, {}, PHARMACY),
        "beweeginterventie gevraagd": Beginning({"uitkomst_valrisicotest": "matig"}, {}, PHARMACY),
        "beweegaanbod gevraagd": Beginning({"uitkomst_valrisicotest": "laag"}, {}, PHARMACY),
    },
    "welzijn-op-recept": {"aangemeld": Beginning()},
}  # fmt: skip

# Who takes part from the start beside the two of the first hand-over, in a walk in which they say something.
BESIDE = {
    "antistolling": {"apotheek": PHARMACY, "voorschrijver": PRESCRIBER},
    "valpreventie": {"huisarts": PRACTICE},
}

BLOOD, KIDNEY, EYE = "antistolling", "chronische-nierschade", "oogzorg"
# (pathway, signal): the answers and measurements that the practice sends
BRINGING: dict[tuple[str, str], tuple[dict[str, Answer], dict[str, Values]]] = {
    (BLOOD, "signaal dosis"): ({"dosis": "anders"}, {}),
    (BLOOD, "signaal nierfunctie"): ({}, {EGFR: ((20, ML, "2026-03-12"),)}),
    (BLOOD, "signaal dubbele antistolling"): ({"doac-actief": True, "vka-actief": True}, {}),
    (KIDNEY, "signaal acute nierschade"): (
        {},
        {CREATININE: ((156, "umol/L", "2026-03-06"), (190, "umol/L", "2026-03-08"))},
    ),
    (KIDNEY, "signaal snelle achteruitgang"): ({}, {EGFR: ((20, ML, "2026-03-12"),)}),
    (EYE, "signaal alarmsymptoom"): ({"lichtflitsen": True}, {}),
}


def new_data(pathway: str, signal: str, request: str) -> dict[str, Any]:
    """The Bundle with what came in later, for a request that ketenzorg knows."""
    answers, values = BRINGING[pathway, signal]
    based_on = [{"reference": request}]
    brought: list[dict[str, Any]] = [
        {**an_observation(code, *value), "basedOn": based_on}
        for code, series in values.items()
        for value in series
    ]
    if answers:
        response = {"resourceType": "QuestionnaireResponse", "status": "completed", "basedOn": based_on}
        brought.append({**response, "item": [an_item(name, each) for name, each in answers.items()]})
    entries = [
        {"resource": each, "request": {"method": "POST", "url": each["resourceType"]}} for each in brought
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
