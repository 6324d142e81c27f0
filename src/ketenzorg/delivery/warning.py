"""Looks what should have arrived by now, and tells a person: of the receiver, else who keeps the service running."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ketenzorg.coordination.steps.urgency import overdue_since
from ketenzorg.coordination.world import World
from ketenzorg.delivery.mail_words import not_arriving, turned_off
from ketenzorg.delivery.mailing import Mail, Mailer
from ketenzorg.logs import LATE, WORKER_STUMBLED, log
from ketenzorg.store.warnings import Untold, Warnings

LOOK_S = 5.0  # small beside the shortest limit
MAIL_S = 60.0  # a mail that could not be handed over is tried again after this
AT_ONCE = 20
IN_A_HURRY = ("stat", "asap")


@dataclass(frozen=True, eq=False)
class Warner:
    """Any number of these may run beside each other: an event is noted once, and a warning mailed by one."""

    warnings: Warnings
    mailer: Mailer
    operator: str  # e-mail address; "": nobody
    base_url: str  # of the pages
    world: World

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again, until `stop`."""
        while not stop.is_set():
            try:
                await self.look(self.world.real_now())
            except Exception as error:
                log(WORKER_STUMBLED, error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)

    async def look(self, now: datetime) -> None:
        """Note what is late now, and mail what was noted."""
        before = overdue_since(self.world.region.file.undelivered, now)
        for late in await self.warnings.late(before, now=now):
            log(
                LATE,
                subscription=str(late.subscription),
                receiver=str(late.organisation),
                priority=late.priority,
                events=late.events,
            )
        if not self.mailer.can_send:
            return
        for warning in await self.warnings.claim(seconds=MAIL_S, room=AT_ONCE):
            await self._tell(warning, now)

    async def _tell(self, warning: Untold, now: datetime) -> None:
        to = warning.contact or self.operator
        answer = await self.mailer.send(self._mail(warning, to, now), now) if to else None
        if answer is None or answer.arrived:
            await self.warnings.mailed(warning.id, now=now)
        else:
            log(WORKER_STUMBLED, error=f"warning: {answer.why}")

    def _mail(self, warning: Untold, to: str, now: datetime) -> Mail:
        if warning.kind == "off":
            return turned_off(warning.id, to, why=warning.why, base_url=self.base_url)
        return not_arriving(
            warning.id,
            to,
            events=warning.events,
            since=warning.oldest or now,
            urgent=warning.priority in IN_A_HURRY,
            why=warning.why,
            base_url=self.base_url,
        )
