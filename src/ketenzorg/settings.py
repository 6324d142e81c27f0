"""Each environment variable once: its name, unit, default and why it is there."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ketenzorg.environment import (
    LOG_LEVELS,
    MailServer,
    Network,
    Reader,
    Variable,
    audit_years,
    event_days,
    existing_file,
    existing_folder,
    folder,
    http_url,
    log_level,
    mail_address,
    mail_server,
    networks,
    positive,
    region_name,
    user_data_dir,
    yes_no,
)
from ketenzorg.errors import KetenzorgError

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


class WrongSetting(KetenzorgError):
    """An environment variable, or the file that it names, cannot be used."""


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
FHIR_PACKAGES = Variable(
    "KETENZORG_FHIR_PACKAGES",
    "folder",
    "~/.fhir/packages",
    "the FHIR package cache (name#version/package/*.json): whose profiles $validate knows beside ours",
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

EVENT_DAYS = Variable(
    "KETENZORG_EVENT_DAYS",
    "days, 30 to 3650",
    "30",
    "how long what was delivered can be asked for and sent again: who comes back from holidays can still find out what "
    "is missing, and the table does not grow for ever",
)

SANDBOX = Variable(
    "KETENZORG_SANDBOX",
    "yes | no",
    "no",
    "whether tokens made by hand count, people sign in by name and the region's clock can be moved",
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

MAIL_SERVER = Variable(
    "KETENZORG_MAIL_SERVER",
    "smtp(s) URL, with name and password where it asks for them",
    "none: no e-mail is sent",
    "tells parties without a system that there is something to read, and people that a receiver is down",
)
MAIL_FROM = Variable("KETENZORG_MAIL_FROM", "e-mail address", "none", "the sender of our e-mail")
MAIL_OPERATOR = Variable(
    "KETENZORG_MAIL_OPERATOR",
    "e-mail address",
    "none",
    "who is told about a receiver of which nobody else is known who looks after it",
)

CLIENT_RATE = Variable(
    "KETENZORG_CLIENT_RATE",
    "requests per second",
    "100",
    "what one client may ask of a process; more in a burst",
)
PERSON_RATE = Variable(
    "KETENZORG_PERSON_RATE", "requests per second", "10", "the same, of who signed in to the pages"
)
ADDRESS_RATE = Variable(
    "KETENZORG_ADDRESS_RATE",
    "requests per second",
    "20",
    "the same, of an address of which nobody is known yet",
)
AT_ONCE = Variable(
    "KETENZORG_AT_ONCE", "requests", "32", "how many of one of these a process works on at a moment"
)
CONNECTIONS = Variable(
    "KETENZORG_CONNECTIONS", "connections", "4096", "to one process; each takes a descriptor"
)
PROXIES = Variable(
    "KETENZORG_PROXIES",
    "CIDR networks, with commas between",
    "none: all that comes through a proxy is of one address",
    "whose X-Forwarded-For and X-Forwarded-Proto we believe",
)
# For who plays a year in minutes: demo, bench and tests.
IN_A_HURRY = {each.name: "1000000" for each in (CLIENT_RATE, PERSON_RATE, ADDRESS_RATE, AT_ONCE)}

VARIABLES = (
    DATABASE_URL,
    ADMIN_DATABASE_URL,
    DATA_DIR,
    SECRET_FILE,
    KEKS,
    REGION,
    PATHWAYS,
    MIGRATIONS,
    FHIR_PACKAGES,
    PG_BIN,
    BASE_URL,
    AUDIENCE,
    LOG_LEVEL,
    AUDIT_YEARS,
    EVENT_DAYS,
    SANDBOX,
    OUTGOING_NETWORKS,
    MAIL_SERVER,
    MAIL_FROM,
    MAIL_OPERATOR,
    TLS_CERTIFICATE,
    TLS_KEY,
    TLS_CLIENT_CA,
    TLS_CLIENT_CRL,
    CLIENT_RATE,
    PERSON_RATE,
    ADDRESS_RATE,
    AT_ONCE,
    CONNECTIONS,
    PROXIES,
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
    profiles: Path
    fhir_packages: Path
    pg_bin: Path | None
    base_url: str
    audience: str
    log_level: str
    audit_years: int
    event_days: int
    sandbox: bool
    outgoing_networks: tuple[Network, ...]
    mail_server: MailServer | None
    mail_from: str
    mail_operator: str
    tls_certificate: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    tls_client_crl: Path | None
    client_rate: int
    person_rate: int
    address_rate: int
    at_once: int
    connections: int
    proxies: tuple[Network, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every variable; all mistakes are told at once, each with the variable's name."""
        read = Reader(environ)
        data_dir = read(DATA_DIR, folder, user_data_dir(environ))
        base_url = read(BASE_URL, http_url, "http://127.0.0.1:8080")
        settings = cls(
            database_url=read(DATABASE_URL, for_sqlalchemy, None),
            admin_database_url=read(ADMIN_DATABASE_URL, for_sqlalchemy, None),
            data_dir=data_dir,
            secret_file=read(SECRET_FILE, folder, data_dir / "secret.key"),
            keks=read(KEKS, str, "secret"),
            region=read(REGION, region_name, "groningen"),
            pathways=read(PATHWAYS, existing_folder, _shipped("pathways")),
            migrations=read(MIGRATIONS, existing_folder, _shipped("migrations")),
            profiles=_shipped("fhir_profiles"),
            fhir_packages=read(FHIR_PACKAGES, folder, Path.home() / ".fhir" / "packages"),
            pg_bin=read(PG_BIN, existing_folder, None),
            base_url=base_url,
            audience=read(AUDIENCE, str, f"{base_url}/fhir"),
            log_level=read(LOG_LEVEL, log_level, "info"),
            audit_years=read(AUDIT_YEARS, audit_years, 5),
            event_days=read(EVENT_DAYS, event_days, 30),
            sandbox=read(SANDBOX, yes_no, False),
            outgoing_networks=read(OUTGOING_NETWORKS, networks, ()),
            mail_server=read(MAIL_SERVER, mail_server, None),
            mail_from=read(MAIL_FROM, mail_address, ""),
            mail_operator=read(MAIL_OPERATOR, mail_address, ""),
            tls_certificate=read(TLS_CERTIFICATE, existing_file, None),
            tls_key=read(TLS_KEY, existing_file, None),
            tls_client_ca=read(TLS_CLIENT_CA, existing_file, None),
            tls_client_crl=read(TLS_CLIENT_CRL, existing_file, None),
            client_rate=read(CLIENT_RATE, positive, 100),
            person_rate=read(PERSON_RATE, positive, 10),
            address_rate=read(ADDRESS_RATE, positive, 20),
            at_once=read(AT_ONCE, positive, 32),
            connections=read(CONNECTIONS, positive, 4096),
            proxies=read(PROXIES, networks, ()),
        )
        read.refuse_unknown(VARIABLES)
        read.needs(MAIL_SERVER, MAIL_FROM)
        read.needs(TLS_KEY, TLS_CERTIFICATE)
        read.needs(TLS_CLIENT_CA, TLS_CERTIFICATE)
        read.needs(TLS_CLIENT_CRL, TLS_CLIENT_CA)
        if read.issues:
            raise WrongSetting(*read.issues)
        return settings


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


def _shipped(folder: str) -> Path:
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / folder).is_dir():
        return _CHECKOUT / folder
    return _PACKAGE / "_bundled" / folder
