"""The style sheets and the icon: our own, and NL Design System's components where they were fetched at install time.

https://nldesignsystem.nl, package @utrecht/component-library-css (EUPL-1.2). It is never copied into the
repository; our own sheet alone makes a good page, the components bring what many eyes have tested.
"""

import gzip
import sys
from hashlib import sha256
from pathlib import Path

import msgspec

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent.parent
_STATIC = Path(__file__).resolve().parent / "static"
COMPONENTS = "utrecht.css"
PREFIX = "/static/"
KINDS = {".css": "text/css", ".svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True):
    """A file under an address that changes with its content, so that a browser may keep it for ever."""

    path: str
    kind: str
    body: bytes
    packed: bytes


class Assets:
    """The style sheets in the order in which a page names them, and the icon."""

    def __init__(self, sheets: list[Path], icon: Path) -> None:
        self.sheets = [_asset(path) for path in sheets]
        self.icon = _asset(icon)
        self._by_path = {asset.path: asset for asset in (*self.sheets, self.icon)}

    def get(self, path: str) -> Asset | None:
        return self._by_path.get(path)


def load_assets() -> Assets:
    """The components first, where they are: our own tokens give them their colours."""
    return Assets([*_fetched(), _STATIC / "ketenzorg.css"], _STATIC / "ketenzorg.svg")


def _fetched() -> list[Path]:
    """Where `run` puts them in a checkout, where an installation has them, where a built package carries them."""
    folders = (_CHECKOUT / ".venv", Path(sys.prefix))
    places = [folder / "share" / "ketenzorg" / COMPONENTS for folder in folders]
    found = [path for path in (*places, _PACKAGE / "_bundled" / "assets" / COMPONENTS) if path.is_file()]
    return found[:1]


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    name = f"{path.stem}.{sha256(body).hexdigest()[:16]}{path.suffix}"
    return Asset(f"{PREFIX}{name}", KINDS[path.suffix], body, gzip.compress(body, mtime=0))
