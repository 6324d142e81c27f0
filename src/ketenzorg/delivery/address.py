"""Where we are willing to send: https, or http that stays on this machine."""

import ipaddress

import httpx

from ketenzorg.errors import Invalid, Issue

LONGEST = 2000  # characters


def check_address(url: str) -> None:
    """Raise Invalid, saying what is wrong, unless we can send there safely."""
    if len(url) > LONGEST:
        raise _wrong(f"hoogstens {LONGEST} tekens", f"at most {LONGEST} characters")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise _wrong("alleen zichtbare ASCII-tekens", "visible ASCII characters only")
    try:
        address = httpx.URL(url)  # the parser of the sender, so that both see the same host
    except httpx.InvalidURL:
        raise _wrong("dit is geen URL", "this is not a URL") from None
    if not address.host or address.userinfo or address.fragment:
        raise _wrong("een host, en geen wachtwoord of #", "a host, and no password or #")
    if address.scheme != "https" and not (address.scheme == "http" and _is_here(address.host)):
        raise _wrong(
            "https, of http op deze machine (127.0.0.1)", "https, or http on this machine (127.0.0.1)"
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(nl: str, en: str) -> Invalid:
    return Invalid(
        Issue(nl=f"Adres voor berichten: {nl}.", en=f"Address for notifications: {en}.", code="value")
    )
