"""What must hold whatever was killed: each invariant, with how much it was checked on and what breaks it.

The truth log, the database, FHIR and the receivers are laid side by side; none of them is asked about itself.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from ketenzorg.cli.crash.ears import Heard
from ketenzorg.cli.crash.fhir import Seen
from ketenzorg.cli.crash.stored import Referral, Stored
from ketenzorg.cli.crash.truth import Attempt, Truth
from ketenzorg.throughput.small_groups import shown

PARTS = [
    "CarePlan",
    "Condition",
    "Consent",
    "Observation",
    "Observation",
    "Patient",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known after a run."""

    truth: Truth
    stored: Stored
    seen: Seen
    heard: list[Heard]
    chain: str  # what is wrong with the chain over the audit log; empty: nothing
    left: int  # events that were not delivered in the end


class Verdict(msgspec.Struct, frozen=True):
    """Of one invariant. `broken`: what breaks it, by key, request or address; never a person."""

    name: str
    says: str
    checked: int
    broken: list[str]


def verdicts(evidence: Evidence) -> list[Verdict]:
    """Of every invariant."""
    return [
        Verdict(name, says, checked, sorted(set(broken)))
        for name, says, check in INVARIANTS
        for checked, broken in [_all(check(evidence))]
    ]


def _all(found: Iterable[str | None]) -> tuple[int, list[str]]:
    """How much was looked at, and what of it is wrong: a check gives None for each thing that is right."""
    everything = list(found)
    return len(everything), [each for each in everything if each is not None]


def no_loss(evidence: Evidence) -> Iterator[str | None]:
    for key, attempt in _acknowledged(evidence.truth).items():
        stored, found = evidence.stored.referrals.get(key, []), evidence.seen.found[key]
        if not stored or not found.total:
            yield f"{key}: {len(stored)} in the database, {found.total} over FHIR"
        elif not any(f"Task/{each.task}" in attempt.locations for each in stored):
            yield f"{key}: its Task is another than was answered"
        else:
            other = ", ".join(found.other)
            yield f"{key}: other content than was sent in {other}" if other else None


def no_duplicate(evidence: Evidence) -> Iterator[str | None]:
    for key in sorted({each.key for each in evidence.truth.attempts}):
        counts = len(evidence.stored.referrals.get(key, [])), evidence.seen.found[key].total
        yield f"{key}: {counts[0]} in the database, {counts[1]} over FHIR" if max(counts) > 1 else None


def no_ghost(evidence: Evidence) -> Iterator[str | None]:
    for key in {each.key for each in evidence.truth.referrals("nack")}:
        exists = key in evidence.stored.referrals or evidence.seen.found[key].total
        yield f"{key}: refused, and there" if exists else None


def whole_or_nothing(evidence: Evidence) -> Iterator[str | None]:
    yield from evidence.stored.stray
    for key, referrals in evidence.stored.referrals.items():
        for each in referrals:
            missing = ", ".join(_missing(each))
            yield f"{key}: {missing}" if missing else None


def _missing(referral: Referral) -> Iterator[str]:
    seq = referral.seq or 0
    if referral.types != PARTS:
        yield f"its resources are {' '.join(referral.types)}"
    if referral.events != [*range(1, seq + 1)] or referral.last_step != [referral.step]:
        yield "its events do not give where it stands"
    if referral.versions != [*range(1, seq + 1)]:
        yield "its Task does not follow its events"
    if (referral.created, referral.changed) != (1, seq - 1):
        yield "its audit lines are not one per change"
    if referral.statuses != 1 or not referral.dues:
        yield "it cannot be found, or no clock runs"
    if referral.untold:
        yield f"of {referral.untold} of its resources not every version is in the outbox"


def retries_close(evidence: Evidence) -> Iterator[str | None]:
    acknowledged = _acknowledged(evidence.truth)
    refused = {each.key for each in evidence.truth.referrals("nack")}
    for key in {each.key for each in evidence.truth.referrals("unknown")} - refused:
        if key not in acknowledged:
            yield f"{key}: still unknown"
            continue
        stored = [f"ServiceRequest/{each.request}" for each in evidence.stored.referrals.get(key, [])]
        given = {tuple(each.locations) for each in evidence.truth.referrals("ack") if each.key == key}
        as_stored = len(stored) == 1 and len(given) == 1 and stored[0] in next(iter(given))
        yield None if as_stored else f"{key}: asked again, it is not the one that is stored"


