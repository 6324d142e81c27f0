"""Reading the environment: one variable at a time, in a form of its own, with every mistake told in two languages."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from ketenzorg.errors import Issue

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOG_LEVELS = ("debug", "info", "warning", "error")
MAIL_PORTS = {"smtp": 587, "smtps": 465}
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address, bounded
MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\Z")
TESTS_PREFIX = "KETENZORG_TEST_"  # read by tests only


class Variable(msgspec.Struct, frozen=True):
    """One environment variable, as `Settings` and a person need to know it."""

    name: str
    unit: str
    default: str
    why: str


class MailServer(msgspec.Struct, frozen=True):
    """A mail server that takes what we send."""

    host: str
    port: int
    tls: bool  # from the first byte; otherwise from STARTTLS on
    user: str | None
    password: str | None


class Reader:
    """Reads one variable at a time and collects what is wrong; an empty value counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.issues: list[Issue] = []

    def __call__(self, variable: Variable, parse: Callable[[str], Any], default: Any) -> Any:
        text = self.environ.get(variable.name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            nl, en = error.args
            self.issues.append(Issue(nl=f"{variable.name}: {nl}", en=f"{variable.name}: {en}"))
            return default

    def needs(self, variable: Variable, other: Variable) -> None:
        """Alone the first would silently do nothing."""
        if self.environ.get(variable.name, "").strip() and not self.environ.get(other.name, "").strip():
            self.issues.append(
                Issue(
                    nl=f"{variable.name}: zet dan ook {other.name}",
                    en=f"{variable.name}: set {other.name} too",
                )
            )

    def refuse_unknown(self, variables: Iterable[Variable]) -> None:
        """A misspelt variable would otherwise silently mean its default."""
        known = {variable.name for variable in variables}
        for name in sorted(self.environ):
            if name.startswith("KETENZORG_") and not name.startswith(TESTS_PREFIX) and name not in known:
                choices = ", ".join(sorted(known))
                self.issues.append(
                    Issue(
                        nl=f"{name} bestaat niet; wel: {choices}",
                        en=f"{name} is not a setting; these are: {choices}",
                    )
                )


def user_data_dir(environ: Mapping[str, str]) -> Path:
    """Where the desktop standard has the data of a program."""
    base = environ.get("XDG_DATA_HOME", "")
    if Path(base).is_absolute():  # the XDG specification: a relative one is to be ignored
        return Path(base) / "ketenzorg"
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "ketenzorg"


def folder(text: str) -> Path:
    """A folder, made absolute; it may have to be made."""
    return Path(text).expanduser().absolute()


def existing_folder(text: str) -> Path:
    """A folder that is there."""
    path = folder(text)
    if not path.is_dir():
        raise ValueError(f"{path} is geen map", f"{path} is not a folder")
    return path


def existing_file(text: str) -> Path:
    """A file that is there."""
    path = folder(text)
    if not path.is_file():
        raise ValueError(f"{path} is geen bestand", f"{path} is not a file")
    return path


def region_name(text: str) -> str:
    """The name of a region."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", text):
        raise ValueError(
            "kleine letters, cijfers en streepjes, hoogstens 32",
            "lower-case letters, digits and hyphens, at most 32",
        )
    return text


def http_url(text: str) -> str:
    """An address of ours."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            "moet een http(s)-adres zonder ? of # zijn", "must be an http(s) address without ? or #"
        )
    return text.rstrip("/")


def log_level(text: str) -> str:
    """How much the log tells."""
    if text.lower() not in LOG_LEVELS:
        raise ValueError(
            f"moet een van {', '.join(LOG_LEVELS)} zijn", f"must be one of {', '.join(LOG_LEVELS)}"
        )
    return text.lower()


def audit_years(text: str) -> int:
    """How long a line of the audit log is kept."""
    if not text.isdecimal() or not 5 <= int(text) <= 20:  # noqa: PLR2004  (said in the name of the unit)
        raise ValueError("een getal van 5 tot en met 20", "a number from 5 to 20")
    return int(text)


def event_days(text: str) -> int:
    """How long what was delivered is kept."""
    if not text.isdecimal() or not 30 <= int(text) <= 3650:  # noqa: PLR2004  (said in the name of the unit)
        raise ValueError("een getal van 30 tot en met 3650", "a number from 30 to 3650")
    return int(text)


def positive(text: str) -> int:
    """A whole number above zero."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ValueError("is een heel getal boven nul", "is a whole number above zero")
    return int(text)


def yes_no(text: str) -> bool:
    """Whether."""
    if text not in ("yes", "no"):
        raise ValueError("is yes of no", "is yes or no")
    return text == "yes"


def networks(text: str) -> tuple[Network, ...]:
    """Networks as CIDR."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError(
            "zijn netwerken met komma's ertussen, zoals 10.20.0.0/16",
            "are networks with commas between, such as 10.20.0.0/16",
        ) from None


def mail_server(text: str) -> MailServer:
    """A URL such as smtp://user:password@mail.example:587; it may hold a password and is never repeated."""
    wrong = ValueError(
        "is smtp://host, smtps://host of smtp://naam:wachtwoord@host:poort",
        "is smtp://host, smtps://host or smtp://name:password@host:port",
    )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in MAIL_PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
    return MailServer(host, port or MAIL_PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def mail_address(text: str) -> str:
    """An e-mail address, without a name."""
    if not MAIL.match(text):
        raise ValueError("is een e-mailadres", "is an e-mail address")
    return text
