"""Anticoagulants: how often to check a DOAC, what the dose criteria in atrial fibrillation point to, the INR.

A flag is all that comes out: nothing here changes a dose, and nothing says "stop" (pathway-facts 6.1).
"""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

import msgspec

from ketenzorg.pathway.facts import (
    NEVER,
    PERHAPS,
    SURELY,
    Choice,
    Number,
    Truth,
    at_least,
    at_most,
    below,
    one_of,
    points,
    yes,
)

MONTHS = "mo"
DRUGS = ("apixaban", "rivaroxaban", "edoxaban", "dabigatran")
CRITERIA = ("overleg", "verlaagd", "verlagen-overwegen", "normaal", "niet-van-toepassing")
SIGNALS = ("overleg", "hoger-dan-criteria", "lager-dan-criteria", "verlagen-overwegen", "geen")


def doac_control_months(
    creatinineklaring: Number,
    leeftijd: Number,
    kwetsbaar: Choice,
    jaarlijks: Decimal,
    oud_of_kwetsbaar: Decimal,
    oud_vanaf: Decimal,
    klaring_tot_30: Decimal,
    klaring_gedeeld_door_10: str,
) -> Number:
    """At most so many months between two checks: of all rules that hold, the shortest wins.

    EHRA as in the review in aerjournal: clearance from 60 yearly; old or frail every 6 months; up to 30 every
    3. General knowledge (EHRA 2018/2021): clearance / 10 months up to 60, rounded down to whole months, at
    least one; without that rule, between 30 and 60 as often as for the old. At exactly 60 both the yearly rule
    and that of ten hold: 6 months. The review says "over 75", EHRA 2021 "75 and older" with 4 months: from 75
    and 6 months here, both to be set.
    """
    old = at_least(leeftijd, oud_vanaf) | yes(kwetsbaar)
    by_ten = klaring_gedeeld_door_10 == "ja"
    shortest = _by_clearance(creatinineklaring.low, jaarlijks, oud_of_kwetsbaar, klaring_tot_30, by_ten)
    longest = _by_clearance(creatinineklaring.high, jaarlijks, oud_of_kwetsbaar, klaring_tot_30, by_ten)
    return Number(
        min(shortest, oud_of_kwetsbaar) if old.may else shortest,
        min(longest, oud_of_kwetsbaar) if old.sure else longest,
        MONTHS,
    )


def _by_clearance(
    clearance: Decimal, yearly: Decimal, middle: Decimal, up_to_30: Decimal, by_ten: bool
) -> Decimal:
    if clearance > _60:
        return yearly
    months = yearly
    if by_ten:
        months = max((clearance / _TEN).to_integral_value(ROUND_FLOOR), _ONE)
    elif clearance < _60:
        months = middle
    return min(months, yearly, up_to_30) if clearance <= _30 else min(months, yearly)


def doac_dose_criterion(
    indicatie: Choice,
    middel: Choice,
    leeftijd: Number,
    gewicht: Number,
    kreatinine: Number,
    creatinineklaring: Number,
    verapamil: Choice,
    pgp_remmer: Choice,
    maagklachten: Choice,
    bloedingsrisico: Choice,
    apixaban_leeftijd: Decimal,
    apixaban_gewicht: Decimal,
    apixaban_kreatinine: Decimal,
    apixaban_criteria: Decimal,
    rivaroxaban_vanaf: Decimal,
    rivaroxaban_onder: Decimal,
    edoxaban_tot_en_met: Decimal,
    edoxaban_gewicht: Decimal,
    dabigatran_leeftijd: Decimal,
    dabigatran_overwegen_leeftijd: Decimal,
    dabigatran_overwegen_klaring: Decimal,
    minimale_klaring_dabigatran: Decimal,
    minimale_klaring_xa: Decimal,
) -> Choice:
    """Which dose the criteria point to, in atrial fibrillation only; "overleg" below the lowest clearance.

    Table of heart.bmj.com, thesis of L. Joosten and zorgsaam.org (other region), with the creatinine clearance
    of Cockcroft-Gault, never the eGFR. Apixaban: two of age, weight and creatinine, or a clearance of 15-29.
    Rivaroxaban: 15-49, read as 15 up to but not 50; some sources say 30-49. Edoxaban: 15-50, weight, or certain
    P-gp inhibitors. Dabigatran: age or verapamil; to be considered from 75, at 30-50, with stomach complaints or
    another raised risk of bleeding. Apixaban's 1.5 mg/dL is 132.6 µmol/L; 133 in whole numbers.
    """
    in_fibrillation = one_of(indicatie, "atriumfibrilleren")
    clearance = creatinineklaring
    drugs: list[_Look] = []
    for drug in middel.possible if in_fibrillation.may else ():
        match drug:
            case "apixaban":
                marks = [
                    _Mark("leeftijd", leeftijd, at_least(leeftijd, apixaban_leeftijd)),
                    _Mark("gewicht", gewicht, at_most(gewicht, apixaban_gewicht)),
                    _Mark("kreatinine", kreatinine, at_least(kreatinine, apixaban_kreatinine)),
                ]
                look = _apixaban(marks, apixaban_criteria, clearance, minimale_klaring_xa)
            case "rivaroxaban":
                look = _Look(
                    too_low=below(clearance, max(minimale_klaring_xa, rivaroxaban_vanaf)),
                    reduced=[_Mark("creatinineklaring", clearance, below(clearance, rivaroxaban_onder))],
                )
            case "edoxaban":
                look = _Look(
                    too_low=below(clearance, minimale_klaring_xa),
                    reduced=[
                        _Mark("creatinineklaring", clearance, at_most(clearance, edoxaban_tot_en_met)),
                        _Mark("gewicht", gewicht, at_most(gewicht, edoxaban_gewicht)),
                        _Mark("pgp-remmer", pgp_remmer, yes(pgp_remmer)),
                    ],
                )
            case _:  # dabigatran
                look = _Look(
                    too_low=below(clearance, minimale_klaring_dabigatran),
                    reduced=[
                        _Mark("leeftijd", leeftijd, at_least(leeftijd, dabigatran_leeftijd)),
                        _Mark("verapamil", verapamil, yes(verapamil)),
                    ],
                    consider=[
                        _Mark("leeftijd", leeftijd, at_least(leeftijd, dabigatran_overwegen_leeftijd)),
                        _Mark(
                            "creatinineklaring", clearance, at_most(clearance, dabigatran_overwegen_klaring)
                        ),
                        _Mark("maagklachten", maagklachten, yes(maagklachten)),
                        _Mark("bloedingsrisico", bloedingsrisico, yes(bloedingsrisico)),
                    ],
                )
        drugs.append(look)
    found = set() if in_fibrillation.sure else {"niet-van-toepassing"}
    for each in drugs:
        found.update(each.levels())
    if len(found) == 1:
        return Choice(tuple(found))
    needed = set() if in_fibrillation.sure else {"indicatie"}
    needed |= {"middel"} if len(drugs) > 1 else set()
    needed = needed.union(*(drug.unknown(creatinineklaring) for drug in drugs))
    return Choice(tuple(code for code in CRITERIA if code in found), tuple(sorted(needed)))