def all_is_heard(evidence: Evidence) -> Iterator[str | None]:
    if evidence.left:
        yield f"{evidence.left} events had not arrived in the end"
    for each in evidence.heard:
        yield None if each.ours else f"{each.ear}: a signature that is not ours on {each.message}"
    for subscription, last in evidence.stored.numbered.items():
        yield from _heard_by(subscription, last, evidence)


def _heard_by(subscription: str, last: int, evidence: Evidence) -> Iterator[str | None]:
    first: dict[int, Heard] = {}
    versions: dict[str, list[int]] = {}
    for each in evidence.heard:
        if each.subscription != subscription or not each.number:
            continue
        known = first.setdefault(each.number, each)
        if known is each:
            versions.setdefault(each.resource, []).append(each.version)
        same = (known.message, known.digest) == (each.message, each.digest)
        yield None if same else f"{each.ear}: number {each.number} came again as something else"
    missing = {*range(1, last + 1)} ^ set(first)
    if missing or evidence.seen.numbers[subscription] != last:
        yield f"subscription {subscription}: of 1 to {last} the numbers {sorted(missing)[:9]} missing or too many"
    owed = evidence.stored.owed.get(subscription, {})
    for resource in {*owed, *versions}:
        told, wanted = versions.get(resource, []), [*range(1, owed.get(resource, 0) + 1)]
        yield None if told == wanted else f"{resource}: heard versions {told}, should be {wanted}"


def all_on_record(evidence: Evidence) -> Iterator[str | None]:
    yield evidence.chain or None
    for each in evidence.truth.attempts:
        lines = evidence.stored.audited[each.request]
        if each.outcome == "ack":
            yield None if lines == 1 else f"request {each.request}: {lines} audit lines"
        elif each.outcome == "unknown":
            yield None if lines <= 1 else f"request {each.request}: {lines} audit lines"


def versions_follow(evidence: Evidence) -> Iterator[str | None]:
    steps = evidence.truth.steps()
    settled = {(each.task, each.base): each.version for each in evidence.truth.settled}
    for key, attempt in _acknowledged(evidence.truth).items():
        task = next(each for each in attempt.locations if each.startswith("Task/"))
        came = 0
        for base, attempts in steps.get(task, {}).items():
            answers = [each.version for each in attempts if each.outcome == "ack"]
            if len(answers) > 1 or any(version != base + 1 for version in answers):
                yield f"{task}: on version {base} came {answers}"
            came += bool(answers) or settled.get((task, base)) == base + 1
        stored = [each.versions for each in evidence.stored.referrals.get(key, []) if each.task == task[5:]]
        seen, wanted = evidence.seen.found[key].versions, [*range(1, came + 2)]
        holds = stored == [wanted] and seen == wanted
        yield (
            None if holds else f"{task}: {came} changes, versions {stored} in the database, {seen} over FHIR"
        )


def figures_are_the_log(evidence: Evidence) -> Iterator[str | None]:
    counted: dict[str, int] = {}
    for referrals in evidence.stored.referrals.values():
        for each in referrals:
            for step in each.last_step:
                counted[step] = counted.get(step, 0) + 1
    for step, told in evidence.seen.open_now.items():
        number = counted.get(step, 0)
        yield None if told == shown(number) else f"{step}: {told} on the page, {number} in the log"


def _acknowledged(truth: Truth) -> dict[str, Attempt]:
    return {each.key: each for each in truth.referrals("ack")}


INVARIANTS: tuple[tuple[str, str, Callable[[Evidence], Iterator[str | None]]], ...] = (
    ("I1", "what was acknowledged is there, as it was sent", no_loss),
    ("I2", "nothing is there twice", no_duplicate),
    ("I3", "what was refused is not there", no_ghost),
    ("I4", "a referral is there with all its parts, or not", whole_or_nothing),
    ("I5", "asked again, what was unknown is what is stored", retries_close),
    ("I6", "every receiver heard everything, in order", all_is_heard),
    ("I7", "every request is on record once, in the chain", all_on_record),
    ("I8", "versions have no holes and follow the answers", versions_follow),
    ("I9", "the figures are those of the event log", figures_are_the_log),
)
