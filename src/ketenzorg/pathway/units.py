"""What the pathways measure, in which UCUM units it may arrive, and under which codes it is told apart.

Numbers are Decimals and a conversion is not rounded (28 significant digits): thresholds are compared with what
was measured; only `shown` rounds, half up. The molar mass of creatinine, 113.12 g/mol, gives the customary
factors: 1 mg/dL = 88.4 µmol/L, and 1 mg/mmol albumin/creatinine = 8.84 mg/g. KDIGO's 30 and 300 mg/g are these
3 and 30 mg/mmol rounded: 27 mg/g is 3.05 mg/mmol and so A2 here, where KDIGO in mg/g still says A1 (kept: it
errs to the safe side). UCUM: https://ucum.org. Codes: pathway-facts 2.5 and conflicts 6 and 7 of chapter 8.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

import msgspec

from ketenzorg.errors import Invalid, Issue

LOINC = "http://loinc.org"
NHG45 = "https://referentiemodel.nhg.org/tabellen/nhg-tabel-45-diagnostische-bepalingen"

Code = tuple[str, str]  # system, code
NO_CODE: Code = ("", "")


class Measure(msgspec.Struct, frozen=True):
    """One quantity; `units` holds for each accepted unit what one of it is in `unit`, as (times, over)."""

    name: str
    title: str
    unit: str
    low: Decimal  # plausible limits, our proposal: outside them it is a slip of the pen or of the unit
    high: Decimal
    decimals: int  # when shown
    units: dict[str, tuple[Decimal, Decimal]]
    codes: dict[Code, tuple[str, ...]] = {}  # code -> the units that go with it
    telling: frozenset[str] = frozenset()  # units in which nothing else is measured: they say what it is


class Unusable(Invalid):
    """A measurement in a unit or under a code that does not say what it is."""


def convert(number: Decimal, unit: str, measure: str, to: str = "") -> Decimal:
    """The number in the measure's own unit, or in `to`; refuses any other unit by name."""
    known = MEASURES[measure]
    if unit not in known.units:
        raise Unusable(_refusal(known, unit))
    times, over = known.units[unit]
    back, forth = known.units[to or known.unit]
    if times * forth == over * back:
        return number  # not a digit is touched
    return _snapped(number * (times * forth) / (over * back))


def read(number: Decimal, unit: str, measure: str, code: Code) -> Decimal:
    """As `convert`, for a value that arrives under a code: a code and a unit that differ are refused."""
    known = MEASURES[measure]
    fitting = known.codes.get(code)
    if fitting is None:
        raise Unusable(_wrong_code(known, code))
    if unit in known.units and unit not in fitting:
        raise Unusable(_code_and_unit_differ(known, code, unit, fitting))
    return convert(number, unit, measure)


def plausible(number: Decimal, measure: str) -> bool:
    """Whether a person can have this value."""
    return MEASURES[measure].low <= number <= MEASURES[measure].high


def shown(number: Decimal, measure: str) -> Decimal:
    """Rounded half up to the digits that people use; for showing, never for comparing."""
    return number.quantize(Decimal(1).scaleb(-MEASURES[measure].decimals), ROUND_HALF_UP)


def _snapped(number: Decimal) -> Decimal:
    """Takes away what a division at 28 digits leaves behind: there and back again is the same number."""
    near = _SHORT.plus(number)
    return near if abs(number - near) <= abs(near) * _CRUMB else number


_SHORT = Context(prec=18)  # the most digits that we take in
_CRUMB = Decimal("1e-24")


def _refusal(known: Measure, unit: str) -> Issue:
    taken = ", ".join(known.units)
    if not unit:
        nl, en = f"{known.title} zonder eenheid", f"{known.name} without a unit"
    else:
        nl, en = f"{known.title} in ‘{_short(unit)}’", f"{known.name} in '{_short(unit)}'"
    return Issue(
        nl=f"{nl} kunnen wij niet gebruiken; wel in: {taken}.",
        en=f"{en} cannot be used; these can: {taken}.",
        code="value",
    )


def _wrong_code(known: Measure, code: Code) -> Issue:
    why_nl, why_en = _NOT_THIS.get(code, ("", ""))
    taken = ", ".join(f"{system}|{one}" for system, one in known.codes)
    if code == NO_CODE:
        return Issue(
            nl=f"{known.title} zonder code kunnen wij niet gebruiken; wel: {taken}.",
            en=f"{known.name} without a code cannot be used; these can: {taken}.",
            code="code-invalid",
        )
    named = f"{_short(code[0])}|{_short(code[1])}"
    return Issue(
        nl=f"De code {named} staat niet voor {known.title}{why_nl}; wel: {taken}.",
        en=f"The code {named} does not stand for {known.name}{why_en}; these do: {taken}.",
        code="code-invalid",
    )


