"""Whether [[identity]] can be kept to: what a role knows of the patient in a step is never more than it `sees`."""

from collections.abc import Iterator

from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.pathway.checking.roles import NEEDED_TO_WORK
from ketenzorg.pathway.definition import Identity, PathwayFile, View
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.flatten import resolve
from ketenzorg.pathway.known_names import lists_of_steps, unknown_steps
from ketenzorg.pathway.words import ALL_ELEMENTS, EVERYTHING


def check_identity(file: PathwayFile) -> Iterator[Finding]:
    """Names that exist, one answer per role and step, and no view that is wider than that of the role."""
    lists = lists_of_steps(file)
    said: set[tuple[str, str]] = set()
    for index, known in enumerate(file.identity):
        place: Place = ("identity", index)
        yield from unknown_steps((*place, "steps"), known.steps, lists)
        if known.role not in file.roles:
            yield unknown((*place, "role"), "rol", "role", known.role, file.roles)
        elif known.sees not in {*file.views, EVERYTHING}:
            yield unknown((*place, "sees"), "inzage", "view", known.sees, [*file.views, EVERYTHING])
        else:
            yield from _check_view((*place, "sees"), known, file)
        for step in resolve(known.steps, file):
            if (known.role, step) in said:
                nl = f"van de stap ‘{step}’ is voor {known.role} al gezegd wat bekend is."
                yield Finding(place, nl, f"what {known.role} knows in step '{step}' was said already.")
            said.add((known.role, step))


def _check_view(place: Place, known: Identity, file: PathwayFile) -> Iterator[Finding]:
    sees = file.roles[known.role].sees
    own = file.views.get(sees)  # none: everything
    here = file.views.get(known.sees)
    wider = [] if own is None else _wider(here, own)
    if wider:
        nl = f"dit is meer dan ‘{sees}’, dat {known.role} ziet: {', '.join(wider)}."
        yield Finding(place, nl, f"this is more than '{sees}', which {known.role} sees: {', '.join(wider)}.")
    lost = [] if here is None else _lost(here, own)
    if lost:
        nl = (
            f"hierop wordt gezocht, en dat toont niet in welke fase iemand is: neem ook op {', '.join(lost)}."
        )
        en = f"these are found by search, which never shows in which phase a party is: show {', '.join(lost)} too."
        yield Finding(place, nl, en)


def _wider(here: View | None, own: View) -> list[str]:
    """What a view shows beyond another."""
    if here is None:
        return [EVERYTHING]
    return [
        *(["bsn"] if here.bsn and not own.bsn else []),
        *(
            f"{kind}.{element}"
            for kind, elements in here.shows.items()
            for element in elements
            if ALL_ELEMENTS not in own.shows.get(kind, []) and element not in own.shows.get(kind, [])
        ),
    ]


def _lost(here: View, own: View | None) -> list[str]:
    """By what a role finds its work, and what this view would take from it."""
    return [
        f"{kind}.{parameter.element}"
        for kind in NEEDED_TO_WORK
        for parameter in PARAMETERS[kind]
        if (own is None or _shows(own, kind, parameter.element)) and not _shows(here, kind, parameter.element)
    ]


def _shows(view: View, kind: str, element: str) -> bool:
    return not {ALL_ELEMENTS, element}.isdisjoint(view.shows.get(kind, ()))
