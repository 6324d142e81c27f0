"""`ketenzorg keys`, as a person uses it; nothing of any key is ever shown."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ketenzorg.cli import data_keys as keys
from ketenzorg.errors import Conflict, NotFound
from ketenzorg.store.data_keys import DataKeys
from services import SECRET, Service

Verb = Callable[..., Any]
KEK = "fedcba9876543210" * 4


@pytest.fixture
def environ(service: Service, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret.key").write_bytes(SECRET)
    return {
        "KETENZORG_DATABASE_URL": service.database.app_url,
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret.key"),
    }


async def do(verb: Verb, environ: dict[str, str], *arguments: str, **options: bool) -> Any:
    return await asyncio.to_thread(verb, environ, *arguments, embedded=False, **options)


async def test_a_key_is_made_used_renewed_rewrapped_and_forgotten(
    service: Service,
    store: DataKeys,
    environ: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await service.refer()
    [old] = await store.all()
    await do(keys.list_keys, environ)
    assert f"{old.id}  onder secret  nummers 1, geheimen 0  nieuwste" in said(capsys)

    assert await do(keys.rotate, environ, go_on=False) == 0
    new, _ = await store.all()
    assert f"De nieuwste sleutel is {new.id}." in (told := said(capsys))
    assert "1 opnieuw verzegeld." in told
    assert await do(keys.rotate, environ, go_on=True) == 0
    assert "0 opnieuw verzegeld." in said(capsys)
    assert len(await store.all()) == 2

    (tmp_path / "kek").write_text(KEK)
    moved = environ | {"KETENZORG_KEKS": f"2027=file:{tmp_path}/kek, secret"}
    await do(keys.rewrap, moved)
    assert "2 sleutels opnieuw ingepakt, met 2027." in said(capsys)
    await do(keys.list_keys, environ)
    assert said(capsys).count("OPENT NIET: 2027: deze sleutel staat niet in KETENZORG_KEKS") == 2

    with pytest.raises(NotFound):
        await do(keys.destroy, moved, "nothing")
    with pytest.raises(Conflict, match="still seals 1 rows"):
        await do(keys.destroy, moved, new.id)
    with pytest.raises(Conflict, match="younger than a minute"):
        await do(keys.destroy, moved, old.id)
    await service.rows("update ketenzorg.data_key set created = created - interval '2 minutes'")
    await do(keys.destroy, moved, old.id)
    told = said(capsys)
    assert f"{old.id} is weg." in told
    assert "In oudere back-ups staat hij nog, ingepakt met 2027." in told
    assert [key.id for key in await store.all()] == [new.id]


async def test_what_nothing_opens_stays_behind_and_is_told(
    service: Service, store: DataKeys, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await service.refer()
    await service.rows("update ketenzorg.personal_number set key_id = 'lost'")

    assert await do(keys.rotate, environ, go_on=True) == 1
    assert "1 bleven achter" in said(capsys)
    await do(keys.list_keys, environ)
    assert "lost  nummers 1, geheimen 0  SLEUTEL IS ER NIET: onleesbaar" in said(capsys)


async def test_no_verb_shows_a_key(
    service: Service, store: DataKeys, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await service.refer()
    for verb, options in ((keys.list_keys, {}), (keys.rotate, {"go_on": False}), (keys.rewrap, {})):
        await do(verb, environ, **options)
    keyring = service.app.litestar.state.world.keyring
    secrets = [SECRET, *(keyring.unwrapped(key) for key in await store.all())]
    shown = "".join(capsys.readouterr())
    assert not [each for each in secrets if each.hex() in shown or b64encode(each)[:20].decode() in shown]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out
