"""Anticoagulants: the control interval, the dose criteria and the INR, from both sides of each threshold."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.functions.function import Fact, evaluate
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.units import MEASURES
from measurements import NOW

Said = Mapping[str, str]


def facts(name: str, said: Said) -> dict[str, Fact | None]:
    """What is said, in the function's own units; "?" is unknown, and "a..b" a range."""
    found: dict[str, Fact | None] = {}
    for wanted in FUNCTIONS[name].inputs:
        value = said[wanted.name]
        if value == "?":
            found[wanted.name] = None
        elif wanted.kind == "getal":
            low, _, high = value.partition("..")
            found[wanted.name] = Number(Decimal(low), Decimal(high or low), MEASURES[wanted.measure].unit)
        else:
            found[wanted.name] = Choice.of(value)
    return found


# ------------------------------------------------------------------------------------ the control interval


def months(clearance: str, age: str, frail: str, **settings: str | Decimal) -> Number:
    said = {"creatinineklaring": clearance, "leeftijd": age, "kwetsbaar": frail}
    found = evaluate(
        FUNCTIONS["doac-controle-maanden"],
        facts("doac-controle-maanden", said),
        NOW,
        {key.replace("_", "-"): value for key, value in settings.items()},
    )
    assert isinstance(found, Number)
    return found


@pytest.mark.parametrize(
    ("clearance", "age", "frail", "expected"),
    [
        ("90", "60", "nee", 12),
        ("60.1", "60", "nee", 12),
        ("60", "60", "nee", 6),  # yearly and 60 / 10: the shortest
        ("59.9", "60", "nee", 5),
        ("45", "60", "nee", 4),
        ("30.1", "60", "nee", 3),
        ("30", "60", "nee", 3),
        ("29.9", "60", "nee", 2),
        ("9", "60", "nee", 1),  # never less than a month
        ("90", "74", "nee", 12),
        ("90", "75", "nee", 6),
        ("90", "60", "ja", 6),
        ("40", "80", "ja", 4),  # the kidney wins
        ("20", "80", "ja", 2),
    ],
)
def test_the_shortest_interval_wins(clearance: str, age: str, frail: str, expected: int) -> None:
    assert months(clearance, age, frail) == Number.of(expected, "mo")


@pytest.mark.parametrize(
    ("clearance", "expected"), [("60", 12), ("59.9", 6), ("30.1", 6), ("30", 3), ("10", 3)]
)
def test_without_the_rule_of_ten(clearance: str, expected: int) -> None:
    assert months(clearance, "60", "nee", klaring_gedeeld_door_10="nee") == Number.of(expected, "mo")


def test_the_conflict_on_old_and_frail_is_a_setting() -> None:
    assert months("90", "75", "nee", oud_of_kwetsbaar=Decimal(4)) == Number.of(4, "mo")
    assert months("90", "75", "nee", oud_vanaf=Decimal(76)) == Number.of(12, "mo")


def test_an_unknown_input_gives_the_range_and_its_name() -> None:
    found = months("?", "80", "nee")
    assert (found.low, found.high, found.missing) == (1, 6, ("creatinineklaring",))
    found = months("90", "60", "?")
    assert (found.low, found.high, found.missing) == (6, 12, ("kwetsbaar",))
    assert months("40", "60", "?") == Number.of(4, "mo")  # frail or not: the kidney decides


@forall(
    st.decimals(0, 150, places=1), st.decimals(0, 150, places=1), st.integers(18, 100), st.sampled_from(["ja", "nee"])
)  # fmt: skip
def test_worse_kidneys_are_never_checked_less_often(
    one: Decimal, other: Decimal, age: int, frail: str
) -> None:
    low, high = sorted((one, other))
    assert months(str(low), str(age), frail).low <= months(str(high), str(age), frail).low
    assert months(str(low), str(age), "ja").low <= months(str(low), str(age), "nee").low
    both = months(f"{low}..{high}", str(age), frail)
    assert (both.low, both.high) == (
        months(str(low), str(age), frail).low,
        months(str(high), str(age), frail).low,
    )


