"""Where we go when somebody else says where, and where no name, redirect or second look-up leads us."""

import ipaddress
from collections.abc import Sequence

import httpx
import pytest

from ketenzorg.access.outgoing import LOOPBACK, AddressRefused, Outgoing
from ketenzorg.errors import Invalid
from receivers import answer, receiver

CARE_NETWORK = ipaddress.ip_network("10.20.0.0/16")


@pytest.mark.parametrize(
    "url",
    [
        "https://his.example/hook?a=b", "https://his.example:8443/", "https://93.184.215.14/hook",
        "http://127.0.0.1:9000/", "http://[::1]:9000/", "http://localhost:9000/", "https://10.20.3.4/",
    ],
)  # fmt: skip
def test_where_we_go(url: str) -> None:
    Outgoing([*LOOPBACK, CARE_NETWORK]).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://his.example/hook", "http://127.0.0.1.his.example/", "http://2130706433/", "https://2130706433/",
        "https://0x7f.1/", "https://127.1/", "http://169.254.169.254/latest", "https://169.254.169.254/latest",
        "https://[::ffff:169.254.169.254]/", "https://10.0.0.1/", "https://[fd00:ec2::254]/", "https://[::]/",
        "https://168.63.129.16/", "https://224.0.0.1/", "https://[2002:a00:1::]/", "https://[64:ff9b::a00:1]/",
        "http://10.20.3.4/", "ftp://127.0.0.1/", "file:///etc/passwd", "https:///hook", "//his.example/hook",
        "https://user:word@his.example/", "https://his.example/#a", "https://his.example/\r\nX: 1",
        "https://his.example/ hook", "https://hïs.example/", "https://his.example:port/", "https://his_.example/",
        "https://his.example\\@evil.example/", "127.0.0.1:9000", "", "https://his.example/" + "a" * 2000,
    ],
)  # fmt: skip
def test_where_we_do_not_go(url: str) -> None:
    with pytest.raises(Invalid):
        Outgoing([*LOOPBACK, CARE_NETWORK]).check(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://localhost:9000/", "https://10.20.3.4/"])
def test_a_network_of_our_own_is_entered_only_when_it_was_allowed(url: str) -> None:
    with pytest.raises(Invalid, match="KETENZORG_OUTGOING_NETWORKS"):
        Outgoing().check(url)


@pytest.mark.parametrize(
    "meanings",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["93.184.215.14", "10.0.0.1"],
        [],
    ],
)
async def test_an_honest_name_that_leads_inside_is_not_followed(meanings: list[str]) -> None:
    async with receiver() as inside, names(his=meanings).client(timeout_s=5) as client:
        with pytest.raises(AddressRefused):
            await client.get(inside.url.replace("127.0.0.1", "his.example"))
        assert inside.got == []


async def test_s7_a_name_that_changes_its_meaning_after_we_looked_gains_nothing() -> None:
    async with receiver(answer(200), answer(200)) as first:
        looked: list[str] = []

        async def rebinding(host: str, port: int) -> Sequence[str]:
            looked.append(host)
            return ["127.0.0.1"] if len(looked) == 1 else ["169.254.169.254"]

        url = first.url.replace("127.0.0.1", "his.example")
        async with Outgoing(LOOPBACK, rebinding).client(timeout_s=5) as client:
            assert (await client.post(url, content=b"{}")).status_code == 200  # connected to what was judged
            assert looked == ["his.example"]
            with pytest.raises(AddressRefused):  # the next connection is judged anew
                await client.post(url, content=b"{}")
    assert first.got[0].headers["host"].startswith("his.example:")


async def test_a_redirect_is_an_answer_and_not_a_way() -> None:
    async with (
        receiver() as inside,
        receiver(answer(307, f"Location: {inside.url}", "Set-Cookie: a=b")) as honest,
    ):
        async with Outgoing(LOOPBACK).client(timeout_s=5) as client:
            assert (await client.post(honest.url, content=b"{}")).status_code == 307
            assert (await client.post(honest.url, content=b"{}")).status_code == 204
        assert (inside.got, "cookie" in honest.got[1].headers) == ([], False)


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as honest:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with Outgoing(LOOPBACK).client(timeout_s=5) as client:
            await client.post(honest.url, content=b"{}")
        assert (len(proxy.got), len(honest.got)) == (0, 1)


async def test_a_name_that_cannot_be_looked_up_is_a_failed_connection() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError

    async with Outgoing(resolve=unknown).client(timeout_s=5) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://his.example/")


def names(**meanings: list[str]) -> Outgoing:
    """A region without loopback in which a name means what the test says."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return meanings[host.partition(".")[0]]

    return Outgoing(resolve=resolve)
