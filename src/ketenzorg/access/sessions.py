"""Who is signed in to the pages: a signed cookie that ends when nobody uses it, and a seal on every form.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ketenzorg.access.keys import keyed_digest

IDLE = timedelta(minutes=45)  # a coach calls in between; who walks away is signed out
LONGEST = timedelta(hours=10)  # a working day
REFRESH = timedelta(minutes=1)  # an active session gets a new cookie no more often than this
LONGEST_COOKIE = 600  # characters
NOBODY = ""


class Session(msgspec.Struct, frozen=True):
    """One visit of a browser; `person` is empty until somebody signs in."""

    id: str
    person: str
    began: int  # seconds since 1970
    seen: int


class Sessions:
    """Begins, reads and renews the sessions of one installation; nothing is kept here."""

    def __init__(self, key: bytes, *, now: Callable[[], datetime]) -> None:
        self._key = key
        self._now = now

    def begin(self, person: str = NOBODY) -> Session:
        """A new session. Signing in always begins one: an id from before is worth nothing after."""
        now = self._seconds()
        return Session(secrets.token_urlsafe(16), person, now, now)

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is not ours, has ended, or was left alone for too long."""
        payload, _, signature = cookie.partition(".")
        if len(cookie) > LONGEST_COOKIE or not hmac.compare_digest(
            self._sign("cookie", payload).encode(), signature.encode("utf-8", "replace")
        ):
            return None
        session = msgspec.json.decode(urlsafe_b64decode(payload), type=Session)
        now = self._seconds()
        ended = now - session.seen > IDLE.total_seconds() or now - session.began > LONGEST.total_seconds()
        return None if ended else session

    def renewed(self, session: Session) -> Session | None:
        """The session as of now; None when its cookie is fresh enough."""
        now = self._seconds()
        if now - session.seen < REFRESH.total_seconds():
            return None
        return msgspec.structs.replace(session, seen=now)

    def cookie(self, session: Session) -> str:
        """The value of the cookie."""
        payload = urlsafe_b64encode(msgspec.json.encode(session)).decode()
        return f"{payload}.{self._sign('cookie', payload)}"

    def seal(self, session: Session, subject: str) -> str:
        """What a form of this session about this subject carries; nobody else can make it."""
        return self._sign("form", f"{session.id}|{subject}")

    def sealed(self, session: Session, subject: str, seal: str) -> bool:
        """Whether a form came from a page that we showed in this session, about this subject."""
        return hmac.compare_digest(self.seal(session, subject).encode(), seal.encode("utf-8", "replace"))

    def _sign(self, use: str, text: str) -> str:
        return keyed_digest(self._key, f"{use}|{text}".encode("utf-8", "replace")).hex()

    def _seconds(self) -> int:
        return int(self._now().timestamp())
