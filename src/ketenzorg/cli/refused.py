"""Why a connection ends before its request reached the application."""

from ketenzorg.api.answers import FHIR_JSON
from ketenzorg.errors import HeadTooLarge, Issue, KetenzorgError, Malformed, TooSlow, Unavailable

TYPE = FHIR_JSON.encode()


def no_http() -> KetenzorgError:
    """Not HTTP/1.1, or not by its letter: what two programs may read in two ways is read by neither."""
    return Malformed(
        Issue(
            nl="Dit is geen HTTP/1.1 naar de letter.",
            en="This is not HTTP/1.1 by the letter of its standard.",
        )
    )


def too_slow() -> KetenzorgError:
    """Headers or a body that did not come in time."""
    return TooSlow(Issue(nl="Het verzoek kwam te langzaam binnen.", en="The request came in too slowly."))


def head_too_large(most: int) -> KetenzorgError:
    """The address and the headers together."""
    return HeadTooLarge(
        Issue(
            nl=f"Adres en headers zijn samen groter dan {most} bytes.",
            en=f"Address and headers are over {most} bytes together.",
        )
    )


def too_many_headers(most: int) -> KetenzorgError:
    """More headers than anybody needs."""
    return HeadTooLarge(Issue(nl=f"Meer dan {most} headers.", en=f"More than {most} headers."))


def full() -> KetenzorgError:
    """No room for another connection, or none for one that asks nothing."""
    return Unavailable(
        Issue(nl="Er zijn te veel verbindingen.", en="There are too many connections."),
        headers={"Retry-After": "5"},
    )
