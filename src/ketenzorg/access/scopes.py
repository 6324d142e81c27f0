"""SMART v2 scopes of systems, such as `system/Task.rs`: read, compared, and narrowed to what was registered.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable

from ketenzorg.errors import InvalidScope, Issue

INTERACTIONS = "cruds"  # create, read, update, delete, search: a scope names them in this order
EVERY_TYPE = "*"
INTROSPECT = "introspect"  # may ask what tokens of others say
FORM = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(?=[cruds])(c?r?u?d?s?)\Z")
MOST = 100  # scopes in one request


def grants(scope: str, kind: str, interaction: str) -> bool:
    """Whether a scope allows one of the interactions on a type of resource."""
    context, _, rest = scope.partition("/")
    granted, _, interactions = rest.partition(".")
    return context == "system" and granted in (EVERY_TYPE, kind) and interaction in interactions


def read_scopes(text: str) -> list[str]:
    """The scopes of a request or a registration. Raises InvalidScope, saying which word is wrong and why."""
    scopes = text.split()
    if not scopes or len(scopes) > MOST:
        raise _refused("vraag om een tot honderd scopes", "ask for one to a hundred scopes")
    for scope in scopes:
        if scope != INTROSPECT and not FORM.match(scope):
            raise _refused(*_what_is_wrong_with(scope))
    return scopes


def narrowed(requested: Iterable[str], registered: Iterable[str]) -> frozenset[str]:
    """What is in both: type by type, `*` being all of them. Raises InvalidScope when that is nothing."""
    allowed = list(registered)
    both = {INTROSPECT} & set(requested) & set(allowed)
    letters: dict[str, set[str]] = {}
    for kind, asked in map(_parts, requested):
        for other, given in map(_parts, allowed):
            if EVERY_TYPE in (kind, other) or kind == other:
                letters.setdefault(other if kind == EVERY_TYPE else kind, set()).update(asked & given)
    both |= {
        f"system/{kind}.{''.join(letter for letter in INTERACTIONS if letter in common)}"
        for kind, common in letters.items()
        if common
    }
    if not both:
        raise _refused(
            "niets hiervan is voor deze client geregistreerd", "none of this was registered for this client"
        )
    return frozenset(both)


def _parts(scope: str) -> tuple[str, set[str]]:
    kind, _, interactions = scope.removeprefix("system/").partition(".")
    return kind, set(interactions)


def _what_is_wrong_with(scope: str) -> tuple[str, str]:
    """The word itself is not repeated: anything can stand there."""
    if "?" in scope:
        return (
            "zoekparameters in een scope kennen wij niet: vraag system/Type.rs zonder wat na het vraagteken staat",
            "search parameters in a scope are not supported: ask for system/Type.rs without what follows the ?",
        )
    if scope.startswith(("patient/", "user/")):
        return (
            "hier vragen systemen, geen patiënten of gebruikers: alleen scopes die met system/ beginnen",
            "systems ask here, no patients or users: only scopes that begin with system/",
        )
    return (
        "een scope is system/Type.cruds of system/*.cruds, met van cruds wat nodig is, in die volgorde (SMART v2)",
        "a scope is system/Type.cruds or system/*.cruds, with those of cruds that are needed, in that order (SMART v2)",
    )


def _refused(nl: str, en: str) -> InvalidScope:
    return InvalidScope(Issue(nl=f"Scope: {nl}.", en=f"Scope: {en}."))
