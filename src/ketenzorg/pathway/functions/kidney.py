"""Kidney function at one moment: creatinine clearance, the KDIGO categories, and the risk of kidney damage.

Nothing is rounded before it is compared: an eGFR of 59.6 is below 60.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product

from ketenzorg.pathway.facts import Choice, Number

CLEARANCE = "mL/min"

G_STAGES = ("G1", "G2", "G3a", "G3b", "G4", "G5")
A_STAGES = ("A1", "A2", "A3")
RISKS = ("geen", "mild", "matig", "sterk")


def cockcroft_gault(leeftijd: Number, gewicht: Number, kreatinine: Number, geslacht: Choice) -> Number:
    """Creatinine clearance: (140 - age) x kg x 1.23 (man) or 1.04 (woman) / creatinine in µmol/L.

    Cockcroft and Gault 1976, in SI units (general knowledge); not the eGFR, and not per 1.73 m². The weight is
    the real weight, as in the trials behind the DOAC labels.
    """
    factors = [_BY_SEX[sex] for sex in geslacht.possible]
    return Number(
        (_AGE_OF_ZERO - leeftijd.high) * gewicht.low * min(factors) / kreatinine.high,
        (_AGE_OF_ZERO - leeftijd.low) * gewicht.high * max(factors) / kreatinine.low,
        CLEARANCE,
    )


def g_stage(egfr: Number) -> Choice:
    """G1 from 90, G2 from 60, G3a from 45, G3b from 30, G4 from 15, G5 below (KDIGO; NHG Chronische nierschade)."""
    return Choice(G_STAGES[stage_index(egfr.high) : stage_index(egfr.low) + 1])


def stage_index(egfr: Decimal) -> int:
    """The place of the stage in G_STAGES: higher is worse."""
    return sum(egfr < limit for limit in _G_LIMITS)


def a_stage(acr: Number, a2_vanaf: Decimal, a3_boven: Decimal) -> Choice:
    """A1 below 3, A2 from 3 to 30, A3 over 30 mg/mmol (richtlijnendatabase.nl, Chronische nierschade)."""
    return Choice(
        A_STAGES[_a_index(acr.low, a2_vanaf, a3_boven) : _a_index(acr.high, a2_vanaf, a3_boven) + 1]
    )


def _a_index(acr: Decimal, a2: Decimal, a3: Decimal) -> int:
    return (acr >= a2) + (acr > a3)


def risk(egfr_stadium: Choice, acr_stadium: Choice, g1_g2_met_a3: str) -> Choice:
    """The risk matrix of NHG and KDIGO, by the names of NHG-45 3934: geen, mild, matig, sterk.

    "geen" is no kidney damage by these two values; other evidence of it is for the pathway to ask. G1 and G2
    with A3 is "matig" in KDIGO and treated as "sterk" by one Dutch region: a setting, and a referral criterion
    of its own either way.
    """
    cells = {_cell(g, a, g1_g2_met_a3) for g, a in product(egfr_stadium.possible, acr_stadium.possible)}
    return Choice(_in_order(RISKS, cells))


def _cell(g: str, a: str, g1_g2_met_a3: str) -> str:
    row = _MATRIX[g]
    return row[a] or g1_g2_met_a3


def _in_order(codes: Sequence[str], found: set[str]) -> tuple[str, ...]:
    return tuple(code for code in codes if code in found)


_AGE_OF_ZERO = Decimal(140)
_BY_SEX = {"man": Decimal("1.23"), "vrouw": Decimal("1.04")}
_G_LIMITS = (Decimal(90), Decimal(60), Decimal(45), Decimal(30), Decimal(15))

# pathway-facts 6.2; empty: what the setting says
_OVER_60 = {"A1": "geen", "A2": "mild", "A3": ""}
_BELOW_30 = {"A1": "sterk", "A2": "sterk", "A3": "sterk"}
_MATRIX = {
    "G1": _OVER_60,
    "G2": _OVER_60,
    "G3a": {"A1": "mild", "A2": "matig", "A3": "sterk"},
    "G3b": {"A1": "matig", "A2": "sterk", "A3": "sterk"},
    "G4": _BELOW_30,
    "G5": _BELOW_30,
}
