"""Every address that the service has, as somebody could ask for it: made from the routes, so that a new one is in."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ketenzorg.pages.site import is_page

PLACEHOLDER = re.compile(r"\{(\w+):\w+\}")
FILLED = {
    "kind": "Task",
    "version": "1",
    "pathway": "welzijn-op-recept",
    "name": "welzijn-op-recept",
    "zorgpad": "welzijn-op-recept",
    "table": "doorstroom.csv",
    "what": "aannemen",
    "folder": "examples",
    "appointment": "00000000-0000-7000-8000-000000000000",
}


class Address(NamedTuple):
    """A method and a path."""

    method: str
    path: str

    @property
    def is_page(self) -> bool:
        return is_page(self.path)


def addresses(app: Any, task: str, *, also: frozenset[str] = frozenset()) -> Iterator[Address]:
    """Each route with each of its methods (and `also`), about this Task."""
    sheet = app.litestar.state.site.assets.icon.path.rpartition("/")[2]
    filled = FILLED | {"id_": task, "task": task, "file": sheet}
    for route in app.litestar.routes:
        path = PLACEHOLDER.sub(lambda found: filled[found[1]], route.path)
        for method in sorted((route.methods or {"POST"}) | also):
            yield Address(method, path)
