"""From bytes to R4 structs, or every reason why not: bounds, shape, then rules."""

from functools import cache
from typing import Final, TypeVar

import msgspec

from ketenzorg.errors import Issue, Malformed
from ketenzorg.fhir import bounds, r4, rules
from ketenzorg.fhir.bounds import MAX_DEPTH, MAX_ENTRIES, Skeleton
from ketenzorg.fhir.explain import explain

T = TypeVar("T", bound=r4.AnyResource)

_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def decode(body: bytes, *, max_depth: int = MAX_DEPTH, max_entries: int = MAX_ENTRIES) -> r4.Resource:
    """The resource in a body; Malformed carries all that is wrong with it."""
    skeleton = bounds.check(body, max_depth=max_depth, max_entries=max_entries)
    try:
        resource = _decoder().decode(body)
    except msgspec.ValidationError:
        resource = None
    except (msgspec.DecodeError, RecursionError):
        raise bounds.not_json() from None
    if resource is not None and _is_all_there(resource, skeleton) and rules.is_sound(resource):
        return resource
    raise Malformed(*(explain(bounds.read(body)) or [_unexplained()]))


def decode_as(body: bytes, kind: type[T], *, max_depth: int = MAX_DEPTH, max_entries: int = MAX_ENTRIES) -> T:
    """The resource in a body that must be of this type."""
    resource = decode(body, max_depth=max_depth, max_entries=max_entries)
    if isinstance(resource, kind):
        return resource
    wanted, got = kind.__name__, type(resource).__name__
    raise Malformed(
        Issue(
            f"Hier hoort een {wanted}, geen {got}.",
            f"This must be a {wanted}, not a {got}.",
            (f"{got}.resourceType",),
        )
    )


def encode(resource: msgspec.Struct) -> bytes:
    """FHIR JSON, without white space, decimals with their digits."""
    return _encoder.encode(resource)


@cache
def _decoder() -> msgspec.json.Decoder[r4.Resource]:
    """Made at the first body: resolving the types takes longer than importing them."""
    return msgspec.json.Decoder(r4.Resource)


def _is_all_there(resource: r4.Resource, skeleton: Skeleton) -> bool:
    """Whether all that was sent was read.

    A member that came twice and a number in quotes come back with a string less, a null that is not in an array
    does not come back.
    """
    if skeleton.empties:
        return False
    encoded = encode(resource)
    if bounds.count_strings(encoded) != skeleton.strings:
        return False
    return not skeleton.nulls or bounds.count_nulls(encoded) == skeleton.nulls


def _unexplained() -> Issue:
    return Issue(
        "Het bericht is geen geldige FHIR R4, maar de plaats is niet gevonden.",
        "The body is not valid FHIR R4, but the place was not found.",
    )
