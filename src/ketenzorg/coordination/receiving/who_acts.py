"""Who acts on a referral and why, who else could, and what is known of them."""

from ketenzorg.coordination.receiving.notice import Notice, told
from ketenzorg.coordination.receiving.participants import Participants
from ketenzorg.coordination.receiving.rule_notices import ruled
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Screening
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import Capability


def who_acts(pathway: Pathway, participants: Participants, screening: Screening) -> Notice:
    """Whose turn it is, by which rule; or who was asked."""
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
    rule_nl, rule_en = ruled(route.rule, screening, lambda hit: bool(hit.then.to)) if route else ("", "")
    step = f" Stap: {pathway.steps[route.step].title}." if route else ""
    step_en = f" Step: '{route.step}'." if route else ""
    return told(
        f"Aan zet: {owner}, want {why_nl}.{step}{rule_nl}",
        f"To act: {owner}, because: {why_en}.{step_en}{rule_en}",
        "Task.owner",
    )


def _to_be_chosen(participants: Participants) -> Notice:
    if participants.open:
        number = len(participants.asked)
        return told(
            f"Nog niemand is aan zet: {number} organisatie(s) kunnen deze Task oppakken. Wie het eerst is, heeft hem.",
            f"Nobody is to act yet: {number} organisation(s) can claim this Task; the first that does has it.",
            "Task.owner",
        )
    names = "; ".join(f"{each.name} (Organization/{each.id})" for each in participants.asked)
    return told(
        f"Gevraagd: {names}. U kiest wie het wordt: zet op de Task van wie het aannam de businessStatus ‘selected’.",
        f"Asked: {names}. You select one: set businessStatus 'selected' on the Task of one that accepted.",
        "Task.owner",
    )


def who_else(participants: Participants, region: Region) -> list[Notice]:
    """Who else could take it; the choice is the patient's and the referrer's."""
    if not participants.alternatives:
        return []
    asked = (participants.municipality, participants.capability, region)
    named = "; ".join(known_of(each, *asked)[0] for each in participants.alternatives)
    named_en = "; ".join(known_of(each, *asked)[1] for each in participants.alternatives)
    return [
        told(
            f"Ook mogelijk, de dichtstbijzijnde eerst: {named}. De patiënt en u kiezen: noem de organisatie in "
            "Task.owner of ServiceRequest.performer.",
            f"Also possible, nearest first: {named_en}. The patient and you choose: name the organisation in "
            "Task.owner or ServiceRequest.performer.",
            "Task.owner",
        )
    ]


def idle(participants: Participants) -> list[Notice]:
    """Who is named in the request and gets nothing of it."""
    return [
        Issue(
            nl="Deze organisatie krijgt deze verwijzing niet: zij heeft op dit zorgpad hier niets te doen, of een "
            "ander is gevraagd. Vraagt u meer organisaties, noem dan geen Task.owner of stuur voor elk een Task.",
            en="This organisation does not get this referral: it has nothing to do here on this pathway, or another is "
            "asked. To ask several, name no Task.owner, or send a Task for each.",
            expression=(path,),
            code="informational",
            severity="warning",
        )
        for path in participants.idle
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
