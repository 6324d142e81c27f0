"""Key-encryption keys come from a file, the environment or a program; a wrong one is named, and never shown."""

import sys
from pathlib import Path

import pytest

from ketenzorg.access import key_encryption
from ketenzorg.access.key_encryption import CannotUnwrap, key_encryption_keys
from ketenzorg.access.rotation import rewrap
from ketenzorg.settings import WrongSetting
from ketenzorg.store.data_keys import DataKeys, WrappedKey
from keys.conftest import Ring
from services import REGION, SECRET

KEY = "0123456789abcdef" * 4
COACH = REGION.of_client("welzijn-demo").id
# What asks a key-management system: the key stays there, and the answer is bound to the context.
KMS = """
import signal, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
how, what, context = sys.argv[1:]
given, key = sys.stdin.buffer.read(), AESGCM(bytes(32))
if how == "hangs":
    signal.pause()
if how == "fails":
    sys.stderr.write("a secret of the key-management system")
    sys.exit(3)
answer = key.encrypt if what == "wrap" else key.decrypt
if how == "confused":
    answer = lambda *_: bytes(48)
sys.stdout.buffer.write(answer(bytes(12), given, context.encode()))
"""


@pytest.fixture
def kms(tmp_path: Path) -> str:
    (tmp_path / "a kms.py").write_text(KMS)
    return f"command:{sys.executable} '{tmp_path}/a kms.py'"


def test_the_same_key_from_a_file_and_from_the_environment_is_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    path.write_text(f"{KEY}\n")  # as an editor leaves it
    of_file, of_environ, other = key_encryption_keys(
        f"a=file:{path}, b=env:KEK ,secret", SECRET, {"KEK": KEY}
    )
    wrapped = of_file.wrap(b"a data key", "groningen/1")

    assert b"a data key" not in wrapped
    assert of_environ.unwrap(wrapped, "groningen/1") == b"a data key"
    for wrong, context in ((of_file, "drenthe/1"), (other, "groningen/1")):
        with pytest.raises(CannotUnwrap, match="not the key that wrapped"):
            wrong.unwrap(wrapped, context)


async def test_a_program_wraps_and_unwraps_without_letting_go_of_its_key(
    store: DataKeys, ring: Ring, kms: str
) -> None:
    sealed = await ring().seal(b"shared", "endpoint", COACH)
    assert await rewrap(ring(f"hsm={kms} works, secret"), store, "hsm") == 1

    assert await ring(f"hsm={kms} works").open(sealed, "endpoint", COACH) == b"shared"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("fails", "hsm: the program ended with 3"),
        ("hangs", "hsm: the program does not answer"),
        ("confused", "hsm: this is another key"),
    ],
)
async def test_a_program_that_does_not_give_the_key_is_named_and_seals_nothing(
    store: DataKeys, ring: Ring, kms: str, how: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ring(f"hsm={kms} works").newest()
    if how == "hangs":
        monkeypatch.setattr(key_encryption, "PROGRAM_SECONDS", 0.5)
    with pytest.raises(CannotUnwrap, match=f"^{said}$"):
        await rewrap(ring(f"secret, hsm={kms} {how}"), store, "secret")


def test_a_program_that_is_not_there_is_named() -> None:
    [kek] = key_encryption_keys("hsm=command:/nowhere/kms", SECRET, {})
    with pytest.raises(CannotUnwrap, match="hsm: the program does not start"):
        kek.wrap(b"a data key", "groningen/1")


async def test_a_wrapped_key_that_was_put_under_another_id_does_not_open(store: DataKeys, ring: Ring) -> None:
    here = ring()
    await here.newest()
    await here.make()
    one, other = await store.all()
    with pytest.raises(CannotUnwrap):
        here.unwrapped(WrappedKey(one.id, one.kek, other.wrapped, one.created))


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        (KEY, "a source is name=file:PATH"),
        ("", "a source is name=file:PATH"),
        ("secret=env:KEK", "a source is name=file:PATH"),
        ("a=vault:x", "a source is name=file:PATH"),
        ("a=file:/nowhere/kek", "a: /nowhere/kek cannot be read"),
        ("a=env:NONE", "a: has fewer than 32 bytes; make one with: openssl rand -hex 32"),
        ("a=env:SHORT", "a: has fewer than 32 bytes"),
        ("a=env:KEK,a=env:KEK", "a: is there twice"),
        ("a=command:kms 'x", "a: a quote without its pair"),
    ],
)
def test_a_source_that_cannot_be_used_is_told_without_what_stands_there(sources: str, named: str) -> None:
    with pytest.raises(WrongSetting, match=f"^KETENZORG_KEKS: {named}") as caught:
        key_encryption_keys(sources, SECRET, {"KEK": KEY, "SHORT": "hush"})
    assert not any(word in str(caught.value) for word in (KEY, "hush"))
