"""The socket that a server listens on: taken before anything else, so that a port in use is one line at once."""

import resource
import socket

from ketenzorg.errors import Issue, KetenzorgError

OTHER_FILES = 200  # of a process: the database's connections, modules, the log


class PortInUse(KetenzorgError):
    """Somebody listens on the port already, or the address is not ours."""


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A listening socket; port 0 takes any that is free. Raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # named, asyncio sets TCP_NODELAY
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


def room_for(connections: int) -> int:
    """So many connections, or as many as the system gives us file descriptors for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else min(connections, soft - OTHER_FILES)


def _why(error: OSError | OverflowError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else str(error)
