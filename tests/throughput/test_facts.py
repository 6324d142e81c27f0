"""What one traject counts as: a hand-over inside it is no second referral, a new referral after its end is one."""

import random
from collections.abc import Sequence
from datetime import timedelta

from ketenzorg.pathway.load import load
from ketenzorg.settings import Settings
from ketenzorg.throughput.facts import AGAIN, IN, OPEN_STAY, OUT, Fact, Rules, told
from throughput.regions import BEGIN, Walker

NIER = load(Settings.from_environ({}).pathways).current("chronische-nierschade")
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
