"""Which types an interaction has; of every other is said why not, and what to do instead."""

from collections.abc import Collection
from typing import Final

from ketenzorg.access.rules import TABLE, types_for
from ketenzorg.api.definitions import KINDS
from ketenzorg.errors import Issue, KetenzorgError, MethodNotAllowed, NotFound

KNOWN: Final = types_for("read") | KINDS | TABLE.types["letters"] | {"Subscription", "AuditEvent"}
READS: Final = ("GET", "HEAD")
_IN_A_TRAJECT: Final = (
    "Wat in een traject gebeurt, meldt u op de Task ($event of PATCH); nieuwe gegevens maakt u aan (POST) met basedOn, "
    "één voor één of in een transaction Bundle.",
    "What happens in a traject is said on its Task ($event or PATCH); new data are created (POST) with basedOn, one by "
    "one or in a transaction Bundle.",
)
_BY_US: Final = (
    "Wij maken en publiceren dit zelf: het is alleen te lezen.",
    "We make and publish this: read only.",
)
_WHY: Final = {
    **dict.fromkeys(KINDS, _BY_US),
    **dict.fromkeys(
        ("Binary", "Composition"),
        ("Een brief maken wij uit het traject.", "A letter is made by us, of the traject."),
    ),
    "AuditEvent": ("Het logboek wordt door niemand veranderd.", "Nobody changes the log."),
    "CarePlan": (
        "Het CarePlan volgt uit wat er op de Task gebeurt ($event of PATCH).",
        "The CarePlan follows from what happens on the Task ($event or PATCH).",
    ),
    "Organization": (
        "De organisaties staan in het bestand van de regio; meld een wijziging bij de beheerder.",
        "The organisations stand in the file of the region; tell its operator what changed.",
    ),
    "Subscription": (
        "Van een Subscription is alleen te zien hoe die nu staat.",
        "Of a Subscription there is only how it stands now.",
    ),
}


def check_kind(kind: str, has: Collection[str], allow: Collection[str] = ()) -> None:
    """Raise NotFound for a type that we have not, MethodNotAllowed for one that cannot be asked this.

    `has`: the types of this interaction; `allow`: the methods that the address has for the others.
    """
    if kind not in has:
        raise refused(kind, allow) if kind in KNOWN else not_a_type()


def kind_in(path: str) -> str:
    """The type of ours that an address is about; "" for none."""
    _, base, kind, *_ = [*path.split("/"), "", ""]
    return kind if base == "fhir" and kind in KNOWN else ""


def task_only(kind: str, *, allow: Collection[str] = ()) -> None:
    """What is worked on is the Task; other resources follow from what happens to it."""
    check_kind(kind, ("Task",), allow)


def refused(kind: str, allow: Collection[str], why: tuple[str, str] | None = None) -> KetenzorgError:
    """Why this cannot be done with a type, and what to do instead."""
    nl, en = why or _WHY.get(kind, _IN_A_TRAJECT)
    return MethodNotAllowed(
        Issue(nl=f"Dit kan niet met een {kind}. {nl}", en=f"Not possible with a {kind}. {en}"),
        headers={"Allow": ", ".join(allow)},
    )


def not_a_type() -> KetenzorgError:
    """For what is no type, or none of ours."""
    listed = ", ".join(sorted(KNOWN))
    return NotFound(
        Issue(
            nl=f"Dit type hebben we niet; wel: {listed}.",
            en=f"We have no such type; these we have: {listed}.",
            code="not-supported",
        )
    )
