"""Under which account the embedded PostgreSQL runs: our own, or an unprivileged one when we are root."""

import os
import pwd
import sys
from pathlib import Path
from typing import TypedDict

import msgspec

from ketenzorg.errors import Issue, KetenzorgError

CANDIDATES = ("postgres", "nobody")  # must be in the password file: initdb looks its own name up


class EmbeddedError(KetenzorgError):
    """The embedded PostgreSQL cannot be started, found or stopped; the text says what to do."""


class PopenAccount(TypedDict, total=False):
    """The arguments of `subprocess` that give up root."""

    user: int
    group: int
    extra_groups: list[int]


class Account(msgspec.Struct, frozen=True):
    """Whom the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def popen(self) -> PopenAccount:
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make a file or folder of ours the server's; its parents stay as they are."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)


def account_for(data: Path) -> Account:
    """Our own account; as root the owner of the data that exist, else the first unprivileged account."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    if sys.platform != "linux":
        raise EmbeddedError(
            Issue(
                nl="De ingebouwde database draait als root alleen op Linux; start als gewone gebruiker.",
                en="As root the embedded database runs on Linux only; start as an ordinary user.",
            )
        )
    if data.exists():
        return _owner(data)
    for name in CANDIDATES:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        Issue(
            nl=f"PostgreSQL draait niet als root; maak een account {' of '.join(CANDIDATES)}.",
            en=f"PostgreSQL does not run as root; make an account {' or '.join(CANDIDATES)}.",
        )
    )


def _owner(data: Path) -> Account:
    uid = data.stat().st_uid
    if uid != 0:
        try:
            return _account(pwd.getpwuid(uid))
        except KeyError:
            pass  # made on another machine
    raise EmbeddedError(
        Issue(
            nl=f"{data} is van gebruiker {uid}; geef de map aan een gewoon account: chown -R postgres {data}",
            en=f"{data} belongs to user {uid}; give it to an ordinary account: chown -R postgres {data}",
        )
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
