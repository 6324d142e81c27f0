"""What every use case needs from outside: the region, the pathways, the keys, the store, time and chance."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from ketenzorg.access.keyring import Keyring
from ketenzorg.access.keys import Keys, keyed_digest
from ketenzorg.access.outgoing import Outgoing
from ketenzorg.access.rules import rule_id
from ketenzorg.access.tokens import Caller
from ketenzorg.errors import Issue
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import Region
from ketenzorg.store.audit import ACTIONS, Access, AuditLog, Interaction
from ketenzorg.store.audit_reading import AuditReading
from ketenzorg.store.consents import Consents
from ketenzorg.store.doorbell import Doorbell
from ketenzorg.store.dues import Dues
from ketenzorg.store.history import History
from ketenzorg.store.messages import Messages
from ketenzorg.store.reading import Reading
from ketenzorg.store.referrals import Referrals
from ketenzorg.store.replaying import Replaying
from ketenzorg.store.retries import Retries
from ketenzorg.store.searching import Searching
from ketenzorg.store.subscriptions import Subscriptions
from ketenzorg.store.trajecten import Trajecten
from ketenzorg.store.trial import SilentBell, Trial
from ketenzorg.store.worklist import Worklist

# Of resources with their places: what is wrong with them by the profiles that they claim.
Claims = Callable[[Sequence[tuple[str, bytes]]], Awaitable[list[Issue]]]


async def of_nobody(_: Sequence[tuple[str, bytes]]) -> list[Issue]:
    """Where nobody looks at profiles: what comes in by a page, or by a worker, claims none."""
    return []


@dataclass(frozen=True, eq=False)
class World:
    """One per process. `now` is the time of the region (the sandbox can move it), aware and in UTC."""

    region: Region
    catalogue: Catalogue
    keys: Keys
    keyring: Keyring
    referrals: Referrals
    trajecten: Trajecten
    consents: Consents
    reading: Reading
    searching: Searching
    history: History
    worklist: Worklist
    audit: AuditLog
    log: AuditReading
    subscriptions: Subscriptions
    dues: Dues
    replaying: Replaying
    messages: Messages
    retries: Retries
    bell: Doorbell
    outgoing: Outgoing
    new_id: Callable[[], UUID]
    now: Callable[[], datetime]
    real_now: Callable[[], datetime]  # what others outside meet: delivery does not follow the sandbox clock
    started: datetime  # since when this process has its region and pathways
    claims: Claims = of_nobody  # what profiles say of the resources that claim them

    @cached_property
    def addresses(self) -> frozenset[bytes]:
        """The organisations that a reference may name by our own id."""
        return frozenset(f"Organization/{each.id}".encode() for each in self.region.organisations)

    def on_trial(self, trial: Trial) -> "World":
        """The same, with all that it stores on trial; what goes on record of looking stays."""
        code, bell = self.region.code, SilentBell()
        return replace(
            self,
            referrals=Referrals(trial, code, bell),
            trajecten=Trajecten(trial, code, bell),
            consents=Consents(trial, code),
            reading=Reading(trial, code),
            searching=Searching(trial, code),
            history=History(trial, code),
            worklist=Worklist(trial, code),
            subscriptions=Subscriptions(trial, code),
            dues=Dues(trial, code, bell),
            replaying=Replaying(trial, code),
            messages=Messages(trial, code),
            retries=Retries(trial, code),
            bell=bell,
        )


class Trail(NamedTuple):
    """By which ids a request goes on record, and from where it came."""

    request: str
    correlation: str = ""  # what links the requests of one session of the caller
    address: str = ""  # as the network has it


@dataclass(frozen=True)
class Visit:
    """Who asks, and what goes on record of the asking."""

    caller: Caller
    trail: Trail
    liberal: bool = False  # towards what this client sends: see receiving/lenience.py

    def access(
        self,
        world: World,
        does: Interaction,
        kind: str,
        *,
        shown_as: Interaction | None = None,
        rule: str | None = None,
        asked: Sequence[tuple[str, str]] = (),
    ) -> Access:
        """The same, as an audit line has it, with the rule that lets a party do this.

        `shown_as`: which of what the rule is about. `asked`: the parameters of a search; on record are their names,
        and a digest by which somebody with the key can tell whether it was a certain search.
        """
        interaction, query = shown_as or does, urlencode(asked)
        return Access(
            id=world.new_id(),
            request=self.trail.request,
            correlation=self.trail.correlation,
            address=self.trail.address,
            client=self.caller.client,
            user_id=self.caller.user,
            responsible=self.caller.responsible,
            organisation=self.caller.organisation,
            purpose=self.caller.purpose,
            interaction=interaction,
            action=ACTIONS.get(interaction, "R"),
            rule=rule_id(does, kind, "bystander") if rule is None else rule,
            rule_left=rule_id(does, kind, "left") if rule is None else rule,
            rule_asked=rule_id(does, kind, "candidate") if rule is None else rule,
            query=tuple(dict.fromkeys(name for name, _ in asked)),
            digest=keyed_digest(world.keys.query, query.encode()).hex() if query else "",
        )
