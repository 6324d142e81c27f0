"""Units and codes: what is converted, to the digit, and what is refused, naming it."""

from decimal import Decimal

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from ketenzorg.pathway.facts import Number
from ketenzorg.pathway.functions.function import evaluate, wrong_settings
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.units import LOINC, MEASURES, NHG45, Unusable, convert, plausible, read, shown
from measurements import NOW

PAIRS = [(measure.name, unit) for measure in MEASURES.values() for unit in measure.units]


@pytest.mark.parametrize(
    ("number", "unit", "measure", "expected"),
    [
        ("1", "mg/dL", "kreatinine", "88.4"),
        ("1.5", "mg/dL", "kreatinine", "132.6"),
        ("0.09", "mmol/L", "kreatinine", "90"),
        ("8.84", "mg/g", "acr", "1"),
        ("265.2", "mg/g", "acr", "30"),
        ("30", "g/mol", "acr", "30"),
        ("16.114", "g/dL", "hb", "10"),
        ("75500", "g", "gewicht", "75.5"),
        ("1.80", "m", "lengte", "180"),
        ("2", "wk", "dagen", "14"),
        ("2", "h", "minuten", "120"),
        ("0.3", "g/d", "albumine-24u", "300"),
    ],
)
def test_conversions(number: str, unit: str, measure: str, expected: str) -> None:
    assert convert(Decimal(number), unit, measure) == Decimal(expected)


def test_a_number_in_the_right_unit_keeps_every_digit() -> None:
    assert str(convert(Decimal("3.00"), "mg/mmol", "acr")) == "3.00"


@forall(st.sampled_from(PAIRS), st.decimals("0.0001", 100_000, places=6))
def test_there_and_back_is_the_same_number(pair: tuple[str, str], number: Decimal) -> None:
    measure, unit = pair
    own = MEASURES[measure].unit
    assert convert(convert(number, unit, measure), own, measure, unit) == number
    assert convert(convert(number, own, measure, unit), unit, measure) == number


@forall(st.sampled_from(PAIRS), st.decimals(0, 1000, places=4), st.decimals(0, 1000, places=4))
def test_a_conversion_keeps_the_order(pair: tuple[str, str], one: Decimal, other: Decimal) -> None:
    measure, unit = pair
    assert (one < other) == (convert(one, unit, measure) < convert(other, unit, measure))


@pytest.mark.parametrize(
    ("unit", "measure"),
    [
        ("mg/l", "kreatinine"),  # UCUM tells capitals apart
        ("mL/min", "egfr"),  # that is a clearance
        ("mL/min/{1.73_m2}", "creatinineklaring"),
        ("%", "acr"),
        ("mg/L", "acr"),
        ("mmHg", "bovendruk"),
        ("mo", "dagen"),  # a month has no fixed number of days
    ],
)
def test_another_unit_is_refused_and_named_with_those_that_are_taken(unit: str, measure: str) -> None:
    with pytest.raises(Unusable) as refused:
        convert(Decimal(1), unit, measure)
    (issue,) = refused.value.issues
    for text in (issue.nl, issue.en):
        assert f"{unit}’" in text or f"{unit}'" in text
        assert all(taken in text for taken in MEASURES[measure].units)


def test_a_number_without_a_unit_is_refused() -> None:
    with pytest.raises(Unusable, match="acr without a unit cannot be used"):
        convert(Decimal(30), "", "acr")


@pytest.mark.parametrize(
    ("number", "unit", "measure", "code", "expected"),
    [
        ("30", "mg/mmol", "acr", (LOINC, "32294-1"), "30"),
        ("265.2", "mg/g", "acr", (LOINC, "9318-7"), "30"),
        ("30", "mg/mmol", "acr", (NHG45, "40"), "30"),
        ("90", "umol/L", "kreatinine", (LOINC, "14682-9"), "90"),
        ("1", "mg/dL", "kreatinine", (LOINC, "2160-0"), "88.4"),
    ],
)
def test_a_code_with_the_unit_that_goes_with_it(
    number: str, unit: str, measure: str, code: tuple[str, str], expected: str
) -> None:
    assert read(Decimal(number), unit, measure, code) == Decimal(expected)


