"""The scores and formulas that a pathway file may name: what each takes and gives, its settings and its source."""

from decimal import Decimal

from ketenzorg.pathway import scores
from ketenzorg.pathway.facts import NO, YES
from ketenzorg.pathway.function import Function, Input, Returns, Setting
from ketenzorg.pathway.scores import SCORE

_YES_NO = (YES, NO)
_SEX = ("man", "vrouw")


def _yes_no(*names: str) -> tuple[Input, ...]:
    return tuple(Input(name, "keuze", codes=_YES_NO) for name in names)


def _score(high: int) -> Returns:
    return Returns("getal", SCORE, Decimal(0), Decimal(high))


def _codes(*codes: str) -> Returns:
    return Returns("keuze", codes=codes)


_AGE = Input("leeftijd", "getal", "leeftijd")
_GENDER = Input("geslacht", "keuze", codes=_SEX)
_STROKE_ITEMS = (
    *_yes_no("hartfalen", "hypertensie"),
    _AGE,
    *_yes_no("diabetes", "beroerte", "vaatlijden"),
)

_SCORES = (
    Function(
        name="cha2ds2-va",
        title="CHA2DS2-VA-score",
        inputs=_STROKE_ITEMS,
        returns=_score(8),
        source="ESC 2024, https://chadsva.org",
        status="national",
        work_out=scores.cha2ds2_va,
    ),
    Function(
        name="cha2ds2-vasc",
        title="CHA2DS2-VASc-score",
        inputs=(*_STROKE_ITEMS, _GENDER),
        returns=_score(9),
        source="https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1",
        status="national",
        work_out=scores.cha2ds2_vasc,
    ),
    Function(
        name="has-bled",
        title="HAS-BLED-score",
        inputs=(
            Input("bovendruk", "getal", "bovendruk"),
            *_yes_no("nierfunctie-gestoord", "leverfunctie-gestoord", "beroerte", "bloeding", "labiele-inr"),
            _AGE,
            *_yes_no("bloedingsmedicatie", "alcohol"),
        ),
        returns=_score(9),
        source="https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1",
        status="national",
        work_out=scores.has_bled,
    ),
    Function(
        name="marburg",
        title="Marburg Heart Score",
        inputs=(
            _GENDER,
            _AGE,
            *_yes_no("vaatlijden", "denkt-hart", "erger-bij-inspanning", "drukpijn"),
        ),
        returns=_score(5),
        source="https://bmcprimcare.biomedcentral.com/articles/10.1186/1471-2296-12-128/tables/1",
        status="national",
        work_out=scores.marburg,
    ),
    Function(
        name="marburg-klasse",
        title="Kans op coronairlijden volgens de Marburg Heart Score",
        inputs=(Input("marburg", "getal", "score"),),
        returns=_codes("laag", "midden", "hoog"),
        source="https://www.mdcalc.com/marburg-heart-score-mhs",
        status="national",
        work_out=scores.marburg_class,
        settings=(Setting("laag-tot-en-met", Decimal(2), "pathway-facts 7, cp.mhs.low_max", "national"),),
    ),
    Function(
        name="marburg-bruikbaar",
        title="Of de Marburg Heart Score getoond mag worden",
        inputs=(_AGE, *_yes_no("spoed-mogelijk", "oorzaak-duidelijk", "coronairlijden-bekend")),
        returns=_codes(*_YES_NO),
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
        inputs=_yes_no("drukkend-retrosternaal", "uitgelokt", "weg-in-rust"),
        returns=_codes("typisch", "atypisch", "aspecifiek"),
        source="NHG, https://richtlijnen.nhg.org/standaarden/stabiele-angina-pectoris",
        status="national",
        work_out=scores.angina_type,
        settings=(
            Setting("typisch-vanaf", Decimal(3), "pathway-facts 7, cp.typical_n", "national"),
            Setting("atypisch-vanaf", Decimal(2), "pathway-facts 7, cp.typical_n", "national"),
        ),
    ),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _SCORES}
