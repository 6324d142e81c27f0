"""The formulas about anticoagulants that a pathway file may name; the numbers are those of pathway-facts 6.1 and 7."""

from decimal import Decimal

from ketenzorg.pathway.definition import Status
from ketenzorg.pathway.facts import NO, YES
from ketenzorg.pathway.functions import anticoagulation
from ketenzorg.pathway.functions.function import AGE, Function, Input, Returns, Setting, codes, yes_no

_EHRA = "EHRA, overzicht in aerjournal (radcliffe)"
_DOSES = "Dose reduction criteria of NOACs, heart.bmj.com; proefschrift L. Joosten; zorgsaam.org"
_GOOI = "Regionale transmurale afspraak voorschrijven DOAC (Gooi)"
_FNT = "FNT, https://www.fnt.nl/nieuws/therapeutische-waarden-aangepast-5"

_CLEARANCE = Input("creatinineklaring", "getal", "creatinineklaring")


def _limit(
    name: str, value: str, unit: str, source: str = _DOSES, status: Status = "national", conflict: str = ""
) -> Setting:
    return Setting(name, Decimal(value), source, status, unit=unit, conflict=conflict)


_DOSE_SETTINGS = (
    _limit("apixaban-leeftijd", "80", "a"),
    _limit("apixaban-gewicht", "60", "kg"),
    _limit(
        "apixaban-kreatinine",
        "132.6",
        "umol/L",
        conflict="1,5 mg/dL is 132,6 µmol/L; in hele getallen 133.",
    ),
    _limit("apixaban-criteria", "2", ""),
    _limit(
        "rivaroxaban-vanaf", "15", "mL/min", conflict="Bijsluiter: klaring 15-49; sommige bronnen: 30-49."
    ),
    _limit("rivaroxaban-onder", "50", "mL/min"),
    _limit("edoxaban-tot-en-met", "50", "mL/min"),
    _limit("edoxaban-gewicht", "60", "kg"),
    _limit("dabigatran-leeftijd", "80", "a"),
    _limit("dabigatran-overwegen-leeftijd", "75", "a"),
    _limit("dabigatran-overwegen-klaring", "50", "mL/min"),
    _limit("minimale-klaring-dabigatran", "30", "mL/min", _GOOI, "other region"),
    _limit("minimale-klaring-xa", "15", "mL/min", _GOOI, "other region"),
)

ANTICOAGULATION = (
    Function(
        name="doac-controle-maanden",
        title="Hoogstens zoveel maanden tussen twee controles van een DOAC",
        inputs=(_CLEARANCE, AGE, *yes_no("kwetsbaar")),
        returns=Returns("getal", anticoagulation.MONTHS, Decimal(1), Decimal(12)),
        source=_EHRA,
        status="national",
        work_out=anticoagulation.doac_control_months,
        settings=(
            Setting("jaarlijks", Decimal(12), _EHRA, "national", unit="mo", only="lager"),
            Setting(
                "oud-of-kwetsbaar",
                Decimal(6),
                _EHRA,
                "national",
                unit="mo",
                only="lager",
                conflict="Overzicht van EHRA: 6 maanden; EHRA 2021 (algemene kennis): 4 maanden.",
            ),
            Setting(
                "oud-vanaf",
                Decimal(75),
                _EHRA,
                "national",
                unit="a",
                conflict="Overzicht van EHRA: ouder dan 75; EHRA 2021 (algemene kennis): vanaf 75.",
            ),
            Setting("klaring-tot-30", Decimal(3), _EHRA, "national", unit="mo", only="lager"),
            Setting(
                "klaring-gedeeld-door-10",
                YES,
                "EHRA 2018/2021",
                "general knowledge",
                choices=(YES, NO),
                conflict="Staat niet in het gelezen overzicht; zonder deze regel tussen 30 en 60: 6 maanden.",
            ),
        ),
    ),
    Function(
        name="doac-dosis-criterium",
        title="Waar de dosiscriteria bij atriumfibrilleren op wijzen",
        inputs=(
            Input(
                "indicatie",
                "keuze",
                codes=("atriumfibrilleren", "veneuze-trombo-embolie", "andere-indicatie"),
            ),
            Input("middel", "keuze", codes=anticoagulation.DRUGS),
            AGE,
            Input("gewicht", "getal", "gewicht"),
            Input("kreatinine", "getal", "kreatinine"),
            _CLEARANCE,
            *yes_no("verapamil", "pgp-remmer", "maagklachten", "bloedingsrisico"),
        ),
        returns=codes(*anticoagulation.CRITERIA),
        source=_DOSES,
        status="national",
        work_out=anticoagulation.doac_dose_criterion,
        settings=_DOSE_SETTINGS,
    ),
    Function(
        name="doac-dosis-signaal",
        title="Of de dosis in gebruik bij de criteria past",
        inputs=(
            Input("dosis-criterium", "keuze", codes=anticoagulation.CRITERIA),
            Input("dosis", "keuze", codes=("normaal", "verlaagd", "anders")),
        ),
        returns=codes(*anticoagulation.SIGNALS),
        source=_DOSES,
        status="national",
        work_out=anticoagulation.doac_dose_signal,
    ),
    Function(
        name="inr-bereik",
        title="De INR onder, in of boven het streefgebied",
        inputs=(Input("inr", "getal", "inr"), Input("intensiteit", "keuze", codes=("1", "2"))),
        returns=codes("onder", "in", "boven"),
        source=_FNT,
        status="national",
        work_out=anticoagulation.inr_position,
        settings=(
            _limit("groep-1-laag", "2.0", "1", _FNT),
            _limit("groep-1-hoog", "3.0", "1", _FNT),
            _limit("groep-2-laag", "2.5", "1", _FNT),
            _limit("groep-2-hoog", "3.5", "1", _FNT),
        ),
    ),
)
