"""The folder of the demo's own database: emptied at each start, and only when it is certainly the demo's."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.secret_file import make_private_folder
from ketenzorg.settings import DATA_DIR
from ketenzorg.store import embedded_postmaster as postmaster
from ketenzorg.store.embedded import EmbeddedPostgres

NAME = "demo"
MARK = "ketenzorg-demo"  # stands in every folder that we made, and in none that we did not
SAYS = "Map van `ketenzorg demo`. Alles hierin is verzonnen en wordt bij elke start van de demo gewist.\n"


class WrongFolder(KetenzorgError):
    """The demo cannot have this folder."""


@contextmanager
def demo_folder(data_dir: Path) -> Iterator[Path]:
    """An empty folder for this demo alone, for as long as the context lasts; what it leaves may be looked at."""
    folder = data_dir / NAME
    make_private_folder(data_dir)
    _make(folder)
    with (folder / MARK).open("a+", encoding="utf-8") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WrongFolder(
                Issue(
                    nl=f"In {folder} draait al een demo. Stop die met Ctrl-C, "
                    f"of zet {DATA_DIR.name} op een andere map.",
                    en=f"A demo runs in {folder} already. Stop it with Ctrl-C, "
                    f"or set {DATA_DIR.name} to another folder.",
                )
            ) from error
        _empty(folder)
        yield folder


def _make(folder: Path) -> None:
    """A new folder gets our mark; one that is there must have it."""
    if not folder.exists() and not folder.is_symlink():
        make_private_folder(folder)
        (folder / MARK).write_text(SAYS, encoding="utf-8")
        return
    found, mark = folder.lstat(), folder / MARK
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or mark.is_symlink() or not mark.is_file() or mark.read_text("utf-8", "replace") != SAYS:
        raise WrongFolder(
            Issue(
                nl=f"{folder} is niet door de demo gemaakt en blijft dus zoals hij is. "
                f"Geef hem een andere naam, of zet {DATA_DIR.name} op een andere map.",
                en=f"{folder} was not made by the demo, so it stays as it is. "
                f"Rename it, or set {DATA_DIR.name} to another folder.",
            )
        )


def _empty(folder: Path) -> None:
    if postmaster.live(folder / "postgres") is not None:
        # Of a demo that was killed: adopted, so that it can be stopped. Refuses when somebody else works there.
        with EmbeddedPostgres(folder):
            pass
    for path in folder.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
