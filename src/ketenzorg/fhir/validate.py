"""Everything that there is to say of a resource: by R4, by profiles, and by a second opinion.

https://hl7.org/fhir/R4/resource-operation-validate.html. Heavier than what happens at intake; nothing is stored.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ketenzorg.errors import Issue, Malformed
from ketenzorg.fhir import conformance, json
from ketenzorg.fhir.decode import decode
from ketenzorg.fhir.explain import capped
from ketenzorg.fhir.profiles import Profiles
from ketenzorg.fhir.second_opinion import second_opinion

_WRONG: Final = ("fatal", "error")
_SUBSETTED: Final = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED")
_CLAIMED: Final = "{}.meta.profile"
MOST_PROFILES = 10


def validate(body: bytes, asked: Iterable[str], profiles: Profiles) -> list[Issue]:
    """Every issue of a body that is within bounds and holds an object: at least one, also when nothing is wrong.

    `asked` are the profiles that the caller names; those that the resource itself claims are looked at too.
    """
    data = json.read(body)
    kind = str(data["resourceType"])
    issues: list[Issue] = []
    try:
        decode(body)
    except Malformed as error:
        issues += error.issues
    said = {place for issue in issues for place in issue.expression}
    issues += second_opinion(body, kind, said)
    by: list[str] = []
    for canonical, was_asked in _profiles(data, asked):
        profile = profiles.find(canonical)
        if profile is None or profile.type != kind:
            issues.append(_no_such_profile(kind, profile.url if profile else "", was_asked))
            continue
        by.append(profile.url)
        issues += _beyond(conformance.findings(data, profile, profiles), said)
    if _is_part(data):
        issues.append(_PART)
    return [*_said_once(kind, by, issues), *capped(_worst_first(issues))]


def claimed(body: bytes, profiles: Profiles) -> list[Issue]:
    """What is wrong by the profiles that a resource claims, of those that are here; it is R4 already."""
    data = json.read(body)
    found = [profiles.find(canonical) for canonical, _ in _profiles(data, ())]
    issues = [
        issue
        for profile in found
        if profile is not None and profile.type == data["resourceType"]
        for issue in conformance.findings(data, profile, profiles)
        if issue.severity in _WRONG
    ]
    return capped(issues)


def _profiles(data: dict[str, Any], asked: Iterable[str]) -> list[tuple[str, bool]]:
    meta = data.get("meta")
    claimed = meta.get("profile", ()) if isinstance(meta, dict) else ()
    found = dict.fromkeys(asked, True)
    if isinstance(claimed, list):
        found = dict.fromkeys((each for each in claimed if isinstance(each, str)), False) | found
    return list(found.items())[:MOST_PROFILES]


def _beyond(found: Iterable[Issue], said: set[str]) -> Iterator[Issue]:
    """Where R4 is broken already, a profile has nothing to add to it."""
    return (issue for issue in found if issue.severity not in _WRONG or said.isdisjoint(issue.expression))


def _worst_first(issues: list[Issue]) -> list[Issue]:
    order = ("fatal", "error", "warning", "information")
    return sorted(issues, key=lambda issue: order.index(issue.severity))


def _said_once(kind: str, by: list[str], issues: list[Issue]) -> list[Issue]:
    """That nothing was found, and by what was looked: an answer without issues is not allowed."""
    if any(issue.severity in _WRONG for issue in issues):
        return []
    names = ", ".join(["FHIR R4", *by])
    return [Issue(f"Geen fouten gevonden. Nagekeken: {names}.", f"No errors found. Checked: {names}.", (kind,),
                  "informational", "information")]  # fmt: skip


def _no_such_profile(kind: str, of_another_type: str, was_asked: bool) -> Issue:
    """The canonical itself may be anything: not repeated."""
    if of_another_type:
        nl = f"Het profiel {of_another_type} gaat niet over een {kind}."
        return Issue(
            nl, f"The profile {of_another_type} is not about a {kind}.", (_CLAIMED.format(kind),), "invalid"
        )
    whose_nl, whose_en = (
        ("dat u noemt", "that you name") if was_asked else ("in meta.profile", "in meta.profile")
    )
    return Issue(
        f"Niet nagekeken: een profiel {whose_nl} is hier niet. Zet het pakket in de map van KETENZORG_FHIR_PACKAGES.",
        f"Not checked: a profile {whose_en} is not here. Put its package in the folder of KETENZORG_FHIR_PACKAGES.",
        (_CLAIMED.format(kind),),
        "not-found",
        "error" if was_asked else "warning",
    )


def _is_part(data: dict[str, Any]) -> bool:
    meta = data.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    found = [each for each in tags if isinstance(each, dict)] if isinstance(tags, list) else []
    return any((each.get("system"), each.get("code")) == _SUBSETTED for each in found)


_PART: Final = Issue(
    "U ziet een deel van deze resource (SUBSETTED): wat ontbreekt, kan er wel zijn.",
    "You see a part of this resource (SUBSETTED): what is missing may be there.",
    code="incomplete",
    severity="information",
)
