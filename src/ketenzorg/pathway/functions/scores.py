"""Point scores: stroke and bleeding risk in atrial fibrillation, and two aids for chest pain.

Every item that is unknown counts for nothing at the low end and in full at the high end of the answer.
"""

from decimal import Decimal

from ketenzorg.pathway.facts import (
    NEVER,
    SCORE,
    SURELY,
    Choice,
    Number,
    Truth,
    above,
    answer,
    at_least,
    one_of,
    points,
    yes,
)


def cha2ds2_va(
    hartfalen: Choice,
    hypertensie: Choice,
    leeftijd: Number,
    diabetes: Choice,
    beroerte: Choice,
    vaatlijden: Choice,
) -> Number:
    """CHA2DS2-VA, 0-8: age from 65 one, from 75 two; stroke, TIA or thrombo-embolism two; the others one.

    ESC 2024 (https://chadsva.org). Not for a mechanical valve or moderate to severe mitral stenosis (general
    knowledge): the pathway asks for that first.
    """
    return points(_cha2ds2_va_items(hartfalen, hypertensie, leeftijd, diabetes, beroerte, vaatlijden), SCORE)


def cha2ds2_vasc(
    hartfalen: Choice,
    hypertensie: Choice,
    leeftijd: Number,
    diabetes: Choice,
    beroerte: Choice,
    vaatlijden: Choice,
    geslacht: Choice,
) -> Number:
    """CHA2DS2-VASc, 0-9: CHA2DS2-VA and one point for a woman.

    https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1. The two scores are never mixed: each result
    goes under its own name.
    """
    items = _cha2ds2_va_items(hartfalen, hypertensie, leeftijd, diabetes, beroerte, vaatlijden)
    return points([*items, (one_of(geslacht, "vrouw"), 1)], SCORE)


def _cha2ds2_va_items(
    hartfalen: Choice,
    hypertensie: Choice,
    leeftijd: Number,
    diabetes: Choice,
    beroerte: Choice,
    vaatlijden: Choice,
) -> list[tuple[Truth, int]]:
    return [
        (yes(hartfalen), 1),
        (yes(hypertensie), 1),
        (at_least(leeftijd, _AGE_65), 1),
        (at_least(leeftijd, _AGE_75), 1),  # the second point: 65-74 has one, from 75 two
        (yes(diabetes), 1),
        (yes(beroerte), 2),
        (yes(vaatlijden), 1),
    ]


def has_bled(
    bovendruk: Number,
    nierfunctie_gestoord: Choice,
    leverfunctie_gestoord: Choice,
    beroerte: Choice,
    bloeding: Choice,
    labiele_inr: Choice,
    leeftijd: Number,
    bloedingsmedicatie: Choice,
    alcohol: Choice,
) -> Number:
    """HAS-BLED, 0-9, one point an item: systolic over 160 mmHg and age over 65, as in the original score.

    https://pmc.ncbi.nlm.nih.gov/articles/PMC6652729/table/tbl1; conflict 11 of chapter 8. From 3: caution and
    regular review, on its own never a reason to withhold (general knowledge, ESC). A labile INR only exists
    with a VKA: with a DOAC the answer is "nee".
    """
    items = [
        (above(bovendruk, _SYSTOLIC_160), 1),
        (yes(nierfunctie_gestoord), 1),
        (yes(leverfunctie_gestoord), 1),
        (yes(beroerte), 1),
        (yes(bloeding), 1),
        (yes(labiele_inr), 1),
        (above(leeftijd, _AGE_65), 1),
        (yes(bloedingsmedicatie), 1),
        (yes(alcohol), 1),
    ]
    return points(items, SCORE)


def marburg(
    geslacht: Choice,
    leeftijd: Number,
    vaatlijden: Choice,
    denkt_hart: Choice,
    erger_bij_inspanning: Choice,
    drukpijn: Choice,
) -> Number:
    """Marburg heart score, 0-5, one point an item; pain that pressing on the chest brings out gives none.

    https://bmcprimcare.biomedcentral.com/articles/10.1186/1471-2296-12-128/tables/1. Woman from 65, man from
    55. Only an aid in non-acute chest pain, with a banner "not for ACS": see `marburg_usable`.
    """
    old_enough = (one_of(geslacht, "vrouw") & at_least(leeftijd, _AGE_65)) | (
        one_of(geslacht, "man") & at_least(leeftijd, _AGE_55)
    )
    if leeftijd.low >= _AGE_65:  # then it does not matter whether man or woman
        old_enough = SURELY
    items = [
        (old_enough, 1),
        (yes(vaatlijden), 1),
        (yes(denkt_hart), 1),
        (yes(erger_bij_inspanning), 1),
        (~yes(drukpijn), 1),
    ]
    return points(items, SCORE)


def marburg_class(marburg: Number, laag_tot_en_met: Decimal) -> Choice:
    """Low (0-2), middle (3) or high (4-5): from 3 it only modestly predicts; it rules out, not in.

    https://www.mdcalc.com/marburg-heart-score-mhs.
    """
    more_than_low = above(marburg, laag_tot_en_met)
    high = at_least(marburg, _MARBURG_HIGH) & more_than_low
    possible = []
    if not more_than_low.sure:
        possible.append("laag")
    if more_than_low.may and not high.sure:
        possible.append("midden")
    if high.may:
        possible.append("hoog")
    return Choice(tuple(possible))


def marburg_usable(
    leeftijd: Number,
    spoed_mogelijk: Choice,
    oorzaak_duidelijk: Choice,
    coronairlijden_bekend: Choice,
    vanaf_leeftijd: Decimal,
    bij_bekend_coronairlijden: str,
) -> Choice:
    """Whether the Marburg heart score may be shown at all: only when that is surely so is it "ja".

    Never when it may be urgent or the cause is clear, and from 35 years. Conflict 1 of chapter 8: the NHG
    advises against a decision rule for ACS; pathway.md says "not in known CAD" where the score's own table
    counts it as vascular disease. Default: not shown with known coronary disease.
    """
    known = yes(coronairlijden_bekend)
    if bij_bekend_coronairlijden == "tonen":
        known = NEVER
    usable = at_least(leeftijd, vanaf_leeftijd) & ~yes(spoed_mogelijk) & ~yes(oorzaak_duidelijk) & ~known
    return answer(usable)


def angina_type(
    drukkend_retrosternaal: Choice,
    uitgelokt: Choice,
    weg_in_rust: Choice,
    typisch_vanaf: Decimal,
    atypisch_vanaf: Decimal,
) -> Choice:
    """Typical (three of three), atypical (two) or aspecific (fewer).

    NHG Stabiele angina pectoris (https://richtlijnen.nhg.org/standaarden/stabiele-angina-pectoris): pressure
    behind the breastbone; brought on by exertion, cold, heat, emotion or a heavy meal; gone within 15 minutes
    of rest or a few minutes after a nitrate.
    """
    count = points([(yes(item), 1) for item in (drukkend_retrosternaal, uitgelokt, weg_in_rust)], SCORE)
    typical, some = at_least(count, typisch_vanaf), at_least(count, atypisch_vanaf)
    possible = []
    if typical.may:
        possible.append("typisch")
    if some.may and not typical.sure:
        possible.append("atypisch")
    if not some.sure:
        possible.append("aspecifiek")
    return Choice(tuple(possible))


_AGE_55, _AGE_65, _AGE_75 = Decimal(55), Decimal(65), Decimal(75)
_SYSTOLIC_160 = Decimal(160)
_MARBURG_HIGH = Decimal(4)
