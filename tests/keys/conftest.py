"""The keys behind the service, and other processes beside it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from ketenzorg.access.key_encryption import key_encryption_keys
from ketenzorg.access.keyring import Keyring
from ketenzorg.access.keys import Keys
from ketenzorg.environment import TESTS_PREFIX
from ketenzorg.store.data_keys import DataKeys
from ketenzorg.store.database import Database
from services import SECRET, SETTINGS, Service, serving

OLD = f"old=env:{TESTS_PREFIX}OLD"  # a source of KETENZORG_KEKS
WRONG = f"old=env:{TESTS_PREFIX}WRONG"  # the same name, another key
Ring = Callable[..., Keyring]
Process = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
async def store(service: Service) -> AsyncIterator[DataKeys]:
    database = Database(service.database.app_url)
    yield DataKeys(database, SETTINGS.region)
    await database.close()


@pytest.fixture
def ring(store: DataKeys, keks: None) -> Ring:
    """A keyring as a command has it, with these key-encryption keys and this clock."""

    def make(sources: str = "secret", clock: Callable[[], float] = lambda: 0.0) -> Keyring:
        found = key_encryption_keys(sources, SECRET, os.environ)
        return Keyring(store, SETTINGS.region, found, Keys.derive(SECRET).number, clock)

    return make


@pytest.fixture
def process(service: Service, keks: None) -> Process:
    """One more process of the service, started with these key-encryption keys; it knows no data key yet."""
    return lambda sources="secret": serving(service.database, msgspec.structs.replace(SETTINGS, keks=sources))


@pytest.fixture
def keks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{TESTS_PREFIX}OLD", "an old key " * 4)
    monkeypatch.setenv(f"{TESTS_PREFIX}WRONG", "something else " * 4)
