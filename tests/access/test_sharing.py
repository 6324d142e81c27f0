"""Which of a patient's choices goes first: every pair of specificities, and both ways, against the printed rules."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import NamedTuple
from uuid import UUID

import pytest

from ketenzorg.access.sharing import Question, may_share
from ketenzorg.referral.consent import Choice

NOW = datetime(2026, 1, 12, 9, tzinfo=UTC)
HOLDER, USER, TRAJECT = (UUID(int=number) for number in (1, 2, 3))
QUESTION = Question(
    holder=HOLDER,
    holder_kind="huisartspraktijk",
    user=USER,
    user_kind="ziekenhuis",
    pathway="artrose",
    traject=TRAJECT,
    at=NOW,
    presumed=True,
)


class Row(NamedTuple):
    """How specific a choice is: 0 names all, 1 a kind (or this pathway, this referral), 2 this organisation."""

    holder: int
    user: int
    context: int
    resource: int


ROWS = [Row(*each) for each in product((0, 1, 2), (0, 1, 2), (0, 1), (0, 1))]


def a_choice(row: Row, *, permits: bool) -> Choice:
    return Choice(
        permits=permits,
        since=NOW,
        holder=HOLDER if row.holder == 2 else None,
        holder_kind="huisartspraktijk" if row.holder == 1 else "",
        user=USER if row.user == 2 else None,
        user_kind="ziekenhuis" if row.user == 1 else "",
        pathway="artrose" if row.context else "",
        traject=TRAJECT if row.resource else None,
    )


def as_printed(consent: Row, objection: Row) -> tuple[bool, str]:
    """The printed rules, one after the other, for a consent and an objection about the same question."""
    if consent == objection:
        return False, "as specific"  # 7: an objection supersedes a consent that is as specific
    consent_is_less = any(mine < theirs for mine, theirs in zip(consent, objection, strict=True))
    objection_is_less = any(theirs < mine for mine, theirs in zip(consent, objection, strict=True))
    if consent_is_less and objection_is_less:
        return False, "each more specific"
    return objection_is_less, "more specific"  # 1 to 5: the more specific one supersedes the other


def test_each_pair_of_a_consent_and_an_objection() -> None:
    for consent, objection in product(ROWS, ROWS):
        choices = [a_choice(consent, permits=True), a_choice(objection, permits=False)]
        for order in (choices, choices[::-1]):
            decision = may_share(order, QUESTION)
            assert (decision.may, decision.why) == as_printed(consent, objection), (consent, objection)
            assert (decision.by, decision.over) == (
                tuple(choices) if decision.may else tuple(choices[::-1])
            ), (consent, objection)


def test_two_that_say_the_same_say_so() -> None:
    for one, other in product(ROWS, ROWS):
        for permits in (True, False):
            choices = [a_choice(one, permits=permits), a_choice(other, permits=permits)]
            assert may_share(choices, QUESTION).may is permits


def test_one_objection_that_nothing_beats_is_enough() -> None:
    general, kind, single = Row(0, 0, 0, 0), Row(0, 1, 0, 0), Row(0, 2, 0, 0)
    all_but = [a_choice(general, permits=False), a_choice(kind, permits=True)]
    assert may_share(all_but, QUESTION).may
    decision = may_share([*all_but, a_choice(single, permits=False)], QUESTION)
    assert not decision.may
    assert decision.by is not None
    assert decision.by.user == USER


@pytest.mark.parametrize("presumed", [True, False])
def test_without_a_choice_the_role_decides(presumed: bool) -> None:
    question = Question(
        **{**{name: getattr(QUESTION, name) for name in QUESTION.__struct_fields__}, "presumed": presumed}
    )
    decision = may_share([], question)
    assert (decision.may, decision.why) == (presumed, "presumed" if presumed else "not given")
    assert may_share([a_choice(Row(0, 0, 0, 0), permits=True)], question).may


ELSEWHERE = {
    "another holder": {"holder": UUID(int=9)},
    "a holder of another kind": {"holder_kind": "apotheek"},
    "another organisation": {"user": UUID(int=9)},
    "another kind": {"user_kind": "welzijnsorganisatie"},
    "another pathway": {"pathway": "oogzorg"},
    "another referral": {"traject": UUID(int=9)},
    "not yet": {"since": NOW + timedelta(seconds=1)},
    "no longer": {"until": NOW},
}


@pytest.mark.parametrize("named", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_choice_about_something_else_says_nothing(named: dict[str, object]) -> None:
    for permits in (True, False):
        choice = Choice(**{"permits": permits, "since": NOW, **named})  # type: ignore[arg-type]
        assert may_share([choice], QUESTION).why == "presumed"
