"""Notifications as e-mail, for organisations without a system: that there is something to read on a page."""

from dataclasses import dataclass
from datetime import datetime

from ketenzorg.delivery.letter import Letter
from ketenzorg.delivery.mail_words import something_to_read, welcome
from ketenzorg.delivery.mailing import Mailer
from ketenzorg.delivery.sending import Answer
from ketenzorg.pathway.region import Region
from ketenzorg.store.outbox import Held


@dataclass(frozen=True, eq=False)
class MailCarrier:
    """One per process."""

    mailer: Mailer
    region: Region
    base_url: str  # of the pages

    async def bring(self, letter: Letter, held: Held, now: datetime) -> Answer:
        """Hand it to the mail server."""
        to = held.endpoint.removeprefix("mailto:")
        if not letter.told:
            return await self.mailer.send(welcome(letter.id, to, self.base_url), now)
        organisation = self.region.by_id(held.organisation)
        event = letter.told[0].event
        mail = something_to_read(
            letter.id,
            to,
            event,
            organisation.kind if organisation else "",
            named=event.readable and held.content != "empty",
            base_url=self.base_url,
        )
        return await self.mailer.send(mail, now)
