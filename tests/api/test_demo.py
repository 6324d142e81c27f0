"""`ketenzorg demo` as a newcomer runs it: what it shows, what can be done with it, and what it leaves on disk."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from content import CATALOGUE
from ketenzorg.cli.demo.chain_referrals import FEWEST
from ketenzorg.cli.demo.chains import CHAINS
from ketenzorg.cli.demo.command import PERIOD, PLAYS, demo
from ketenzorg.cli.demo.folder import WrongFolder, demo_folder
from ketenzorg.cli.demo.lines import Exchange, Line, NotAsExpected
from ketenzorg.cli.demo.people import OF_THE_EXAMPLE
from ketenzorg.cli.demo.receivers import Receiver
from ketenzorg.cli.demo.referrals import make_cases
from ketenzorg.cli.demo.service import listen_here
from ketenzorg.cli.listening import PortInUse
from pages.browsers import Browser
from referrals import EXAMPLE
from services import REGION

REFERRALS = 60  # enough for each kind of ending, few enough to wait for
CASES = make_cases(REGION, CATALOGUE, PLAYS, PERIOD, REFERRALS)
NUMBERS = {case.person.bsn for case in CASES if case.person.bsn}
STEP = re.compile(r"^  (\S.*?) +([0-9]+)  ▪+$", re.MULTILINE)
SERVES = "De dienst draait."


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a process of its own, with no database or setting but its data folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KETENZORG_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ketenzorg", "demo", "--port", "0", "--referrals", str(REFERRALS), *arguments],
        env=environ | {"KETENZORG_DATA_DIR": str(folder)},
        cwd=EXAMPLE.parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def numbers_on_disk(folder: Path) -> set[str]:
    """The demo's numbers that stand in clear in any file: tables, write-ahead log, logs."""
    found: set[str] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            digits = re.findall(rb"9999[0-9]{5}", path.read_bytes())
            found |= {digit.decode() for digit in digits} & (NUMBERS | {OF_THE_EXAMPLE})
    return found


def test_once_ends_with_a_summary_and_leaves_no_personal_number(tmp_path: Path) -> None:
    with running(tmp_path, "--once") as process:
        told, wrong = process.communicate(timeout=240)

    assert (process.returncode, wrong) == (0, "")
    steps = {title: int(number) for title, number in STEP.findall(told)}
    assert sum(steps.values()) == REFERRALS
    assert len(steps) >= 12
    assert {"Aangemeld", "Activiteit, met warme overdracht", "Afgerond", "Niet bereikt"} <= steps.keys()
    assert steps["Overgedragen na crisis"] >= 1
    assert re.search(r"later toch heropend +[1-9]", told)
    assert re.search(r"In een jaar ongeveer [0-9]+ verwijzingen", told)
    for status in ("200  Deze verwijzing hadden we al", "409  Onder dit kenmerk", "422  Verstuur niets"):
        assert status in told
    played = dict(
        re.findall(r"^  ([a-z-]+): .*?Gespeeld:\s+([0-9]+)\s+verwijzingen", told, re.MULTILINE | re.DOTALL)
    )
    assert played == {chain.pathway: str(FEWEST) for chain in CHAINS}
    assert "Nog niet ingevuld: " in told
    assert re.search(r"terugkoppeling: .*(Mevrouw|Meneer)", told)
    assert "KZ-" not in told  # no lines of the log between the story
    assert len(NUMBERS) > REFERRALS * 0.6
    assert not [number for number in NUMBERS if number in told]
    assert any((tmp_path / "demo" / "postgres" / "pg_wal").iterdir())
    assert numbers_on_disk(tmp_path) == set()


