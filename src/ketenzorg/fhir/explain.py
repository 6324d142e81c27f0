"""The slow path: what is wrong with a body that the types refuse, every place at once, in Dutch and English.

Walks the raw data beside the types. It makes structs as it goes, with BROKEN where something was refused, so
that the same rules speak about the rest.
"""

import difflib
import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.fhir import elements, r4, rules
from ketenzorg.fhir.bounds import Members, Number, plain
from ketenzorg.fhir.demands import MOST
from ketenzorg.fhir.elements import Element
from ketenzorg.fhir.r4_tables import RESOURCE_TYPES
from ketenzorg.fhir.rules import BROKEN

MAX_ISSUES = 100
_MOST_CODES = 12
# No digits and capitals: neither a number nor a name of a person.
_CODE_TO_SHOW = re.compile(r"[a-z][a-z-]{0,29}\Z")
_LARGEST = 2147483647
_INTEGERS = {"integer": (-_LARGEST - 1, _LARGEST), "positiveInt": (1, _LARGEST), "unsignedInt": (0, _LARGEST)}


class _Format(NamedTuple):
    nl: str
    en: str


_FORMATS = {
    "base64Binary": _Format("Dit is geen geldige base64.", "This is not valid base64."),
    "code": _Format(
        "Een code heeft geen spaties aan begin of eind en geen dubbele spaties.",
        "A code has no spaces at its start or end and no double spaces.",
    ),
    "date": _Format(
        "Dit is geen bestaande datum: JJJJ, JJJJ-MM of JJJJ-MM-DD.",
        "This is not an existing date: YYYY, YYYY-MM or YYYY-MM-DD.",
    ),
    "dateTime": _Format(
        "Dit is geen bestaand tijdstip: JJJJ, JJJJ-MM, JJJJ-MM-DD of JJJJ-MM-DDThh:mm:ss+zz:zz.",
        "This is not an existing dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz.",
    ),
    "id": _Format(
        "Een id heeft 1 tot 64 tekens: letters, cijfers, streepje en punt.",
        "An id has 1 to 64 characters: letters, digits, hyphen and dot.",
    ),
    "instant": _Format(
        "Dit is geen bestaand moment: JJJJ-MM-DDThh:mm:ss+zz:zz, met zone.",
        "This is not an existing instant: YYYY-MM-DDThh:mm:ss+zz:zz, with a zone.",
    ),
    "oid": _Format("Dit is geen OID: urn:oid:1.2.3.", "This is not an OID: urn:oid:1.2.3."),
    "time": _Format(
        "Dit is geen tijd: uu:mm:ss, zonder zone.", "This is not a time: hh:mm:ss, without zone."
    ),
    "uuid": _Format(
        "Dit is geen UUID: urn:uuid: en dan kleine letters en cijfers.",
        "This is not a UUID: urn:uuid: and then lower case letters and digits.",
    ),
}
_NO_SPACES = _Format(
    "Hier mogen geen spaties of regeleinden in.", "There can be no spaces or line ends in this."
)


class _Enough(Exception):
    """More mistakes than anybody will read; looking for all of them would keep the server busy."""


def explain(data: Any) -> list[Issue]:
    """Everything that is wrong with the raw data of a resource; nothing when it is fine."""
    walk = _Walk()
    kind = plain(data.get("resourceType")) if isinstance(data, dict) else "?"
    path = kind if kind in RESOURCE_TYPES else "Resource"
    with suppress(_Enough):
        resource = walk.resource(data, path)
        if isinstance(resource, msgspec.Struct):
            walk.issues += islice(rules.find(resource, path), MOST)
    return capped(walk.issues)


def capped(issues: list[Issue]) -> list[Issue]:
    """As many as anybody reads, with how many more there are."""
    if len(issues) <= MAX_ISSUES:
        return issues
    more = len(issues) - MAX_ISSUES + 1
    exact = len(issues) < MOST
    nl = f"En nog {'' if exact else 'minstens '}{more} andere fouten."
    en = f"And {'' if exact else 'at least '}{more} more mistakes."
    return [*issues[: MAX_ISSUES - 1], Issue(nl, en, severity="information")]


