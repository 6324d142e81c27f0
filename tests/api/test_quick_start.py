"""The quick starts of the guide, run as they stand there: strangers' clients walk a whole referral."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import uvicorn

from databases import Database
from ketenzorg.cli.serve import options
from services import SETTINGS, serving, token_for
from systems import register, rsa

FOLDER = SETTINGS.profiles / "quick-start"
NODE_CLIENT = os.environ.get("FHIR_KIT_CLIENT", "")  # the folder of its node_modules: .ci/node_packages.py
RUN = {".sh": "sh", ".py": sys.executable, ".mjs": "node"}


@pytest.fixture
async def environment(database: Database, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """A service under its own address, and a system that is registered there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = msgspec.structs.replace(SETTINGS, base_url=url, audience=f"{url}/fhir")
        async with serving(database, settings) as service:
            await register(service, "mijn-his", rsa(), scopes=("system/*.cruds",))
            (tmp_path / "key.pem").write_bytes(rsa().as_pem(private=True))
            other = token_for("welzijn-demo", settings=settings)
            server = uvicorn.Server(uvicorn.Config(service.app, **options(settings)))
            running = asyncio.create_task(server.serve(sockets=[listening]))
            yield {"URL": url, "CLIENT": "mijn-his", "KEY": str(tmp_path / "key.pem"), "OTHER": other}
            server.should_exit = True
            await running


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
async def test_a_quick_start_walks_a_whole_referral(
    name: str, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / name.replace("fhirpy", "start")  # its own name would hide the package
    shutil.copy(FOLDER / name, file)
    if file.suffix == ".mjs":
        if not NODE_CLIENT:
            pytest.skip("fhir-kit-client not here: FHIR_KIT_CLIENT names the folder of its node_modules")
        (tmp_path / "node_modules").symlink_to(Path(NODE_CLIENT) / "node_modules")
    ran = await asyncio.create_subprocess_exec(
        RUN[file.suffix], str(file),
        env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await ran.communicate()
    assert (ran.returncode, out.decode().strip()) == (0, "Gaat elke week wandelen."), err.decode()
