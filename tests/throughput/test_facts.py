"""What one traject counts as: a hand-over inside it is no second referral, a new referral after its end is one; late is
what the worklist calls late, and what was told of that counts for nothing.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from content import CATALOGUE
from ketenzorg import events
from ketenzorg.throughput.facts import (
    AGAIN,
    CLOCK,
    DUE,
    DUE_CLOCK,
    IN,
    OPEN_CLOCK,
    OPEN_STAY,
    OUT,
    Fact,
    Rules,
    began,
    told,
)
from throughput.regions import BEGIN, Entry, Walker, region

NIER = CATALOGUE.current("chronische-nierschade")
HANDED_OVER = ["aannemen", "afspraak gemaakt", "gezien", "terugverwijzen"]  # back in control with the GP
ENDED = [*HANDED_OVER, "afronden"]


def facts(happened: Sequence[str]) -> list[Fact]:
    walker = Walker(NIER, random.Random(1))
    received = walker.received(BEGIN)
    meant = [(event, BEGIN + timedelta(days=1 + day)) for day, event in enumerate(happened)]
    found = told(walker.follow(received, meant, meant[-1][1]), Rules(NIER))
    assert found is not None
    return [fact for fact, _ in found.facts]


def came(happened: Sequence[str]) -> list[str]:
    return [fact.detail for fact in facts(happened) if fact.kind == IN]


def test_a_hand_over_is_the_same_referral() -> None:
    assert came(HANDED_OVER) == [""]
    assert not [fact for fact in facts(HANDED_OVER) if fact.kind == OUT]
    assert [fact.name for fact in facts(HANDED_OVER) if fact.kind == OPEN_STAY] == ["in controle"]


def test_a_referral_after_the_end_is_a_second_one_and_the_first_went() -> None:
    assert came(ENDED) == [""]
    assert came([*ENDED, "opnieuw verwijzen"]) == ["", AGAIN]
    assert [fact.name for fact in facts([*ENDED, "opnieuw verwijzen"]) if fact.kind == OUT] == ["completed"]


def late_from(*meant: tuple[str, int]) -> list[tuple[str, str, int]]:
    """(kind, name, the day on which it is late first) after these events; days count from the beginning."""
    walker = Walker(NIER, random.Random(1))
    on = [(event, BEGIN + timedelta(days=day)) for event, day in meant]
    found = told(walker.follow(walker.received(BEGIN), on, on[-1][1]), Rules(NIER))
    assert found is not None
    kinds = (DUE, DUE_CLOCK)
    return [
        (fact.kind, fact.name, (began(fact) - BEGIN.date()).days)
        for fact, _ in found.facts
        if fact.kind in kinds
    ]


def test_a_clock_that_stood_still_is_late_so_much_later() -> None:
    consult, plan = "eerste consult bij de nefroloog", "afspraak plannen"
    assert late_from(("aannemen", 1)) == [(DUE, plan, 29), (DUE_CLOCK, consult, 29)]
    paused = late_from(("aannemen", 1), ("uitstellen", 2))
    assert [name for kind, name, _ in paused if kind == DUE_CLOCK] == ["niet te lang uitgesteld"]
    went_on = late_from(("aannemen", 1), ("uitstellen", 2), ("weer oppakken", 12))
    assert went_on == [(DUE, plan, 39), (DUE_CLOCK, consult, 39)]


def test_a_control_that_is_late_makes_its_traject_late_and_no_norm() -> None:
    control = late_from(("aannemen", 1), ("afspraak gemaakt", 2), ("gezien", 3), ("terugverwijzen", 4))
    assert [(kind, name) for kind, name, _ in control] == [(DUE, "in controle")]


def test_what_the_clock_told_counts_for_nothing() -> None:
    now = datetime(2026, 3, 4, 15, tzinfo=UTC)
    for log in region(NIER, 3, 40, 40, until=now):
        assert told(between(log), Rules(NIER)) == told(log, Rules(NIER))


def between(log: Sequence[Entry]) -> list[Entry]:
    """The log with something told after each event."""
    found: list[events.Event] = []
    places: dict[int, int] = {}
    for seq, event in log:
        moved = (
            replace(event, corrects=places[event.corrects])
            if isinstance(event, events.StepCorrected)
            else event
        )
        found.append(moved)
        places[seq] = len(found)
        found.append(exceeded(event.at))
    return [(seq, event) for seq, event in enumerate(found, 1)]


def exceeded(at: datetime) -> events.NormExceeded:
    nobody = UUID(int=0)
    return events.NormExceeded(
        norm="eerste consult bij de nefroloog", began=at, within="4 weken", due=at, at=at, step="verwezen",
        task=nobody, role="nefroloog", organisation=nobody, told=(nobody,),
    )  # fmt: skip


WELFARE = CATALOGUE.current("welzijn-op-recept")
MET, IN_TIME = ["aannemen", "eerste contact"], "met"


def of_norm(norm: str, happened: Sequence[str]) -> list[tuple[str, str, int]]:
    """(kind, outcome, days) of a norm after these events, two days apart."""
    walker = Walker(WELFARE, random.Random(1))
    on = [(event, BEGIN + timedelta(days=2 * day)) for day, event in enumerate(happened, 1)]
    found = told(walker.follow(walker.received(BEGIN), on, on[-1][1]), Rules(WELFARE))
    assert found is not None
    kinds = (CLOCK, OPEN_CLOCK)
    return [
        (fact.kind, fact.outcome, fact.place if fact.kind == CLOCK else 0)
        for fact, _ in found.facts
        if fact.name == norm and fact.kind in kinds
    ]


def test_what_who_sent_it_on_met_stays_measured_and_the_patient_waits_on_since_the_referral() -> None:
    assert of_norm("eerste contact", MET) == [(CLOCK, IN_TIME, 4)]
    assert of_norm("eerste contact", [*MET, "doorsturen"]) == [(CLOCK, IN_TIME, 4), (OPEN_CLOCK, "", 0)]
    again = of_norm("eerste contact", [*MET, "doorsturen", *MET])
    assert again == [(CLOCK, IN_TIME, 4), (CLOCK, IN_TIME, 10)]  # both from the day of the referral


def test_the_clock_of_a_question_stops_when_the_work_begins_without_an_answer() -> None:
    question = "antwoord op een vraag"
    assert of_norm(question, ["informatie vragen", "aannemen"]) == [(OPEN_CLOCK, "", 0)]
    answered = ["informatie vragen", "aannemen", "informatie gegeven"]
    assert of_norm(question, answered) == [(CLOCK, IN_TIME, 4)]
    begun = ["informatie vragen", "aannemen", "eerste contact", "kennismaking gehouden"]
    assert of_norm(question, begun) == [(CLOCK, "stopped-late", 6)]
