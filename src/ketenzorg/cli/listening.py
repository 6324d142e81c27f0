"""The socket that a server listens on: taken before anything else, so that a port in use is one line at once."""

import socket

from ketenzorg.errors import Issue, KetenzorgError


class PortInUse(KetenzorgError):
    """Somebody listens on the port already, or the address is not ours."""


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A listening socket; port 0 takes any that is free. Raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(backlog)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortInUse(
            Issue(
                nl=f"Poort {port} op {host} is niet te nemen ({_why(error)}); kies een andere met --port.",
                en=f"Port {port} on {host} cannot be had ({_why(error)}); choose another with --port.",
            )
        ) from error
    listener.setblocking(False)
    return listener


def _why(error: OSError | OverflowError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else str(error)
