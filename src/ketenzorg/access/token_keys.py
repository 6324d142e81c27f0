"""The keys that sign our tokens: a new one every thirty days, derived from the secret, its public half for everybody.

Asymmetric, so that a gateway or another server of the region checks a token by itself and still cannot make one.
Derived by number, so that every process has the same key at the same moment, without a table, a file or a verb that
somebody forgets. The key of the period before is known as long as any token that it signed can live, and that of the
next one already, for clocks that differ. Who holds one of these keys has it from a process that holds the secret too:
against that helps another secret, not another number.
"""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
PERIOD_S = 30 * 24 * 3600  # longer than the longest token: that of the sandbox lives a week
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186
BYTES = 40  # 64 bits more than the order, so that taking the rest shows no favour: FIPS 186-5, A.2.1


class TokenKeys:
    """The signing keys of one installation, by number of the period."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._made: dict[int, ECKey] = {}

    def signing(self, now: datetime) -> ECKey:
        """The key that signs what is issued now."""
        return self._of(_period(now))

    def verifying(self, kid: object, now: datetime) -> ECKey | None:
        """The key that a token names, when it may still or already be used."""
        return next((key for key in self._usable(now) if key.kid == kid), None)

    def public(self, now: datetime) -> dict[str, object]:
        """A JWK Set of all that may be used now. RFC 7517."""
        return {"keys": [key.as_dict(private=False) for key in self._usable(now)]}

    def _usable(self, now: datetime) -> list[ECKey]:
        period = _period(now)
        return [self._of(each) for each in (period - 1, period, period + 1)]

    def _of(self, period: int) -> ECKey:
        if period not in self._made:
            self._made[period] = _derived(self._root, period)
        return self._made[period]


def _derived(root: bytes, period: int) -> ECKey:
    info = f"ketenzorg token key {period}".encode()
    drawn = int.from_bytes(HKDF(algorithm=SHA256(), length=BYTES, salt=None, info=info).derive(root))
    private = ec.derive_private_key(drawn % (ORDER - 1) + 1, ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ECKey.import_key(pem, {"kid": str(period), "use": "sig", "alg": ALGORITHM})


def _period(now: datetime) -> int:
    return int(now.timestamp()) // PERIOD_S
