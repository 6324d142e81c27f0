"""One declared parameter with its modifier and values, as the clause that it means.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from ketenzorg.api.search_numbers import IDENTIFIER
from ketenzorg.api.search_values import (
    NOBODY,
    Wrong,
    read_amount,
    read_code,
    read_date,
    read_reference,
    read_token,
    read_typed,
    read_values,
    read_yes_or_no,
)
from ketenzorg.coordination.reading.wanted import (
    AmountClause,
    Clause,
    MissingClause,
    TextClause,
    TogetherClause,
    TypedClause,
)
from ketenzorg.fhir.search_in_body import DECLARED, ORGANIZATION
from ketenzorg.fhir.search_parameters import Parameter
from ketenzorg.pathway.region import Region
from ketenzorg.store.query import DateClause, ReferenceClause, TokenClause

OF_TYPE: Final = "of-type"
OWNER: Final = "owner"  # :missing=true finds what is there to be claimed
# What :identifier can look up: those of R4 that can name an organisation.
ORGANISATIONS: Final = frozenset(
    {"owner", "requester", "performer", "organization", "custodian", "author", "source", "agent", "actor", "recorder",
     "asserter", "consentor", "general-practitioner"}
)  # fmt: skip
# By kind of parameter, as the CapabilityStatement says it too.
MODIFIERS: Final[dict[str, tuple[str, ...]]] = {
    "token": ("not", "missing"),
    "reference": ("[type]", "identifier", "missing"),
    "date": ("missing",),
    "string": ("exact", "contains", "missing"),
    "quantity": ("missing",),
    "uri": ("missing",),
    "canonical": ("missing",),
    "composite": (),
}
PARTS = re.compile(r"(?<!\\)\$")


def modifiers(parameter: Parameter) -> tuple[str, ...]:
    """Those of one parameter."""
    possible = MODIFIERS[parameter.kind]
    if parameter.name == IDENTIFIER:
        return (*possible, OF_TYPE)
    return tuple(each for each in possible if each != "identifier" or parameter.name in ORGANISATIONS)


class Clauses:
    """Reads the parameters of one kind of answer: what names our own addresses and organisations is looked up."""

    def __init__(self, region: Region, now: Callable[[], datetime], base: str) -> None:
        self._region = region
        self._now = now
        self._base = base

    def read(self, parameter: Parameter, modifier: str, value: str) -> Clause:
        """Raises Wrong."""
        if modifier == "missing" and parameter.kind != "composite":
            missing = read_yes_or_no(value)
            if parameter.name == OWNER:
                return ReferenceClause(OWNER, missing=missing)
            return MissingClause(parameter.name, missing)
        if modifier == OF_TYPE and parameter.name == IDENTIFIER:
            return TypedClause(IDENTIFIER, tuple(map(read_typed, read_values(value))))
        reads: dict[str, Callable[[Parameter, str, list[str]], Clause | None]] = {
            "token": self._token,
            "reference": self._reference,
            "date": self._date,
            "string": self._string,
            "quantity": self._quantity,
            "uri": self._address,
            "canonical": self._address,
            "composite": self._together,
        }
        clause = reads[parameter.kind](parameter, modifier, read_values(value))
        if clause is None:
            possible = ", ".join(f":{each}" for each in modifiers(parameter)) or "-"
            raise Wrong(
                f"deze modifier kennen we hier niet; wel: {possible}.",
                f"this modifier is not supported here; these are: {possible}.",
            )
        return clause

    def _token(self, parameter: Parameter, modifier: str, values: list[str]) -> TokenClause | None:
        bound = parameter.system
        read = partial(read_code, own_system=bound) if bound else read_token
        if modifier not in ("", "not"):
            return None
        return TokenClause(parameter.name, tuple(map(read, values)), none_of=modifier == "not")

    def _reference(self, parameter: Parameter, modifier: str, values: list[str]) -> ReferenceClause | None:
        if modifier == "identifier" and parameter.name in ORGANISATIONS:
            return ReferenceClause(parameter.name, tuple(map(self._organisation, values)))
        if modifier and modifier not in DECLARED:
            return None
        of_type = f"{modifier}/" if modifier else ""
        targets = (read_reference(f"{of_type}{text.removeprefix(self._base)}") for text in values)
        return ReferenceClause(parameter.name, tuple(self._with_type(parameter, *each) for each in targets))

    def _with_type(self, parameter: Parameter, kind: str | None, id_: UUID) -> tuple[str | None, UUID]:
        if kind is None and self._region.by_id(id_) is not None:
            return ORGANIZATION, id_
        return kind or parameter.target or None, id_

    def _organisation(self, text: str) -> tuple[str, UUID]:
        system, _, value = text.partition("|")
        known = self._region.by_identifier(system, value)
        return ORGANIZATION, known.id if known else NOBODY

    def _date(self, parameter: Parameter, modifier: str, values: list[str]) -> DateClause | None:
        return (
            None
            if modifier
            else DateClause(parameter.name, tuple(read_date(each, self._now()) for each in values))
        )

    def _string(self, parameter: Parameter, modifier: str, values: list[str]) -> TextClause | None:
        match modifier:
            case "":
                return TextClause(parameter.name, "begins", tuple(values))
            case "exact":
                return TextClause(parameter.name, "exact", tuple(values))
            case "contains":
                return TextClause(parameter.name, "contains", tuple(values))
        return None

    def _address(self, parameter: Parameter, modifier: str, values: list[str]) -> TextClause | None:
        how: Final = "canonical" if parameter.kind == "canonical" else "address"
        return None if modifier else TextClause(parameter.name, how, tuple(values))

    def _quantity(self, parameter: Parameter, modifier: str, values: list[str]) -> AmountClause | None:
        return None if modifier else AmountClause(parameter.name, tuple(map(read_amount, values)))

    def _together(self, parameter: Parameter, modifier: str, values: list[str]) -> TogetherClause | None:
        if modifier:
            return None
        one_of = []
        for value in values:
            parts = PARTS.split(value)
            if len(parts) != len(parameter.parts) or not all(parts):
                names = "$".join(each.name for each in parameter.parts)
                raise Wrong(f"zoals {names}.", f"like {names}.")
            one_of.append(
                tuple(self.read(each, "", part) for each, part in zip(parameter.parts, parts, strict=True))
            )
        return TogetherClause(parameter.name, tuple(one_of))
