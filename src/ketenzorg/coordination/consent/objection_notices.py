"""What is said to who puts on record what a patient wants shared."""

from collections.abc import Iterator
from uuid import UUID

from ketenzorg.coordination.consent.sharing_on import pathway_of
from ketenzorg.coordination.receiving.notice import Notice
from ketenzorg.coordination.world import World
from ketenzorg.errors import Issue
from ketenzorg.store.consents import Shared


def told(lost: tuple[UUID, ...], shared: Shared, ended: bool, world: World) -> Iterator[Notice]:
    """Who sees a traject no more, and whether it ended."""
    title = pathway_of(shared.traject, world).title
    for each in lost:
        known = world.region.by_id(each)
        name = known.name if known else "een organisatie"
        yield Issue(
            nl=f"{name} ziet niets meer van het traject ‘{title}’."
            + (" Het traject is geëindigd." if ended else ""),
            en=f"{name} sees nothing of the traject '{title}' any more."
            + (" The traject has ended." if ended else ""),
            code="informational",
            severity="information",
        )


def _notice(nl: str, en: str) -> Notice:
    return Issue(nl=nl, en=en, code="informational", severity="information")


def nothing_ended() -> Notice:
    """The objection takes nothing away from who takes part now."""
    return _notice(
        "Het bezwaar is vastgelegd. In uw trajecten verandert nu niets.",
        "The objection is on record. Nothing changes in your trajecten now.",
    )


def given() -> Notice:
    """An explicit consent was recorded."""
    return _notice(
        "De toestemming is vastgelegd. Zij geldt voor wat er van deze verwijzing nog gedeeld wordt.",
        "The consent is on record. It holds for what is still to be shared of this referral.",
    )


def again() -> Notice:
    """An objection was lifted."""
    return _notice(
        "Het bezwaar is opgeheven. Wat gestopt is, begint niet opnieuw: daarvoor is een nieuwe verwijzing nodig.",
        "The objection was lifted. What ended does not begin again: that takes a new referral.",
    )


def ahead() -> Issue:
    """Nobody says today what was said tomorrow."""
    return Issue(
        nl="De dag ligt in de toekomst.",
        en="The day lies ahead.",
        expression=("Consent.dateTime",),
        code="value",
    )
