"""The formulas about kidneys that a pathway file may name; and the age, that so many take."""

from decimal import Decimal

from ketenzorg.pathway.facts import NO, YES
from ketenzorg.pathway.functions import age, kidney, kidney_course
from ketenzorg.pathway.functions.function import AGE, GENDER, Function, Input, Returns, Setting, codes

_DEFINITION = "richtlijnendatabase.nl, Chronische nierschade, bepaling van nierfunctie en albuminurie"
_REFERRAL = "richtlijnendatabase.nl, Chronische nierschade, 1e en 2e lijn en verwijsindicaties"
_KDIGO = "KDIGO 2024, https://dbpia.nl.go.kr/view-large/502662153"

_EGFR_SERIES = Input("egfr-reeks", "reeks", "egfr")

_FALL = (
    Setting("daling-procent", Decimal(25), _REFERRAL, "national", unit="%"),
    Setting("jaren", Decimal(5), _REFERRAL, "national", unit="a"),
)
_PER_YEAR = (
    Setting("daling-per-jaar", Decimal(5), _REFERRAL, "national", unit="mL/min/{1.73_m2}"),
    Setting("minstens-metingen", Decimal(3), _REFERRAL, "national"),
    Setting(
        "lezing",
        "per jaar",
        _REFERRAL,
        "national",
        choices=("per jaar", "binnen een jaar"),
        conflict=(
            "richtlijnendatabase.nl: 5 of meer per jaar; de NHG-samenvatting (dokteruslu.nl, "
            "ketenzorgfriesland.nl): binnen een jaar."
        ),
    ),
)
_MONTHS_TO_CONFIRM = Setting("maanden", Decimal(3), _DEFINITION, "national", unit="mo")

KIDNEY = (
    Function(
        name="leeftijd",
        title="Leeftijd in hele jaren",
        inputs=(Input("geboortedatum", "datum"),),
        returns=Returns("getal", "a", Decimal(0), Decimal(120), whole=True),
        source="kalender van Amsterdam",
        status="general knowledge",
        work_out=age.age,
        uses_now=True,
    ),
    Function(
        name="cockcroft-gault",
        title="Creatinineklaring volgens Cockcroft en Gault",
        inputs=(
            AGE,
            Input("gewicht", "getal", "gewicht"),
            Input("kreatinine", "getal", "kreatinine"),
            GENDER,
        ),
        returns=Returns("getal", kidney.CLEARANCE, Decimal(0), Decimal(7000)),
        source="Cockcroft en Gault 1976, in SI-eenheden",
        status="general knowledge",
        work_out=kidney.cockcroft_gault,
    ),
    Function(
        name="egfr-stadium",
        title="Stadium van de nierfunctie (G)",
        inputs=(Input("egfr", "getal", "egfr"),),
        returns=codes(*kidney.G_STAGES),
        source=_DEFINITION,
        status="national",
        work_out=kidney.g_stage,
    ),
    Function(
        name="acr-stadium",
        title="Stadium van de albuminurie (A)",
        inputs=(Input("acr", "getal", "acr"),),
        returns=codes(*kidney.A_STAGES),
        source=_DEFINITION,
        status="national",
        work_out=kidney.a_stage,
        settings=(
            Setting("a2-vanaf", Decimal(3), _DEFINITION, "national", unit="mg/mmol"),
            Setting("a3-boven", Decimal(30), _DEFINITION, "national", unit="mg/mmol"),
        ),
    ),
    Function(
        name="nierschade-risico",
        title="Risicocategorie van de nierschade",
        inputs=(
            Input("egfr-stadium", "keuze", codes=kidney.G_STAGES),
            Input("acr-stadium", "keuze", codes=kidney.A_STAGES),
        ),
        returns=codes(*kidney.RISKS),
        source="NHG en KDIGO; cellen van meekijkconsult nefrologie en RTA Zuidoost-Brabant",
        status="other region",
        work_out=kidney.risk,
        settings=(
            Setting(
                "g1-g2-met-a3",
                "matig",
                "KDIGO",
                "general knowledge",
                choices=("matig", "sterk"),
                conflict="KDIGO: matig (oranje); meekijkconsult nefrologie: als sterk. Verwijzen in beide.",
            ),
        ),
    ),
    Function(
        name="acute-nierschade",
        title="Acute nierschade volgens een reeks van kreatinine",
        inputs=(Input("kreatinine-reeks", "reeks", "kreatinine"),),
        returns=codes(YES, NO),
        source="Samenvatting NHG Chronische nierschade, https://dokteruslu.nl/nierschade/",
        status="national",
        work_out=kidney_course.acute_injury,
        settings=(
            Setting(
                "stijging-in-48-uur", Decimal(25), "dokteruslu.nl", "national", unit="umol/L", only="lager"
            ),
            Setting(
                "stijging-in-een-week-procent",
                Decimal(50),
                "dokteruslu.nl",
                "national",
                unit="%",
                only="lager",
            ),
        ),
    ),
    Function(
        name="egfr-daling-met-stadium",
        title="eGFR 25 procent gedaald in 5 jaar, met een slechter stadium",
        inputs=(_EGFR_SERIES,),
        returns=codes(YES, NO),
        source=_REFERRAL,
        status="national",
        work_out=kidney_course.fall_with_stage,
        settings=_FALL,
        uses_now=True,
    ),
    Function(
        name="egfr-daling-per-jaar",
        title="eGFR gedaald met 5 of meer per jaar, in minstens drie metingen",
        inputs=(_EGFR_SERIES,),
        returns=codes(YES, NO),
        source=_REFERRAL,
        status="national",
        work_out=kidney_course.fall_per_year,
        settings=_PER_YEAR,
    ),
    Function(
        name="snelle-achteruitgang",
        title="Snelle achteruitgang van de nierfunctie",
        inputs=(_EGFR_SERIES,),
        returns=codes(YES, NO),
        source=_REFERRAL,
        status="national",
        work_out=kidney_course.rapid_decline,
        settings=(*_FALL, *_PER_YEAR),
        uses_now=True,
    ),
    Function(
        name="egfr-bevestiging",
        title="Wat een afwijkende eGFR vraagt: herhalen, bevestigen of bevestigd",
        inputs=(_EGFR_SERIES,),
        returns=codes(*kidney_course.CONFIRMING),
        source=_DEFINITION,
        status="national",
        work_out=kidney_course.confirm_egfr,
        settings=(
            Setting("afwijkend-onder", Decimal(60), _DEFINITION, "national", unit="mL/min/{1.73_m2}"),
            _MONTHS_TO_CONFIRM,
            Setting("duidelijke-daling-procent", Decimal(20), _KDIGO, "proposal", unit="%"),
        ),
    ),
    Function(
        name="acr-bevestiging",
        title="Wat een verhoogde albumine-creatinineratio vraagt: herhalen, bevestigen of bevestigd",
        inputs=(Input("acr-reeks", "reeks", "acr"),),
        returns=codes(*kidney_course.CONFIRMING),
        source=_DEFINITION,
        status="national",
        work_out=kidney_course.confirm_acr,
        settings=(
            Setting("afwijkend-vanaf", Decimal(3), _DEFINITION, "national", unit="mg/mmol"),
            _MONTHS_TO_CONFIRM,
            Setting("duidelijke-stijging-procent", Decimal(100), _KDIGO, "proposal", unit="%"),
        ),
    ),
)
