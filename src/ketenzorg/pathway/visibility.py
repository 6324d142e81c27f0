"""What a role may see of a traject: default deny, per FHIR type and element, and per answer."""

from functools import cache

import msgspec

from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.words import ALL_ELEMENTS, EVERYBODY, EVERYTHING

_ALWAYS = frozenset({"resourceType", "id", "meta"})


class Visibility(msgspec.Struct, frozen=True, eq=False):
    """A view, ready to cut a resource by. There are few of them, and each is made once."""

    everything: bool
    bsn: bool
    shows: dict[str, frozenset[str] | None]  # FHIR type -> elements; None: all but `contained`
    answers: frozenset[str]  # linkIds of the answers that this role may see

    def sees(self, kind: str) -> bool:
        """Whether resources of this FHIR type exist in this view at all."""
        return self.everything or kind in self.shows

    def shows_whole(self, kind: str) -> bool:
        """Whether no element of this FHIR type is held back by its name."""
        return self.everything or self.shows.get(kind, frozenset()) is None

    def shows_element(self, kind: str, element: str) -> bool:
        """Whether this element of this FHIR type is shown, by its JSON name."""
        if self.everything:
            return True
        if kind not in self.shows or element == "contained":
            return False
        elements = self.shows[kind]
        name = element.removeprefix("_")  # `_birthDate` goes with birthDate
        return elements is None or name in elements or name in _ALWAYS


NOTHING = Visibility(everything=False, bsn=False, shows={}, answers=frozenset())


@cache  # a role's view is the same for every traject of the version
def visibility(pathway: Pathway, role: str) -> Visibility:
    """What this role `sees` in trajecten of this pathway version, when it knows the patient."""
    return view_named(pathway, pathway.file.roles[role].sees, role)


@cache
def view_named(pathway: Pathway, name: str, role: str) -> Visibility:
    """A view of the pathway file, with the answers that are for this role."""
    file = pathway.file
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


@cache
def narrowest(one: Visibility, other: Visibility) -> Visibility:
    """What both show."""
    if one is other or one.everything:
        return other
    if other.everything:
        return one
    return Visibility(
        everything=False,
        bsn=one.bsn and other.bsn,
        shows={
            kind: _both(one.shows[kind], other.shows[kind]) for kind in one.shows.keys() & other.shows.keys()
        },
        answers=one.answers & other.answers,
    )


@cache
def widest(one: Visibility, other: Visibility) -> Visibility:
    """What either shows: of an organisation with two roles."""
    if one is other or one.everything:
        return one
    if other.everything:
        return other
    return Visibility(
        everything=False,
        bsn=one.bsn or other.bsn,
        shows={
            kind: _either(one.shows.get(kind, frozenset()), other.shows.get(kind, frozenset()))
            for kind in one.shows.keys() | other.shows.keys()
        },
        answers=one.answers | other.answers,
    )


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other
