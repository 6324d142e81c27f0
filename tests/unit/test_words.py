"""What people read on a page: days as they are said."""

from typing import Any

import pytest

from ketenzorg.coordination.showing.story import answer_in_words
from ketenzorg.pages.words import said, week


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("2026-01-12", "12 januari 2026"),
        ("2026-01-12T09:30:00+01:00", "12 januari 2026, 09.30 uur"),
        ("2026-13-45", "2026-13-45"),
        ("ja", "Ja"),
        ("alleen DOAC", "Alleen DOAC"),
        ("sinds 2026-01-12", "Sinds 2026-01-12"),
    ],
)
def test_an_answer_as_it_is_said(answer: str, words: str) -> None:
    assert said(answer) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"value": 28.4, "unit": "kg/m2", "code": "kg/m2"}, "28,4 kg/m2"),
        ({"value": 14, "code": "mo"}, "14 maanden"),
        ({"value": 6, "unit": "punten", "code": "{score}"}, "6"),
    ],
)
def test_a_measured_answer_has_its_unit_in_words(value: dict[str, Any], words: str) -> None:
    assert answer_in_words({"valueQuantity": value}) == words


def test_a_week_is_said_in_words() -> None:
    assert week("2026-W03") == "week 3 van 2026"
