"""A small certificate authority like that of the UZI register, for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ketenzorg.access.certificates import SUBJECT

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


def uzi(ura: str, kind: str = "S", tag: int = 0x16) -> x509.OtherName:
    """The subject of a UZI certificate; `kind` S is that of a server, `tag` that of an IA5String."""
    text = f"2.16.528.1.1003.1.3.5.5.5-1-12345678-{kind}-{ura}-00.000-00000000".encode()
    return x509.OtherName(SUBJECT, bytes([tag, len(text)]) + text)


@dataclass(frozen=True)
class Holder:
    """A certificate with its key, as files."""

    certificate: x509.Certificate
    folder: Path

    @property
    def files(self) -> tuple[str, str]:
        name = f"{self.certificate.serial_number:x}"
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")


class Authority:
    """Issues certificates and lists which of them were revoked."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._lists = 0
        own = self._builder(self._name, self._key.public_key(), NOW - DAY, NOW + DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        own = own.add_extension(_usage(certificates=True), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def issue(self, *names: x509.GeneralName, until: timedelta = DAY) -> Holder:
        """A certificate with these alternative names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        builder = self._builder(subject, key.public_key(), NOW - 2 * DAY, NOW + until)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        holder = Holder(builder.sign(self._key, SHA256()), self.folder)
        certificate, private = map(Path, holder.files)
        certificate.write_bytes(holder.certificate.public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return holder

    def revoke(self, *holders: Holder) -> Path:
        """Write the list of what is revoked from now on."""
        self._lists += 1
        builder = x509.CertificateRevocationListBuilder(self._name)
        builder = builder.last_update(NOW - DAY + self._lists * timedelta(minutes=1)).next_update(NOW + DAY)
        for holder in holders:
            revoked = x509.RevokedCertificateBuilder(holder.certificate.serial_number, NOW - DAY)
            builder = builder.add_revoked_certificate(revoked.build())
        path = self.folder / "revoked.pem"
        path.write_bytes(builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        return path

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=begin,
            not_valid_after=end,
        )


def of_this_machine() -> x509.GeneralName:
    return x509.IPAddress(ip_address("127.0.0.1"))


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
