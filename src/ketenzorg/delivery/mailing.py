"""One e-mail, and what the mail server says to it. Nobody's name or number goes into an e-mail of ours."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib
import msgspec

from ketenzorg.access.outgoing import is_this_machine
from ketenzorg.delivery.sending import Answer
from ketenzorg.environment import MailServer

TIMEOUT_S = 15.0
PERMANENT = 500  # from here on a mail server means: not this one, also later


class Mail(msgspec.Struct, frozen=True):
    """What to send; the same id is the same e-mail, also when it comes twice."""

    id: UUID
    to: str
    subject: str
    text: str


class Mailer:
    """Hands e-mail to one mail server; without one nothing is sent."""

    def __init__(self, server: MailServer | None, sender: str) -> None:
        self._server = server
        self._sender = sender

    @property
    def can_send(self) -> bool:
        """Whether there is a mail server."""
        return self._server is not None

    async def send(self, mail: Mail, now: datetime) -> Answer:
        """Hand it over. It has arrived when the mail server took it for this address."""
        if self._server is None:
            return Answer(why="no mail server")
        try:
            await self._hand_over(self._message(mail, now), mail.to, self._server)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused(error.recipients[0].code)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error.code)
        except (aiosmtplib.SMTPTimeoutError, TimeoutError):
            return Answer(why="timeout")
        except (aiosmtplib.SMTPException, OSError):
            return Answer(why="connection")
        return Answer(arrived=True)

    async def _hand_over(self, message: EmailMessage, to: str, server: MailServer) -> None:
        here = is_this_machine(server.host)
        await aiosmtplib.send(
            message,
            sender=self._sender,
            recipients=[to],
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=not server.tls and not here,  # without TLS only on this machine
            timeout=TIMEOUT_S,
        )

    def _message(self, mail: Mail, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        message.set_content(mail.text)
        return message


def _refused(code: int) -> Answer:
    return Answer(why=f"smtp {code}", refused=code >= PERMANENT)
