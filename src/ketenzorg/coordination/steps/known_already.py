"""If-None-Exist on data for a traject: what is there under the same identifier is left as it stands.

Looked for among what the traject holds and its sender sees, in the try that stores: a step that another takes
meanwhile makes that try void, so two that come at once never make two of it.
"""

from urllib.parse import parse_qsl
from uuid import UUID

from ketenzorg.errors import Invalid, Issue, PreconditionFailed
from ketenzorg.fhir import json
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.bundle import ALONE, Entry, Posted
from ketenzorg.store.trajecten import Known


def known_already(posted: Posted, known: Known, sight: Visibility) -> frozenset[str]:
    """The addresses of the entries that are here already, which are then known by those.

    Raises Invalid for another condition than on the resource's own identifier, PreconditionFailed for several matches.
    """
    conditional = [entry for entry in posted.entries if entry.if_none_exist]
    wrong = [_own_identifier_only(entry) for entry in conditional if _asked(entry) not in _own(entry)]
    if wrong:
        raise Invalid(*wrong)
    found = {entry.place: _matches(entry, known, sight) for entry in conditional}
    several = [_several(entry) for entry in conditional if len(found[entry.place]) > 1]
    if several:
        raise PreconditionFailed(*several)
    here = [entry for entry in conditional if found[entry.place]]
    for entry in here:
        entry.is_known_as(found[entry.place][0])
    return frozenset(entry.location for entry in here)


def _asked(entry: Entry) -> tuple[str, ...]:
    """The identifier that is asked for, as system and value; nothing for any other condition."""
    pairs = parse_qsl(entry.if_none_exist.lstrip("?"), keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "identifier":
        return ()
    return tuple(pairs[0][1].split("|", 1))


def _own(entry: Entry) -> list[tuple[str, ...]]:
    named = entry.content.get("identifier", [])
    return _identifiers(named if isinstance(named, list) else [named])


def _identifiers(named: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [(each["system"], each["value"]) for each in named if "system" in each and "value" in each]


def _matches(entry: Entry, known: Known, sight: Visibility) -> list[UUID]:
    if not sight.shows_element(entry.kind, "identifier"):
        return []
    bodies = [(id_, json.read(body)) for kind, id_, body in known.resources if kind == entry.kind]
    return [
        id_
        for id_, body in bodies
        for named in (body.get("identifier", []),)
        if _asked(entry) in _identifiers(named if isinstance(named, list) else [named])
    ]


def _place(entry: Entry) -> tuple[str, ...]:
    return () if entry.place == ALONE else (f"Bundle.entry[{entry.place}].request.ifNoneExist",)


def _own_identifier_only(entry: Entry) -> Issue:
    return Issue(
        nl=f"If-None-Exist zoekt op het eigen kenmerk van deze {entry.kind}: identifier=system|value.",
        en=f"If-None-Exist searches by the own identifier of this {entry.kind}: identifier=system|value.",
        expression=_place(entry),
        code="not-supported",
    )


def _several(entry: Entry) -> Issue:
    return Issue(
        nl=f"Onder dit kenmerk is hier meer dan één {entry.kind}; er is niets opgeslagen.",
        en=f"More than one {entry.kind} is here under this identifier; nothing was stored.",
        expression=_place(entry),
        code="multiple-matches",
    )
