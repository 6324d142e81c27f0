"""What a crash test tells: what was asked, what was done to the service, and what held."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ketenzorg.cli.crash.invariants import Verdict
from ketenzorg.cli.crash.truth import Truth

SHOWN = 10  # of what breaks an invariant
RULE_OF_THREE = (
    3  # none in n: with 95% certainty under 3/n. https://en.wikipedia.org/wiki/Rule_of_three_(statistics)
)


def as_text(truth: Truth, heard: int, restarts: int, found: Sequence[Verdict]) -> str:
    """Tables as they stand in the README."""
    holds = not any(each.broken for each in found)
    return "\n".join(
        [
            *_attempts(truth),
            "",
            *_blows(truth, holds=holds),
            f"{restarts} restarts; {heard} notifications came in.",
            "",
            *_verdicts(found),
        ]
    )


def _attempts(truth: Truth) -> Iterable[str]:
    yield "| asked | acknowledged | refused | unknown |"
    yield "|---|---|---|---|"
    for did, name in (("refer", "referrals"), ("step", "steps")):
        ended = Counter(each.outcome for each in truth.attempts if each.did == did)
        yield f"| {name} | {ended['ack']} | {ended['nack']} | {ended['unknown']} |"
    why = Counter(each.why or f"http {each.status}" for each in truth.attempts if each.outcome == "unknown")
    if why:
        yield ""
        yield "Unknown: " + ", ".join(f"{name} {number}" for name, number in why.most_common())


def _blows(truth: Truth, *, holds: bool) -> Iterable[str]:
    yield "| what was done | times | at most so often it breaks something (95%) |"
    yield "|---|---|---|"
    blows = Counter(each.kind for each in truth.blows)
    for kind, number in sorted(blows.items()):
        yield f"| {kind} | {number} | {_bound(number) if holds else '-'} |"
    total = sum(blows.values())
    yield f"| all | {total} | {_bound(total) if holds and total else '-'} |"


def _bound(times: int) -> str:
    return f"{min(RULE_OF_THREE / times, 1):.1%}"


def _verdicts(found: Sequence[Verdict]) -> Iterable[str]:
    yield "| invariant | checked | broken |"
    yield "|---|---|---|"
    for each in found:
        yield f"| {each.name} {each.says} | {each.checked} | {len(each.broken)} |"
    for each in found:
        for what in each.broken[:SHOWN]:
            yield f"{each.name}: {what}"
        if len(each.broken) > SHOWN:
            yield f"{each.name}: and {len(each.broken) - SHOWN} more"