@pytest.mark.parametrize(
    ("unit", "measure", "code", "says"),
    [
        ("mg/mmol", "acr", (LOINC, "9318-7"), "'mg/mmol' goes with code 32294-1"),
        ("mg/g", "acr", (LOINC, "32294-1"), "'mg/g' goes with code 9318-7"),
        ("mg/dL", "kreatinine", (LOINC, "14682-9"), "'mg/dL' goes with code 2160-0"),
        ("umol/L", "kreatinine", (LOINC, "14683-7"), "creatinine in urine"),
        ("mL/min/{1.73_m2}", "egfr", (NHG45, "1919"), "both MDRD and Cockcroft-Gault"),
        ("mL/min/{1.73_m2}", "egfr", (NHG45, "3907"), "disagree on 3907"),
        ("mg/mmol", "acr", (LOINC, "0000-0"), "does not stand for acr"),
        ("%", "acr", (LOINC, "32294-1"), "acr in '%' cannot be used"),
    ],
)
def test_a_code_and_a_unit_that_differ_are_refused(
    unit: str, measure: str, code: tuple[str, str], says: str
) -> None:
    with pytest.raises(Unusable, match=says):
        read(Decimal(30), unit, measure, code)


def test_only_showing_rounds_and_half_goes_up() -> None:
    assert str(shown(Decimal("59.5"), "egfr")) == "60"
    assert str(shown(Decimal("2.45"), "acr")) == "2.5"
    assert not plausible(Decimal("5.1"), "kreatinine")
    assert plausible(Decimal(10), "kreatinine")


def test_every_function_is_whole() -> None:
    """Each input in a known measure, each answer within its bounds when nothing is known, each source said."""
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert function.source
        for wanted in function.inputs:
            assert (wanted.kind in ("getal", "reeks")) == (wanted.measure in MEASURES)
            assert (wanted.kind == "keuze") == (len(wanted.codes) > 1)
        for setting in function.settings:
            assert setting.source
            assert not wrong_settings(function, {setting.name: setting.default})
        anything = evaluate(function, {}, NOW)
        assert set(anything.missing) <= {wanted.name for wanted in function.inputs}
        if isinstance(anything, Number):
            assert function.returns.low <= anything.low < anything.high <= function.returns.high
            assert anything.unit == function.returns.unit
        else:
            assert anything.possible == function.returns.codes


@pytest.mark.parametrize(
    ("function", "settings", "says"),
    [
        ("acute-nierschade", {"stijging-in-48-uur": Decimal(20)}, ""),
        ("acute-nierschade", {"stijging-in-48-uur": Decimal(26)}, "mag alleen lager"),
        ("acute-nierschade", {"stijging": Decimal(26)}, "heeft geen instelling ‘stijging’; wel: stijging-in"),
        ("acr-stadium", {"a2-vanaf": "drie"}, "is een getal boven nul"),
        ("acr-stadium", {"a2-vanaf": Decimal("NaN")}, "is een getal boven nul"),
        ("acr-stadium", {"a2-vanaf": Decimal(0)}, "is een getal boven nul"),
        ("acr-stadium", {"a2-vanaf": 4}, ""),
        ("nierschade-risico", {"g1-g2-met-a3": "zwaar"}, "is een van: matig, sterk"),
        ("has-bled", {"x": 1}, "wel: geen"),
    ],
)
def test_a_setting_that_is_wrong_is_named(function: str, settings: dict[str, object], says: str) -> None:
    wrong = wrong_settings(FUNCTIONS[function], settings)
    assert (len(wrong) == 1 and says in wrong[0]) if says else wrong == []
