"""Why a referral is not taken, in words: a rule stops it, the pathway is unknown, or its identifier is taken."""

from ketenzorg.coordination.receiving.notice import Notice, answer_path, cite
from ketenzorg.coordination.receiving.rule_notices import unusable
from ketenzorg.coordination.world import World
from ketenzorg.errors import Issue
from ketenzorg.pathway.criteria import Blocked, Screening
from ketenzorg.referral.intake import Asked
from ketenzorg.store.referrals import Stored


def not_stored() -> Notice:
    """To who sends it only if it is not there."""
    return Issue(
        nl="Deze verwijzing was er al, met andere inhoud. Van wat nu kwam is niets opgeslagen.",
        en="This referral was there already, with other content. Of what came now nothing was stored.",
        severity="warning",
        code="informational",
    )


def stops(screening: Screening) -> list[Issue]:
    """What stops the sending: an alarm, a condition that is not met, an answer that must be there."""
    return [*_rules(screening), *(unusable(issue) for stop in screening.blocked for issue in stop.why)]


def _rules(screening: Screening) -> list[Issue]:
    return [
        Issue(
            nl=_unanswered_nl(stop) if stop.needed else _said(stop),
            en=f"Nothing was sent: {_unanswered_en(stop)}" if stop.needed else _by_rule(stop),
            expression=tuple(answer_path(element) for element in stop.elements),
            code="required" if stop.needed else "business-rule",
            severity="fatal" if stop.alarm else "error",
            kind="alarm" if stop.alarm else "unanswered" if stop.needed else "",
        )
        for stop in screening.blocked
    ]


def _said(stop: Blocked) -> str:
    return f"{stop.first_aid} {stop.say}".strip()


def _by_rule(stop: Blocked) -> str:
    return f"Nothing was sent, by rule '{stop.rule}' ({cite(stop.source)}): '{_said(stop)}'"


def _unanswered_nl(stop: Blocked) -> str:
    return f"Zonder dit antwoord wordt niets verstuurd: {stop.say}"


def _unanswered_en(stop: Blocked) -> str:
    return f"linkId '{stop.rule}' must be answered ({cite(stop.source)}): '{stop.say}'"


def no_such_pathway(path: str, world: World) -> Issue:
    """Named where it stands in what was posted, with the pathways that there are."""
    known = ", ".join(world.catalogue.current(name).url for name in world.catalogue.names)
    return Issue(
        nl=f"Dit zorgpad kennen we niet. Noem het in ServiceRequest.instantiatesCanonical: {known}",
        en=f"No such pathway. Name it in ServiceRequest.instantiatesCanonical: {known}",
        expression=(path,),
        code="not-found",
        kind="no-such-pathway",
    )


def other_content(asked: Asked, stored: Stored) -> Issue:
    """The identifier is taken, and how to change what is stored under it."""
    task = stored.locations[-1]
    return Issue(
        nl=f"Onder dit kenmerk is al een verwijzing met andere inhoud opgeslagen ({task}). Iets toevoegen? Zet een "
        f"notitie op {task}. Iets veranderen? Trek {task} in en stuur de verwijzing met een nieuw kenmerk.",
        en=f"A referral with other content is stored under this identifier ({task}). To add something, put a note on "
        f"{task}. To change something, cancel {task} and send the referral under a new identifier.",
        expression=(f"{asked.request.path}.identifier",),
        code="duplicate",
        kind="other-content",
    )
