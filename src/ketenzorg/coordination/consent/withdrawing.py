"""Consent is taken back: the organisation loses sight of the traject in the same transaction, and is told only that.

The traject goes to the end that its pathway gives. What the organisation holds in its own file is not ours, and
nothing of ours is deleted. A new referral, with a new consent, begins anew.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.access.finding import rows_of
from ketenzorg.coordination.consent.sharing_on import NO_ROWS
from ketenzorg.coordination.world import World
from ketenzorg.fhir import json
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.referral.consent import new_consent
from ketenzorg.referral.stored import instant, stored_form
from ketenzorg.store.consents import Shared
from ketenzorg.store.trajecten import ConsentChange, FoundBy, NewObjection, NewVersion, Step, Version

Changed = tuple[Step, list[NewVersion]]


def taken_back(
    step: Step,
    versions: Sequence[NewVersion],
    lost: Collection[UUID],
    shared: Shared,
    world: World,
    at: datetime,
    *,
    notice: int,
) -> Changed:
    """The same step, after which these organisations see nothing of the traject any more.

    `notice`: the version of the Task that tells them so.
    """
    ended = [*versions, *_consents(lost, shared, at)]
    change = step.consent or ConsentChange()
    without: dict[str, Any] = {
        "roles": {role: party for role, party in step.roles.items() if party not in lost},
        "phases": {key: step_ for key, step_ in step.phases.items() if step.roles.get(key) not in lost},
        "seen_by": {kind: _but(parties, lost) for kind, parties in step.seen_by.items()},
        **{name: _but(getattr(step, name), lost) for name in ("parties", "involved", "witnesses")},
    }
    return msgspec.structs.replace(
        step,
        **without,
        callers=shared.traject.parties,
        consent=msgspec.structs.replace(
            change,
            withdrawn=tuple(lost),
            notice=notice,
            found_by=tuple(_found_by(shared.resources, ended)),
        ),
    ), ended


def on_record(
    step: Step,
    versions: Sequence[NewVersion],
    objection: NewObjection,
    consent: bytes,
    readers: Collection[UUID],
) -> Changed:
    """The same step, with the Consent that says what the patient does not want; for its readers only."""
    change = step.consent or ConsentChange()
    return msgspec.structs.replace(
        step,
        seen_by=step.seen_by | {"Consent": tuple(readers)},
        consent=msgspec.structs.replace(change, objection=objection),
    ), [*versions, NewVersion("Consent", objection.id, 1, consent, NO_ROWS)]


def withdrawal_of(
    organisation: UUID, shared: Shared, since: datetime, world: World, at: datetime
) -> tuple[NewObjection, bytes]:
    """The record that consent was taken back for one organisation in one traject."""
    id_ = world.new_id()
    consent = new_consent(
        id_,
        "bezwaar",
        patient=f"Patient/{shared.patient}",
        at=at,
        since=instant(since),
        holder=shared.holder,
        actors=[organisation],
        request=f"ServiceRequest/{shared.traject.request.id}",
        pathway=shared.traject.pathway,
    )
    return NewObjection(id_, since, organisation, data=shared.traject.id), consent


def _consents(lost: Collection[UUID], shared: Shared, at: datetime) -> Iterator[NewVersion]:
    """The Consents under which they took part: over, or for the others only."""
    under = {shared.consents[each] for each in lost if each in shared.consents}
    for consent in shared.resources:
        if consent.type == "Consent" and consent.id in under:
            left = [each for each, id_ in shared.consents.items() if id_ == consent.id and each not in lost]
            changed = _for(left, json.read(consent.body)) if left else {"status": "inactive"}
            version = consent.version + 1
            body = stored_form(consent.body, consent.id, version, at, **changed)
            yield NewVersion("Consent", consent.id, version, body, NO_ROWS)


def _for(left: Collection[UUID], consent: Mapping[str, Any]) -> dict[str, Any]:
    addresses = {f"Organization/{each}" for each in left}
    provision = consent["provision"]
    actors = [each for each in provision.get("actor", ()) if each["reference"].get("reference") in addresses]
    return {"provision": {**provision, "actor": actors} if actors else provision}


def _found_by(resources: Sequence[Version], versions: Sequence[NewVersion]) -> Iterator[FoundBy]:
    """Every search row of the traject, as it is after the step."""
    now = {(each.type, each.id): each.body for each in resources}
    now |= {(each.type, each.id): each.body for each in versions}
    for (kind, id_), body in now.items():
        rows = rows_of(json.read(body)) if kind in PARAMETERS else NO_ROWS
        for token in rows.tokens:
            yield FoundBy(
                type=kind,
                id=id_,
                kind="token",
                param=token.param,
                finders=(),
                code=token.code,
                system=token.system,
            )
        for target in rows.references:
            yield FoundBy(
                type=kind,
                id=id_,
                kind="reference",
                param=target.param,
                finders=(),
                target=target.target,
                system=target.type,
            )
        for moment in rows.dates:
            low, high = moment.period
            yield FoundBy(type=kind, id=id_, kind="date", param=moment.param, finders=(), low=low, high=high)


def _but(parties: Collection[UUID], lost: Collection[UUID]) -> tuple[UUID, ...]:
    return tuple(party for party in parties if party not in lost)
