"""The client certificate of a connection: its thumbprint, and the URA that a UZI server certificate names.

A UZI server certificate has the number of its subscriber (the URA) in a subjectAltName of the kind otherName, of type
2.5.5.5, as an IA5String: `<OID CA>-<version>-<UZI number>-S-<URA>-<role>-<AGB>`; S is that of a server, cards of people
have another letter. CPS UZI-register, https://www.zorgcsp.nl/documents/RK1%20CPS%20UZI-register%20V10.2%20ENG.pdf; Nuts
RFC023, https://nuts-foundation.gitbook.io. Whose certificates count is decided by the CA, when the connection is made.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256

import msgspec
from cryptography import x509

SUBJECT = x509.ObjectIdentifier("2.5.5.5")
FORM = re.compile(r"[0-9.]{3,64}-[0-9]{1,3}-[0-9]{1,16}-S-([0-9]{8})-[0-9]{2}\.[0-9]{3}-[0-9]{1,8}\Z")
STRINGS = (0x16, 0x0C)  # the tags of IA5String and UTF8String: test certificates often have the other one
LONGEST = 127  # of a DER length in one byte


class ClientCertificate(msgspec.Struct, frozen=True):
    """What we need to know of the certificate at the other end."""

    thumbprint: str  # x5t#S256 of RFC 8705
    ura: str  # empty: none that we can read


def read_certificate(der: bytes) -> ClientCertificate:
    """A certificate of which the TLS layer has already checked the CA, the dates and the revocation."""
    thumbprint = urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()
    return ClientCertificate(thumbprint, _ura(x509.load_der_x509_certificate(der)))


def _ura(certificate: x509.Certificate) -> str:
    """The one URA in a certificate; two different ones are none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    others = [name for name in names if isinstance(name, x509.OtherName) and name.type_id == SUBJECT]
    found = {form[1] for name in others if (form := FORM.match(_text(name.value)))}
    return found.pop() if len(found) == 1 else ""


def _text(der: bytes) -> str:
    if len(der) < 2 or der[0] not in STRINGS or der[1] > LONGEST or der[1] != len(der) - 2:  # noqa: PLR2004
        return ""
    return der[2:].decode("ascii", "replace")