# ----------------------------------------------------------------------------------------- the dose criteria

USUAL = {
    "indicatie": "atriumfibrilleren", "middel": "apixaban", "leeftijd": "60", "gewicht": "80",
    "kreatinine": "80", "creatinineklaring": "90", "verapamil": "nee", "pgp-remmer": "nee",
    "maagklachten": "nee", "bloedingsrisico": "nee",
}  # fmt: skip


def criterion(said: Said, settings: Mapping[str, Decimal] | None = None) -> Choice:
    name = "doac-dosis-criterium"
    found = evaluate(FUNCTIONS[name], facts(name, USUAL | said), NOW, settings)
    assert isinstance(found, Choice)
    return found


@pytest.mark.parametrize(
    ("drug", "said", "expected"),
    [
        ("apixaban", {}, "normaal"),
        ("apixaban", {"leeftijd": "80"}, "normaal"),  # one of three
        ("apixaban", {"leeftijd": "80", "gewicht": "60"}, "verlaagd"),
        ("apixaban", {"leeftijd": "79", "gewicht": "60"}, "normaal"),
        ("apixaban", {"leeftijd": "80", "gewicht": "60.1"}, "normaal"),
        ("apixaban", {"leeftijd": "80", "kreatinine": "133"}, "verlaagd"),
        ("apixaban", {"leeftijd": "80", "kreatinine": "132"}, "normaal"),
        ("apixaban", {"creatinineklaring": "30"}, "normaal"),
        ("apixaban", {"creatinineklaring": "29.9"}, "verlaagd"),
        ("apixaban", {"creatinineklaring": "15"}, "verlaagd"),
        ("apixaban", {"creatinineklaring": "14.9"}, "overleg"),
        ("rivaroxaban", {"creatinineklaring": "50"}, "normaal"),
        ("rivaroxaban", {"creatinineklaring": "49.9"}, "verlaagd"),
        ("rivaroxaban", {"creatinineklaring": "15"}, "verlaagd"),
        ("rivaroxaban", {"creatinineklaring": "14.9"}, "overleg"),
        ("edoxaban", {"creatinineklaring": "50.1"}, "normaal"),
        ("edoxaban", {"creatinineklaring": "50"}, "verlaagd"),
        ("edoxaban", {"creatinineklaring": "14.9"}, "overleg"),
        ("edoxaban", {"gewicht": "60.1"}, "normaal"),
        ("edoxaban", {"gewicht": "60"}, "verlaagd"),
        ("edoxaban", {"pgp-remmer": "ja"}, "verlaagd"),
        ("dabigatran", {"leeftijd": "74"}, "normaal"),
        ("dabigatran", {"leeftijd": "75"}, "verlagen-overwegen"),
        ("dabigatran", {"leeftijd": "79"}, "verlagen-overwegen"),
        ("dabigatran", {"leeftijd": "80"}, "verlaagd"),
        ("dabigatran", {"verapamil": "ja"}, "verlaagd"),
        ("dabigatran", {"creatinineklaring": "50.1"}, "normaal"),
        ("dabigatran", {"creatinineklaring": "50"}, "verlagen-overwegen"),
        ("dabigatran", {"creatinineklaring": "30"}, "verlagen-overwegen"),
        ("dabigatran", {"creatinineklaring": "29.9"}, "overleg"),
        ("dabigatran", {"maagklachten": "ja"}, "verlagen-overwegen"),
        ("dabigatran", {"bloedingsrisico": "ja"}, "verlagen-overwegen"),
    ],
)
def test_the_dose_criteria(drug: str, said: Said, expected: str) -> None:
    assert criterion({"middel": drug, **said}) == Choice.of(expected)


