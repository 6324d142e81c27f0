"""Each environment variable once: its name, unit, default and why it is there."""

import contextlib
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ketenzorg.errors import Issue, KetenzorgError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_BYTES = 32
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
LOG_LEVELS = ("debug", "info", "warning", "error")
TESTS_PREFIX = "KETENZORG_TEST_"  # read by tests/databases.py only

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


class WrongSetting(KetenzorgError):
    """An environment variable, or the file that it names, cannot be used."""


class Variable(msgspec.Struct, frozen=True):
    """One environment variable, as `Settings` and a person need to know it."""

    name: str
    unit: str
    default: str
    why: str


DATABASE_URL = Variable(
    "KETENZORG_DATABASE_URL",
    "postgresql URL of the application role",
    "none",
    "the PostgreSQL to work on; without it only the embedded one, asked for by name, is left",
)
ADMIN_DATABASE_URL = Variable(
    "KETENZORG_ADMIN_DATABASE_URL",
    "postgresql URL of a role that may create roles",
    "none",
    "`ketenzorg migrate` makes roles and tables with it; no serving process gets it",
)
DATA_DIR = Variable(
    "KETENZORG_DATA_DIR",
    "folder",
    "$XDG_DATA_HOME/ketenzorg, else ~/.local/share/ketenzorg",
    "where the embedded PostgreSQL and its secret rest",
)
SECRET_FILE = Variable(
    "KETENZORG_SECRET_FILE",
    "file of 32 bytes or more",
    "KETENZORG_DATA_DIR/secret.key",
    "every key (tokens, pseudonyms, personal numbers) is derived from it; lost is lost",
)
KEKS = Variable(
    "KETENZORG_KEKS",
    "name=file:PATH | name=env:VARIABLE | name=command:PROGRAM | secret, separated by commas",
    "secret (derived from KETENZORG_SECRET_FILE)",
    "what wraps the data keys that seal personal numbers; the first one wraps, all unwrap",
)
REGION = Variable(
    "KETENZORG_REGION", "lower-case name", "groningen", "stands first in every key; names the region's file"
)
PATHWAYS = Variable(
    "KETENZORG_PATHWAYS",
    "folder",
    "pathways/ of the checkout, else those in the package",
    "a region may bring its own pathways",
)
MIGRATIONS = Variable(
    "KETENZORG_MIGRATIONS",
    "folder",
    "migrations/ of the checkout, else those in the package",
    "an installed package has no checkout",
)
PG_BIN = Variable(
    "KETENZORG_PG_BIN",
    "folder with postgres and initdb, 15 or later",
    "the wheel's PostgreSQL 18, else the newest on PATH",
    "which PostgreSQL the embedded database runs",
)
BASE_URL = Variable(
    "KETENZORG_BASE_URL",
    "http(s) URL",
    "http://127.0.0.1:8080",
    "how others reach us: stands in links, notifications and the audience",
)
AUDIENCE = Variable(
    "KETENZORG_AUDIENCE",
    "URL",
    "KETENZORG_BASE_URL + /fhir",
    "the `aud` that a token must carry; differs from the base behind some gateways",
)
LOG_LEVEL = Variable("KETENZORG_LOG_LEVEL", " | ".join(LOG_LEVELS), "info", "how much the log tells")

AUDIT_YEARS = Variable(
    "KETENZORG_AUDIT_YEARS",
    "years, 5 to 20",
    "5",
    "how long a line of the audit log stays at least: the law says five, the dossier is kept for twenty",
)

SANDBOX = Variable(
    "KETENZORG_SANDBOX", "yes | no", "no", "whether callers with the scope for it may move the region's clock"
)

OUTGOING_NETWORKS = Variable(
    "KETENZORG_OUTGOING_NETWORKS",
    "CIDR networks, with commas between",
    "none: only the internet",
    "where notifications and key sets may be beside the internet: a care network, or in a trial 127.0.0.0/8",
)

