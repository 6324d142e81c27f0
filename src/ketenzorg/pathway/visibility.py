"""What a role may see of a traject: default deny, per FHIR type and element, and per answer."""

from functools import cache

import msgspec

from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.words import ALL_ELEMENTS, EVERYBODY, EVERYTHING

_ALWAYS = frozenset({"resourceType", "id", "meta"})


class Visibility(msgspec.Struct, frozen=True):
    """The view of one role, ready to cut a resource by."""

    everything: bool
    bsn: bool
    shows: dict[str, frozenset[str] | None]  # FHIR type -> elements; None: all but `contained`
    answers: frozenset[str]  # linkIds of the answers that this role may see

    def sees(self, kind: str) -> bool:
        """Whether resources of this FHIR type exist for the role at all."""
        return self.everything or kind in self.shows

    def shows_element(self, kind: str, element: str) -> bool:
        """Whether the role sees this element of this FHIR type by its JSON name."""
        if self.everything:
            return True
        if kind not in self.shows or element == "contained":
            return False
        elements = self.shows[kind]
        # `_birthDate` goes with birthDate
        return elements is None or element.removeprefix("_") in elements | _ALWAYS


@cache  # a role's view is the same for every traject of the version
def visibility(pathway: Pathway, role: str) -> Visibility:
    """What this role sees in trajecten of this pathway version."""
    file = pathway.file
    name = file.roles[role].sees
    if name == EVERYTHING:
        return Visibility(everything=True, bsn=True, shows={}, answers=frozenset(file.data))
    view = file.views[name]
    return Visibility(
        everything=False,
        bsn=view.bsn,
        shows={
            kind: None if ALL_ELEMENTS in elements else frozenset(elements)
            for kind, elements in view.shows.items()
        },
        answers=frozenset(
            name for name, element in file.data.items() if role in element.for_ or EVERYBODY in element.for_
        ),
    )