def test_what_it_prints_can_be_pasted_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if SERVES in line:
                break
        token = re.search(r"^export HIS_DEMO=(\S+)$", told, re.MULTILINE)
        curl = re.search(r"^curl -s (\S+/fhir) .*\n.*--data-binary @(\S+)$", told, re.MULTILINE)
        assert token and curl, told
        headers = {"Authorization": f"Bearer {token[1]}", "Content-Type": "application/fhir+json"}
        body = (EXAMPLE.parents[2] / curl[2]).read_bytes()
        answer = httpx.post(curl[1], headers=headers, content=body, trust_env=False)
        inbox = asyncio.run(lists_of("Noor Bolt", curl[1].removesuffix("/fhir")))
        process.send_signal(signal.SIGINT)
        rest, wrong = process.communicate(timeout=60)

    assert {entry["response"]["status"] for entry in answer.json()["entry"]} == {"201 Created"}
    assert (process.returncode, wrong) == (0, "")
    assert "Gestopt." in rest
    assert all(inbox[name] != "0" for name in ("Nieuw", "Van mij", "Te laat", "Wacht op een ander")), inbox
    assert numbers_on_disk(tmp_path) == set()


async def lists_of(coach: str, address: str) -> dict[str, str]:
    """How long her lists are."""
    async with httpx.AsyncClient(base_url=address, follow_redirects=True, trust_env=False) as client:
        person = await Browser(client).sign_in(coach)
        return (await person.open("/werk")).counts()


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            demo({"KETENZORG_DATA_DIR": str(tmp_path / "new")}, port=port, once=True, referrals=REFERRALS)

    assert not (tmp_path / "new").exists()


def test_only_a_folder_of_the_demo_is_emptied(tmp_path: Path) -> None:
    theirs, ours, elsewhere = tmp_path / "theirs", tmp_path / "ours", tmp_path / "elsewhere"
    (theirs / "demo").mkdir(parents=True)
    (theirs / "demo" / "thesis.txt").write_text("years of work")
    with pytest.raises(WrongFolder), demo_folder(theirs):
        pass
    assert (theirs / "demo" / "thesis.txt").read_text() == "years of work"

    with demo_folder(ours) as folder:
        (folder / "old").mkdir()
        (folder / "link").symlink_to(theirs)
        with pytest.raises(WrongFolder, match="already"), demo_folder(ours):
            pass
        assert (folder / "old").exists()
    with demo_folder(ours) as folder:
        assert [path.name for path in folder.iterdir()] == ["ketenzorg-demo"]
    assert (theirs / "demo" / "thesis.txt").exists()

    elsewhere.mkdir()
    (elsewhere / "demo").symlink_to(ours / "demo")
    with pytest.raises(WrongFolder), demo_folder(elsewhere):
        pass


def test_a_receiver_takes_only_what_we_signed() -> None:
    receiver = Receiver()
    headers = {"webhook-id": "0" * 32, "webhook-timestamp": "1", "webhook-signature": "v1,x"}

    assert not receiver.hear(headers, b"{}")
    assert (receiver.heard, len(receiver.wrong)) == (0, 1)


async def test_another_answer_than_expected_ends_it_with_what_was_said() -> None:
    with listen_here(0) as listener:
        nobody = listener.getsockname()[1]
    with Exchange([nobody]) as exchange, pytest.raises(NotAsExpected, match="ConnectionRefusedError"):
        await Line(exchange, "x").call("GET", "/fhir/Task")

    outcome = b'{"issue": [{"details": {"text": "Dit kan nu niet."}}]}'
    async with answering(
        b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%b" % (len(outcome), outcome)
    ) as port:
        with (
            Exchange([port]) as exchange,
            pytest.raises(NotAsExpected, match="409, expected 200: Dit kan nu niet"),
        ):
            await Line(exchange, "x").call("GET", "/fhir/Task")

    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") as port:
        with Exchange([port]) as exchange, pytest.raises(NotAsExpected, match="IncompleteReadError"):
            await Line(exchange, "x").call("GET", "/fhir/Task")


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server that gives this one answer to whatever is asked, and hangs up."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
