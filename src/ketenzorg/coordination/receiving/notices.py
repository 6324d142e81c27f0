"""What a sender must know about a referral that was taken in: who acts before when, why, and what is missing."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ketenzorg.coordination.receiving.notice import STATUS_NL, Notice, told
from ketenzorg.coordination.receiving.participants import Participants
from ketenzorg.coordination.receiving.rule_notices import (
    advice_of,
    alarms,
    asked_for,
    classified,
    ruled,
    unusable_of,
    urgency,
    warned,
)
from ketenzorg.coordination.receiving.who_acts import idle, who_acts, who_else
from ketenzorg.coordination.world import World
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.engine import Due, StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.referrals import Stored

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def notices_of(
    pathway: Pathway,
    participants: Participants,
    screening: Screening,
    unreadable: Sequence[Issue],
    dues: list[Due],
    stored: Stored,
    world: World,
) -> tuple[Notice, ...]:
    """Everything in the order in which a reader wants it."""
    if not stored.new:
        task = stored.locations[-1]
        return (
            told(
                f"Deze verwijzing hadden we al; er is niets veranderd. Hoe het ermee staat: {task}.",
                f"We had this referral already; nothing changed. Where it stands: {task}.",
            ),
        )
    return (
        who_acts(pathway, participants, screening),
        *who_else(participants, world.region),
        *idle(participants),
        *urgency(screening),
        *(_date(each.norm, each.at, each.status, each.source) for each in dues),
        *classified(screening),
        *advice_of(screening),
        *unusable_of(screening),
        *warned(unreadable),
        *asked_for(screening, unreadable),
        *_second(stored),
        *_not_adopted(pathway),
    )


def what_holds(screening: Screening) -> tuple[Notice, ...]:
    """What the rules say of the data as they are now."""
    return (
        *alarms(screening),
        *urgency(screening),
        *classified(screening),
        *advice_of(screening),
        *unusable_of(screening),
        *asked_for(screening),
    )


def what_changed(
    before: Screening,
    after: Screening,
    taken: Sequence[StepTaken],
    dues_before: list[Due],
    dues_after: list[Due],
    unreadable: Sequence[Issue],
) -> tuple[Notice, ...]:
    """What new data made of a traject that runs; first what cannot wait."""
    found = [
        *alarms(after),
        *(_signalled(step, after) for step in taken),
        *(urgency(after) if _soon(before) != _soon(after) else []),
        *classified(after, dict(before.values)),
        *(_date(due.norm, due.at, due.status, due.source) for due in dues_after if due not in dues_before),
        *(each for each in advice_of(after) if each not in advice_of(before)),
        *(each for each in unusable_of(after) if each not in unusable_of(before)),
    ]
    nothing = told("Opgeslagen; er verandert niets door.", "Stored; nothing changes by it.")
    return (*(found or [nothing]), *warned(unreadable), *asked_for(after, unreadable))


def _soon(screening: Screening) -> str:
    return screening.urgency.name if screening.urgency else ""


def _signalled(step: StepTaken, screening: Screening) -> Notice:
    raised = next(each for each in screening.events if each.event == step.event)
    nl, en = ruled(raised.rule, screening, lambda hit: hit.then.event == step.event)
    told = ", ".join(step.tell)
    return Issue(
        nl=f"Vastgelegd: ‘{step.event}’; bericht aan: {told}.{nl}",
        en=f"On record: '{step.event}'; told: {told}.{en}",
        code="informational",
        severity="warning",
    )


@lru_cache(maxsize=256)  # most norms end with a day
def _date(norm: str, at: datetime, status: str, source: str) -> Notice:
    last = at.astimezone(AMSTERDAM)
    cited = f", {source}" if source else ""
    return told(
        f"Norm ‘{norm}’: uiterlijk {last:%d-%m-%Y} ({STATUS_NL[status]}{cited}).",
        f"Norm '{norm}': by {last.isoformat()} ({status}{cited}).",
        "Task.businessStatus",
    )


def _second(stored: Stored) -> list[Notice]:
    return [
        Issue(
            nl="Deze patiënt heeft al een open traject op dit zorgpad, door u verwezen.",
            en="This patient already has an open traject on this pathway, referred by you.",
            code="duplicate",
            severity="warning",
        )
        for _ in stored.other_trajecten[:1]
    ]


def _not_adopted(pathway: Pathway) -> list[Notice]:
    if pathway.adopted:
        return []
    named = f"{pathway.title} {pathway.version}"
    return [
        Issue(
            nl=f"Het zorgpad ‘{named}’ is niet door een zorginhoudelijk eigenaar vastgesteld.",
            en=f"Pathway '{named}' has not been adopted by a clinical owner.",
            code="informational",
            severity="warning",
        ),
    ]
