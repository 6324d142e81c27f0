"""What the pages need beside the world: who may sign in, their sessions, the style sheets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from ketenzorg.access.keys import Keys
from ketenzorg.access.sessions import Sessions
from ketenzorg.coordination.world import World
from ketenzorg.pages.assets import Assets, load_assets
from ketenzorg.pages.people import People, load_people
from ketenzorg.pathway.region import Region
from ketenzorg.settings import Settings

Http = Request[Any, Any, Any]
PREFIXES = (
    "/werk", "/praktijk", "/verwijzen", "/berichten", "/keten", "/zorgpaden", "/guide", "/login", "/static",
)  # fmt: skip
NEXT = re.compile(
    r"(/(werk|praktijk)(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/gevraagd)?)?|/berichten|/verwijzen(/[a-z-]{1,60})?|/keten(/[a-z-]{1,60})?)\Z"
)


@dataclass(frozen=True, eq=False)
class Site:
    """One per process; `app.state.site`."""

    sessions: Sessions
    people: People
    assets: Assets
    host: str  # by which others reach us
    secure: bool  # over https: cookies say so
    in_sandbox: bool  # where people sign in with a name from a list, and everybody is made up

    @property
    def begin(self) -> str:
        """Where somebody begins."""
        return "/" if self.in_sandbox else "/guide"

    @property
    def cookie(self) -> str:
        """__Host- makes a browser refuse the cookie from anybody but this host over https."""
        return "__Host-ketenzorg" if self.secure else "ketenzorg"


def make_site(
    settings: Settings, keys: Keys, region: Region, now: Callable[[], datetime], *, in_sandbox: bool
) -> Site:
    """The site of an installation. `now` is real time, also in the sandbox."""
    base = urlsplit(settings.base_url)
    return Site(
        sessions=Sessions(keys.session, now=now),
        people=load_people(settings.pathways, region),
        assets=load_assets(),
        host=base.netloc,
        secure=base.scheme == "https",
        in_sandbox=in_sandbox,
    )


def is_page(path: str) -> bool:
    """Whether an address is one of people, and not one of systems."""
    return path == "/" or below(path, PREFIXES)


def below(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether an address is one of these, or below one."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def site_of(request: Http) -> Site:
    """The site of this process."""
    site: Site = request.app.state.site
    return site


def world_of(request: Http) -> World:
    """The world of this process."""
    world: World = request.app.state.world
    return world


def onward(path: str) -> str:
    """Where to go after signing in: only a page of ours, for an address may hold anything; '' for any other."""
    return path if NEXT.match(path) else ""