def _code_and_unit_differ(known: Measure, code: Code, unit: str, fitting: tuple[str, ...]) -> Issue:
    units = ", ".join(fitting)
    other = next((one for (_, one), theirs in known.codes.items() if unit in theirs), "")
    nl = f"; bij ‘{unit}’ hoort code {other}" if other else ""
    en = f"; '{unit}' goes with code {other}" if other else ""
    return Issue(
        nl=f"De code {code[1]} is {known.title} in {units}, en de eenheid is ‘{unit}’{nl}.",
        en=f"The code {code[1]} is {known.name} in {units}, and the unit is '{unit}'{en}.",
        code="code-invalid",
    )


def _short(text: str) -> str:
    """What a caller wrote, cut: a unit or a code is short, and anything else is not repeated."""
    return text if len(text) <= _LONGEST_NAMED else "…"


_LONGEST_NAMED = 80
_ONE = (Decimal(1), Decimal(1))

# Codes that are mistaken for one of ours, and what they are.
_NOT_THIS: dict[Code, tuple[str, str]] = {
    (LOINC, "14683-7"): (" maar voor creatinine in urine", " but for creatinine in urine"),
    (NHG45, "1919"): (
        ": handleidingen gebruiken 1919 voor MDRD én voor Cockcroft-Gault",
        ": manuals print 1919 for both MDRD and Cockcroft-Gault",
    ),
    (NHG45, "3907"): (": handleidingen spreken elkaar tegen over 3907", ": manuals disagree on 3907"),
    (NHG45, "3908"): (": handleidingen spreken elkaar tegen over 3908", ": manuals disagree on 3908"),
}


def _times(text: str) -> tuple[Decimal, Decimal]:
    return Decimal(text), Decimal(1)


def _over(text: str) -> tuple[Decimal, Decimal]:
    return Decimal(1), Decimal(text)


def _measure(
    name: str,
    title: str,
    limits: tuple[str, str],
    decimals: int,
    units: dict[str, tuple[Decimal, Decimal]],
    codes: dict[Code, tuple[str, ...]] | None = None,
    telling: tuple[str, ...] = (),
) -> Measure:
    """The first unit is the measure's own."""
    low, high = map(Decimal, limits)
    own = next(iter(units))
    return Measure(name, title, own, low, high, decimals, units, codes or {}, frozenset(telling))


_PER_173 = ("mL/min/{1.73_m2}", "mL/min/{1.73m2}")
_CREATININE_MOLAR, _CREATININE_MASS = ("umol/L", "mmol/L"), ("mg/dL", "mg/L")
_ACR_MOLAR, _ACR_MASS = ("mg/mmol", "g/mol"), ("mg/g", "ug/mg")

