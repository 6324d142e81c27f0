"""Why nothing goes to an organisation, in words: no consent, or an objection that goes first."""

import msgspec

from ketenzorg.access.sharing import PRECEDENCE, Decision, more_in
from ketenzorg.coordination.receiving.notice import answer_path
from ketenzorg.errors import Issue
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.region import Organisation
from ketenzorg.referral.consent import Choice


def unasked(organisation: Organisation, doubt: Issue) -> Issue:
    """A doubt about the explicit consent without which nothing goes to this organisation."""
    return msgspec.structs.replace(
        doubt,
        kind="no-consent",
        nl=f"Naar {organisation.name} gaat niets zonder uitdrukkelijke toestemming van de patiënt. {doubt.nl}",
        en=f"Nothing goes to {organisation.name} without the patient's explicit consent. {doubt.en}",
    )


def wrong(question: str, ask: str) -> Issue:
    """A question of the pathway about consent that is not answered as it must be."""
    return Issue(
        nl=f"Nog te beantwoorden: {ask}",
        en=f"To be answered, linkId '{question}': {ask}",
        expression=(answer_path(question),),
        code="required",
        kind="no-consent",
    )


def objected(decision: Decision, organisation: Organisation, pathway: Pathway) -> Issue:
    """The objection that holds this back, and the rule by which it goes first."""
    against_nl, against_en = _against(decision.by, organisation, pathway)
    first_nl, first_en = _rule(decision)
    return Issue(
        nl=f"De patiënt maakte bezwaar tegen het delen van gegevens met {against_nl}. Er gaat niets heen.{first_nl} "
        "Bespreek het met de patiënt: die kan het bezwaar intrekken, of toestemming geven die de organisatie, het "
        "zorgpad en deze verwijzing noemt.",
        en=f"The patient objected to sharing data with {against_en}. Nothing goes there.{first_en} Discuss it with the "
        "patient, who can take the objection back, or give a consent that names the organisation, the pathway and this "
        "referral.",
        expression=("Task.owner",),
        code="suppressed",
        kind="no-consent",
    )


def _against(choice: Choice | None, organisation: Organisation, pathway: Pathway) -> tuple[str, str]:
    assert choice is not None  # noqa: S101  (an objection has one)
    nl, en = "alle organisaties", "all organisations"
    if choice.user:
        nl = en = organisation.name
    elif choice.user_kind:
        nl, en = (
            f"elke organisatie van de soort ‘{choice.user_kind}’",
            f"every organisation of kind '{choice.user_kind}'",
        )
    if choice.pathway:
        nl, en = f"{nl} voor ‘{pathway.title}’", f"{en} for '{pathway.title}'"
    return nl, en


def _rule(decision: Decision) -> tuple[str, str]:
    """Which rule of precedence won, where a consent had to give way."""
    if decision.by is None or decision.over is None:
        return "", ""
    if decision.why == "as specific":
        return (
            " Bezwaar en toestemming zijn even precies: dan gaat bezwaar voor.",
            " Objection and consent are as specific: then the objection goes first.",
        )
    if decision.why == "each more specific":
        return (
            " Geen van beide is in alles het preciest: dan gaat bezwaar voor (voorstel).",
            " Neither is the more specific in everything: then the objection goes first (proposal).",
        )
    named = ", ".join(each.more for each in more_in(decision.by, decision.over))
    return (
        f" Het bezwaar is preciezer dan de toestemming ({named}): precies gaat voor algemeen.",
        f" The objection is more specific than the consent ({', '.join(each.name for each in PRECEDENCE)}).",
    )
