"""What every use case needs from outside: the region, the pathways, the keys, the store, time and chance."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from ketenzorg.access.keyring import Keyring
from ketenzorg.access.keys import Keys
from ketenzorg.access.rules import rule_id
from ketenzorg.access.tokens import Caller
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import Region
from ketenzorg.store.reading import Access, Reading
from ketenzorg.store.referrals import Referrals
from ketenzorg.store.searching import Searching
from ketenzorg.store.trajecten import Trajecten
from ketenzorg.store.worklist import Worklist


@dataclass(frozen=True, eq=False)
class World:
    """One per process. `now` is the time of the region (the sandbox can move it), aware and in UTC."""

    region: Region
    catalogue: Catalogue
    keys: Keys
    keyring: Keyring
    referrals: Referrals
    trajecten: Trajecten
    reading: Reading
    searching: Searching
    worklist: Worklist
    new_id: Callable[[], UUID]
    now: Callable[[], datetime]
    started: datetime  # since when this process has its region and pathways

    @cached_property
    def addresses(self) -> frozenset[bytes]:
        """The organisations that a reference may name by our own id."""
        return frozenset(f"Organization/{each.id}".encode() for each in self.region.organisations)


@dataclass(frozen=True)
class Visit:
    """Who asks, and under which request id it goes on record."""

    caller: Caller
    request: str

    def access(self, world: World, does: str, kind: str) -> Access:
        """The same, as the audit line has it, with the rule that lets a party do this."""
        return Access(
            self.caller.organisation,
            self.caller.client,
            self.request,
            world.new_id(),
            rule=rule_id(does, kind, "bystander"),
            rule_left=rule_id(does, kind, "left"),
        )