@pytest.mark.parametrize("indication", ["veneuze-trombo-embolie", "andere-indicatie"])
def test_the_criteria_are_for_atrial_fibrillation_only(indication: str) -> None:
    assert criterion({"indicatie": indication, "leeftijd": "90", "gewicht": "40"}) == Choice.of(
        "niet-van-toepassing"
    )


def test_apixaban_takes_creatinine_of_1_5_mg_per_dl_as_raised() -> None:
    name = "doac-dosis-criterium"
    given = facts(name, USUAL | {"leeftijd": "80"}) | {"kreatinine": Number.of("1.5", "mg/dL")}
    assert evaluate(FUNCTIONS[name], given, NOW) == Choice.of("verlaagd")


def test_the_conflict_on_rivaroxaban_is_a_setting() -> None:
    said = {"middel": "rivaroxaban", "creatinineklaring": "29.9"}
    assert criterion(said) == Choice.of("verlaagd")
    assert criterion(said, {"rivaroxaban-vanaf": Decimal(30)}) == Choice.of("overleg")


def test_only_what_this_drug_looks_at_is_missed() -> None:
    unknown = dict.fromkeys(("gewicht", "verapamil", "pgp-remmer", "maagklachten", "bloedingsrisico"), "?")
    assert criterion({"middel": "rivaroxaban", **unknown}) == Choice.of("normaal")
    assert criterion({"middel": "apixaban", "leeftijd": "80", **unknown}) == Choice(
        ("verlaagd", "normaal"), ("gewicht",)
    )
    assert criterion({"middel": "dabigatran", **unknown}).missing == (
        "bloedingsrisico", "maagklachten", "verapamil",
    )  # fmt: skip


def test_an_unknown_drug_or_indication_is_every_outcome_that_it_can_be() -> None:
    found = criterion({"middel": "?", "leeftijd": "76"})
    assert found == Choice(("verlagen-overwegen", "normaal"), ("middel",))
    found = criterion({"indicatie": "?"})
    assert found == Choice(("normaal", "niet-van-toepassing"), ("indicatie",))


@pytest.mark.parametrize(
    ("criterion", "dose", "signal"),
    [
        ("normaal", "normaal", "geen"),
        ("normaal", "verlaagd", "lager-dan-criteria"),
        ("verlaagd", "verlaagd", "geen"),
        ("verlaagd", "normaal", "hoger-dan-criteria"),
        ("verlagen-overwegen", "normaal", "verlagen-overwegen"),
        ("verlagen-overwegen", "verlaagd", "geen"),
        ("overleg", "verlaagd", "overleg"),
        ("normaal", "anders", "overleg"),
        ("niet-van-toepassing", "verlaagd", "geen"),
    ],
)
def test_the_signal_about_the_dose_in_use(criterion: str, dose: str, signal: str) -> None:
    name = "doac-dosis-signaal"
    said = {"dosis-criterium": criterion, "dosis": dose}
    assert evaluate(FUNCTIONS[name], facts(name, said), NOW) == Choice.of(signal)


# --------------------------------------------------------------------------------------------------- the INR


@pytest.mark.parametrize(
    ("inr", "group", "expected"),
    [
        ("1.9", "1", ("onder",)),
        ("2.0", "1", ("in",)),
        ("3.0", "1", ("in",)),
        ("3.1", "1", ("boven",)),
        ("2.4", "2", ("onder",)),
        ("2.5", "2", ("in",)),
        ("3.5", "2", ("in",)),
        ("3.6", "2", ("boven",)),
        ("2.2", "?", ("onder", "in")),
        ("2.7", "?", ("in",)),
        ("3.2", "?", ("in", "boven")),
        ("?", "1", ("onder", "in", "boven")),
    ],
)
def test_the_inr_against_its_target(inr: str, group: str, expected: tuple[str, ...]) -> None:
    found = evaluate(FUNCTIONS["inr-bereik"], facts("inr-bereik", {"inr": inr, "intensiteit": group}), NOW)
    assert isinstance(found, Choice)
    assert found.possible == expected
