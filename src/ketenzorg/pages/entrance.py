"""What the gate asks of the pages before it lets somebody in."""

from litestar.response.base import ASGIResponse

from ketenzorg.errors import KetenzorgError, NotFound
from ketenzorg.pages.chain import SHEET_PATH
from ketenzorg.pages.site import Site, below, is_page

OPEN = ("/zorgpaden", "/guide", "/static")  # nobody's data: also where nobody signs in
# Without the layout: making a page is the very work that somebody asks too much of.
REFUSAL = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{text}</p><p><a href="{home}">Naar het begin</a></p></main></body></html>
"""


class Entrance:
    """The pages of a site, as the gate sees them."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def has(self, path: str) -> bool:
        """Whether an address is one of people."""
        return is_page(path) if self._site.in_sandbox else path == SHEET_PATH or below(path, OPEN)

    def person_of(self, cookies: str) -> str:
        """Who has signed in; empty: nobody."""
        for cookie in cookies.split(";"):
            name, _, value = cookie.strip().partition("=")
            if name == self._site.cookie:
                session = self._site.sessions.read(value)
                return session.person if session else ""
        return ""

    def refusal(self, error: KetenzorgError) -> ASGIResponse:
        """One plain sentence."""
        title = "Niet gevonden" if isinstance(error, NotFound) else "Even wachten"
        return ASGIResponse(
            body=REFUSAL.format(title=title, text=error.issues[0].nl, home=self._site.begin).encode(),
            status_code=error.status,
            headers=error.headers,
            media_type="text/html",  # the framework adds the charset
        )
