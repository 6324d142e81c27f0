"""Serving the API: one or more uvicorn processes behind one port."""

import gc
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

from ketenzorg.cli.listening import listen, room_for
from ketenzorg.cli.place import Place, place
from ketenzorg.cli.processes import STOPPING, keep
from ketenzorg.cli.scraping import Spot, count_together, expose, expose_for_all, forget
from ketenzorg.settings import BASE_URL, TLS_CERTIFICATE, Settings

if TYPE_CHECKING:
    from ketenzorg.api.gate import Gate

GRACE_S = 10  # seconds that requests under way get when the process is asked to stop
BACKLOG = 2048
YOUNG_OBJECTS = 20_000  # between two looks of the garbage collector


def serve(
    environ: Mapping[str, str], *, host: str, port: int, processes: int, embedded: bool, metrics: Spot | None
) -> None:
    """Serve until asked to stop."""
    gc.disable()  # until all is loaded
    if metrics and processes > 1:
        count_together()
    # uvicorn hands a signal on after its own clean stop: by then it must end us, not kill us, so that an embedded
    # database is stopped too.
    for each in STOPPING:
        signal.signal(each, lambda *_: sys.exit(0))
    with (
        listen(host, port, BACKLOG) as listener,
        place(
            {BASE_URL.name: f"{_scheme(environ)}://{host}:{port}", **environ},
            embedded=embedded,
            meanwhile=_load,
        ) as here,
    ):
        config = uvicorn.Config(application_at(here), **options(here.settings))
        config.load()
        if processes == 1:
            if metrics:
                expose(metrics)
            uvicorn.Server(config).run(sockets=[listener])
        else:
            works = [lambda: uvicorn.Server(config).run(sockets=[listener])] * processes
            keep([*works, partial(expose_for_all, metrics)] if metrics else works, forget)


def options(settings: Settings | None = None) -> dict[str, Any]:
    """How we run uvicorn (None: with the defaults). Its own access log would hold URLs."""
    from ketenzorg.cli.protocol import Bounds, Door, Protocol  # noqa: PLC0415  (brings the application with it)
    from ketenzorg.cli.tls import Tls  # noqa: PLC0415

    settings = settings or Settings.from_environ({})
    door = Door(Bounds(connections=room_for(settings.connections)))
    tls = Tls(settings).options(door) if settings.tls_certificate else {}
    return {
        "loop": "uvloop",
        "http": partial(Protocol, door=door),
        "ws": "none",
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": [str(network) for network in settings.proxies],
        "timeout_graceful_shutdown": GRACE_S,
        "backlog": BACKLOG,
        **tls,
    }


def application_at(here: Place) -> "Gate":
    """The application for a place."""
    gc.disable()  # of a start next to nothing is garbage: looking for it took a third of the time
    from ketenzorg.app import create_app  # noqa: PLC0415
    from ketenzorg.logs import configure  # noqa: PLC0415

    configure(here.settings.log_level)
    app = create_app(here.settings, here.secret, here.database_url, in_sandbox=here.settings.sandbox)
    # What is made once is never garbage: looking through it again and again was a tenth of a referral's cost.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    gc.enable()
    return app


def _scheme(environ: Mapping[str, str]) -> str:
    return "https" if environ.get(TLS_CERTIFICATE.name) else "http"


def _load() -> None:
    """What takes long, while the database starts."""
    import ketenzorg.app  # noqa: F401, PLC0415
