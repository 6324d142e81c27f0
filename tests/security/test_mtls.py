"""With a CA for systems a token is given only to the organisation of the certificate, and works nowhere else."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from authorities import Authority, Holder, of_this_machine, uzi
from content import CONTENT
from ketenzorg.app import create_app
from ketenzorg.cli import tls
from ketenzorg.cli.tls import Tls
from ketenzorg.settings import (
    DATA_DIR,
    TLS_CERTIFICATE,
    TLS_CLIENT_CA,
    TLS_CLIENT_CRL,
    TLS_KEY,
    Settings,
    WrongSetting,
)
from referrals import a_referral
from services import DATA, SECRET, Service
from serving import on_a_port
from systems import COACH, FORM, PRACTICE, System, register


@dataclass
class Certified:
    """The service over TLS, its authority, and a system that may speak for two organisations."""

    authority: Authority
    tls: Tls
    port: int
    system: System

    @asynccontextmanager
    async def as_holder(self, holder: Holder | None) -> AsyncIterator[httpx.AsyncClient]:
        """A client on connections with this certificate."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if holder is not None:
            context.load_cert_chain(*holder.files)
        async with httpx.AsyncClient(
            verify=context, base_url=f"https://127.0.0.1:{self.port}", trust_env=False
        ) as client:
            yield client

    async def ask(self, client: httpx.AsyncClient, organisation: Any = PRACTICE) -> httpx.Response:
        said = {"hl7-b2b": {"organization_id": f"Organization/{organisation.id}"}}
        form = self.system.form(self.system.signed(extensions=said), scope="system/*.crus")
        return await client.post("/auth/token", data=form, headers={"Content-Type": FORM})

    async def token(self, client: httpx.AsyncClient) -> str:
        answer = await self.ask(client)
        assert answer.status_code == 200, answer.text
        return f"Bearer {answer.json()['access_token']}"


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    authority = Authority(tmp_path)
    authority.revoke()
    yield authority


@pytest.fixture
async def certified(service: Service, authority: Authority) -> AsyncIterator[Certified]:
    settings = Settings.from_environ({DATA_DIR.name: DATA.name} | environ(authority))
    spoken = Tls(settings)
    app = create_app(settings, SECRET, service.database.app_url, content=CONTENT)
    system = await register(service, "cloud", organisations=[PRACTICE, COACH])
    async with on_a_port(app, tls=spoken) as port:
        yield Certified(authority, spoken, port, system)
    await app.litestar.state.world.bell.close()
    await app.litestar.state.database.close()


def environ(authority: Authority) -> dict[str, str]:
    certificate, key = authority.issue(of_this_machine()).files
    return {
        TLS_CERTIFICATE.name: certificate,
        TLS_KEY.name: key,
        TLS_CLIENT_CA.name: str(authority.file),
        TLS_CLIENT_CRL.name: str(authority.folder / "revoked.pem"),
    }


async def test_a_token_works_on_connections_of_its_certificate_and_on_no_other(certified: Certified) -> None:
    practice, coach = certified.authority.issue(uzi(PRACTICE.ura)), certified.authority.issue(uzi(COACH.ura))
    async with certified.as_holder(practice) as client:
        token = {"Authorization": await certified.token(client)}
    async with certified.as_holder(practice) as again:
        assert (await again.post("/fhir", json=a_referral(), headers=token)).status_code == 200
    for thief in (coach, None):
        async with certified.as_holder(thief) as client:
            refused = await client.get("/fhir/Task", headers=token)
        assert refused.status_code == 401
        assert "another client certificate" in refused.json()["issue"][0]["diagnostics"]


async def test_who_shows_no_certificate_or_that_of_another_gets_no_token(certified: Certified) -> None:
    issue = certified.authority.issue
    for holder, says in (
        (None, "client certificate is needed"),
        (issue(uzi(COACH.ura)), "URA in the client certificate"),
        (issue(uzi(PRACTICE.ura, kind="Z")), "URA in the client certificate"),  # the card of a person
        (issue(uzi(PRACTICE.ura), uzi(COACH.ura)), "URA in the client certificate"),
        (issue(of_this_machine()), "URA in the client certificate"),
    ):
        async with certified.as_holder(holder) as client:
            refused = await certified.ask(client)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client"), says
        assert says in refused.json()["error_description"]
    async with certified.as_holder(
        issue(uzi(COACH.ura, tag=0x0C))
    ) as client:  # UTF8String, in test certificates
        assert (await certified.ask(client, COACH)).status_code == 200


async def test_what_needs_no_token_needs_no_certificate(certified: Certified) -> None:
    async with certified.as_holder(None) as client:
        assert (await client.get("/health/live")).status_code == 200
        said = (await client.get("/fhir/.well-known/smart-configuration")).json()
    assert said["tls_client_certificate_bound_access_tokens"] is True


async def test_a_certificate_that_is_revoked_expired_or_of_another_ca_does_not_connect(
    certified: Certified, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    elsewhere = Authority(tmp_path / "other")
    revoked, expired = [
        certified.authority.issue(uzi(PRACTICE.ura), until=until)
        for until in (timedelta(days=1), timedelta(days=-1))
    ]
    certified.authority.revoke(revoked)
    await certified.tls.reread()
    for holder in (revoked, expired, elsewhere.issue(uzi(PRACTICE.ura))):
        async with certified.as_holder(holder) as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/health/live")


async def test_a_connection_from_before_the_revocation_ends_with_its_next_answer(
    certified: Certified,
) -> None:
    holder, other = (certified.authority.issue(uzi(PRACTICE.ura)) for _ in range(2))
    async with certified.as_holder(holder) as client, certified.as_holder(other) as honest:
        for each in (client, honest):
            assert "connection" not in (await each.get("/health/live")).headers
        certified.authority.revoke(holder)
        await certified.tls.reread()
        for each in (client, honest):
            assert (await each.get("/health/live")).headers["connection"] == "close"
        with pytest.raises(httpx.TransportError):
            await client.get("/health/live")
        assert (await honest.get("/health/live")).status_code == 200


class Watched(Tls):
    """Says when it has looked for a newer list."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.looked = asyncio.Event()

    async def reread(self) -> None:
        await super().reread()
        self.looked.set()


async def test_a_newer_list_is_found_while_we_serve(
    service: Service, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "REREAD_S", 0)
    watched = Watched(Settings.from_environ(environ(authority)))
    async with on_a_port(service.app, tls=watched):
        authority.revoke(authority.issue(uzi(PRACTICE.ura)))
        while not watched.edition:
            await asyncio.wait_for(watched.looked.wait(), 30)
            watched.looked.clear()


def test_files_that_do_not_belong_together_are_named_at_the_start(
    authority: Authority, tmp_path: Path
) -> None:
    good = environ(authority)
    for wrong in (
        {TLS_KEY.name: authority.issue(of_this_machine()).files[1]},
        {TLS_CLIENT_CRL.name: good[TLS_KEY.name]},
    ):
        with pytest.raises(WrongSetting, match="belong together"):
            Tls(Settings.from_environ(good | wrong))
    with pytest.raises(WrongSetting, match=f"set {TLS_CLIENT_CA.name} too"):
        Settings.from_environ({name: value for name, value in good.items() if name != TLS_CLIENT_CA.name})