TLS_CERTIFICATE = Variable(
    "KETENZORG_TLS_CERTIFICATE",
    "PEM file",
    "none: TLS ends in a proxy before us",
    "how `serve` shows who it is",
)
TLS_KEY = Variable(
    "KETENZORG_TLS_KEY", "PEM file", "in the file of the certificate", "the key of that certificate"
)
TLS_CLIENT_CA = Variable(
    "KETENZORG_TLS_CLIENT_CA",
    "PEM file",
    "none: systems need no certificate",
    "who issues the certificates of systems; with it a token is bound to the certificate of whom it is for",
)
TLS_CLIENT_CRL = Variable(
    "KETENZORG_TLS_CLIENT_CRL",
    "PEM file",
    "none",
    "which of these certificates were revoked; read again each minute, so that a program may renew it",
)

VARIABLES = (
    DATABASE_URL,
    ADMIN_DATABASE_URL,
    DATA_DIR,
    SECRET_FILE,
    KEKS,
    REGION,
    PATHWAYS,
    MIGRATIONS,
    PG_BIN,
    BASE_URL,
    AUDIENCE,
    LOG_LEVEL,
    AUDIT_YEARS,
    SANDBOX,
    OUTGOING_NETWORKS,
    TLS_CERTIFICATE,
    TLS_KEY,
    TLS_CLIENT_CA,
    TLS_CLIENT_CRL,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this process was told by its environment; read once, at the start."""

    database_url: str | None
    admin_database_url: str | None
    data_dir: Path
    secret_file: Path
    keks: str  # read where they are opened: one of them may be a program
    region: str
    pathways: Path
    migrations: Path
    pg_bin: Path | None
    base_url: str
    audience: str
    log_level: str
    audit_years: int
    sandbox: bool
    outgoing_networks: tuple[Network, ...]
    tls_certificate: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    tls_client_crl: Path | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every variable; all mistakes are told at once, each with the variable's name."""
        read = _Reader(environ)
        data_dir = read(DATA_DIR, _folder, _user_data_dir(environ))
        base_url = read(BASE_URL, _http_url, "http://127.0.0.1:8080")
        settings = cls(
            database_url=read(DATABASE_URL, for_sqlalchemy, None),
            admin_database_url=read(ADMIN_DATABASE_URL, for_sqlalchemy, None),
            data_dir=data_dir,
            secret_file=read(SECRET_FILE, _folder, data_dir / "secret.key"),
            keks=read(KEKS, str, "secret"),
            region=read(REGION, _region, "groningen"),
            pathways=read(PATHWAYS, _existing_folder, _shipped("pathways")),
            migrations=read(MIGRATIONS, _existing_folder, _shipped("migrations")),
            pg_bin=read(PG_BIN, _existing_folder, None),
            base_url=base_url,
            audience=read(AUDIENCE, str, f"{base_url}/fhir"),
            log_level=read(LOG_LEVEL, _log_level, "info"),
            audit_years=read(AUDIT_YEARS, _audit_years, 5),
            sandbox=read(SANDBOX, _yes_no, False),
            outgoing_networks=read(OUTGOING_NETWORKS, _networks, ()),
            tls_certificate=read(TLS_CERTIFICATE, _existing_file, None),
            tls_key=read(TLS_KEY, _existing_file, None),
            tls_client_ca=read(TLS_CLIENT_CA, _existing_file, None),
            tls_client_crl=read(TLS_CLIENT_CRL, _existing_file, None),
        )
        read.refuse_unknown()
        read.needs(TLS_KEY, TLS_CERTIFICATE)
        read.needs(TLS_CLIENT_CA, TLS_CERTIFICATE)
        read.needs(TLS_CLIENT_CRL, TLS_CLIENT_CA)
        if read.issues:
            raise WrongSetting(*read.issues)
        return settings


class _Reader:
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

    def refuse_unknown(self) -> None:
        """A misspelt variable would otherwise silently mean its default."""
        known = {variable.name for variable in VARIABLES}
        for name in sorted(self.environ):
            if name.startswith("KETENZORG_") and not name.startswith(TESTS_PREFIX) and name not in known:
                choices = ", ".join(sorted(known))
                self.issues.append(
                    Issue(
                        nl=f"{name} bestaat niet; wel: {choices}",
                        en=f"{name} is not a setting; these are: {choices}",
                    )
                )


def for_sqlalchemy(url: str) -> str:
    """The one form in which we pass a database's address on: `postgresql+asyncpg://…`."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        # The value itself may hold a password: never repeated.
        raise ValueError("moet beginnen met postgresql://", "must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"


def for_asyncpg(url: str) -> str:
    """The same address as `asyncpg.connect` and libpq's tools want it: without SQLAlchemy's driver name."""
    return for_sqlalchemy(url).replace("postgresql+asyncpg://", "postgresql://", 1)


def read_secret(path: Path) -> bytes:
    """The installation's secret; a missing or short one is refused with how to make it."""
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise _wrong_secret(path, "kan niet worden gelezen", "cannot be read") from error
    if len(secret) < SECRET_BYTES:
        raise _wrong_secret(
            path, f"heeft minder dan {SECRET_BYTES} bytes", f"has fewer than {SECRET_BYTES} bytes"
        )
    return secret


def read_or_make_secret(path: Path) -> bytes:
    """The secret of an embedded installation, made at its first use; of two makers at once one wins."""
    if not path.exists():
        make_private_folder(path.parent)
        with tempfile.NamedTemporaryFile(dir=path.parent) as new:  # 0600 from its first moment
            new.write(secrets.token_bytes(SECRET_BYTES))
            new.flush()
            os.fsync(new.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(new.name, path)
    return read_secret(path)


def make_private_folder(path: Path) -> None:
    """Make a folder for us alone; folders that exist, parents too, keep the mode that they have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def _wrong_secret(path: Path, nl: str, en: str) -> WrongSetting:
    return WrongSetting(
        Issue(
            nl=f"{SECRET_FILE.name}: {path} {nl}; maak het met: head -c 32 /dev/urandom > {path}",
            en=f"{SECRET_FILE.name}: {path} {en}; make it with: head -c 32 /dev/urandom > {path}",
        )
    )


def _user_data_dir(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_DATA_HOME", "")
    if Path(base).is_absolute():  # the XDG specification: a relative one is to be ignored
        return Path(base) / "ketenzorg"
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "ketenzorg"


def _shipped(folder: str) -> Path:
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / folder).is_dir():
        return _CHECKOUT / folder
    return _PACKAGE / "_bundled" / folder


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _existing_folder(text: str) -> Path:
    path = _folder(text)
    if not path.is_dir():
        raise ValueError(f"{path} is geen map", f"{path} is not a folder")
    return path


def _existing_file(text: str) -> Path:
    path = _folder(text)
    if not path.is_file():
        raise ValueError(f"{path} is geen bestand", f"{path} is not a file")
    return path


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", text):
        raise ValueError(
            "kleine letters, cijfers en streepjes, hoogstens 32",
            "lower-case letters, digits and hyphens, at most 32",
        )
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            "moet een http(s)-adres zonder ? of # zijn", "must be an http(s) address without ? or #"
        )
    return text.rstrip("/")


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(
            f"moet een van {', '.join(LOG_LEVELS)} zijn", f"must be one of {', '.join(LOG_LEVELS)}"
        )
    return text.lower()


def _audit_years(text: str) -> int:
    if not text.isdecimal() or not 5 <= int(text) <= 20:  # noqa: PLR2004  (said in the name of the unit)
        raise ValueError("een getal van 5 tot en met 20", "a number from 5 to 20")
    return int(text)


def _yes_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("is yes of no", "is yes or no")
    return text == "yes"


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError(
            "zijn netwerken met komma's ertussen, zoals 10.20.0.0/16",
            "are networks with commas between, such as 10.20.0.0/16",
        ) from None
