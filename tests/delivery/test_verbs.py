"""`ketenzorg endpoint set`, `outbox list`, `outbox release` and `worker`, as a person uses them."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from delivery.conftest import Clock
from ketenzorg.cli import messages as verbs
from ketenzorg.delivery.worker import Worker
from ketenzorg.errors import Invalid, NotFound
from ketenzorg.store.data_keys import Sealed
from receivers import OK, answer, receiver
from services import SECRET, Service

URA_OF_THE_PRACTICE = "99990003"


@pytest.fixture
def environ(service: Service, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret.key").write_bytes(SECRET)
    return {
        "KETENZORG_DATABASE_URL": service.database.app_url,
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret.key"),
        "KETENZORG_OUTGOING_NETWORKS": "127.0.0.0/8",
    }


async def set_endpoint(environ: dict[str, str], ura: str, url: str) -> None:
    await asyncio.to_thread(verbs.set_endpoint, environ, ura, url, embedded=False)


async def test_the_secret_is_shown_and_is_the_one_that_signs(
    service: Service, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await set_endpoint(environ, URA_OF_THE_PRACTICE, "https://his.example/hook")

    said = capsys.readouterr().out
    [row] = await service.rows("select endpoint, status from ketenzorg.subscription")
    assert (row["endpoint"], row["status"]) == ("https://his.example/hook", "requested")
    [row] = await service.rows("select id, key_id, secret from ketenzorg.endpoint")
    secret = b64decode(re.findall(r"whsec_(\S+)", said)[0])
    assert secret not in row["secret"]  # sealed
    sealed = Sealed(row["key_id"], row["secret"])
    assert await service.app.litestar.state.world.keyring.open(sealed, "endpoint", row["id"]) == secret
    assert "De Singel" in said


async def test_an_unknown_organisation_and_an_unsafe_address_are_refused(
    service: Service, environ: dict[str, str]
) -> None:
    with pytest.raises(NotFound, match="No organisation of the region groningen"):
        await set_endpoint(environ, "12345678", "https://his.example/hook")
    with pytest.raises(Invalid, match="https, or http on this machine"):
        await set_endpoint(environ, URA_OF_THE_PRACTICE, "http://his.example/hook")
    assert await service.rows("select from ketenzorg.subscription") == []


async def test_what_was_parked_is_listed_and_can_be_released(
    service: Service,
    environ: dict[str, str],
    worker: Worker,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with receiver(OK, answer(400), answer(400)) as practice:
        await set_endpoint(environ, URA_OF_THE_PRACTICE, practice.url)
        referral = await service.refer()
        await worker.deliver_due()
        clock.passes(hours=72)
        await worker.deliver_due()
        capsys.readouterr()

        await asyncio.to_thread(verbs.list_outbox, environ, embedded=False)
        said = capsys.readouterr().out
        for part in (
            "De Singel",
            f"{referral['Task']}/_history/1",
            "pogingen 2",
            "http 400",
            "0 wachten, 1 geparkeerd",
        ):
            assert part in said

        message = said.split()[0]
        await asyncio.to_thread(verbs.release, environ, message, embedded=False)
        assert await worker.deliver_due() == 1
    with pytest.raises(NotFound):
        await asyncio.to_thread(verbs.release, environ, message, embedded=False)
    with pytest.raises(Invalid):
        await asyncio.to_thread(verbs.release, environ, "everything", embedded=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_worker_process_delivers_and_stops_cleanly(
    service: Service, environ: dict[str, str], number: signal.Signals
) -> None:
    async with receiver() as practice:
        await set_endpoint(environ, URA_OF_THE_PRACTICE, practice.url)
        await service.refer()
        process = subprocess.Popen(
            [sys.executable, "-m", "ketenzorg", "worker"],
            env=os.environ | environ | {"KETENZORG_SANDBOX": "yes"},  # START is long ago: norms would be late
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            for _ in range(2):
                await asyncio.wait_for(practice.arrived.acquire(), 30)
            process.send_signal(number)
            _, logs = await asyncio.to_thread(process.communicate, timeout=30)
        finally:
            process.kill()

    assert [got.kind for got in practice.got] == ["handshake", "event-notification"]
    assert process.returncode == 0
    assert [line["event"] for line in map(json.loads, logs.splitlines())] == [
        "KZ-RUN-001",
        "KZ-OUT-001",
        "KZ-OUT-005",
        "KZ-RUN-002",
    ]
