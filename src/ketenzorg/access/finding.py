"""By what a resource is found, and by whom: an element that a party does not see is none by which it can search."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from ketenzorg.access.personal_numbers import BSN_SYSTEMS, TOKEN
from ketenzorg.fhir.search_parameters import PARAMETERS, SearchRows, Token, search_rows
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.store.query import NUMBER

IDENTIFIER = "identifier"
Finders: TypeAlias = Mapping[str, tuple[UUID, ...]]  # parameter -> who may find a resource by it


def rows_of(resource: dict[str, Any]) -> SearchRows:
    """The search rows of a decoded resource as it is stored; those of personal numbers stand apart, by token."""
    rows = search_rows(resource)
    return rows._replace(tokens=apart(rows.tokens))


def apart(tokens: Iterable[Token]) -> frozenset[Token]:
    """With those of personal numbers under a name of their own."""
    return frozenset(filter(None, map(_apart, tokens)))


def _apart(row: Token) -> Token | None:
    if not (row.code.startswith("bsn:") and TOKEN.fullmatch(row.code.encode())):  # a look saves most patterns
        return row
    return Token(NUMBER, row.code, "") if row.param == IDENTIFIER and row.system in BSN_SYSTEMS else None


def who_finds(kind: str, sights: Mapping[UUID, Visibility]) -> Finders:
    """Of those who see a type: by which parameters."""
    return _who_finds(kind, tuple(sights.items()))


@lru_cache(maxsize=4096)  # the same parties meet in one traject after another
def _who_finds(kind: str, sights: tuple[tuple[UUID, Visibility], ...]) -> Finders:
    params = (*(parameter.name for parameter in PARAMETERS.get(kind, ())), NUMBER)
    return {
        param: tuple(each for each, sight in sights if param in _found_by(sight, kind)) for param in params
    }


def finders_of(sights: Mapping[UUID, Visibility]) -> dict[str, Finders]:
    """The same for every type that can be searched."""
    return {kind: who_finds(kind, sights) for kind in PARAMETERS}


@cache
def _found_by(sight: Visibility, kind: str) -> frozenset[str]:
    shown = {each.name for each in PARAMETERS.get(kind, ()) if sight.shows_element(kind, each.element)}
    return frozenset(shown | {NUMBER} if sight.bsn and IDENTIFIER in shown else shown)
