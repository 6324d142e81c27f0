"""Kidney function: the formulas and categories from both sides of each threshold, and the course over time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from ketenzorg.pathway.facts import Choice, Day, Number
from ketenzorg.pathway.functions.function import Fact, evaluate
from ketenzorg.pathway.functions.functions import FUNCTIONS
from ketenzorg.pathway.series import Moment, Series, day_limits, series
from ketenzorg.pathway.units import MEASURES
from measurements import NOW, measured, run


def possible(name: str, *facts: Fact | None, **settings: str | Decimal) -> tuple[str, ...]:
    """The answers that remain; inputs in the order of the declaration."""
    function = FUNCTIONS[name]
    given = dict(zip([one.name for one in function.inputs], facts, strict=True))
    found = evaluate(function, given, NOW, {key.replace("_", "-"): value for key, value in settings.items()})
    assert isinstance(found, Choice)
    return found.possible


def clearance(age: int, kg: str, creatinine: str, sex: str, unit: str = "umol/L") -> Number:
    found = evaluate(
        FUNCTIONS["cockcroft-gault"],
        {
            "leeftijd": Number.of(age, "a"),
            "gewicht": Number.of(kg, "kg"),
            "kreatinine": Number.of(creatinine, unit),
            "geslacht": Choice.of(sex),
        },
        NOW,
    )
    assert isinstance(found, Number)
    return found


def test_creatinine_clearance_by_hand() -> None:
    # (140 - 80) x 60 x 1.04 / 120 and (140 - 50) x 80 x 1.23 / 90, worked out by hand
    assert clearance(80, "60", "120", "vrouw") == Number.of("31.2", "mL/min")
    assert clearance(50, "80", "90", "man") == Number.of("98.4", "mL/min")


def test_creatinine_in_mg_per_dl_gives_the_same_clearance() -> None:
    assert clearance(50, "80", "1", "man", "mg/dL") == clearance(50, "80", "88.4", "man")


def test_another_unit_is_named_and_leaves_the_clearance_open() -> None:
    found = clearance(50, "80", "90", "man", "nmol/L")
    assert found.missing == ("kreatinine",)
    (problem,) = found.problems
    assert "nmol/L" in problem.nl
    assert "umol/L, mmol/L, mg/dL, mg/L" in problem.nl
    assert problem.expression == ("kreatinine",)


@pytest.mark.parametrize("kg", ["0.9", "400.1"])
def test_a_value_that_cannot_be_is_named_and_not_used(kg: str) -> None:
    found = clearance(50, kg, "90", "man")
    assert found.exact is None
    assert found.missing == ("gewicht",)
    assert found.problems[0].expression == ("gewicht",)


def test_without_sex_the_clearance_is_between_that_of_a_woman_and_of_a_man() -> None:
    found = evaluate(
        FUNCTIONS["cockcroft-gault"],
        {
            "leeftijd": Number.of(50, "a"),
            "gewicht": Number.of(80, "kg"),
            "kreatinine": Number.of(90, "umol/L"),
        },
        NOW,
    )
    assert isinstance(found, Number)
    assert (found.low, found.high) == (Decimal("83.2"), Decimal("98.4"))
    assert found.missing == ("geslacht",)


@pytest.mark.parametrize(
    ("egfr", "stage"),
    [
        ("90", "G1"), ("89.9", "G2"), ("60", "G2"), ("59.9", "G3a"), ("45", "G3a"), ("44.9", "G3b"),
        ("30", "G3b"), ("29.9", "G4"), ("15", "G4"), ("14.9", "G5"),
    ],
)  # fmt: skip
def test_the_g_stage(egfr: str, stage: str) -> None:
    assert possible("egfr-stadium", Number.of(egfr, MEASURES["egfr"].unit)) == (stage,)


@pytest.mark.parametrize(
    ("acr", "unit", "stage"),
    [
        ("2.9", "mg/mmol", "A1"),
        ("3", "mg/mmol", "A2"),
        ("30", "mg/mmol", "A2"),
        ("30.1", "mg/mmol", "A3"),
        ("26.51", "mg/g", "A1"),  # 2.999 mg/mmol
        ("26.52", "mg/g", "A2"),
        ("265.2", "mg/g", "A2"),
        ("265.3", "mg/g", "A3"),
    ],
)
def test_the_a_stage_in_either_unit(acr: str, unit: str, stage: str) -> None:
    assert possible("acr-stadium", Number.of(acr, unit)) == (stage,)


def test_a_range_is_every_stage_that_it_touches() -> None:
    unit = MEASURES["egfr"].unit
    assert possible("egfr-stadium", Number(Decimal(44), Decimal(60), unit)) == ("G2", "G3a", "G3b")


@pytest.mark.parametrize(
    ("g", "risks"),
    [
        ("G1", ("geen", "mild", "matig")),
        ("G2", ("geen", "mild", "matig")),
        ("G3a", ("mild", "matig", "sterk")),
        ("G3b", ("matig", "sterk", "sterk")),
        ("G4", ("sterk", "sterk", "sterk")),
        ("G5", ("sterk", "sterk", "sterk")),
    ],
)
def test_the_risk_matrix(g: str, risks: tuple[str, ...]) -> None:
    stages = ("A1", "A2", "A3")
    assert [possible("nierschade-risico", Choice.of(g), Choice.of(a)) for a in stages] == [
        (risk,) for risk in risks
    ]


def test_the_conflict_on_g1_with_a3_is_a_setting() -> None:
    assert possible("nierschade-risico", Choice.of("G2"), Choice.of("A3"), g1_g2_met_a3="sterk") == ("sterk",)


def test_without_the_urine_the_risk_is_what_it_can_be() -> None:
    assert possible("nierschade-risico", Choice.of("G3a"), None) == ("mild", "matig", "sterk")
    assert possible("nierschade-risico", Choice.of("G4"), None) == ("sterk",)


# ------------------------------------------------------------------------------------------- acute damage

MORNING, TWO_DAYS_LATER = "2026-02-27T08:00:00+01:00", "2026-03-01T08:00:00+01:00"


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ([(MORNING, "200"), (TWO_DAYS_LATER, "225")], ("ja",)),  # 25 in exactly 48 hours
        ([(MORNING, "200"), (TWO_DAYS_LATER, "224")], ("nee",)),
        ([(MORNING, "200"), ("2026-03-01T08:00:01+01:00", "225")], ("ja", "nee")),  # one second more
        ([("2026-02-23T08:00:00+01:00", "40"), ("2026-03-02T08:00:00+01:00", "60")], ("nee",)),  # just 50%
        ([("2026-02-23T08:00:00+01:00", "40"), ("2026-03-02T08:00:00+01:00", "60.1")], ("ja",)),  # in a week
        ([("2026-02-23T07:59:59+01:00", "40"), ("2026-03-02T08:00:00+01:00", "90")], ("ja", "nee")),
        ([("2026-02-28", "200"), ("2026-03-01", "225")], ("ja",)),  # consecutive days: within 48 hours
        ([("2026-02-27", "200"), ("2026-03-01", "225")], ("ja", "nee")),  # between 24 and 72 hours
        ([("2026-02-27", "200"), ("2026-03-01", "210")], ("nee",)),
        ([("2026-02-28", "200"), ("2026-03-01", "150")], ("nee",)),
        ([("2025-03-01", "80"), ("2026-03-01", "200")], ("ja", "nee")),  # a year apart: nothing ruled out
        ([("2026-03-01", "80")], ("ja", "nee")),
        ([], ("ja", "nee")),
        ([("2026-02-27", "80"), ("2026-02-28", "200"), ("2026-03-01", "110")], ("ja",)),  # a peak, this week
        ([("2025-02-27", "80"), ("2025-02-28", "200"), ("2026-02-28", "90"), ("2026-03-01", "90")], ("nee",)),
        ([("2026-03-01", "80"), ("2026-03-01", "120")], ("ja", "nee")),  # one day, which came first?
        ([("2026-02-28", "110"), ("2026-03-01", "90"), ("2026-03-01", "116")], ("ja", "nee")),
    ],
)
def test_acute_damage(values: list[tuple[str, str]], answers: tuple[str, ...]) -> None:
    assert possible("acute-nierschade", run(*values)) == answers


def test_two_values_of_one_moment_are_named_with_their_places() -> None:
    double = run(("2026-03-01", "80", "", "eerste"), ("2026-03-01", "120", "", "tweede"))
    found = evaluate(FUNCTIONS["acute-nierschade"], {"kreatinine-reeks": double}, NOW)
    (problem,) = found.problems
    assert problem.expression == ("eerste", "tweede")
    assert problem.code == "conflict"
    assert found.missing == ("kreatinine-reeks",)


# ---------------------------------------------------------------------------------------------- progression


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ([("2022-03-01", "80"), ("2026-03-01", "60")], ("nee",)),  # 25%, still G2
        ([("2022-03-01", "60"), ("2026-03-01", "45")], ("ja",)),  # 25%, from G2 to G3a
        ([("2022-03-01", "60"), ("2026-03-01", "45.1")], ("nee",)),
        ([("2021-03-02", "60"), ("2026-03-01", "45")], ("ja",)),  # on the day five years ago
        ([("2021-03-01", "60"), ("2023-03-01", "50"), ("2026-03-01", "45")], ("nee",)),  # the 60 is too old
        ([("2021-03-01", "60"), ("2026-03-01", "45")], ("ja", "nee")),  # nothing to compare with
        ([("2021", "60"), ("2026-03-01", "45")], ("ja", "nee")),  # early or late in 2021?
        ([("2021", "46"), ("2026-03-01", "45")], ("ja", "nee")),  # perhaps of more than five years ago
        ([("2021", "60"), ("2022-03-01", "61"), ("2026-03-01", "45")], ("ja",)),  # from either first value
        ([("2021", "60"), ("2022-03-01", "59"), ("2026-03-01", "45")], ("ja", "nee")),
        ([("2026-03-01", "45")], ("ja", "nee")),
    ],
)
def test_a_fall_of_a_quarter_with_a_worse_stage(
    values: list[tuple[str, str]], answers: tuple[str, ...]
) -> None:
    assert possible("egfr-daling-met-stadium", run(*values)) == answers


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ([("2024-03-01", "60"), ("2025-03-01", "55"), ("2026-03-01", "49.9")], ("ja",)),
        ([("2024-03-01", "60"), ("2025-03-01", "56"), ("2026-03-01", "51")], ("nee",)),
        ([("2025-12-01", "60"), ("2026-01-15", "57"), ("2026-03-01", "55")], ("ja",)),  # 5 within a year
        ([("2025-12-01", "60"), ("2026-01-15", "57"), ("2026-03-01", "55.1")], ("nee",)),  # not stretched
        ([("2024-03-01", "60"), ("2026-03-01", "40")], ("ja", "nee")),  # two measurements
        # stable for years, falling of late
        ([("2021-06-01", "60"), ("2025-06-01", "60"), ("2025-10-01", "58"), ("2026-03-01", "54")], ("ja",)),
        ([("2024", "60"), ("2025-01-01", "58"), ("2026-03-01", "54")], ("ja", "nee")),  # 1.2 or 2.2 years
    ],
)
def test_a_fall_of_five_a_year_on_three_measurements(
    values: list[tuple[str, str]], answers: tuple[str, ...]
) -> None:
    assert possible("egfr-daling-per-jaar", run(*values)) == answers


def test_the_reading_within_one_year_is_a_setting() -> None:
    slow = run(("2024-03-01", "60"), ("2025-03-01", "55"), ("2026-03-01", "49"))
    assert possible("egfr-daling-per-jaar", slow, lezing="binnen een jaar") == ("nee",)
    fast = run(("2025-03-02", "60"), ("2025-09-01", "57"), ("2026-03-01", "55"))
    assert possible("egfr-daling-per-jaar", fast, lezing="binnen een jaar") == ("ja",)


def test_either_rule_is_rapid_decline() -> None:
    by_stage = run(("2022-03-01", "60"), ("2026-03-01", "45"))
    by_year = run(("2025-12-01", "89"), ("2026-01-15", "80"), ("2026-03-01", "70"))
    neither = run(("2023-03-01", "60"), ("2025-01-15", "60"), ("2026-03-01", "60"))
    assert [possible("snelle-achteruitgang", one) for one in (by_stage, by_year, neither)] == [
        ("ja",), ("ja",), ("nee",),
    ]  # fmt: skip


def test_formulas_are_not_mixed_and_the_mix_is_named() -> None:
    mixed = series(
        [
            measured("2022-03-01", "70", "CKD-EPI 2021"),
            measured("2024-03-01", "60", "CKD-EPI 2009"),
            measured("2025-03-01", "60", "CKD-EPI 2009"),
            measured("2026-03-01", "59", "CKD-EPI 2009"),
        ],
        NOW,
    )
    found = evaluate(FUNCTIONS["snelle-achteruitgang"], {"egfr-reeks": mixed}, NOW)
    assert isinstance(found, Choice)
    assert found.possible == ("ja", "nee")
    assert ["formules" in problem.nl for problem in found.problems] == [True]
    falling = Series((*mixed.points[:3], measured("2026-03-01", "40", "CKD-EPI 2009")))
    assert possible("snelle-achteruitgang", falling) == ("ja",)  # sure without the other formula


@forall(
    st.lists(st.tuples(st.integers(1, 1700), st.integers(5, 120)), min_size=3, max_size=8, unique_by=lambda d: d[0]),
    st.integers(0, 30),
)  # fmt: skip
def test_a_lower_newest_value_never_takes_an_alarm_away(values: list[tuple[int, int]], lower: int) -> None:
    def course(fall: int) -> Series:
        newest = min(days for days, _ in values)
        points = []
        for days, value in values:
            at = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(days=days)
            low = Decimal(max(value - fall, 1) if days == newest else value)
            points.append(measured(at.isoformat(), str(low)))
        return series(points, NOW)

    for name in ("egfr-daling-met-stadium", "egfr-daling-per-jaar"):
        if possible(name, course(0)) == ("ja",):
            assert possible(name, course(lower)) == ("ja",)


# --------------------------------------------------------------------------------------- repeat and confirm


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ([("2026-03-01", "60")], ("niet-afwijkend",)),
        ([("2026-03-01", "59.9")], ("herhaal-1-week",)),  # no earlier value
        ([("2025-12-01", "70"), ("2026-03-01", "56")], ("bevestig-3-maanden",)),  # 20%: not clear
        ([("2025-12-01", "70"), ("2026-03-01", "55.9")], ("herhaal-1-week",)),  # clear
        ([("2025-12-01", "58"), ("2026-03-01", "55")], ("bevestigd",)),  # exactly three months
        ([("2025-12-02", "58"), ("2026-03-01", "55")], ("bevestig-3-maanden",)),
        ([("2025-11-30", "58"), ("2026-02-28", "55")], ("bevestigd",)),  # the end of the month
        ([("2025-10-01", "58"), ("2026-01-01", "62"), ("2026-03-01", "55")], ("bevestig-3-maanden",)),
        ([("2025-12", "58"), ("2026-03-01", "55")], ("bevestig-3-maanden", "bevestigd")),  # a vague date
        ([("2025-12-01", "40"), ("2026-03-01", "65")], ("niet-afwijkend",)),
    ],
)
def test_an_abnormal_egfr_is_repeated_or_confirmed(
    values: list[tuple[str, str]], answers: tuple[str, ...]
) -> None:
    assert possible("egfr-bevestiging", run(*values)) == answers


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ([("2026-03-01", "2.9")], ("niet-afwijkend",)),
        ([("2026-03-01", "3")], ("herhaal-1-week",)),
        ([("2026-02-10", "3"), ("2026-03-01", "5.9")], ("bevestig-3-maanden",)),
        ([("2026-02-10", "3"), ("2026-03-01", "6")], ("herhaal-1-week",)),  # doubled
        ([("2025-12-01", "4"), ("2026-03-01", "5")], ("bevestigd",)),
        ([], ("niet-afwijkend", "herhaal-1-week", "bevestig-3-maanden", "bevestigd")),
    ],
)
def test_a_raised_ratio_is_repeated_or_confirmed(
    values: list[tuple[str, str]], answers: tuple[str, ...]
) -> None:
    assert possible("acr-bevestiging", run(*values)) == answers


# -------------------------------------------------------------------------------------------------- the age


@pytest.mark.parametrize(
    ("born", "low", "high"),
    [
        ("1960-03-02", 66, 66),  # today
        ("1960-03-03", 65, 65),
        ("1960", 65, 66),
        ("1960-03", 65, 66),
        ("1960-02", 66, 66),
        ("2004-02-29", 22, 22),
    ],
)
def test_age(born: str, low: int, high: int) -> None:
    found = evaluate(FUNCTIONS["leeftijd"], {"geboortedatum": Day(*day_limits(born))}, NOW)
    assert isinstance(found, Number)
    assert (found.low, found.high) == (low, high)


def test_without_a_date_of_birth_any_age_is_possible() -> None:
    found = evaluate(FUNCTIONS["leeftijd"], {}, NOW)
    assert found == Number(Decimal(0), Decimal(120), "a", ("geboortedatum",))


def test_the_birthday_begins_at_midnight_in_amsterdam() -> None:
    eve = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # 3 March in Amsterdam
    born = Day(*day_limits("1960-03-03"))
    assert evaluate(FUNCTIONS["leeftijd"], {"geboortedatum": born}, eve) == Number.of(66, "a")


@forall(
    st.integers(0, 120), st.decimals(1, 400, places=1), st.decimals(10, 3000, places=1), st.integers(0, 20)
)
def test_clearance_falls_with_age_and_creatinine_and_rises_with_weight(
    age: int, kg: Decimal, creatinine: Decimal, more: int
) -> None:
    base = clearance(age, str(kg), str(creatinine), "man").low
    older = clearance(min(age + more, 120), str(kg), str(creatinine), "man").low
    heavier = clearance(age, str(min(kg + more, Decimal(400))), str(creatinine), "man").low
    worse = clearance(age, str(kg), str(min(creatinine + more, Decimal(3000))), "man").low
    assert older <= base <= heavier
    assert worse <= base


def test_an_hour_in_summer_and_winter_is_the_same_hour() -> None:
    late, early = "2026-03-28T12:00:00+01:00", "2026-03-30T13:00:00+02:00"  # 48 hours over the short night
    points = (measured(late, "200"), measured(early, "225"))
    assert points[1].at.first - points[0].at.first == timedelta(hours=48)
    assert possible("acute-nierschade", Series(points)) == ("ja",)
    assert isinstance(points[0].at, Moment)


def test_a_vague_date_between_two_others_may_hide_acute_damage() -> None:
    hidden = run(("2026-01-28", "80"), ("2026-02", "130"), ("2026-03-01", "90"))
    assert possible("acute-nierschade", hidden) == ("ja", "nee")
