"""By what a resource is found, and by whom: an element that a party does not see is none by which it can search."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from ketenzorg.access.personal_numbers import TOKEN
from ketenzorg.fhir.search_parameters import PARAMETERS, SearchRows, search_rows
from ketenzorg.pathway.visibility import Visibility

Finders: TypeAlias = Mapping[str, tuple[UUID, ...]]  # parameter -> who may find a resource by it


def rows_of(resource: dict[str, Any]) -> SearchRows:
    """The search rows of a decoded resource as it is stored. Nobody searches on the token of a personal number."""
    rows = search_rows(resource)
    return rows._replace(
        tokens=frozenset(each for each in rows.tokens if not TOKEN.fullmatch(each.code.encode()))
    )


def who_finds(kind: str, sights: Mapping[UUID, Visibility]) -> Finders:
    """Of those who see a type: by which parameters."""
    return {
        parameter.name: tuple(
            each for each, sight in sights.items() if parameter.name in _found_by(sight, kind)
        )
        for parameter in PARAMETERS.get(kind, ())
    }


def finders_of(sights: Mapping[UUID, Visibility]) -> dict[str, Finders]:
    """The same for every type that can be searched."""
    return {kind: who_finds(kind, sights) for kind in PARAMETERS}


@cache
def _found_by(sight: Visibility, kind: str) -> frozenset[str]:
    return frozenset(each.name for each in PARAMETERS[kind] if sight.shows_element(kind, each.element))
