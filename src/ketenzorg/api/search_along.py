"""`_include` and `_revinclude`: what may come along with a type. https://hl7.org/fhir/R4/search.html#include"""

from functools import cache

from ketenzorg.api.search_values import Wrong
from ketenzorg.coordination.reading.wanted import Brings
from ketenzorg.fhir.search_in_body import DECLARED, targets
from ketenzorg.fhir.search_parameters import Parameter


def read_along(name: str, value: str, kind: str) -> Brings:
    """What `Type:parameter` or `Type:parameter:TargetType` brings to a search of this type. Raises Wrong."""
    control, _, modifier = name.partition(":")
    source, _, rest = value.partition(":")
    param, _, target = rest.partition(":")
    reverse, iterate = control == "_revinclude", modifier == "iterate"
    possible = revincludes(kind) if reverse else includes(kind)
    if iterate:
        possible = tuple(each for every in DECLARED for each in includes(every))
    if f"{source}:{param}" not in possible or target not in ("", *DECLARED):
        listed = ", ".join(possible)
        raise Wrong(f"dit kan worden meegestuurd: {listed}.", f"these can be included: {listed}.")
    return Brings(source, param, target, iterate=iterate, reverse=reverse)


@cache
def includes(kind: str) -> tuple[str, ...]:
    """What resources of a type refer to."""
    return tuple(f"{kind}:{name}" for name, each in DECLARED[kind].items() if each.kind == "reference")


@cache
def revincludes(kind: str) -> tuple[str, ...]:
    """What can refer to resources of a type."""
    return tuple(
        f"{other}:{name}"
        for other, declared in DECLARED.items()
        for name, each in declared.items()
        if _refers(each, other, kind)
    )


def _refers(parameter: Parameter, source: str, kind: str) -> bool:
    return parameter.kind == "reference" and kind in targets(source, parameter)
