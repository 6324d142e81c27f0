"""A partner of the sandbox: it works on what it hears of, declines, goes away or sends rubbish, as it was told."""

import httpx
import pytest

from ketenzorg.cli.partner.command import _Door, roles_of_kinds, tasks_in
from ketenzorg.cli.partner.ear import Behaviour, Ear, Switch
from ketenzorg.cli.partner.hand import Hand
from services import CATALOGUE, Service, token_for


async def nothing(_: bytes = b"") -> None:
    """Nobody is told."""


def hand_of(service: Service) -> Hand:
    """The hand of the welfare organisation, on a line of its own to the service."""
    line = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=service.app),
        base_url="http://test/fhir/",
        headers={
            "Authorization": f"Bearer {token_for('welzijn-demo')}",
            "Content-Type": "application/fhir+json",
        },
    )
    return Hand(line, "welzijnsorganisatie", roles_of_kinds(CATALOGUE))


async def test_a_good_partner_brings_a_referral_to_its_end(service: Service) -> None:
    referral = await service.refer()
    hand = hand_of(service)
    told = ""
    while "niets te doen" not in told:
        told = await hand.work_on(referral["Task"], Behaviour.GOOD)
        assert told.endswith(("(200)", "niets te doen")), told
    task = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert (task["status"], task["businessStatus"]["text"]) == ("completed", "afgerond")


async def test_one_that_rejects_gives_a_reason_and_one_that_sends_rubbish_changes_nothing(
    service: Service,
) -> None:
    referral = await service.refer()
    before = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert "rommel gestuurd (4" in await hand_of(service).work_on(referral["Task"], Behaviour.GARBAGE)
    assert (await service.his.get(f"/fhir/{referral['Task']}")).json() == before

    await hand_of(service).work_on(referral["Task"], Behaviour.REJECTS)
    after = (await service.his.get(f"/fhir/{referral['Task']}")).json()
    assert (after["status"], bool(after["statusReason"])) == ("rejected", True)


async def test_a_switch_turns_the_ear_away_and_back_while_it_runs(unused_tcp_port: int) -> None:
    ear = Ear(Behaviour.GOOD, nothing)
    door = _Door(ear, unused_tcp_port)
    switch = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=Switch(ear, door.follow)), base_url="http://switch"
    )
    address = f"http://127.0.0.1:{unused_tcp_port}/"
    async with httpx.AsyncClient(trust_env=False) as sender:
        try:
            await door.open()
            assert (await sender.post(address)).status_code == 204
            assert (await switch.post("/", content="down")).text == "down\n"
            with pytest.raises(httpx.ConnectError):
                await sender.post(address)
            assert (await switch.post("/", content="kapot")).status_code == 422
            await switch.post("/", content="garbage")
            assert (await sender.post(address)).status_code == 418
        finally:
            await door.shut()


def test_only_what_speaks_of_a_task_is_work() -> None:
    heard = b'{"entry":[{"fullUrl":"urn:uuid:1"},{"fullUrl":"http://x/fhir/Task/7"}]}'
    assert [tasks_in(body) for body in (heard, b"{}", b"<html>", b"[]", b"")] == [["Task/7"], [], [], [], []]
