"""Decision tables: what a cell says, which row holds, and what is not known is asked for and never guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from content import CATALOGUE
from ketenzorg.pathway import cells, engine
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Value, YesNo
from ketenzorg.pathway.criteria import Screening, screen
from ketenzorg.pathway.facts import Choice, Number, Truth
from ketenzorg.pathway.loaded import Pathway

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LOINC = "http://loinc.org"
PER_173 = "mL/min/{1.73_m2}"
YES, NO, MAYBE = Truth(True, True), Truth(False, False), Truth(False, True)
ANYTHING = Number(Decimal(0), Decimal(250), "")


def exactly(number: str) -> Number:
    return Number.of(number, "")


@pytest.mark.parametrize(
    ("cell", "fact", "truth"),
    [
        ("< 30", exactly("29.9"), YES), ("< 30", exactly("30"), NO), ("< 30", ANYTHING, MAYBE),
        ("<= 30", exactly("30"), YES), ("> 30", exactly("30"), NO), (">= 30", exactly("30"), YES),
        ("30 tot 60", exactly("30"), YES), ("30 tot 60", exactly("60"), NO),
        ("30 tot en met 60", exactly("60"), YES), ("30 tot en met 60", exactly("60.1"), NO),
        ("2,5", exactly("2.5"), YES), ("< grens", exactly("44"), YES), ("< grens", exactly("45"), NO),
        ("< 30", Number(Decimal(10), Decimal(20), ""), YES), ("< 30", Number(Decimal(10), Decimal(40), ""), MAYBE),
        ("onbekend", ANYTHING, YES), ("onbekend", exactly("1"), NO), ("< 30 of onbekend", ANYTHING, YES),
        ("bekend", exactly("1"), YES), ("bekend", ANYTHING, MAYBE),
        ("ja", Choice.of("ja"), YES), ("ja", Choice.of("nee"), NO), ("ja", Choice(("ja", "nee")), MAYBE),
        ("nee of onbekend", Choice(("ja", "nee")), YES), ("nee of onbekend", Choice.of("ja"), NO),
        ("mild of matig", Choice.of("matig"), YES), ("mild of matig", Choice(("mild", "matig", "sterk")), MAYBE),
        ("mild of matig", Choice(("mild", "matig")), YES), ("1", Choice.of("1"), YES),
    ],
)  # fmt: skip
def test_a_cell_says_what_it_says(cell: str, fact: cells.Fact, truth: Truth) -> None:
    assert cells.parse(cell, {"grens": Decimal(45)}).holds(fact) == truth


@pytest.mark.parametrize("cell", ["", "< ", "30 t/m 60", "> onbekende-grens", "ja, nee", "tussen 3 en 5"])
def test_a_cell_that_nobody_can_read_is_refused(cell: str) -> None:
    with pytest.raises(ValueError):
        cells.parse(cell)


@pytest.fixture(scope="module")
def nier() -> Pathway:
    return CATALOGUE.current("chronische-nierschade")


def readings(code: str, unit: str, *values: tuple[str, str]) -> Readings:
    return Readings(tuple(Quantity(Decimal(number), unit, day, (LOINC, code)) for day, number in values))


CALM: dict[str, Value] = {
    "vermoeden-acuut": YesNo("nee"),
    "onderliggende-nierziekte": YesNo("nee"),
    "erfelijke-nierziekte": YesNo("nee"),
    "hypertensie-resistent": YesNo("nee"),
    "egfr-onbetrouwbaar": YesNo("nee"),
    "geboortedatum": Day(date(1950, 1, 1)),
    "egfr": readings("62238-1", PER_173, ("2025-01-10", "52"), ("2025-06-10", "51"), ("2026-02-20", "50")),
    "acr": readings("32294-1", "mg/mmol", ("2025-06-10", "8"), ("2026-02-20", "9")),
}


def outcome(screening: Screening, title: str) -> str:
    return dict(screening.values)[title]


@pytest.mark.parametrize(
    ("egfr", "acr", "risk"),
    [
        ("60", "2.9", "Geen"), ("60", "3", "Mild"), ("60", "30", "Mild"), ("60", "30.1", "Matig"),
        ("59.9", "2.9", "Mild"), ("45", "3", "Matig"), ("45", "30.1", "Sterk"), ("44.9", "2.9", "Matig"),
        ("30", "3", "Sterk"), ("29.9", "2.9", "Sterk"),
    ],
)  # fmt: skip
def test_the_risk_matrix_on_both_sides_of_each_limit(nier: Pathway, egfr: str, acr: str, risk: str) -> None:
    data = CALM | {
        "egfr": readings("62238-1", PER_173, ("2026-02-20", egfr)),
        "acr": readings("32294-1", "mg/mmol", ("2026-02-20", acr)),
    }
    assert outcome(screen(nier, data, NOW), "risicocategorie").startswith(risk)


def test_what_a_table_needs_and_does_not_know_is_asked_for(nier: Pathway) -> None:
    screening = screen(nier, {name: value for name, value in CALM.items() if name != "acr"}, NOW)
    assert outcome(screening, "risicocategorie") == "niet te bepalen"
    assert "acr" in [gap.element for gap in screening.missing]


def test_a_very_low_egfr_is_strong_whatever_the_albumin_is(nier: Pathway) -> None:
    low = readings("62238-1", PER_173, ("2026-02-20", "20"))
    data = {name: value for name, value in CALM.items() if name != "acr"} | {"egfr": low}
    screening = screen(nier, data, NOW)
    assert outcome(screening, "risicocategorie") == "Sterk verhoogd risico"
    assert outcome(screening, "verwijsindicatie") == "Ja"


@pytest.mark.parametrize(
    ("asked", "step", "role", "urgency"),
    [
        ("verwijzen", "verwezen", "nefroloog", "regulier"),
        ("meekijken", "meekijkconsult gevraagd", "nefroloog", "meekijkconsult"),
        ("controleren", "waarde bevestigen", "huisarts", "regulier"),
        (None, "waarde bevestigen", "huisarts", "regulier"),
    ],
)
def test_the_route_says_who_acts_first_and_why(
    nier: Pathway, asked: str | None, step: str, role: str, urgency: str
) -> None:
    screening = screen(nier, CALM | ({"vraag": Code(asked)} if asked else {}), NOW)
    assert screening.route is not None
    assert screening.urgency is not None
    assert (screening.route.step, screening.route.role, screening.urgency.name) == (step, role, urgency)
    assert screening.route.rule == "wie is aan zet"
    assert engine.start(nier, NOW, screening).step == step


def test_what_cannot_be_told_goes_to_the_nephrologist(nier: Pathway) -> None:
    data = {name: value for name, value in CALM.items() if name not in ("acr", "erfelijke-nierziekte")}
    screening = screen(nier, data, NOW)
    assert outcome(screening, "verwijsindicatie") == "niet te bepalen"
    assert screening.route is not None
    assert screening.route.role == "nefroloog"


def test_a_rise_of_creatinine_stops_the_sending_also_in_another_unit(nier: Pathway) -> None:
    series = Readings(
        (
            Quantity(Decimal(90), "umol/L", "2026-02-27T10:00:00+01:00"),
            Quantity(Decimal("1.4"), "mg/dL", "2026-02-28T10:00:00+01:00"),  # 123.8 µmol/L
        )
    )
    screening = screen(nier, CALM | {"kreatinine": series}, NOW)
    assert [(stop.rule, stop.alarm) for stop in screening.blocked] == [
        ("acute stijging van kreatinine", True)
    ]
    assert [raised.event for raised in screening.events] == ["signaal acute nierschade"]


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (Quantity(Decimal(50), "mg/L", "2026-02-20"), "kunnen wij niet gebruiken"),
        (Quantity(Decimal(500), PER_173, "2026-02-20"), "buiten wat kan"),
        (Quantity(Decimal(50), PER_173), "geen datum"),
    ],
)
def test_a_measurement_that_cannot_be_used_is_named(nier: Pathway, reading: Quantity, says: str) -> None:
    [stop] = screen(nier, CALM | {"egfr": reading}, NOW).blocked
    assert stop.elements == ("egfr",)
    assert says in stop.why[0].nl


def test_the_shortest_control_wins_and_comes_back(nier: Pathway) -> None:
    screening = screen(nier, CALM | {"vraag": Code("controleren")}, NOW)
    state = engine.start(nier, NOW, screening)
    for event in ("bevestigd", "risico vastgelegd"):
        given = {"risico": "risico-matig"} if event == "risico vastgelegd" else {}
        state = engine.advance(nier, state, event, "huisarts", NOW, given).state
    for month in (3, 9):  # moderate: every six months
        at = datetime(2026, month, 2, 10, tzinfo=UTC)
        [control] = engine.due(nier, state)
        assert (control.norm, control.at.date()) == (
            "controle van de nierfunctie",
            date(2026 + (month + 6) // 13, (month + 5) % 12 + 1, 2),
        )
        state = engine.advance(nier, state, "controle gedaan", "huisarts", control.at, {}).state
        assert at < control.at


def test_an_unknown_risk_leaves_the_shortest_interval(nier: Pathway) -> None:
    data = {name: value for name, value in CALM.items() if name != "acr"} | {"vraag": Code("controleren")}
    assert not any("controle-interval" in name for name in screen(nier, data, NOW).kept)
