"""What a page of the guide is made of: parts with a table, a list or lines of code, from what runs."""

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Response
from markupsafe import Markup, escape

from ketenzorg.pages.render import HEADERS, Page, page
from ketenzorg.pages.site import Http
from ketenzorg.pages.styles import FOR_EVER

SHEET = (Path(__file__).resolve().parent / "static" / "guide.css").read_bytes()
SHEET_PATH = f"/guide/guide.{sha256(SHEET).hexdigest()[:16]}.css"
_CODE = re.compile(r"`([^`]+)`")
Cell = str  # what stands between backquotes is code; Markup stays as it is


class Code(NamedTuple):
    """Lines to copy, and what they are."""

    title: str
    text: str


class Part(NamedTuple):
    """A part of a page under its own heading."""

    heading: str
    before: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    code: tuple[Code, ...] = ()

    @property
    def anchor(self) -> str:
        """The name by which a link finds it."""
        return slug(self.heading)


class Sheet(NamedTuple):
    """One page."""

    title: str
    lead: str
    parts: tuple[Part, ...]
    up: tuple[str, str] = ("/guide", "Guide")


def slug(text: str) -> str:
    """A name for in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def table(heading: str, columns: Iterable[str], rows: Iterable[Iterable[Cell]], before: str = "") -> Part:
    """A part that is a table."""
    return Part(heading, before, tuple(columns), tuple(tuple(row) for row in rows))


def link(path: str, text: str) -> Markup:
    """To somewhere in what we serve."""
    return Markup('<a class="utrecht-link" href="{}">{}</a>').format(path, text)


def with_code(text: str) -> Markup:
    """What stands between backquotes as code."""
    if isinstance(text, Markup):
        return text
    parts = _CODE.split(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def shown(request: Http, sheet: Sheet) -> Page:
    """The page."""
    return guide_page(request, "guide_sheet.html", sheet=sheet)


def guide_page(request: Http, template: str, **context: Any) -> Page:
    """A page with the style of the guide."""
    return page(request, template, style=SHEET_PATH, with_code=with_code, **context)


def raw(body: bytes, kind: str) -> Response[bytes]:
    """A file for a program, or to keep."""
    return Response(body, headers=HEADERS, media_type=kind)


def style() -> Response[bytes]:
    """The style of the guide alone."""
    return Response(SHEET, headers=HEADERS | {"Cache-Control": FOR_EVER}, media_type="text/css")
