"""The data keys of a region as one process knows them: which one seals now, and what opens what was sealed.

A process looks again now and then, so that it seals with a new key soon after it was made, and at once when it meets
a key that it does not know. Keys are unwrapped once and stay in memory.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag

from ketenzorg.access.data_key import DERIVED, IN_CLEAR, KEY_BYTES, DataKey, DerivedKey, InClear, Opener
from ketenzorg.access.key_encryption import CannotUnwrap, KeyEncryptionKey
from ketenzorg.errors import Issue, Unavailable
from ketenzorg.logs import KEY_CLOSED, SEAL_BROKEN, log
from ketenzorg.store.data_keys import DataKeys, Kind, Sealed, WrappedKey

LOOK_AGAIN_S = 30.0


class KeyClosed(Unavailable):
    """A data key cannot be unwrapped just now; what it seals is still there."""


class Keyring:
    """One per process. `keks`: the newest first."""

    def __init__(
        self,
        store: DataKeys,
        region: str,
        keks: Sequence[KeyEncryptionKey],
        derived: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._region = region
        self._keks = {kek.name: kek for kek in keks}
        self._wraps = keks[0]
        self._clock = clock
        self._before: dict[str, Opener] = {DERIVED: DerivedKey(derived), IN_CLEAR: InClear()}
        self._keys: dict[str, DataKey | None] = {}  # None: there, and cannot be unwrapped
        self._gone: set[str] = set()
        self._newest = ""
        self._looked = float("-inf")

    @property
    def keks(self) -> tuple[str, ...]:
        """The names of the key-encryption keys, the newest first."""
        return tuple(self._keks)

    async def newest(self) -> DataKey:
        """The key that seals from now on; the first one is made here. Raises KeyClosed."""
        if self._clock() - self._looked > LOOK_AGAIN_S:
            await self._look()
        key = self._keys[self._newest]
        if key is None:
            raise _closed()
        return key

    async def opening(self, ids: Iterable[str]) -> Mapping[str, Opener]:
        """The keys with these ids; one that was destroyed is not among them. Raises KeyClosed."""
        wanted = frozenset(ids) - self._before.keys()
        if not wanted <= self._keys.keys() | self._gone:
            await self._look()
            self._gone |= wanted - self._keys.keys()
        found = {id_: self._keys[id_] for id_ in wanted if id_ in self._keys}
        opened = {id_: key for id_, key in found.items() if key is not None}
        if len(opened) < len(found):
            raise _closed()
        return self._before | opened

    async def seal(self, plain: bytes, kind: Kind, row: UUID) -> Sealed:
        """Something short that must not rest in clear, for one row and no other. Raises KeyClosed."""
        key = await self.newest()
        return Sealed(key.id, key.seal(plain, kind, row))

    async def open(self, sealed: Sealed, kind: Kind, row: UUID) -> bytes | None:
        """What was sealed for this row; None when nobody can open it any more. Raises KeyClosed."""
        key = (await self.opening([sealed.key_id])).get(sealed.key_id)
        return opened(key, sealed, kind, row) if key else None

    async def make(self, *, first: bool = False) -> None:
        """A new key, which seals from now on; `first`: only where there is none. Raises CannotUnwrap."""
        today = datetime.now(UTC)
        id_ = f"{today:%Y%m%d}-{secrets.token_hex(4)}"
        wrapped = await asyncio.to_thread(self._wrapped, id_, secrets.token_bytes(KEY_BYTES))
        await self._store.add(id_, self._wraps.name, wrapped, first=first)
        self._looked = float("-inf")

    async def rewrap(self, key: WrappedKey) -> bool:
        """Keep a key under the newest key-encryption key. False: somebody was first. Raises CannotUnwrap."""
        plain = await asyncio.to_thread(self.unwrapped, key)
        wrapped = await asyncio.to_thread(self._wrapped, key.id, plain)
        return await self._store.rewrap(key, self._wraps.name, wrapped)

    def unwrapped(self, key: WrappedKey) -> bytes:
        """The key itself. Raises CannotUnwrap."""
        kek = self._keks.get(key.kek)
        if kek is None:
            raise CannotUnwrap(
                Issue(
                    nl=f"{key.kek}: deze sleutel staat niet in KETENZORG_KEKS",
                    en=f"{key.kek}: KETENZORG_KEKS has no such key",
                )
            )
        context = self._context(key.id)
        whole = kek.unwrap(key.wrapped, context)
        plain, mark = whole[:KEY_BYTES], whole[KEY_BYTES:]
        # Whatever unwraps: a wrong key would seal what nobody can ever open.
        if not hmac.compare_digest(mark, _mark(plain, context)):
            raise CannotUnwrap(
                Issue(nl=f"{key.kek}: dit is een andere sleutel", en=f"{key.kek}: this is another key")
            )
        return plain

    def _wrapped(self, id_: str, key: bytes) -> bytes:
        context = self._context(id_)
        return self._wraps.wrap(key + _mark(key, context), context)

    async def _look(self) -> None:
        began = self._clock()
        keys = await self._store.all()
        if not keys:
            try:
                await self.make(first=True)
            except CannotUnwrap as error:
                raise _closed() from error
            keys = await self._store.all()
        self._keys = {key.id: self._keys.get(key.id) or await self._opened(key) for key in keys}
        self._newest = keys[0].id
        self._gone = set()
        self._looked = began

    async def _opened(self, key: WrappedKey) -> DataKey | None:
        try:
            return DataKey(self._region, key.id, await asyncio.to_thread(self.unwrapped, key))
        except CannotUnwrap as error:
            log(KEY_CLOSED, key=key.id, kek=key.kek, why=str(error))
            return None

    def _context(self, id_: str) -> str:
        return f"{self._region}/{id_}"


def opened(key: Opener, sealed: Sealed, kind: Kind, row: UUID) -> bytes | None:
    """What was sealed; None, and a line in the log, when it was changed or is of another row."""
    try:
        return key.open(sealed.ciphertext, kind, row)
    except InvalidTag:
        log(SEAL_BROKEN, key=sealed.key_id)
        return None


def _mark(key: bytes, context: str) -> bytes:
    """By which a key is known, and for which place it was made."""
    return hmac.digest(key, context.encode(), "sha256")[:16]


def _closed() -> KeyClosed:
    return KeyClosed(
        Issue(
            nl="Een sleutel voor persoonsnummers is nu niet te gebruiken. Er is niets verloren en niets opgeslagen; "
            "stuur het later nog eens. De beheerder ziet welke met: ketenzorg keys list.",
            en="A key for personal numbers cannot be used just now. Nothing is lost and nothing was stored; send it "
            "again later. The operator sees which one with: ketenzorg keys list.",
        ),
        headers={"Retry-After": "60"},
    )
