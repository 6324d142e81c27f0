"""`ketenzorg backup` and `ketenzorg restore`: a folder with everything that must not be lost but the keys.

A back-up holds the data keys only as they are wrapped: who has it, and no secret and no key-encryption key, reads no
personal number in it. Those are kept elsewhere, by other hands (docs/keys.md).
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer
from sqlalchemy import make_url

from ketenzorg.access.audit_seal import Seal
from ketenzorg.access.keys import Keys, keyed_digest
from ketenzorg.app import real_time
from ketenzorg.cli.audit_log import verify
from ketenzorg.errors import Issue
from ketenzorg.secret_file import read_secret
from ketenzorg.settings import ADMIN_DATABASE_URL, DATABASE_URL, Settings, WrongSetting
from ketenzorg.store.backup import CannotCopy, dump, load
from ketenzorg.store.embedded import EmbeddedPostgres
from ketenzorg.store.revision import known, newest

MANIFEST = "manifest.json"
DUMP = "database.dump"
PATHWAYS = "pathways"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a back-up is, and by what its files are known. Written last: without it a back-up is none."""

    format: int
    program: str
    at: datetime
    region: str
    revision: str
    postgresql: int
    settings: dict[str, str]  # that decide what the data mean
    audit_key: str  # public: which secret sealed the log, and so which must be given when it is restored
    files: dict[str, str]  # path -> sha256
    not_in_it: str


class _Copied(NamedTuple):
    settings: Settings
    secret: bytes
    admin_url: str
    app_password: str


def backup(environ: Mapping[str, str], folder: Path, *, embedded: bool) -> None:
    """Make a back-up in a new or empty folder, while the service runs."""
    if folder.exists() and any(folder.iterdir()):
        raise CannotCopy(
            Issue(
                nl=f"{folder} is niet leeg.", en=f"{folder} is not empty: a back-up gets a folder of its own."
            )
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _admin_of(environ, embedded=embedded, attach=True) as here, _for_us_alone():
        at = real_time()
        revision, major = asyncio.run(dump(here.admin_url, folder / DUMP, told=here.settings.pg_bin))
        shutil.copytree(here.settings.pathways, folder / PATHWAYS, copy_function=shutil.copyfile)
        manifest = _manifest(here, folder, at, revision, major)
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    typer.echo(f"{folder}: revisie {revision}, {len(manifest.files)} bestanden, {size} bytes.")
    typer.echo(f"Er niet in: {manifest.not_in_it}")


def restore(environ: Mapping[str, str], folder: Path, *, embedded: bool) -> int:
    """Put a back-up in an empty database, and walk along its audit log; 1 when anything is wrong with that."""
    manifest = checked(folder)
    with _admin_of(environ, embedded=embedded, attach=False) as here:
        _fits(manifest, here)
        revision = asyncio.run(
            load(
                here.admin_url,
                folder / DUMP,
                app_password=here.app_password,
                told=here.settings.pg_bin,
            )
        )
        typer.echo(f"Teruggezet: de stand van {manifest.at:%d-%m-%Y %H.%M.%S} UTC, revisie {revision}.")
        typer.echo("Wat daarna nog is bezorgd, wordt onder hetzelfde id nog eens bezorgd.")
        if revision != newest(here.settings.migrations):
            typer.echo("Doe nu eerst: ketenzorg migrate; daarna: ketenzorg audit verify")
            return 0
        return verify(environ, None, embedded=embedded)


def checked(folder: Path) -> Manifest:
    """The manifest of a back-up of which every file is as it was written. Raises CannotCopy."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise CannotCopy(
            Issue(
                nl=f"{folder} is geen (hele) back-up: {MANIFEST} is niet te lezen.",
                en=f"{folder} is no (whole) back-up: {MANIFEST} cannot be read.",
            )
        ) from error
    found = _digests(folder)
    wrong = sorted(
        name for name in manifest.files.keys() | found.keys() if manifest.files.get(name) != found.get(name)
    )
    if wrong or manifest.format != FORMAT:
        what = ", ".join(wrong[:10]) or f"format {manifest.format}"
        raise CannotCopy(
            Issue(
                nl=f"De back-up is veranderd of onvolledig: {what}",
                en=f"The back-up was changed or cut: {what}",
            )
        )
    return manifest


def _manifest(here: _Copied, folder: Path, at: datetime, revision: str, major: int) -> Manifest:
    settings = here.settings
    return Manifest(
        format=FORMAT,
        program=version("ketenzorg"),
        at=at,
        region=settings.region,
        revision=revision,
        postgresql=major,
        settings={
            "KETENZORG_REGION": settings.region,
            "KETENZORG_BASE_URL": settings.base_url,
            "KETENZORG_AUDIENCE": settings.audience,
            "KETENZORG_AUDIT_YEARS": str(settings.audit_years),
            "KETENZORG_EVENT_DAYS": str(settings.event_days),
        },
        audit_key=_audit_key(here),
        files=_digests(folder),
        not_in_it="KETENZORG_SECRET_FILE, de sleutels van KETENZORG_KEKS en wachtwoorden; bewaar die ergens anders.",
    )


def _fits(manifest: Manifest, here: _Copied) -> None:
    """Raise CannotCopy for a back-up of another installation, or of a newer program."""
    if manifest.audit_key != _audit_key(here) or manifest.region != here.settings.region:
        raise CannotCopy(
            Issue(
                nl=f"Deze back-up is van regio {manifest.region} en van een ander geheim dan KETENZORG_SECRET_FILE, "
                "of van een andere regio dan KETENZORG_REGION.",
                en=f"This back-up is of the region {manifest.region} and of another secret than "
                "KETENZORG_SECRET_FILE, or of another region than KETENZORG_REGION.",
            )
        )
    if manifest.revision not in known(here.settings.migrations):
        raise CannotCopy(
            Issue(
                nl=f"Revisie {manifest.revision} kent deze ketenzorg niet; neem {manifest.program} of nieuwer.",
                en=f"This ketenzorg does not know revision {manifest.revision}; take {manifest.program} or newer.",
            )
        )


def _audit_key(here: _Copied) -> str:
    return Seal(Keys.derive(here.secret).log).public.hex()


def _digests(folder: Path) -> dict[str, str]:
    digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / MANIFEST:
            with path.open("rb") as file:
                digests[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


@contextmanager
def _for_us_alone() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _admin_of(environ: Mapping[str, str], *, embedded: bool, attach: bool) -> Iterator[_Copied]:
    """Past row level security: everybody's rows are in a back-up. `attach`: the embedded server runs already."""
    settings = Settings.from_environ(environ)
    secret = read_secret(settings.secret_file)
    if embedded:
        with EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin, attach=attach) as server:
            yield _Copied(
                settings, secret, server.admin_url, keyed_digest(secret, b"embedded database").hex()
            )
        return
    if settings.admin_database_url is None or settings.database_url is None:
        raise WrongSetting(
            Issue(
                nl=f"Hiervoor zijn {ADMIN_DATABASE_URL.name} en {DATABASE_URL.name} nodig.",
                en=f"This needs {ADMIN_DATABASE_URL.name} and {DATABASE_URL.name}.",
            )
        )
    password = make_url(settings.database_url).password or ""
    yield _Copied(settings, secret, settings.admin_database_url, password)
