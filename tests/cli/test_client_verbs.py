"""`ketenzorg client add`, `list`, `rotate` and `revoke`, as a person uses them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ketenzorg.cli import clients
from ketenzorg.errors import Conflict, Invalid, InvalidScope, NotFound
from services import SECRET, Service
from systems import COACH, PRACTICE, System, ec, key_set, publisher, rsa


class Shell:
    """Somebody at the command line, who keeps key sets in a folder."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.folder = folder
        (folder / "secret.key").write_bytes(SECRET)
        self.environ = {
            "KETENZORG_DATABASE_URL": service.database.app_url,
            "KETENZORG_SECRET_FILE": str(folder / "secret.key"),
            "KETENZORG_OUTGOING_NETWORKS": "127.0.0.0/8",
        }

    def file(self, text: str) -> Path:
        path = self.folder / "jwks.json"
        path.write_text(text)
        return path

    async def add(self, name: str = "his-a", *uras: str, scope: str = "system/*.crus", **keys: Any) -> None:
        given = {"jwks": None, "jwks_url": None} | (keys or {"jwks": self.file(key_set(rsa()))})
        await asyncio.to_thread(
            clients.add, self.environ, name, uras or [PRACTICE.ura], scope, *given.values(), embedded=False
        )

    async def judge(self, name: str, validation: Any) -> None:
        await asyncio.to_thread(clients.judge, self.environ, name, validation, embedded=False)

    async def rotate(self, name: str, path: Path) -> None:
        await asyncio.to_thread(clients.rotate, self.environ, name, path, None, embedded=False)

    async def revoke(self, name: str) -> None:
        await asyncio.to_thread(clients.revoke, self.environ, name, embedded=False)

    async def list(self) -> None:
        await asyncio.to_thread(clients.list_clients, self.environ, embedded=False)


@pytest.fixture
def shell(service: Service, tmp_path: Path) -> Shell:
    return Shell(service, tmp_path)


async def test_a_system_is_added_listed_given_other_keys_and_revoked(
    service: Service, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    await shell.add("his-a", PRACTICE.ura, COACH.ura, scope="system/Task.rus system/Patient.r")
    said = capsys.readouterr().out
    assert f"sleutel rsa-1: RSA, {rsa().thumbprint()}" in said  # to be compared by telephone
    assert f"{PRACTICE.name}, {COACH.name}" in said

    await shell.list()
    assert "  strict  " in capsys.readouterr().out
    await shell.judge("his-a", "liberal")
    await shell.list()
    assert "  liberal  " in capsys.readouterr().out
    await shell.rotate("his-a", shell.file(key_set(ec())))
    extensions = {"hl7-b2b": {"organization_id": f"Organization/{PRACTICE.id}"}}
    system = System(service, "his-a", ec())
    await system.token(system.signed(extensions=extensions))

    await shell.revoke("his-a")
    capsys.readouterr()
    await shell.list()
    [line, total] = capsys.readouterr().out.splitlines()
    assert line.startswith("his-a  ingetrokken 20")
    assert "system/Patient.r system/Task.rus" in line
    assert total == "0 geregistreerd, 1 in totaal."
    for again in (
        shell.revoke("his-a"),
        shell.judge("his-a", "strict"),
        shell.rotate("his-a", shell.file(key_set(ec()))),
    ):
        with pytest.raises(NotFound, match="not registered"):
            await again
    with pytest.raises(Conflict, match="was a system's already"):
        await shell.add("his-a")


async def test_keys_at_an_address_are_looked_at_when_they_are_registered(
    service: Service, shell: Shell
) -> None:
    async with publisher(key_set(ec())) as at:
        await shell.add(jwks_url=at.url)
        assert at.looks == 1
        await System(service, "his-a", ec()).token()
    with pytest.raises(Invalid, match=r"no key set that we can use at this address \(connection\)"):
        await shell.add("his-b", jwks_url=at.url)
    for url in ("http://his.example/jwks", "https://169.254.169.254/jwks"):
        with pytest.raises(Invalid, match="We do not go to this address"):
            await shell.add("his-b", jwks_url=url)


PRIVATE = json.dumps({"keys": [ec().as_dict(private=True)]})
NO_KEY_SETS = {
    "": "no JWK Set",
    "{}": "no JWK Set",
    '{"keys": []}': "there is no key",
    PRIVATE: "private key: keep it to yourself",
    json.dumps({"keys": [{"kty": "RSA"}]}): "needs a kid",
    json.dumps({"keys": [{"kty": "oct", "kid": "1", "k": "AAAA"}]}): "no RSA key",
    key_set(ec("curve", "P-256")): "no EC key on P-384",
    key_set(ec("same"), rsa("same")): "more than once",
    json.dumps({"keys": [ec().as_dict(private=False) | {"x": "AAAA"}]}): "not a whole key",
    json.dumps({"keys": [rsa().as_dict(private=False) | {"use": "enc"}]}): "not for signing",
}


async def test_a_key_set_with_a_mistake_is_not_registered(service: Service, shell: Shell) -> None:
    for text, says in NO_KEY_SETS.items():
        with pytest.raises(Invalid, match=says):
            await shell.add(jwks=shell.file(text))
    assert await service.rows("select from ketenzorg.client") == []


async def test_what_is_wrong_with_a_registration_is_said(service: Service, shell: Shell) -> None:
    for name in ("His", "his a", "", "x" * 64, "-his"):
        with pytest.raises(Invalid, match="A name has lower-case letters"):
            await shell.add(name)
    with pytest.raises(NotFound, match="Not every URA"):
        await shell.add("his-a", PRACTICE.ura, "12345678")
    with pytest.raises(InvalidScope, match="SMART v2"):
        await shell.add(scope="system/Task.read")
    for keys in (
        {"jwks": None},
        {"jwks": shell.file(key_set(rsa())), "jwks_url": "https://his.example/jwks"},
    ):
        with pytest.raises(Invalid, match="Give --jwks or --jwks-url"):
            await shell.add(**keys)
    with pytest.raises(Invalid, match="cannot be read"):
        await shell.add(jwks=shell.folder / "nowhere.json")
    assert await service.rows("select from ketenzorg.client") == []
