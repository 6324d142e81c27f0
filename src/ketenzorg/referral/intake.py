"""What a posted bundle asks: the one request, its identifier, the patient, the Task and who is who."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from ketenzorg.errors import Issue
from ketenzorg.fhir import r4
from ketenzorg.referral.bundle import Entry, Posted

MOST_ASKED = 20  # Tasks of one referral
MUNICIPALITY_CODE = "GM"  # CBS code of a municipality: GM0014


class Named(NamedTuple):
    """An organisation as a reference names it: by the business identifiers, or by our own id."""

    identifiers: tuple[tuple[str, str], ...]
    id: str
    path: str


class Candidate(NamedTuple):
    """An organisation that is asked beside others, and the Task by which it is; none: we make one."""

    named: Named
    task: Entry | None

    @property
    def path(self) -> str:
        """Where it is asked."""
        return self.task.path if self.task else self.named.path


class Asked(NamedTuple):
    """The request of a bundle."""

    request: Entry
    patient: Entry
    task: Entry | None
    identifier: tuple[str, str]
    codes: tuple[tuple[str, str], ...]
    canonicals: tuple[str, ...]
    requester: Named | None
    owner: Named | None
    others: tuple[Named, ...]  # further performers
    alternatives: tuple[
        Named, ...
    ]  # of these, those that may be asked beside the first: no Task names an owner
    candidates: tuple["Candidate", ...]  # several organisations are asked, of which one will be chosen
    open: bool  # a Task without an owner: for who claims it, where the pathway has that
    municipality: str | None  # as the address says it: a CBS code or a name


def what_is_asked(posted: Posted) -> tuple[Asked | None, list[Issue]]:
    """Read the bundle as a referral; None when it lacks what a referral is made of."""
    requests, patients, tasks = posted.of("ServiceRequest"), posted.of("Patient"), posted.of("Task")
    issues = [*_one("ServiceRequest", requests), *_one("Patient", patients)]
    issues += [_too_many_asked(task) for task in tasks[MOST_ASKED:]]
    if issues:
        return None, issues
    request, patient, task = requests[0], patients[0], tasks[0] if len(tasks) == 1 else None
    issues += _about_whom(posted, request, patient)
    issues += _state_of_request(request)
    for each in tasks:
        issues += _state_of_task(posted, each, request)
    candidates = _candidates(posted, tasks) if len(tasks) > 1 else []
    issues += [_without_owner(each) for each in tasks if task is None and each.resource.owner is None]
    identifier = _identifier(request.resource)
    if identifier is None:
        issues.append(_no_identifier(request))
        return None, issues
    issues += _condition(request, identifier)
    asked = Asked(
        request=request,
        patient=patient,
        task=task,
        identifier=identifier,
        codes=_codes(request.resource.code),
        canonicals=tuple(request.resource.instantiatesCanonical or ()),
        requester=organisation_named(posted, request.resource.requester, f"{request.path}.requester"),
        owner=None if candidates else _owner(posted, request, task),
        others=(others := _others(posted, request, task, asked=bool(candidates))),
        alternatives=others if not candidates and not (task and task.resource.owner) else (),
        candidates=tuple(candidates),
        open=task is not None and task.resource.owner is None and not request.resource.performer,
        municipality=_municipality(patient.resource),
    )
    return asked, issues


def organisation_named(posted: Posted, reference: Any, path: str) -> Named | None:
    """The organisation behind a Reference: itself, that of a PractitionerRole, or a logical one."""
    if reference is None:
        return None
    identifiers = [reference.identifier] if reference.identifier else []
    entry = posted.named(reference.reference)
    if entry is None:
        kind, _, id_ = (reference.reference or "").partition("/")
        return Named(_pairs(identifiers), id_ if kind == "Organization" else "", path)
    if isinstance(entry.resource, r4.Organization):
        return Named(
            _pairs(identifiers + list(entry.resource.identifier or ())), "", f"{entry.path}.identifier"
        )
    if isinstance(entry.resource, r4.PractitionerRole):
        return organisation_named(posted, entry.resource.organization, f"{entry.path}.organization")
    return None


def _owner(posted: Posted, request: Entry, task: Entry | None) -> Named | None:
    if task is not None and task.resource.owner is not None:
        return organisation_named(posted, task.resource.owner, f"{task.path}.owner")
    performers = request.resource.performer or ()
    return organisation_named(posted, performers[0], f"{request.path}.performer[0]") if performers else None


def _candidates(posted: Posted, tasks: list[Entry]) -> list[Candidate]:
    """Each Task that names its owner; who is named twice is asked by the first."""
    found = (
        (organisation_named(posted, task.resource.owner, f"{task.path}.owner"), task)
        for task in tasks
        if task.resource.owner is not None
    )
    return [Candidate(named, task) for named, task in found if named is not None]


def _others(posted: Posted, request: Entry, task: Entry | None, *, asked: bool) -> tuple[Named, ...]:
    """The performers who are not asked to act first: the first of them is, unless a Task names its owner."""
    after = 0 if asked or (task is not None and task.resource.owner is not None) else 1
    named = (
        organisation_named(posted, performer, f"{request.path}.performer[{place}]")
        for place, performer in enumerate(request.resource.performer or ())
        if place >= after
    )
    return tuple(each for each in named if each)


def _identifier(request: Any) -> tuple[str, str] | None:
    for system, value in _pairs(request.identifier or ()):
        if system:
            return system, value
    return None


def _pairs(identifiers: Any) -> tuple[tuple[str, str], ...]:
    return tuple((each.system or "", each.value) for each in identifiers if each.value)


def _codes(concept: Any) -> tuple[tuple[str, str], ...]:
    codings = (concept.coding if concept is not None else None) or ()
    return tuple((coding.system or "", coding.code) for coding in codings if coding.code)


def _municipality(patient: Any) -> str | None:
    """nl-core keeps the municipality in Address.district; its CBS code may stand in an extension there."""
    for address in patient.address or ():
        for extension in (address.district_ext.extension if address.district_ext else None) or ():
            concept = extension.valueCodeableConcept
            for coding in (concept.coding if concept else None) or ():
                if coding.code and coding.code.startswith(MUNICIPALITY_CODE):
                    return str(coding.code)
        if address.district:
            return str(address.district)
    return None


def _one(kind: str, found: list[Entry]) -> Iterator[Issue]:
    if not found:
        yield Issue(
            nl=f"De Bundle heeft geen {kind}.",
            en=f"The Bundle has no {kind}.",
            expression=("Bundle.entry",),
            code="required",
        )
    for extra in found[1:]:
        yield _too_many(kind, extra)


def _too_many(kind: str, extra: Entry) -> Issue:
    return Issue(
        nl=f"Een verwijzing heeft één {kind}; stuur een tweede verwijzing in een eigen Bundle.",
        en=f"A referral has one {kind}; send a second referral in a Bundle of its own.",
        expression=(extra.path,),
    )


def _too_many_asked(extra: Entry) -> Issue:
    return Issue(
        nl=f"Vraag hoogstens {MOST_ASKED} organisaties tegelijk.",
        en=f"Ask at most {MOST_ASKED} organisations at once.",
        expression=(extra.path,),
    )


def _without_owner(task: Entry) -> Issue:
    return Issue(
        nl="Met meer dan één Task vraagt u meer organisaties: noem in elke Task.owner wie u vraagt.",
        en="More than one Task asks several organisations: name in each Task.owner whom you ask.",
        expression=(f"{task.path}.owner",),
        code="required",
    )


def _no_identifier(request: Entry) -> Issue:
    return Issue(
        nl="De verwijzing heeft een eigen kenmerk nodig: ServiceRequest.identifier met system en value. Daaraan "
        "herkennen wij dezelfde verwijzing als u die nog eens stuurt.",
        en="The referral needs an identifier of its own: ServiceRequest.identifier with system and value. By it we "
        "know the same referral when you send it again.",
        expression=(f"{request.path}.identifier",),
        code="required",
        kind="no-identifier",
    )


def _condition(request: Entry, identifier: tuple[str, str]) -> Iterator[Issue]:
    """A search that is not for the identifier itself could not be kept from racing with another."""
    own = [("identifier", "|".join(identifier))]
    if request.if_none_exist and parse_qsl(request.if_none_exist.lstrip("?"), keep_blank_values=True) != own:
        yield Issue(
            nl="ifNoneExist zoekt op het eigen kenmerk van deze verwijzing: identifier=system|value.",
            en="ifNoneExist searches by the own identifier of this referral: identifier=system|value.",
            expression=(f"Bundle.entry[{request.place}].request.ifNoneExist",),
            code="not-supported",
        )


def _about_whom(posted: Posted, request: Entry, patient: Entry) -> Iterator[Issue]:
    if posted.named(request.resource.subject.reference) is not patient:
        yield Issue(
            nl="ServiceRequest.subject moet de Patient in deze Bundle zijn (zijn fullUrl).",
            en="ServiceRequest.subject must be the Patient of this Bundle (its fullUrl).",
            expression=(f"{request.path}.subject",),
        )
    if request.resource.requester is None:
        yield Issue(
            nl="Wie verwijst er? ServiceRequest.requester ontbreekt.",
            en="Who refers? ServiceRequest.requester is missing.",
            expression=(f"{request.path}.requester",),
            code="required",
        )


def _state_of_request(request: Entry) -> Iterator[Issue]:
    if request.resource.doNotPerform:
        yield Issue(
            nl="doNotPerform zegt dat dit juist niet gedaan moet worden: zo gaat er geen verwijzing weg.",
            en="doNotPerform says that this must not be done: that is no referral.",
            expression=(f"{request.path}.doNotPerform",),
        )
    for element, value, wanted in (
        ("status", request.resource.status, "active"),
        ("intent", request.resource.intent, "order"),
    ):
        if value != wanted:
            yield Issue(
                nl=f"Een nieuwe verwijzing heeft {element} = {wanted}.",
                en=f"A new referral has {element} = {wanted}.",
                expression=(f"{request.path}.{element}",),
            )


def _state_of_task(posted: Posted, task: Entry, request: Entry) -> Iterator[Issue]:
    for element, value, wanted in (
        ("status", task.resource.status, "requested"),
        ("intent", task.resource.intent, "order"),
    ):
        if value != wanted:
            yield Issue(
                nl=f"Een nieuwe Coordination Task heeft {element} = {wanted}.",
                en=f"A new Coordination Task has {element} = {wanted}.",
                expression=(f"{task.path}.{element}",),
            )
    if task.resource.focus is None or posted.named(task.resource.focus.reference) is not request:
        yield Issue(
            nl="Task.focus moet de ServiceRequest van deze Bundle zijn.",
            en="Task.focus must be the ServiceRequest of this Bundle.",
            expression=(f"{task.path}.focus",),
        )