class _Walk:
    """One walk over raw data; collects the issues."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def refuse(self, path: str, code: str, nl: str, en: str) -> Any:
        self.issues.append(Issue(nl, en, (path,), code))
        if len(self.issues) >= MOST:
            raise _Enough
        return BROKEN

    def resource(self, data: Any, path: str) -> Any:
        if not isinstance(data, Members):
            return self._wrong_shape(path, "een object (een resource)", "an object (a resource)")
        name = data.get("resourceType")
        if name is None:
            return self.refuse(
                path, "required", "resourceType ontbreekt: zeg wat voor resource dit is.",
                "resourceType is missing: say what kind of resource this is.",
            )  # fmt: skip
        kind = elements.RESOURCES.get(name) if isinstance(name, str) else None
        if kind is not None:
            return self.object(kind, data, path)
        if isinstance(name, str) and name in RESOURCE_TYPES:
            return self.refuse(
                path, "not-supported", f"Het type {name} wordt hier niet ondersteund.",
                f"The type {name} is not supported here.",
            )  # fmt: skip
        near = self._near(plain(name), RESOURCE_TYPES)
        shown = plain(name) if near else "?"
        return self.refuse(
            path, "not-supported", f"FHIR R4 kent geen type {shown}.{_meant_nl(near)}",
            f"FHIR R4 has no type {shown}.{_meant_en(near)}",
        )  # fmt: skip

    def object(self, kind: type[msgspec.Struct], data: Any, path: str) -> Any:
        if not isinstance(data, Members):
            return self._wrong_shape(path, "een object {...}", "an object {...}")
        for name in data.repeated:
            self.refuse(
                f"{path}.{plain(name)}", "structure", "Dit element staat er twee keer. Houd er één.",
                "This element is there twice. Keep one.",
            )  # fmt: skip
        if not data:
            return self.refuse(
                path, "structure", "Dit is leeg. Vul het of laat het weg.",
                "This is empty. Fill it or leave it out.",
            )  # fmt: skip
        known = elements.of(kind)
        values: dict[str, Any] = {}
        for name, value in data.items():
            if name == "resourceType" and issubclass(kind, r4.AnyResource):
                continue
            element = known.get(name)
            if element is None:
                self._unknown(name, known, path)
            else:
                values[element.attribute] = self._element(element, value, path)
        return kind(**values, **self._absent(known.values(), values, path))

    def _absent(self, known: Iterable[Element], values: dict[str, Any], path: str) -> dict[str, Any]:
        absent = [e for e in known if e.needed and e.attribute not in values]
        for e in absent:
            self.refuse(
                f"{path}.{e.place}", "required", f"Het verplichte element {e.name} ontbreekt.",
                f"The required element {e.name} is missing.",
            )  # fmt: skip
        return {e.attribute: BROKEN for e in absent}

    def _unknown(self, name: str, known: Iterable[str], path: str) -> None:
        shown = plain(name)
        near = self._near(shown, known)
        self.refuse(
            f"{path}.{shown}" if shown != "?" else path, "structure",
            f"FHIR R4 kent hier geen element {shown}.{_meant_nl(near)}",
            f"FHIR R4 has no element {shown} here.{_meant_en(near)}",
        )  # fmt: skip

    def _element(self, element: Element, value: Any, path: str) -> Any:
        place = f"{path}.{element.place}"
        if value is None:
            return self.refuse(
                place, "structure", "null mag hier niet. Laat het element weg.",
                "null is not allowed here. Leave the element out.",
            )  # fmt: skip
        if not element.many:
            if isinstance(value, list):
                return self.refuse(
                    place, "structure", "Hier hoort één waarde, geen lijst [...].",
                    "One value is due here, not an array [...].",
                )  # fmt: skip
            return self._item(element, value, place)
        if not isinstance(value, list):
            return self._wrong_shape(place, "een lijst [...]", "an array [...]")
        if not value:
            return self.refuse(
                place, "structure", "Een lijst mag niet leeg zijn. Laat het element weg.",
                "An array cannot be empty. Leave the element out.",
            )  # fmt: skip
        holes = element.primitive is not None or element.companion
        return [
            None if item is None and holes else self._item(element, item, f"{place}[{n}]")
            for n, item in enumerate(value)
        ]

    def _item(self, element: Element, value: Any, place: str) -> Any:
        if element.resource:
            return self.resource(value, place)
        if element.kind is not None:
            return self.object(element.kind, value, place)
        return self._primitive(element, value, place)

    def _primitive(self, element: Element, value: Any, place: str) -> Any:
        kind = element.title
        if kind == "bool":
            return (
                value
                if isinstance(value, bool)
                else self._wrong_shape(place, "true of false", "true or false")
            )
        if kind == "decimal":
            return (
                Decimal(value)
                if isinstance(value, Number)
                else self._wrong_shape(
                    place, "een getal, zonder aanhalingstekens", "a number, without quotes"
                )
            )
        if kind in _INTEGERS:
            return self._integer(kind, value, place)
        if not isinstance(value, str) or isinstance(value, Number):
            return self._wrong_shape(place, "een tekst tussen aanhalingstekens", "a string in quotes")
        return self._text(element, value, place)

    def _integer(self, kind: str, value: Any, place: str) -> Any:
        least, most = _INTEGERS[kind]
        if not isinstance(value, Number) or not re.fullmatch(r"-?[0-9]{1,10}", value):
            return self._wrong_shape(place, "een geheel getal", "a whole number")
        if least <= int(value) <= most:
            return int(value)
        return self.refuse(
            place, "value", f"Dit getal moet van {least} tot en met {most} zijn.",
            f"This number must be from {least} to {most}.",
        )  # fmt: skip

    def _text(self, element: Element, value: str, place: str) -> Any:
        if element.codes:
            return value if value in element.codes else self._wrong_code(element, value, place)
        if not value:
            return self.refuse(
                place, "value", "Een tekst mag niet leeg zijn. Laat het element weg.",
                "A string cannot be empty. Leave the element out.",
            )  # fmt: skip
        if element.pattern and not element.pattern.search(value):
            text = _FORMATS.get(element.title, _NO_SPACES)
            return self.refuse(place, "value", text.nl, text.en)
        return value

    def _wrong_code(self, element: Element, value: str, place: str) -> Any:
        codes = element.codes
        near = self._near(value, codes) if len(value) <= max(map(len, codes)) + 3 else ""
        shown = f" '{value}'" if _CODE_TO_SHOW.match(value) else ""
        listed = ", ".join(codes[:_MOST_CODES]) + (" ..." if len(codes) > _MOST_CODES else "")
        return self.refuse(
            place, "code-invalid", f"Deze code{shown} mag hier niet; wel: {listed}.{_meant_nl(near)}",
            f"This code{shown} is not allowed here; allowed are: {listed}.{_meant_en(near)}",
        )  # fmt: skip

    def _near(self, name: str, known: Iterable[str]) -> str:
        """The known name that looks most like it; a search that is too slow for more issues than are shown."""
        if len(self.issues) >= MAX_ISSUES:
            return ""
        lowered = {each.lower(): each for each in known}
        found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.75)
        return lowered[found[0]] if found else ""

    def _wrong_shape(self, place: str, nl: str, en: str) -> Any:
        return self.refuse(place, "structure", f"Hier hoort {nl}.", f"This must be {en}.")


def _meant_nl(near: str) -> str:
    return f" Bedoelt u {near}?" if near else ""


def _meant_en(near: str) -> str:
    return f" Did you mean {near}?" if near else ""
