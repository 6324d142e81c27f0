"""What changes the meaning of a resource in a way that we do not know: such a resource may not be processed.

https://hl7.org/fhir/R4/extensibility.html#modifierExtension, https://hl7.org/fhir/R4/resource.html#implicitRules.
We know no modifier extension and no implicit rules.
"""

from collections.abc import Iterator
from typing import Any

from ketenzorg.errors import Issue

UNKNOWN = ("modifierExtension", "implicitRules")
_NAMES = tuple(b'"%b"' % name.encode() for name in UNKNOWN)


def may_modify(body: bytes) -> bool:
    """Whether it is worth looking: names stand in the body without escapes."""
    return any(name in body for name in _NAMES)


def unknown_modifiers(data: Any, path: str) -> Iterator[Issue]:
    """One issue for each, with its place."""
    if isinstance(data, list):
        for n, value in enumerate(data):
            yield from unknown_modifiers(value, f"{path}[{n}]")
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in UNKNOWN:
                yield _refused(f"{path}.{name}")
            elif isinstance(value, dict | list):
                yield from unknown_modifiers(value, f"{path}.{name}")


def _refused(place: str) -> Issue:
    return Issue(
        nl="Dit verandert wat de resource betekent, en wij kennen het niet: dan mogen wij hem niet verwerken. Laat het "
        "weg als de resource zonder ook klopt.",
        en="This changes what the resource means, and we do not know it: so we may not process it. Leave it out if the "
        "resource is right without.",
        expression=(place,),
        code="extension",
    )
