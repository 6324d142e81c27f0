"""The file with the installation's secret, and the folder that is for us alone."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from ketenzorg.errors import Issue
from ketenzorg.settings import SECRET_FILE, WrongSetting

SECRET_BYTES = 32


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
