"""A mail server on 127.0.0.1 that keeps what it takes, and refuses what a test tells it to."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP

from ketenzorg.environment import MailServer


@dataclass
class Mailbox:
    """What came in; `refusals` are used up in order, one for each recipient that is named."""

    server: MailServer | None = None
    got: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd looks for it by this name)
        self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any
    ) -> str:
        if self.refusals and (said := self.refusals.pop(0)):
            return said
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        return "250 taken"


@asynccontextmanager
async def mailbox(*refusals: str) -> AsyncIterator[Mailbox]:
    one = Mailbox(refusals=list(refusals))
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(one, hostname="mail.example", enable_SMTPUTF8=False), "127.0.0.1", 0
    )
    one.server = MailServer("127.0.0.1", server.sockets[0].getsockname()[1], False, None, None)
    try:
        yield one
    finally:
        server.close()
