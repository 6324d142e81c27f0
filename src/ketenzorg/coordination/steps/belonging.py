"""To which traject data belong: what they are based on or about, else whose they are.

A Patient here is of one traject, so that `Patient/<id>` says it too, for the types of R4 that have no `basedOn`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.access.rules import types_for
from ketenzorg.errors import Invalid, Issue, NotFound
from ketenzorg.referral.bundle import Entry, Posted

DATA = types_for("add")
ASKED = re.compile(r"(ServiceRequest|CarePlan)/([0-9A-Za-z.-]{1,64})(?:/_history/\d+)?\Z")
PERSON = re.compile(r"(Patient)/([0-9A-Za-z.-]{1,64})(?:/_history/\d+)?\Z")


class Belonging(NamedTuple):
    """A resource of ours, of the one traject that is meant."""

    kind: str
    id: UUID


def is_for_a_traject(posted: Posted) -> bool:
    """Whether a Bundle brings data for what runs already, rather than a referral."""
    return not posted.of("ServiceRequest") and any(
        named_by(entry.kind, entry.content) for entry in posted.entries
    )


def belongs_to(posted: Posted) -> Belonging:
    """The one request, plan or patient that the data name. Raises Invalid, or NotFound for an id that is none."""
    issues = [_not_data(entry) for entry in posted.entries if entry.kind not in DATA]
    named = {each for entry in posted.entries for each in _asked_by(entry.content)}
    named = named or {each for entry in posted.entries for each in _whose(entry.kind, entry.content)}
    if not named:
        issues += [_nowhere(entry) for entry in posted.entries if entry.kind in DATA]
    if len(named) > 1:
        issues.append(_to_several())
    if issues:
        raise Invalid(*issues)
    kind, id_ = named.pop()
    try:
        return Belonging(kind, UUID(id_))
    except ValueError:
        raise not_there() from None


def named_by(kind: str, content: Mapping[str, Any]) -> set[tuple[str, str]]:
    """What a resource says that it belongs to, as type and id."""
    return _asked_by(content) or _whose(kind, content)


def _asked_by(content: Mapping[str, Any]) -> set[tuple[str, str]]:
    context = content.get("context")
    related = _list(context.get("related")) if isinstance(context, dict) else []
    return _found(ASKED, [*_list(content.get("basedOn")), *related])


def _whose(kind: str, content: Mapping[str, Any]) -> set[tuple[str, str]]:
    if kind not in DATA:  # a Consent or a Task about somebody is no data
        return set()
    return _found(PERSON, [content.get(element) for element in ("subject", "patient")])


def _found(form: re.Pattern[str], references: list[Any]) -> set[tuple[str, str]]:
    texts = [str(each.get("reference", "")) for each in references if isinstance(each, dict)]
    return {(match[1], match[2]) for text in texts if (match := form.match(text))}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _to_several() -> Issue:
    return Issue(
        nl="Deze gegevens horen bij verschillende verwijzingen; stuur elk in een eigen Bundle.",
        en="These data belong to different referrals; send each in a Bundle of its own.",
        expression=("Bundle.entry",),
    )


def _nowhere(entry: Entry) -> Issue:
    has = "basedOn" if hasattr(entry.resource, "basedOn") else ""
    related = "context.related" if entry.kind == "DocumentReference" else ""
    whose = "subject" if hasattr(entry.resource, "subject") else "patient"
    asked = has or related
    either = f"{asked} = ServiceRequest/<id> of CarePlan/<id>, of " if asked else ""
    or_ = f"{asked} = ServiceRequest/<id> or CarePlan/<id>, or " if asked else ""
    return Issue(
        nl=f"Bij welke verwijzing hoort dit? Noem haar: {either}{whose} = Patient/<id>, met onze id.",
        en=f"To which referral does this belong? Name it: {or_}{whose} = Patient/<id>, with our id.",
        expression=(f"{entry.path}.{asked or whose}",),
        code="required",
    )


def _not_data(entry: Entry) -> Issue:
    return Issue(
        nl=f"Een {entry.kind} hoort niet bij aangevulde gegevens: de patiënt en de verwijzing kennen wij al.",
        en=f"A {entry.kind} is no part of added data: we know the patient and the referral.",
        expression=(entry.path,),
        code="not-supported",
    )


def not_there() -> NotFound:
    """What is named is not there, or not for the caller."""
    return NotFound(
        Issue(
            nl="De verwijzing in basedOn is er niet, of niet voor u.",
            en="The request in basedOn is not there, or not for you.",
        )
    )
