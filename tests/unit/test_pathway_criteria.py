"""What stops a referral, what is asked for, and what is advised."""

from datetime import date

import pytest

from content import CATALOGUE
from ketenzorg.pathway.criteria import Code, Day, Screening, Text, Value, YesNo, screen
from ketenzorg.pathway.loaded import Pathway

COMPLETE: dict[str, Value] = {
    "gevaar": YesNo("nee"),
    "toestemming": YesNo("ja"),
    "toestemming-datum": Day(date(2026, 3, 2)),
    "toestemming-reikwijdte": Code("contactgegevens"),
    "contactgegevens": Text("phone"),
    "reden": Text("Ik zit veel alleen."),
    "voorkeurstijd": Text("ochtend"),
    "taal": Text("nl"),
    "praktische-beperkingen": Text("geen"),
}


@pytest.fixture(scope="module")
def welzijn() -> Pathway:
    return CATALOGUE.current("welzijn-op-recept")


def test_a_complete_referral_passes_without_a_word(welzijn: Pathway) -> None:
    assert screen(welzijn, COMPLETE) == Screening((), (), ())


@pytest.mark.parametrize("answer", [YesNo("ja"), YesNo("onbekend"), None, Text("nee"), Code("nee", "x")])
def test_danger_that_is_not_ruled_out_stops_the_sending(welzijn: Pathway, answer: Value | None) -> None:
    data = {name: value for name, value in COMPLETE.items() if name != "gevaar"}
    blocked = screen(welzijn, data | ({"gevaar": answer} if answer else {})).blocked
    assert [(stop.rule, stop.alarm, stop.elements) for stop in blocked] == [
        ("acuut gevaar", True, ("gevaar",))
    ]
    assert "bel nu" in blocked[0].say


@pytest.mark.parametrize("answer", [YesNo("nee"), YesNo("onbekend"), None])
def test_without_consent_nothing_is_sent(welzijn: Pathway, answer: Value | None) -> None:
    data = {name: value for name, value in COMPLETE.items() if name != "toestemming"}
    blocked = screen(welzijn, data | ({"toestemming": answer} if answer else {})).blocked
    assert [(stop.rule, stop.alarm) for stop in blocked] == [("toestemming", False)]


@pytest.mark.parametrize("name", ["toestemming-datum", "toestemming-reikwijdte", "contactgegevens"])
def test_a_required_answer_that_is_missing_stops_the_sending(welzijn: Pathway, name: str) -> None:
    data = {key: value for key, value in COMPLETE.items() if key != name}
    assert [stop.elements for stop in screen(welzijn, data).blocked] == [(name,)]


def test_a_code_that_the_file_does_not_list_is_no_answer(welzijn: Pathway) -> None:
    blocked = screen(welzijn, COMPLETE | {"toestemming-reikwijdte": Code("alles")}).blocked
    assert [stop.rule for stop in blocked] == ["toestemming-reikwijdte"]


def test_what_is_asked_for_and_not_given_is_named_and_does_not_stop(welzijn: Pathway) -> None:
    screening = screen(welzijn, COMPLETE | {"reden": Text("  ")})
    assert (screening.blocked, [gap.element for gap in screening.missing]) == ((), ["reden"])


def test_advice_names_its_rule_and_source_and_does_not_stop(welzijn: Pathway) -> None:
    screening = screen(welzijn, COMPLETE | {"schulden-wonen-veiligheid": YesNo("ja")})
    assert screening.blocked == ()
    (advised,) = screening.advice
    assert (advised.rule, advised.source.key) == ("ander traject eerst of ernaast", "WOR-HOE")


def test_unknown_is_no_ground_for_advice(welzijn: Pathway) -> None:
    assert screen(welzijn, COMPLETE | {"schulden-wonen-veiligheid": YesNo("onbekend")}).advice == ()
