"""TLS by `serve` itself: its certificate, those of the systems that call, and the list of which were revoked.

A system shows its certificate when it connects; people and health checks need none. OpenSSL checks CA, dates and
revocation. uvicorn does not tell the application whose certificate it was: that is what the protocol here adds. A
session is never resumed, since nothing would be checked then; and a connection from before a newer list of revoked
certificates ends with its next answer. https://docs.python.org/3/library/ssl.html, RFC 8705.
"""

import ssl
from functools import partial
from pathlib import Path
from typing import Any

from ketenzorg.access.certificates import ClientCertificate, read_certificate
from ketenzorg.api.gate import CERTIFICATE
from ketenzorg.cli.protocol import Door, Protocol
from ketenzorg.errors import Issue
from ketenzorg.settings import Settings, WrongSetting

REREAD_S = 60


class Tls:
    """The TLS of one process."""

    def __init__(self, settings: Settings) -> None:
        self.context = _context(settings)
        self._revoked = settings.tls_client_crl
        self._changed = _changed(self._revoked)
        self.edition = 0  # of the list of revoked certificates

    def options(self, door: Door) -> dict[str, Any]:
        """What uvicorn needs for it."""
        return {
            "ssl_context_factory": lambda *_: self.context,
            "http": partial(CertifiedProtocol, door=door, tls=self),
            "callback_notify": self.reread,
            "timeout_notify": REREAD_S,
        }

    async def reread(self) -> None:
        """Take in a newer list of revoked certificates; OpenSSL asks the newest that is valid."""
        changed = _changed(self._revoked)
        if self._revoked is not None and changed != self._changed:
            self.context.load_verify_locations(self._revoked)
            self._changed = changed
            self.edition += 1


class CertifiedProtocol(Protocol):
    """One connection over TLS: each of its requests says whose certificate was shown."""

    def __init__(self, *args: Any, tls: Tls, **named: Any) -> None:
        super().__init__(*args, **named)
        self._tls = tls
        self._edition = tls.edition
        self._certificate: ClientCertificate | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self._certificate = read_certificate(shown) if shown else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope[CERTIFICATE] = self._certificate

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._certificate and self._edition != self._tls.edition:
            self.cycle.keep_alive = False


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_certificate or "", settings.tls_key)
        if settings.tls_client_ca is not None:
            _ask_for_certificates(context, settings.tls_client_ca, settings.tls_client_crl)
    except (ssl.SSLError, OSError) as error:
        raise WrongSetting(
            Issue(
                nl="KETENZORG_TLS_…: certificaat, sleutel, CA en lijst zijn hele PEM-bestanden, en horen bij elkaar.",
                en="KETENZORG_TLS_…: certificate, key, CA and list are whole PEM files that belong together.",
            )
        ) from error
    return context


def _ask_for_certificates(context: ssl.SSLContext, ca: Path, revoked: Path | None) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(ca)
    # The CA that issues to systems is enough: its root issues to many others too.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if revoked is not None:
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _changed(path: Path | None) -> float:
    return path.stat().st_mtime if path is not None and path.exists() else 0.0
