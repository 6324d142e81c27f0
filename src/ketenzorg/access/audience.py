"""Who gets a resource when it is stored: for whom it exists, and who finds it by what, of each type worked out once."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from ketenzorg.access.finding import Finders, who_finds
from ketenzorg.access.views import who_sees
from ketenzorg.pathway.visibility import Visibility


class Public(NamedTuple):
    """Of resources of one type."""

    parties: tuple[UUID, ...]
    finders: Finders


class Audience(dict[str, Public]):
    """Of each type of resource, for parties who see so much."""

    def __init__(self, sights: Mapping[UUID, Visibility]) -> None:
        super().__init__()
        self._sights = sights

    def __missing__(self, kind: str) -> Public:
        self[kind] = public = Public(who_sees(kind, self._sights), who_finds(kind, self._sights))
        return public


def audience_of(sights: Mapping[UUID, Visibility]) -> Audience:
    """The one of these parties; the same ones meet in one traject after another."""
    return _audience(tuple(sights.items()))


@lru_cache(maxsize=1024)
def _audience(sights: tuple[tuple[UUID, Visibility], ...]) -> Audience:
    return Audience(dict(sights))