class _Mark(msgspec.Struct):
    """One criterion for a lower dose: the input that it looks at, and whether it holds."""

    name: str
    fact: Number | Choice
    holds: Truth


class _Look(msgspec.Struct):
    """The criteria of one drug: any of `reduced` is enough, then any of `consider`."""

    too_low: Truth
    reduced: list[_Mark]
    consider: list[_Mark] = []
    at_once: Truth | None = None  # in place of "any": so many of `reduced`, for apixaban

    def levels(self) -> Iterable[str]:
        """The first level that holds, or each that may be the first."""
        reduced = _any(self.reduced) if self.at_once is None else self.at_once
        for level, holds in (
            ("overleg", self.too_low),
            ("verlaagd", reduced),
            ("verlagen-overwegen", _any(self.consider)),
        ):
            if holds.may:
                yield level
            if holds.sure:
                return
        yield "normaal"

    def unknown(self, clearance: Number) -> set[str]:
        """The inputs of this drug that are not known exactly."""
        used = {mark.name: mark.fact for mark in (*self.reduced, *self.consider)}
        used["creatinineklaring"] = clearance
        return {name for name, fact in used.items() if fact.exact is None}


def _apixaban(marks: list[_Mark], needed: Decimal, clearance: Number, lowest: Decimal) -> _Look:
    enough = at_least(points([(mark.holds, 1) for mark in marks], "1"), needed)
    return _Look(below(clearance, lowest), marks, at_once=enough | below(clearance, _30))


def _any(marks: list[_Mark]) -> Truth:
    found = NEVER
    for mark in marks:
        if mark.holds.sure:
            return SURELY
        if mark.holds.may:
            found = PERHAPS
    return found


def doac_dose_signal(dosis_criterium: Choice, dosis: Choice) -> Choice:
    """What to tell about the dose in use: over- and underdosing alike; another dose than the two is "overleg"."""
    found = {_signal(criterion, dose) for criterion in dosis_criterium.possible for dose in dosis.possible}
    return Choice(tuple(code for code in SIGNALS if code in found))


def _signal(criterion: str, dose: str) -> str:
    if criterion == "niet-van-toepassing":
        return "geen"
    if criterion == "overleg" or dose == "anders":
        return "overleg"
    return _SIGNAL.get((criterion, dose), "geen")


def inr_position(
    inr: Number,
    intensiteit: Choice,
    groep_1_laag: Decimal,
    groep_1_hoog: Decimal,
    groep_2_laag: Decimal,
    groep_2_hoog: Decimal,
) -> Choice:
    """Below, in or above the target: 2.0-3.0 in the first intensity group, 2.5-3.5 in the second, limits included.

    FNT, since 1 January 2016; the prescriber chooses the group. Trombosedienst: 1 day to 6 weeks between checks.
    """
    limits = {"1": (groep_1_laag, groep_1_hoog), "2": (groep_2_laag, groep_2_hoog)}
    found: set[str] = set()
    for group in intensiteit.possible:
        low, high = limits[group]
        if inr.low < low:
            found.add("onder")
        if inr.high > high:
            found.add("boven")
        if inr.low <= high and inr.high >= low:
            found.add("in")
    return Choice(tuple(code for code in ("onder", "in", "boven") if code in found))


_ONE, _TEN, _30, _60 = Decimal(1), Decimal(10), Decimal(30), Decimal(60)
_SIGNAL = {
    ("verlaagd", "normaal"): "hoger-dan-criteria",
    ("normaal", "verlaagd"): "lager-dan-criteria",
    ("verlagen-overwegen", "normaal"): "verlagen-overwegen",
}
