"""A referral comes in: read, checked against its pathway, given to who must act, stored whole or not at all."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from ketenzorg.access.keys import keyed_digest
from ketenzorg.access.personal_numbers import seal
from ketenzorg.access.sealing import take_numbers_out
from ketenzorg.coordination.consent.consenting import Recorded, weighed
from ketenzorg.coordination.consent.sent_consent import (
    objections_sent,
    unless_objected,
    what_is_shared,
    without_objected,
)
from ketenzorg.coordination.receiving.lenience import claims_of, judged
from ketenzorg.coordination.receiving.naming import match_organisations
from ketenzorg.coordination.receiving.notices import notices_of
from ketenzorg.coordination.receiving.packing import Arrival, package
from ketenzorg.coordination.receiving.participants import (
    find_participants,
    find_referrer,
    with_candidates,
)
from ketenzorg.coordination.receiving.receipt import Receipt, receipt_of, what_there_is
from ketenzorg.coordination.receiving.rule_notices import warned
from ketenzorg.coordination.receiving.stopping import no_such_pathway, other_content, stops
from ketenzorg.coordination.steps.proposals import seen_requests
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import Conflict, Invalid, Issue
from ketenzorg.pathway import engine
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.criteria import screen
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.unread import unread
from ketenzorg.referral.bundle import Posted, read_bundle
from ketenzorg.referral.content import canonical
from ketenzorg.referral.intake import Asked, what_is_asked
from ketenzorg.referral.references import resolve
from ketenzorg.store.referrals import SealedNumber


async def receive_referral(body: bytes, visit: Visit, world: World) -> Receipt:
    """Take in a transaction Bundle. Raises Malformed, Invalid, Forbidden or Conflict with everything that is wrong."""
    return await receive_posted(read_bundle(body, world.new_id), visit, world)


async def receive_posted(posted: Posted, visit: Visit, world: World) -> Receipt:
    """The same, of a Bundle that was read already. What is wrong or to be known has its place in that Bundle."""
    try:
        receipt = await _receive(posted, visit, world)
    except Invalid as error:
        raise Invalid(*(posted.placed(issue) for issue in error.issues)) from error
    notices = tuple(posted.placed(notice) for notice in receipt.notices)
    return msgspec.structs.replace(receipt, notices=notices)


async def _receive(posted: Posted, visit: Visit, world: World) -> Receipt:
    at = world.now()
    claims = await claims_of(posted, world)
    asked, issues = what_is_asked(posted)
    issues += match_organisations(posted, world.region)
    numbers = take_numbers_out(posted.entries, world.keys)
    digest = keyed_digest(world.keys.digest, canonical(posted))
    own = [entry for entry in posted.entries if entry.kind != "Organization"]
    seen = await seen_requests(posted.of("ServiceRequest"), visit, world)
    known = world.addresses | seen if seen else world.addresses
    refused, kept = judged([*claims, *resolve(own, posted.addresses(), known)], visit)
    issues += numbers.issues + refused
    if asked is None:
        raise Invalid(*issues)
    system, value = asked.identifier
    asked = asked._replace(identifier=(numbers.without(system), numbers.without(value)))
    pathway, no_pathway = _pathway(asked, world)
    if pathway is None:
        raise Invalid(*issues, *no_pathway)
    referrer = find_referrer(asked, visit.caller, world.region)
    pathway = pathway.in_municipality(referrer.municipality)
    contents = [entry.content for entry in own]
    answers = read_answers(pathway, contents)
    unreadable = unread(pathway, contents, answers)
    screening = screen(pathway, answers, at)
    asked = with_candidates(asked, pathway, screening.route, world.region)
    participants, strangers = find_participants(asked, pathway, referrer, screening.route, world.region)
    issues += strangers + stops(screening) + objections_sent(own)
    traject, recorded = world.new_id(), Recorded((), {})
    person = next(
        (token for token in numbers.tokens.values() if str(token).encode() in asked.patient.raw), None
    )
    if participants is not None:
        sharing = what_is_shared(own, asked, pathway, participants, answers, traject, at)
        participants = await without_objected(participants, sharing, person or asked.patient.id, world)
        recorded, refusals = weighed(participants.roles, sharing, world)
        said = {place for issue in issues for place in issue.expression}
        issues += [each for each in refusals if said.isdisjoint(each.expression) or not each.expression]
    if issues or participants is None:
        raise Invalid(*issues, *warned(unreadable))
    state = engine.start(pathway, at, screening)
    dues = engine.due(pathway, state)
    arrival = Arrival(
        asked=asked,
        own=own,
        pathway=pathway,
        participants=participants,
        urgency=screening.urgency,
        state=state,
        dues=dues,
        traject=traject,
        person=person or asked.patient.id,
        at=at,
    )
    packed = package(arrival, digest, await _sealed(numbers.tokens, world), recorded, visit, world)
    stored = await unless_objected(packed, participants, sharing, visit, world)
    if stored.hash != digest:
        if not asked.request.if_none_exist:
            raise Conflict(other_content(asked, stored))
        return what_there_is(posted, asked, stored, at)
    notices = notices_of(pathway, participants, screening, unreadable, dues, stored, world)
    return receipt_of(posted, asked, (*kept, *notices), stored, at)


async def _sealed(numbers: Mapping[str, UUID], world: World) -> list[SealedNumber]:
    if not numbers:
        return []
    key = await world.keyring.newest()
    return [seal(number, token, world.keys, key) for number, token in numbers.items()]


def _pathway(asked: Asked, world: World) -> tuple[Pathway | None, list[Issue]]:
    for place, canonical_ in enumerate(asked.canonicals):
        pathway = world.catalogue.by_canonical(canonical_)
        if pathway is not None:
            return pathway, []
        return None, [no_such_pathway(f"{asked.request.path}.instantiatesCanonical[{place}]", world)]
    pathway = world.catalogue.by_code(asked.codes)
    return pathway, [] if pathway else [no_such_pathway(f"{asked.request.path}.code", world)]
