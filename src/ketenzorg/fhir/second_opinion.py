"""What fhir.resources (R4B: for our types the same elements and cardinalities) says of a resource beyond us.

Independent of our types, so that a mistake in them shows. It is a second opinion: it refuses nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ketenzorg.errors import Issue
from ketenzorg.fhir.bounds import plain

MOST = 20


def second_opinion(body: bytes, kind: str, said: Iterable[str]) -> list[Issue]:
    """Where it refuses what we took; nothing about places of which something was said already."""
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - takes long, and memory
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        get_fhir_model_class(kind).model_validate_json(body)
    except ValidationError as error:
        # Without input and context: these may be anybody's.
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return list(_beyond(found, kind, tuple(said)))[:MOST]
    except Exception:  # it trips over some of what it should refuse
        nl, en = (
            "De tweede mening (fhir.resources) was er niet.",
            "There was no second opinion (fhir.resources).",
        )
        return [Issue(nl, en, (kind,), "not-supported", "information")]
    return []


def _beyond(found: Iterable[Any], kind: str, said: tuple[str, ...]) -> Iterator[Issue]:
    for each in found:
        place = _place(kind, each["loc"])
        if not any(_near(place, other) for other in said):
            yield Issue(
                f"Een tweede mening (fhir.resources, R4B) keurt dit af ({each['type']}); wij niet.",
                f"A second opinion (fhir.resources, R4B) refuses this ({each['type']}); we do not.",
                (place,),
                "informational",
                "information",
            )


def _place(kind: str, steps: Iterable[str | int]) -> str:
    return kind + "".join(f"[{step}]" if isinstance(step, int) else f".{plain(step)}" for step in steps)


def _near(one: str, other: str) -> bool:
    """The same element, or one of the two inside the other; the choice elements are called differently."""
    one, other = one.partition(".ofType(")[0], other.partition(".ofType(")[0]
    return one.startswith(other) or other.startswith(one)
