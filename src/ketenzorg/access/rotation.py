"""Renewing keys: what older data keys sealed moves to the newest, and data keys to the newest key-encryption key.

Both go piece by piece, each piece a transaction: interrupted, they go on where they were when they run again.
"""

from collections.abc import Callable, Sequence
from typing import get_args
from uuid import UUID

import msgspec

from ketenzorg.access.data_key import DataKey, Opener
from ketenzorg.access.key_encryption import CannotUnwrap
from ketenzorg.access.keyring import KeyClosed, Keyring, opened
from ketenzorg.errors import Issue
from ketenzorg.store.data_keys import DataKeys, Kind, Sealed, SealedRow

PIECE = 500  # rows of one transaction: some milliseconds
BEFORE_ALL = UUID(int=0)


class Moved(msgspec.Struct, frozen=True):
    """How many rows the newest key seals now, and how many stayed because nothing opens them."""

    moved: int
    left: int


async def move_to_newest(
    keyring: Keyring, store: DataKeys, told: Callable[[int], None] = lambda _: None
) -> Moved:
    """Seal again with the newest key whatever another one sealed. `told`: the rows of each piece, once it is done."""
    newest = await keyring.newest()
    so_far = Moved(0, 0)
    for kind in get_args(Kind):
        after = BEFORE_ALL
        while rows := await store.sealed_otherwise(kind, newest.id, after, PIECE):
            moved, left = await _move(kind, rows, newest, keyring, store)
            so_far = Moved(so_far.moved + moved, so_far.left + left)
            after = rows[-1].id
            told(len(rows))
    return so_far


async def rewrap(keyring: Keyring, store: DataKeys, newest_kek: str) -> int:
    """Wrap every data key with the newest key-encryption key; how many that were.

    Raises CannotUnwrap, after all the others, naming those that could not be unwrapped.
    """
    done, issues = 0, list[Issue]()
    for key in await store.all():
        if key.kek == newest_kek:
            continue
        try:
            done += await keyring.rewrap(key)
        except CannotUnwrap as error:
            issues += error.issues
    if issues:
        raise CannotUnwrap(*issues)
    return done


async def _move(
    kind: Kind, rows: Sequence[SealedRow], newest: DataKey, keyring: Keyring, store: DataKeys
) -> tuple[int, int]:
    keys = await _openers({row.key_id for row in rows}, keyring)
    plain = [(row, _plain(row, kind, keys)) for row in rows]
    able = [(row, newest.seal(text, kind, row.id)) for row, text in plain if text is not None]
    ciphertexts = [ciphertext for _, ciphertext in able]
    moved = await store.seal_again(kind, newest.id, [row for row, _ in able], ciphertexts)
    return moved, len(rows) - len(able)


async def _openers(ids: set[str], keyring: Keyring) -> dict[str, Opener]:
    """One that is closed just now keeps its own rows back, and no others."""
    found: dict[str, Opener] = {}
    for id_ in ids:
        try:
            found |= await keyring.opening([id_])
        except KeyClosed:
            continue
    return found


def _plain(row: SealedRow, kind: Kind, keys: dict[str, Opener]) -> bytes | None:
    key = keys.get(row.key_id)
    return opened(key, Sealed(row.key_id, row.ciphertext), kind, row.id) if key else None
