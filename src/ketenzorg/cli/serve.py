"""Serving the API: one or more uvicorn processes behind one port."""

import gc
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import uvicorn

from ketenzorg.cli.place import Place, place
from ketenzorg.settings import BASE_URL, DATABASE_URL, SECRET_FILE, Settings, read_secret

if TYPE_CHECKING:
    from ketenzorg.api.gate import Gate

GRACE_S = 10  # seconds that requests under way get when the process is asked to stop
KEEP_ALIVE_S = 30
BACKLOG = 2048
YOUNG_OBJECTS = 20_000  # between two looks of the garbage collector


def serve(environ: Mapping[str, str], *, host: str, port: int, processes: int, embedded: bool) -> None:
    """Serve until asked to stop."""
    # uvicorn hands a signal on after its own clean stop: by then it must end us, not kill us, so that an embedded
    # database is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with place(environ, embedded=embedded) as here:
        # Each process makes its own application, and finds its place in its environment.
        os.environ[DATABASE_URL.name] = here.database_url
        os.environ[SECRET_FILE.name] = str(here.settings.secret_file)
        os.environ.setdefault(BASE_URL.name, f"http://{host}:{port}")
        uvicorn.run(
            "ketenzorg.cli.serve:application",
            factory=True,
            host=host,
            port=port,
            workers=processes if processes > 1 else None,
            **options(),
        )


def options() -> dict[str, Any]:
    """How we run uvicorn: its own access log would hold URLs."""
    return {
        "loop": "uvloop",
        "http": "httptools",
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "backlog": BACKLOG,
    }


def application() -> "Gate":
    """The application of one process, from its environment."""
    settings = Settings.from_environ(os.environ)
    if settings.database_url is None:
        raise RuntimeError("serve gives its processes a database")
    return application_at(Place(settings, read_secret(settings.secret_file), settings.database_url))


def application_at(here: Place) -> "Gate":
    """The application for a place."""
    # Here: the process that only starts and watches the others does not need them.
    from ketenzorg.app import create_app  # noqa: PLC0415
    from ketenzorg.logs import configure  # noqa: PLC0415

    configure(here.settings.log_level)
    app = create_app(here.settings, here.secret, here.database_url, in_sandbox=here.settings.sandbox)
    # What is made once is never garbage: looking through it again and again was a tenth of a referral's cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    return app