_ALL = (
    _measure("leeftijd", "leeftijd", ("0", "120"), 0, {"a": _ONE}),
    _measure(
        "gewicht", "gewicht", ("1", "400"), 1,
        {"kg": _ONE, "g": _over("1000")},
        {(LOINC, "29463-7"): ("kg", "g"), (NHG45, "357"): ("kg", "g")},
    ),
    _measure(
        "lengte", "lengte", ("30", "250"), 0,
        {"cm": _ONE, "m": _times("100")},
        {(LOINC, "8302-2"): ("cm", "m"), (NHG45, "560"): ("cm", "m")},
    ),
    _measure("bmi", "BMI", ("8", "100"), 1, {"kg/m2": _ONE}, {(LOINC, "39156-5"): ("kg/m2",)}),
    _measure(
        "kreatinine", "creatinine in bloed", ("10", "3000"), 0,
        # 1 mg/L = 8.84 µmol/L
        {"umol/L": _ONE, "mmol/L": _times("1000"), "mg/dL": _times("88.4"), "mg/L": _times("8.84")},
        {
            (LOINC, "14682-9"): _CREATININE_MOLAR,
            (LOINC, "2160-0"): _CREATININE_MASS,
            (NHG45, "523"): (*_CREATININE_MOLAR, *_CREATININE_MASS),
            (NHG45, "3739"): (*_CREATININE_MOLAR, *_CREATININE_MASS),
        },
    ),
    _measure(
        "egfr", "eGFR", ("0", "250"), 0,
        dict.fromkeys(_PER_173, _ONE),
        {(LOINC, "62238-1"): _PER_173, (LOINC, "98979-8"): _PER_173, (NHG45, "3583"): _PER_173},
        telling=_PER_173,
    ),
    _measure(
        "creatinineklaring", "creatinineklaring", ("0", "7000"), 0,  # all that Cockcroft-Gault can give
        {"mL/min": _ONE},  # not the eGFR: that is per 1.73 m2 of body surface
        {(NHG45, "524"): ("mL/min",)},
    ),
    _measure(
        "acr", "albumine-creatinineratio", ("0", "5000"), 1,
        {"mg/mmol": _ONE, "g/mol": _ONE, "mg/g": _over("8.84"), "ug/mg": _over("8.84")},
        {
            (LOINC, "32294-1"): _ACR_MOLAR,
            (LOINC, "9318-7"): _ACR_MASS,
            (NHG45, "40"): (*_ACR_MOLAR, *_ACR_MASS),
        },
    ),
    _measure(
        "albumine-24u", "albumine in urine per 24 uur", ("0", "30000"), 0,
        {"mg/(24.h)": _ONE, "mg/d": _ONE, "g/(24.h)": _times("1000"), "g/d": _times("1000")},
    ),
    _measure(
        "kalium", "kalium", ("1", "10"), 1,
        {"mmol/L": _ONE, "meq/L": _ONE},  # one charge: the same number
        {(LOINC, "2823-3"): ("mmol/L", "meq/L"), (LOINC, "6298-4"): ("mmol/L", "meq/L")},
    ),
    _measure(
        "natrium", "natrium", ("90", "200"), 0,
        {"mmol/L": _ONE, "meq/L": _ONE},
        {(LOINC, "2951-2"): ("mmol/L", "meq/L")},
    ),
    _measure(
        "hb", "hemoglobine", ("1", "16"), 1,
        # 1 mmol/L is 1.6114 g/dL (monomer, 16114 g/mol)
        {"mmol/L": _ONE, "g/dL": _over("1.6114"), "g/L": _over("16.114")},
        {(LOINC, "59260-0"): ("mmol/L",), (LOINC, "718-7"): ("g/dL", "g/L")},
    ),
    _measure(
        "inr", "INR", ("0.5", "20"), 1,
        {"1": _ONE, "{INR}": _ONE},
        {(LOINC, "6301-6"): ("1", "{INR}"), (LOINC, "34714-6"): ("1", "{INR}")},
    ),
    _measure(
        "bovendruk", "bovendruk", ("40", "350"), 0,
        {"mm[Hg]": _ONE},
        {(LOINC, "8480-6"): ("mm[Hg]",), (NHG45, "1744"): ("mm[Hg]",)},
    ),
    _measure(
        "onderdruk", "onderdruk", ("10", "250"), 0,
        {"mm[Hg]": _ONE},
        {(LOINC, "8462-4"): ("mm[Hg]",), (NHG45, "1740"): ("mm[Hg]",)},
    ),
    _measure(
        "pols", "polsfrequentie", ("10", "350"), 0,
        {"/min": _ONE, "{beats}/min": _ONE},
        {(LOINC, "8867-4"): ("/min", "{beats}/min"), (NHG45, "1875"): ("/min", "{beats}/min")},
    ),
    _measure("oogdruk", "oogdruk", ("0", "90"), 0, {"mm[Hg]": _ONE}),
    _measure("percentage", "percentage", ("0", "100"), 0, {"%": _ONE}),
    _measure("score", "score", ("0", "100"), 0, {"{score}": _ONE, "1": _ONE}),
    _measure("per-ul", "aantal per microliter", ("0", "1000000"), 0, {"/uL": _ONE, "10*6/L": _ONE}),
    _measure(
        "minuten", "duur in minuten", ("0", "100000"), 0,
        {"min": _ONE, "h": _times("60"), "s": _over("60")},
    ),
    _measure(
        "dagen", "duur in dagen", ("0", "40000"), 0,
        {"d": _ONE, "wk": _times("7"), "h": _over("24")},  # no months: they have no fixed length
    ),
    _measure("maanden", "duur in maanden", ("0", "1200"), 0, {"mo": _ONE, "a": _times("12")}),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
