"""What people read on a page: days as they are said."""

import pytest

from ketenzorg.pages.words import said


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
