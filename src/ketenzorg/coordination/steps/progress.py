"""How far the work is: what who does it adds to Task.output while it runs, as a code, a count or a ratio of sessions.

HL7 Clinical Order Workflows: Task.output with valueRatio n/m, a count or a code. https://build.fhir.org/ig/HL7/fhir-cow-ig/
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ketenzorg.errors import Invalid, Issue, TransitionNotAllowed
from ketenzorg.referral.codes import OUTPUT_SYSTEM

PROGRESS = "voortgang"  # of OUTPUT_SYSTEM
COUNTS = ("valueInteger", "valueUnsignedInt", "valuePositiveInt")
MOST = 10_000  # sessions, of one hand-over


def check_progress(added: Mapping[str, list[Any]], status: str, *, owner: bool) -> None:
    """Raise TransitionNotAllowed for who does not do the work or has not begun, Invalid for what says no progress."""
    said = [each for each in added.get("output", ()) if is_progress(each)]
    if said and not (owner and status == "in-progress"):
        raise TransitionNotAllowed(
            Issue(
                nl="Voortgang meldt wie het werk doet, zolang Task.status in-progress is.",
                en="Progress is told by the owner of the Task, while its status is in-progress.",
                expression=("Task.output",),
            )
        )
    if any(in_words(each) is None for each in said):
        raise Invalid(
            Issue(
                nl="Voortgang is een code (valueCodeableConcept met coding of text), een aantal (valueInteger, 0 of "
                "meer) of n van m keer (valueRatio: hele getallen, numerator niet groter dan denominator).",
                en="Progress is a code (valueCodeableConcept with coding or text), a count (valueInteger, 0 or more) "
                "or n of m times (valueRatio: whole numbers, the numerator no larger than the denominator).",
                expression=("Task.output",),
                code="value",
            )
        )


def is_progress(output: Mapping[str, Any]) -> bool:
    """Whether an output is about how far the work is."""
    codings = output.get("type", {}).get("coding", ())
    return any((each.get("system"), each.get("code")) == (OUTPUT_SYSTEM, PROGRESS) for each in codings)


def names_of(added: Mapping[str, list[Any]]) -> tuple[str, ...]:
    """What the log says was added, in its order: no words, and no numbers."""
    return tuple(PROGRESS for each in added.get("output", ()) if is_progress(each))


def in_words(output: Mapping[str, Any]) -> str | None:
    """How far it is, for people; None for what is no code, count or ratio."""
    for element in COUNTS:
        if element in output:
            return str(output[element]) if 0 <= output[element] <= MOST else None
    if "valueRatio" in output:
        return _ratio(output["valueRatio"])
    return _concept(output.get("valueCodeableConcept", {}))


def _ratio(ratio: Mapping[str, Any]) -> str | None:
    done, of = (_whole(ratio.get(part, {})) for part in ("numerator", "denominator"))
    if done is None or of is None or not 0 <= done <= of or not 1 <= of <= MOST:
        return None
    return f"{done} van {of}"


def _whole(quantity: Mapping[str, Any]) -> int | None:
    value = quantity.get("value")
    if not isinstance(value, int | Decimal) or "comparator" in quantity or value != int(value):
        return None
    return int(value)


def _concept(concept: Mapping[str, Any]) -> str | None:
    codings: Sequence[Mapping[str, Any]] = concept.get("coding", ())
    coded = [each for each in codings if each.get("system") and each.get("code")]
    return concept.get("text") or next((each.get("display") or each["code"] for each in coded), None)
