"""What runs in a traject, in the form in which it is stored with each step."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ketenzorg.pathway.calendar import in_words
from ketenzorg.pathway.engine import Due
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.telling import rungs
from ketenzorg.store.dues import Running


def running(dues: Iterable[Due], pathway: Pathway) -> tuple[Running, ...]:
    """Each norm and control that runs, with when to look at it first."""
    return tuple(
        Running(
            due.norm,
            due.began,
            in_words(due.within)[0],
            due.at,
            rungs(pathway.clock(due.norm), due.began, due.at)[0].at,
        )
        for due in dues
    )


def soonest(dues: Sequence[Due]) -> datetime | None:
    """When the first of them ends; they stand in that order."""
    return dues[0].at if dues else None
