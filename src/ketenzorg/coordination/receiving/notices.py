"""What a sender must know about a referral that was taken in: who acts before when, why, and what is missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from ketenzorg.coordination.receiving.participants import Participants
from ketenzorg.coordination.world import World
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.deciding import Hit
from ketenzorg.pathway.definition import Source
from ketenzorg.pathway.engine import Due, StepTaken
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import Capability
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
            _told(
                f"Deze verwijzing hadden we al; er is niets veranderd. Hoe het ermee staat: {task}.",
                f"We had this referral already; nothing changed. Where it stands: {task}.",
            ),
        )
    return (
        _owner(pathway, participants, screening, world.region),
        *_choices(pathway, participants, world.region),
        *_urgency(screening),
        *(_date(each.norm, each.at, each.status, each.source) for each in dues),
        *_classified(screening),
        *_advice(screening),
        *_unusable(screening),
        *warned(unreadable),
        *_asked_for(screening, unreadable),
        *_second(stored),
        *_not_adopted(pathway),
    )


def what_holds(screening: Screening) -> tuple[Notice, ...]:
    """What the rules say of the data as they are now."""
    return (
        *_alarms(screening),
        *_urgency(screening),
        *_classified(screening),
        *_advice(screening),
        *_unusable(screening),
        *_asked_for(screening),
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
        *_alarms(after),
        *(_signalled(step, after) for step in taken),
        *(_urgency(after) if _soon(before) != _soon(after) else []),
        *_classified(after, dict(before.values)),
        *(_date(due.norm, due.at, due.status, due.source) for due in dues_after if due not in dues_before),
        *(each for each in _advice(after) if each not in _advice(before)),
        *(each for each in _unusable(after) if each not in _unusable(before)),
    ]
    nothing = _told("Opgeslagen; er verandert niets door.", "Stored; nothing changes by it.")
    return (*(found or [nothing]), *warned(unreadable), *_asked_for(after, unreadable))


def _soon(screening: Screening) -> str:
    return screening.urgency.name if screening.urgency else ""


def _alarms(screening: Screening) -> list[Notice]:
    """Nothing holds back what is stored, and somebody must phone all the same."""
    return [
        Issue(
            nl=f"{stop.first_aid} {stop.say}".strip(),
            en=f"By rule '{stop.rule}' ({cite(stop.source)}): '{f'{stop.first_aid} {stop.say}'.strip()}'",
            expression=tuple(answer_path(element) for element in stop.elements),
            code="business-rule",
            kind="alarm",
            severity="error",
        )
        for stop in screening.blocked
        if stop.alarm
    ]


def _signalled(step: StepTaken, screening: Screening) -> Notice:
    raised = next(each for each in screening.events if each.event == step.event)
    nl, en = _ruled(raised.rule, screening, lambda hit: hit.then.event == step.event)
    told = ", ".join(step.tell)
    return Issue(
        nl=f"Vastgelegd: ‘{step.event}’; bericht aan: {told}.{nl}",
        en=f"On record: '{step.event}'; told: {told}.{en}",
        code="informational",
        severity="warning",
    )


def cite(source: Source) -> str:
    """Where a rule comes from, and how firm that is."""
    return f"{source.key}, {source.status}" if source.key else source.status


def cite_nl(source: Source) -> str:
    """The same in Dutch."""
    return f"{STATUS_NL[source.status]}, {source.key}" if source.key else STATUS_NL[source.status]


def answer_path(element: str) -> str:
    """Where the answer to a question of the pathway is given."""
    return f"QuestionnaireResponse.item.where(linkId='{element}')"


def _owner(pathway: Pathway, participants: Participants, screening: Screening, region: Region) -> Notice:
    chosen = participants.owner
    if chosen is None:
        return _to_be_chosen(participants)
    owner = f"{chosen.name} (Organization/{chosen.id})"
    place = participants.municipality_name
    if chosen == participants.requester:
        why_nl, why_en = "dit blijft in uw eigen praktijk", "this stays in your own house"
    elif participants.owner_was_named:
        why_nl, why_en = "zoals u vroeg", "as you asked"
    elif participants.municipality_is_guess:
        nl, en = (
            "Patient.address.district ontbreekt of ligt elders",
            "Patient.address.district: none, or elsewhere",
        )
        why_nl = f"deze werkt in gemeente {place}, die van uw praktijk ({nl})"
        why_en = f"it works in municipality {place}, your practice's ({en})"
    else:
        why_nl = f"deze werkt in gemeente {place}, waar de patiënt woont"
        why_en = f"it works in municipality {place}, where the patient lives"
    route = screening.route
    rule_nl, rule_en = _ruled(route.rule, screening, lambda hit: bool(hit.then.to)) if route else ("", "")
    step = f" Stap: {pathway.steps[route.step].title}." if route else ""
    step_en = f" Step: '{route.step}'." if route else ""
    return _told(
        f"Aan zet: {owner}, want {why_nl}.{step}{rule_nl}",
        f"To act: {owner}, because: {why_en}.{step_en}{rule_en}",
        "Task.owner",
    )


def _to_be_chosen(participants: Participants) -> Notice:
    if participants.open:
        number = len(participants.asked)
        return _told(
            f"Nog niemand is aan zet: {number} organisatie(s) kunnen deze Task oppakken. Wie het eerst is, heeft hem.",
            f"Nobody is to act yet: {number} organisation(s) can claim this Task; the first that does has it.",
            "Task.owner",
        )
    names = "; ".join(f"{each.name} (Organization/{each.id})" for each in participants.asked)
    return _told(
        f"Gevraagd: {names}. U kiest wie het wordt: zet op de Task van wie het aannam de businessStatus ‘selected’.",
        f"Asked: {names}. You select one: set businessStatus 'selected' on the Task of one that accepted.",
        "Task.owner",
    )


def _choices(pathway: Pathway, participants: Participants, region: Region) -> list[Notice]:
    """Who else could take it; the choice is the patient's and the referrer's."""
    if not participants.alternatives:
        return []
    asked = (participants.municipality, participants.capability, region)
    named = "; ".join(known_of(each, *asked)[0] for each in participants.alternatives)
    named_en = "; ".join(known_of(each, *asked)[1] for each in participants.alternatives)
    return [
        _told(
            f"Ook mogelijk, de dichtstbijzijnde eerst: {named}. De patiënt en u kiezen: noem de organisatie in "
            "Task.owner of ServiceRequest.performer.",
            f"Also possible, nearest first: {named_en}. The patient and you choose: name the organisation in "
            "Task.owner or ServiceRequest.performer.",
            "Task.owner",
        )
    ]


def known_of(
    organisation: Organisation, municipality: str, capability: str, region: Region
) -> tuple[str, str]:
    """What is known of an organisation that could act, in Dutch and in English."""
    sites = organisation.able(capability) if capability else []
    hours = [each for site in sites for each in site.capabilities if each.name == capability]
    far = region.kilometres(organisation, municipality, capability)
    nl = [capability, *map(_hours_nl, hours), f"{far} km hemelsbreed" if far is not None else ""]
    en = [capability, *map(_hours_en, hours), f"{far} km as the crow flies" if far is not None else ""]
    name = f"{organisation.name} (Organization/{organisation.id})"
    return ", ".join([name, *filter(None, nl)]), ", ".join([name, *filter(None, en)])


def _hours_nl(capability: Capability) -> str:
    if capability.always:
        return "altijd open"
    return _hours(capability) or "openingstijden niet bekend"


def _hours_en(capability: Capability) -> str:
    return "always open" if capability.always else (_hours(capability) or "hours not known")


def _hours(capability: Capability) -> str:
    return " en ".join(
        f"{' '.join(each.days)} {each.from_:%H:%M}-{each.to:%H:%M}" for each in capability.open
    )


def _urgency(screening: Screening) -> list[Notice]:
    soon = screening.urgency
    if soon is None:
        return []
    nl, en = _ruled(soon.rule, screening, lambda hit: hit.then.urgency == soon.name)
    return [
        _told(
            f"Urgentie: {soon.title}.{nl}", f"Urgency: '{soon.name}' ({soon.priority}).{en}", "Task.priority"
        )
    ]


def _classified(screening: Screening, before: Mapping[str, str] = {}) -> list[Notice]:
    """What formulas and tables came to, where that is new; what cannot be told is asked for further on."""
    return [
        _told(f"Uitkomst ‘{name}’: {outcome}.", f"Outcome of '{name}': '{outcome}'.")
        for name, outcome in screening.values
        if outcome and outcome != "niet te bepalen" and before.get(name) != outcome
    ]


def _ruled(table: str, screening: Screening, says: Callable[[Hit], bool]) -> tuple[str, str]:
    """Which row said it, on what grounds, and where that comes from."""
    hit = next(each for each in screening.explained if each.table == table and says(each))
    because = ", ".join(f"{name} {cell}" for name, cell in hit.because)
    return (
        f" Tabel ‘{table}’, rij {hit.row} ({because or 'altijd'}; bron: {cite_nl(hit.source)}).",
        f" Table '{table}', row {hit.row} ({because or 'always'}; source: {cite(hit.source)}).",
    )


@lru_cache(maxsize=256)  # most norms end with a day
def _date(norm: str, at: datetime, status: str, source: str) -> Notice:
    last = at.astimezone(AMSTERDAM)
    cited = f", {source}" if source else ""
    return _told(
        f"Norm ‘{norm}’: uiterlijk {last:%d-%m-%Y} ({STATUS_NL[status]}{cited}).",
        f"Norm '{norm}': by {last.isoformat()} ({status}{cited}).",
        "Task.businessStatus",
    )


def _advice(screening: Screening) -> list[Notice]:
    return [
        _told(
            f"Advies ({advice.rule}; {cite_nl(advice.source)}): {advice.text}",
            f"Advice (rule '{advice.rule}', {cite(advice.source)}): '{advice.text}'",
        )
        for advice in screening.advice
    ]


def _unusable(screening: Screening) -> list[Notice]:
    """What was given and could not be used, by its reason."""
    return warned(doubt for missing in screening.missing for doubt in missing.why)


def warned(doubts: Iterable[Issue]) -> list[Notice]:
    """Doubts about what was given, where they hold nothing back."""
    return [msgspec.structs.replace(unusable(doubt), severity="warning") for doubt in doubts]


def unusable(doubt: Issue) -> Issue:
    """A doubt about an answer, which names its question, as the sender reads it."""
    named = ", ".join(doubt.expression)
    return msgspec.structs.replace(
        doubt,
        nl=f"{named}: {doubt.nl}",
        en=f"{named}: {doubt.en}",
        expression=tuple(answer_path(element) for element in doubt.expression),
    )


def _asked_for(screening: Screening, unreadable: Iterable[Issue] = ()) -> list[Notice]:
    answered = {name for issue in unreadable for name in issue.expression}
    return [
        Issue(
            nl=f"Nog niet ingevuld: {missing.ask}",
            en=f"Not answered yet, linkId '{missing.element}': {missing.ask}",
            expression=(answer_path(missing.element),),
            code="incomplete",
            severity="warning",
        )
        for missing in screening.missing
        if not missing.why and missing.element not in answered
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
