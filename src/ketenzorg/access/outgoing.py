"""Going out to an address that somebody else gave: only https, only to the internet or to a network that was allowed.

What a name means is looked up once for each connection, judged, and connected to as it was judged: a name that points
elsewhere a moment later (DNS rebinding) gains nothing. No redirect, no proxy of the environment, no cookie.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from ketenzorg.environment import Network
from ketenzorg.errors import Invalid, Issue, KetenzorgError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Wrong = tuple[str, str]  # in Dutch and in English
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
LONGEST = 2000  # characters of a URL
NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out
# Public by their number, not by what they are: 6to4, which leads to any IPv4, and what clouds answer their machines on.
NEVER = tuple(map(ipaddress.ip_network, ("2002::/16", "192.0.0.0/24", "168.63.129.16/32")))
NOT_ALLOWED = (
    "dit netwerk is hier niet toegestaan (KETENZORG_OUTGOING_NETWORKS)",
    "this network is not allowed here (KETENZORG_OUTGOING_NETWORKS)",
)


class AddressRefused(KetenzorgError):
    """What the name of a host means now is a place where we do not go."""

    status, code = 422, "value"


class Outgoing:
    """Where this installation goes; `networks` are those beside the internet that it may enter."""

    def __init__(self, networks: Iterable[Network] = (), resolve: Resolve | None = None) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve or _resolve

    def check(self, url: str, *, expression: str = "") -> None:
        """Raise Invalid, saying what is wrong, unless this URL can be gone to. What its name means comes later."""
        wrong = _wrong_form(url) or self._wrong_place(httpx.URL(url))
        if wrong:
            nl, en = wrong
            raise Invalid(
                Issue(
                    nl=f"Naar dit adres gaan wij niet: {nl}.",
                    en=f"We do not go to this address: {en}.",
                    expression=(expression,) if expression else (),
                    code="value",
                )
            )

    def client(self, *, timeout_s: float, accept: str = "*/*") -> httpx.AsyncClient:
        """An HTTP client that goes nowhere else, straight, and remembers nothing of whom it met."""
        client = httpx.AsyncClient(
            transport=_Transport(_Guarded(self), self._tls),
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
            headers={"User-Agent": "ketenzorg", "Accept-Encoding": "identity", "Accept": accept},
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client

    @cached_property  # reading what the system trusts takes longer than a connection
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    async def addresses(self, host: str, port: int) -> list[str]:
        """What a name means now. Raises AddressRefused when any of it is out of bounds: names do not mix the two."""
        found = await self._resolve(host, port)
        if not found or not all(self._goes_to(ipaddress.ip_address(each)) for each in found):
            nl, en = NOT_ALLOWED
            raise AddressRefused(Issue(nl=f"Hierheen gaan wij niet: {nl}.", en=f"We do not go there: {en}."))
        return list(dict.fromkeys(found))

    def _goes_to(self, address: Address) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._networks) or _is_public(plain)

    def _wrong_place(self, address: httpx.URL) -> Wrong | None:
        literal = _literal("127.0.0.1" if address.host == "localhost" else address.host)
        if literal is None and not NAME.match(address.host):
            return "dit is geen naam van een host", "this is not the name of a host"
        if address.scheme != "https" and not (address.scheme == "http" and _is_here(literal)):
            return "https, of http op deze machine (127.0.0.1)", "https, or http on this machine (127.0.0.1)"
        return NOT_ALLOWED if literal is not None and not self._goes_to(literal) else None


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to the address that was judged; TLS still asks for a certificate of the name."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own signature)
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first of the addresses that lets us in."""
        refusal: Exception = httpcore.ConnectError()
        for address in await self._addresses(host, port, timeout):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refusal = error
        raise refusal

    async def _addresses(self, host: str, port: int, timeout_s: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._outgoing.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError from error


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own, of which the pool connects through our guard."""

    def __init__(self, guarded: _Guarded, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            # Who uses the client has a bound for each receiver; one for all would let slow ones keep out the others.
            max_connections=None,
            max_keepalive_connections=100,
            keepalive_expiry=5.0,
            network_backend=guarded,
        )


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


def _is_public(address: Address) -> bool:
    if any(address in network for network in NEVER):
        return False
    if address.version == 6:  # noqa: PLR2004
        return address in UNICAST and address.is_global
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_this_machine(host: str) -> bool:
    """Whether a name or address is that of the machine that we run on."""
    return _is_here(_literal("127.0.0.1" if host == "localhost" else host))


def _is_here(literal: Address | None) -> bool:
    return literal is not None and any(literal in network for network in LOOPBACK)


def _wrong_form(url: str) -> Wrong | None:
    if len(url) > LONGEST:
        return f"hoogstens {LONGEST} tekens", f"at most {LONGEST} characters"
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "alleen zichtbare ASCII-tekens", "visible ASCII characters only"
    try:
        address = httpx.URL(url)  # the parser of the sender, so that both see the same host
    except httpx.InvalidURL:
        return "dit is geen URL", "this is not a URL"
    if not address.host or address.userinfo or address.fragment:
        return "een host, en geen wachtwoord of #", "a host, and no password or #"
    return None
