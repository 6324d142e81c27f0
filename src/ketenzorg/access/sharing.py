"""Whether data may go to an organisation, by what the patient decided: one closed question, one answer.

The rules of precedence are those of the Dutch generic function Consent, which follows Mitz and NEN 7517:
https://build.fhir.org/ig/nuts-foundation/nl-generic-functions-ig/consent.html. A register as Mitz answers the same
question for a kind of organisation; what it answers is one more choice beside those that are recorded here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.referral.consent import Choice


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data, to whom, for what, when; and whether consent may be presumed when the patient said nothing."""

    holder: UUID
    holder_kind: str
    user: UUID
    user_kind: str
    pathway: str
    traject: UUID
    at: datetime
    presumed: bool


class Dimension(NamedTuple):
    """One way in which one choice is more specific than another: from all, over a kind, to a single one."""

    name: str
    grade: Callable[[Choice], int]
    more: str  # what the more specific one names, in Dutch


# As the source prints them. Where two choices each win a dimension, none is the more specific: an objection then
# goes before a consent, as between equals. That last line is a proposal: the source does not say it.
PRECEDENCE: tuple[Dimension, ...] = (
    Dimension(
        "holder",
        lambda choice: _grade(choice.holder, choice.holder_kind),
        "de organisatie die de gegevens heeft",
    ),
    Dimension(
        "user", lambda choice: _grade(choice.user, choice.user_kind), "de organisatie die de gegevens krijgt"
    ),
    Dimension("context", lambda choice: int(bool(choice.pathway)), "dit zorgpad"),
    Dimension("resource", lambda choice: int(choice.traject is not None), "deze verwijzing"),
)

Why = Literal[
    "presumed", "not given", "consent", "objection", "more specific", "as specific", "each more specific"
]


class Decision(msgspec.Struct, frozen=True):
    """The answer, the choice by which it was given, and the one that had to give way to it."""

    may: bool
    why: Why
    by: Choice | None = None
    over: Choice | None = None


def may_share(choices: Iterable[Choice], question: Question) -> Decision:
    """What the patient's choices come to for one organisation; of those that do not apply nothing is told."""
    apply = [choice for choice in choices if applies(choice, question)]
    consents = sorted((each for each in apply if each.permits), key=_grades, reverse=True)
    objections = sorted((each for each in apply if not each.permits), key=_grades, reverse=True)
    for objection in objections:
        if not any(beats(consent, objection) for consent in consents):
            over = consents[0] if consents else None
            return Decision(False, _before(objection, over) if over else "objection", objection, over)
    if objections:
        over = objections[0]
        return Decision(True, "more specific", next(each for each in consents if beats(each, over)), over)
    if consents:
        return Decision(True, "consent", consents[0])
    return Decision(question.presumed, "presumed" if question.presumed else "not given")


def applies(choice: Choice, question: Question) -> bool:
    """Whether a choice is about what is asked."""
    return choice.since <= question.at < choice.until and all(
        (
            choice.holder in (None, question.holder),
            choice.holder_kind in ("", question.holder_kind),
            choice.user in (None, question.user),
            choice.user_kind in ("", question.user_kind),
            choice.pathway in ("", question.pathway),
            choice.traject in (None, question.traject),
        )
    )


def beats(one: Choice, other: Choice) -> bool:
    """Whether a choice is the more specific one: in no dimension less, in one at least more."""
    mine, theirs = _grades(one), _grades(other)
    return mine != theirs and all(a >= b for a, b in zip(mine, theirs, strict=True))


def more_in(one: Choice, other: Choice) -> tuple[Dimension, ...]:
    """The dimensions in which a choice is more specific than another."""
    return tuple(each for each in PRECEDENCE if each.grade(one) > each.grade(other))


def _before(objection: Choice, consent: Choice) -> Why:
    if _grades(objection) == _grades(consent):
        return "as specific"
    return "more specific" if beats(objection, consent) else "each more specific"


def _grades(choice: Choice) -> tuple[int, ...]:
    return tuple(each.grade(choice) for each in PRECEDENCE)


def _grade(one: UUID | None, kind: str) -> int:
    return 2 if one else 1 if kind else 0
