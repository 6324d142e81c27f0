"""What a sender must know about a referral that was taken in: who acts before when, why, and what is missing."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from ketenzorg.coordination.participants import Participants
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.definition import Source
from ketenzorg.pathway.engine import Due
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.referrals import Stored

Notice = Issue
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
STATUS_NL = {
    "national": "landelijk",
    "own region": "eigen regio",
    "other region": "andere regio",
    "general knowledge": "algemene kennis",
    "proposal": "voorstel",
}


def notices_of(
    pathway: Pathway, participants: Participants, screening: Screening, dues: list[Due], stored: Stored
) -> tuple[Notice, ...]:
    """Everything in the order in which a reader wants it."""
    if not stored.new:
        task = stored.locations[-1]
        return (
            _told(
                f"Deze verwijzing hadden we al; er is niets veranderd. Hoe het ermee staat: {task}.",
                f"We had this referral already; nothing changed. Where it stands: {task}.",
            ),
        )
    return (
        _owner(participants),
        *map(_date, dues),
        *_advice(screening),
        *_asked_for(screening),
        *_second(stored),
        *_not_adopted(pathway),
    )


def cite(source: Source) -> str:
    """Where a rule comes from, and how firm that is."""
    return f"{source.key}, {source.status}" if source.key else source.status


def answer_path(element: str) -> str:
    """Where the answer to a question of the pathway is given."""
    return f"QuestionnaireResponse.item.where(linkId='{element}')"


def _owner(participants: Participants) -> Notice:
    owner = f"{participants.owner.name} (Organization/{participants.owner.id})"
    place = participants.municipality_name
    if participants.owner_was_named:
        why_nl, why_en = "zoals u vroeg", "as you asked"
    elif participants.municipality_is_guess:
        why_nl = f"deze werkt in gemeente {place}, die van uw praktijk (Patient.address.district ontbreekt)"
        why_en = f"it works in municipality {place}, your practice's (Patient.address.district is missing)"
    else:
        why_nl = f"deze werkt in gemeente {place}, waar de patiënt woont"
        why_en = f"it works in municipality {place}, where the patient lives"
    others = ", ".join(f"{each.name} (Organization/{each.id})" for each in participants.alternatives)
    others_nl, others_en = (f" Ook mogelijk: {others}.", f" Also possible: {others}.") if others else ("", "")
    return _told(
        f"Aan zet: {owner}, want {why_nl}.{others_nl}",
        f"To act: {owner}, because: {why_en}.{others_en}",
        "Task.owner",
    )


@lru_cache(maxsize=256)  # most norms end with a day
def _date(due: Due) -> Notice:
    last = due.at.astimezone(AMSTERDAM)
    return _told(
        f"Norm ‘{due.norm}’: uiterlijk {last:%d-%m-%Y} "
        f"({STATUS_NL[due.status]}{f', {due.source}' if due.source else ''}).",
        f"Norm '{due.norm}': by {last.isoformat()} ({due.status}{f', {due.source}' if due.source else ''}).",
        "Task.businessStatus",
    )


def _advice(screening: Screening) -> list[Notice]:
    return [
        _told(
            f"Advies ({advice.rule}): {advice.text}",
            f"Advice (rule '{advice.rule}', {cite(advice.source)}): {advice.text}",
        )
        for advice in screening.advice
    ]


def _asked_for(screening: Screening) -> list[Notice]:
    return [
        Issue(
            nl=f"Nog niet ingevuld: {missing.ask}",
            en=f"Not answered yet, linkId '{missing.element}': {missing.ask}",
            expression=(answer_path(missing.element),),
            code="incomplete",
            severity="warning",
        )
        for missing in screening.missing
    ]


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


def _told(nl: str, en: str, *expression: str) -> Notice:
    return Issue(nl=nl, en=en, expression=expression, code="informational", severity="information")
