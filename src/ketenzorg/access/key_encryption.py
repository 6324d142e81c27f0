"""Key-encryption keys: what wraps the data keys, so that the database alone opens nothing.

KETENZORG_KEKS names them, the newest first: `2027=file:/run/secrets/kek-2027, 2026=env:KEK_2026`. A key-management
system or an HSM joins as a program, `name=command:/opt/keten/kms`: it is called as `kms wrap CONTEXT` or
`kms unwrap CONTEXT`, gets the bytes on standard input and answers on standard output. CONTEXT is the region and the
id of the data key, to bind the answer to (KMS: encryption context).
"""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ketenzorg.access.data_key import NONCE_BYTES
from ketenzorg.access.keys import Keys, derive
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.secret_file import SECRET_BYTES
from ketenzorg.settings import KEKS, WrongSetting

OF_THE_SECRET = "secret"  # noqa: S105 - the name of a source
SOURCE = re.compile(r"([a-z0-9][a-z0-9.-]{0,31})=(file|env|command):(.+)\Z")
PROGRAM_SECONDS = 10.0
PROGRAM_BYTES = 4096  # of an answer: a wrapped key is some hundreds at most


class CannotUnwrap(KetenzorgError):
    """A key-encryption key did not open or make a wrapped key; says why, and nothing of either key."""


class KeyEncryptionKey(Protocol):
    """A key that wraps others, wherever it is kept."""

    name: str

    def wrap(self, key: bytes, context: str) -> bytes:
        """The key as it may rest anywhere."""

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """The key itself. Raises CannotUnwrap."""


class HeldKek:
    """One that this process holds: from a file, from the environment, or derived from the secret."""

    def __init__(self, name: str, key: bytes) -> None:
        self.name = name
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, context: str) -> bytes:
        """AES-256-GCM, bound to the context."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context.encode())

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Raises CannotUnwrap: it is another key than the one that wrapped."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context.encode())
        except InvalidTag:
            raise _cannot(
                self.name, "dit is niet de sleutel die inpakte", "not the key that wrapped"
            ) from None


class ProgramKek:
    """One that stays where it is: a program asks the key-management system or the HSM."""

    def __init__(self, name: str, program: list[str]) -> None:
        self.name = name
        self._program = program

    def wrap(self, key: bytes, context: str) -> bytes:
        """Raises CannotUnwrap when the program fails."""
        return self._ask("wrap", key, context)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Raises CannotUnwrap when the program fails."""
        return self._ask("unwrap", wrapped, context)

    def _ask(self, what: str, given: bytes, context: str) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own program, without a shell
                [*self._program, what, context],
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it may say anything
                timeout=PROGRAM_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _cannot(self.name, "het programma antwoordt niet", "the program does not answer") from None
        except OSError as error:
            raise _cannot(self.name, "het programma start niet", "the program does not start") from error
        if done.returncode != 0 or not 0 < len(done.stdout) <= PROGRAM_BYTES:
            code = done.returncode
            raise _cannot(self.name, f"het programma eindigde met {code}", f"the program ended with {code}")
        return done.stdout


def key_encryption_keys(
    sources: str, secret: bytes, environ: Mapping[str, str]
) -> tuple[KeyEncryptionKey, ...]:
    """The keys of KETENZORG_KEKS, the newest first. Raises WrongSetting naming the source that cannot be used."""
    keys = tuple(_key(source.strip(), secret, environ) for source in sources.split(","))
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(name, "staat er twee keer", "is there twice")
    return keys


def _key(source: str, secret: bytes, environ: Mapping[str, str]) -> KeyEncryptionKey:
    if source == OF_THE_SECRET:
        return HeldKek(OF_THE_SECRET, Keys.derive(secret).kek)
    found = SOURCE.match(source)
    if found is None or found[1] == OF_THE_SECRET:
        # What stands there may be a key by mistake: never repeated.
        raise _wrong("", f"een bron is {KEKS.unit}", f"a source is {KEKS.unit}")
    name, kind, place = found.groups()
    if kind == "command":
        return ProgramKek(name, _words(name, place))
    material = _file(name, place) if kind == "file" else environ.get(place, "").encode()
    if len(material) < SECRET_BYTES:
        raise _wrong(
            name,
            f"heeft minder dan {SECRET_BYTES} bytes; maak er een met: openssl rand -hex 32",
            f"has fewer than {SECRET_BYTES} bytes; make one with: openssl rand -hex 32",
        )
    # A line end that an editor or `echo` adds changes no key.
    return HeldKek(name, derive(material.strip(), "kek"))


def _words(name: str, place: str) -> list[str]:
    try:
        return shlex.split(place)
    except ValueError as error:
        raise _wrong(name, "een aanhalingsteken mist zijn paar", "a quote without its pair") from error


def _file(name: str, place: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise _wrong(name, f"{place} kan niet worden gelezen", f"{place} cannot be read") from error


def _cannot(name: str, nl: str, en: str) -> CannotUnwrap:
    return CannotUnwrap(Issue(nl=f"{name}: {nl}", en=f"{name}: {en}"))


def _wrong(name: str, nl: str, en: str) -> WrongSetting:
    shown = f"{KEKS.name}: {name}".rstrip(": ")
    return WrongSetting(Issue(nl=f"{shown}: {nl}", en=f"{shown}: {en}"))
