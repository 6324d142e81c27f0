"""The point scores that a pathway file may name: what each takes and gives, its settings and its source."""

from decimal import Decimal

from ketenzorg.pathway.facts import NO, YES
from ketenzorg.pathway.functions import scores
from ketenzorg.pathway.functions.function import AGE, GENDER, Function, Input, Setting, codes, score, yes_no

_STROKE_ITEMS = (
    *yes_no("hartfalen", "hypertensie"),
    AGE,
    *yes_no("diabetes", "beroerte", "vaatlijden"),
)

SCORES = (
    Function(
        name="cha2ds2-va",
        title="CHA2DS2-VA-score",
        inputs=_STROKE_ITEMS,
        returns=score(8),
        source="ESC 2024, https://chadsva.org",
        status="national",
        work_out=scores.cha2ds2_va,
    ),
    Function(
        name="cha2ds2-vasc",
        title="CHA2DS2-VASc-score",
        inputs=(*_STROKE_ITEMS, GENDER),
        returns=score(9),
        source="https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1",
        status="national",
        work_out=scores.cha2ds2_vasc,
    ),
    Function(
        name="has-bled",
        title="HAS-BLED-score",
        inputs=(
            Input("bovendruk", "getal", "bovendruk"),
            *yes_no("nierfunctie-gestoord", "leverfunctie-gestoord", "beroerte", "bloeding", "labiele-inr"),
            AGE,
            *yes_no("bloedingsmedicatie", "alcohol"),
        ),
        returns=score(9),
        source="https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1",
        status="national",
        work_out=scores.has_bled,
    ),
    Function(
        name="marburg",
        title="Marburg Heart Score",
        inputs=(
            GENDER,
            AGE,
            *yes_no("vaatlijden", "denkt-hart", "erger-bij-inspanning", "drukpijn"),
        ),
        returns=score(5),
        source="https://bmcprimcare.biomedcentral.com/articles/10.1186/1471-2296-12-128/tables/1",
        status="national",
        work_out=scores.marburg,
    ),
    Function(
        name="marburg-klasse",
        title="Kans op coronairlijden volgens de Marburg Heart Score",
        inputs=(Input("marburg", "getal", "score"),),
        returns=codes("laag", "midden", "hoog"),
        source="https://www.mdcalc.com/marburg-heart-score-mhs",
        status="national",
        work_out=scores.marburg_class,
        settings=(Setting("laag-tot-en-met", Decimal(2), "pathway-facts 7, cp.mhs.low_max", "national"),),
    ),
    Function(
        name="marburg-bruikbaar",
        title="Of de Marburg Heart Score getoond mag worden",
        inputs=(AGE, *yes_no("spoed-mogelijk", "oorzaak-duidelijk", "coronairlijden-bekend")),
        returns=codes(YES, NO),
        source="https://www.pathway.md/calculators/marburg-heart-score-mhs-recsnoMPTCvj3nMN3",
        status="national",
        work_out=scores.marburg_usable,
        settings=(
            Setting("vanaf-leeftijd", Decimal(35), "pathway-facts 7, cp.mhs.min_age", "national", unit="a"),
            Setting(
                "bij-bekend-coronairlijden",
                "niet tonen",
                "pathway.md: not in known CAD",
                "national",
                choices=("niet tonen", "tonen"),
                conflict=(
                    "NHG raadt een beslisregel voor ACS af. pathway.md: niet bij bekend coronairlijden; "
                    "de scoretabel telt bekend vaatlijden juist mee."
                ),
            ),
        ),
    ),
    Function(
        name="angina-type",
        title="Typering van de pijn op de borst",
        inputs=yes_no("drukkend-retrosternaal", "uitgelokt", "weg-in-rust"),
        returns=codes("typisch", "atypisch", "aspecifiek"),
        source="NHG, https://richtlijnen.nhg.org/standaarden/stabiele-angina-pectoris",
        status="national",
        work_out=scores.angina_type,
        settings=(
            Setting("typisch-vanaf", Decimal(3), "pathway-facts 7, cp.typical_n", "national"),
            Setting("atypisch-vanaf", Decimal(2), "pathway-facts 7, cp.typical_n", "national"),
        ),
    ),
)
