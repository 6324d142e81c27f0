"""Who says something in a traject, where that stands, and when: what every step needs beside what is said."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ketenzorg.coordination.world import World
from ketenzorg.pathway.engine import State
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.audit import Access
from ketenzorg.store.trajecten import Traject


class Scene(NamedTuple):
    """An organisation and a traject at one moment. `at` is when we hear it; what happened earlier says so itself."""

    organisation: UUID
    access: Access  # as that goes on record
    traject: Traject
    pathway: Pathway
    world: World
    at: datetime

    @property
    def step(self) -> Step:
        """Where the traject stands."""
        return self.pathway.steps[self.traject.step]

    @property
    def state(self) -> State:
        """The same, as the engine takes it."""
        return state_of(self.traject)


def state_of(traject: Traject) -> State:
    """Where a traject stands, as the engine takes it."""
    return State(traject.step, traject.counts, traject.happened)
