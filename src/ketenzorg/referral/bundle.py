"""A referral Bundle as posted: its entries, and the bytes of each as they will be stored.

https://hl7.org/fhir/R4/http.html#transaction. The structs are for reading; what is stored are the sender's own
bytes, so that digits, order and precision stay.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.modifiers import may_modify, unknown_modifiers

# What may travel with a referral. Organisations are known already: they are matched, not stored.
ACCEPTED = frozenset(
    {
        "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "ServiceRequest", "Task",
        "Condition", "Observation", "Consent", "QuestionnaireResponse", "AllergyIntolerance", "MedicationStatement",
        "MedicationRequest", "FamilyMemberHistory", "Procedure", "DocumentReference", "DiagnosticReport",
        "Provenance",
    },
)  # fmt: skip
REFERENCE = re.compile(rb'"reference":"([^"\\]+)"')
OF_A_VERSION = re.compile(r"/_history/[A-Za-z0-9.-]{1,64}\Z")
OF_A_KIND = ("QuestionnaireResponse", "Task")  # what is found is said of these as if there were no Bundle
ALONE = -1  # the place of a resource that came by itself
RESTFUL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})\Z")


@dataclass(eq=False)
class Entry:
    """One entry: the resource as a struct to read, as bytes to store, and its place and id here."""

    place: int
    full_url: str
    kind: str
    resource: Any
    content: dict[str, Any]  # the resource as it was posted; decimals are text with their digits
    raw: bytes  # minified JSON; what is stored is made of it
    id: UUID
    location: str  # its address here, relative to the base
    if_none_exist: str = ""  # the search after which nothing new is made

    @property
    def path(self) -> str:
        """Where a finding about this resource points."""
        return self.kind if self.place == ALONE else f"Bundle.entry[{self.place}].resource"

    def is_known_as(self, id_: UUID) -> None:
        """It was here already, under this id."""
        self.id, self.location = id_, f"{self.kind}/{id_}"


@dataclass(frozen=True, eq=False)
class Posted:
    """The entries of one bundle, and how they name each other."""

    entries: list[Entry]

    def of(self, kind: str) -> list[Entry]:
        """The entries of one type, in their order."""
        return [entry for entry in self.entries if entry.kind == kind]

    def named(self, reference: str | None) -> Entry | None:
        """The entry that a reference points at, by fullUrl or by the relative form of a RESTful one."""
        if not reference:
            return None
        return self._by_name.get(reference) or self._by_name.get(OF_A_VERSION.sub("", reference))

    def addresses(self) -> dict[bytes, bytes]:
        """Each name that a reference may use -> the address of the entry here."""
        return {name.encode(): entry.location.encode() for name, entry in self._by_name.items()}

    def placed(self, issue: Issue) -> Issue:
        """An issue about the answers or the Task, with the place of these in the Bundle as it was sent."""
        places = tuple(map(self._place, issue.expression))
        return issue if places == issue.expression else msgspec.structs.replace(issue, expression=places)

    def _place(self, place: str) -> str:
        kind, _, inside = place.partition(".")
        if kind not in OF_A_KIND:
            return place
        sent = self.of(kind)
        path = sent[0].path if sent else f"Bundle.entry.resource.ofType({kind})"  # where it would be
        return f"{path}.{inside}"

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        names = {entry.full_url: entry for entry in self.entries if entry.full_url}
        for entry in self.entries:
            restful = None if entry.full_url.startswith("urn:") else RESTFUL.search(entry.full_url)
            if restful:
                names[restful[0]] = entry
        return names


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _RawBundle(msgspec.Struct):
    entry: list[_RawEntry] = []


class _PlainEntry(msgspec.Struct):
    resource: dict[str, Any] = {}


class _PlainBundle(msgspec.Struct):
    entry: list[_PlainEntry] = []


_RAW = msgspec.json.Decoder(_RawBundle)
_CONTENT = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_PLAIN = msgspec.json.Decoder(_PlainBundle, float_hook=str)


def read_bundle(body: bytes, new_id: Callable[[], UUID], base: str = "") -> Posted:
    """Decode and check a transaction Bundle. Raises Malformed or Invalid with every issue found.

    `base`: ours, of which a reference may be the whole address.
    """
    bundle = decode_as(body, r4.Bundle)
    if is_named_whole(body, base):
        body = from_here(body, base)
        bundle = decode_as(body, r4.Bundle)
    issues = list(_wrong_kind(bundle)) or list(_wrong_entries(bundle))
    if issues:
        raise Invalid(*issues)
    if (
        b"\\" in body
    ):  # what is looked for in bytes (references, numbers) must stand there as a reader sees it
        body = json.write(json.read_as_sent(body))
    body = msgspec.json.format(body, indent=-1)
    raw, plain = _RAW.decode(body).entry, _PLAIN.decode(body).entry
    if may_modify(body):
        found = [
            unknown_modifiers(each.resource, f"Bundle.entry[{n}].resource") for n, each in enumerate(plain)
        ]
        if issues := [issue for each in found for issue in each]:
            raise Invalid(*issues)
    return Posted(
        [
            _entry(place, entry, plain[place].resource, bytes(raw[place].resource), new_id())
            for place, entry in enumerate(bundle.entry)
        ],
    )


def is_named_whole(body: bytes, base: str) -> bool:
    """Whether something here may be named by its whole address: rare, and then read twice."""
    return bool(base) and (base.encode() in body or b"\\/" in body)


def from_here(body: bytes, base: str) -> bytes:
    """References by the whole address of something here, as the relative ones that they are."""
    ours = b'"reference":"' + base.encode() + b"/"
    return json.write(json.read_as_sent(body)).replace(ours, b'"reference":"')


def read_alone(body: bytes, kind: Any, id_: UUID, base: str = "") -> Entry:
    """A resource of this struct that came by itself. Raises Malformed or Invalid."""
    resource = decode_as(body, kind)
    if is_named_whole(body, base):
        body = from_here(body, base)
        resource = decode_as(body, kind)
    if b"\\" in body:
        body = json.write(json.read_as_sent(body))
    raw = msgspec.json.format(body, indent=-1)
    name = type(resource).__name__
    return Entry(ALONE, "", name, resource, _CONTENT.decode(raw), raw, id_, f"{name}/{id_}")


def _entry(place: int, entry: r4.Bundle_Entry, content: dict[str, Any], raw: bytes, id_: UUID) -> Entry:
    kind = type(entry.resource).__name__
    condition = (entry.request.ifNoneExist or "") if entry.request else ""
    return Entry(
        place, entry.fullUrl or "", kind, entry.resource, content, raw, id_, f"{kind}/{id_}", condition
    )


def _wrong_kind(bundle: r4.Bundle) -> Iterator[Issue]:
    if bundle.type != "transaction":
        yield Issue(
            nl="Een verwijzing komt als Bundle van het type transaction.",
            en=f"A referral is a Bundle of type transaction, not {bundle.type}.",
            expression=("Bundle.type",),
            code="not-supported",
        )
    if not bundle.entry:
        yield Issue(
            nl="De Bundle is leeg; zet er in elk geval een Patient en een ServiceRequest in.",
            en="The Bundle is empty; it needs at least a Patient and a ServiceRequest.",
            expression=("Bundle.entry",),
            code="required",
        )


def _wrong_entries(bundle: r4.Bundle) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    is_referral = any(isinstance(entry.resource, r4.ServiceRequest) for entry in bundle.entry or ())
    for place, entry in enumerate(bundle.entry or ()):
        path = f"Bundle.entry[{place}]"
        kind = type(entry.resource).__name__
        if entry.resource is None:
            yield Issue(
                nl="Deze entry heeft geen resource.",
                en="This entry has no resource.",
                expression=(path,),
                code="required",
            )
        elif kind not in ACCEPTED:
            yield Issue(
                nl=f"Een {kind} hoort niet in een verwijzing.",
                en=f"A {kind} cannot be part of a referral; these can: {', '.join(sorted(ACCEPTED))}.",
                expression=(f"{path}.resource",),
                code="not-supported",
            )
        elif (
            entry.request is None
            or entry.request.method != "POST"
            or (entry.request.url or "").strip("/") != kind
        ):
            yield Issue(
                nl=f'Elke entry wordt aangemaakt: request = {{"method": "POST", "url": "{kind}"}}.',
                en=f'Every entry is a create: request = {{"method": "POST", "url": "{kind}"}}.',
                expression=(f"{path}.request",),
                code="not-supported",
            )
        condition = entry.request.ifNoneExist if entry.request else None
        if condition and is_referral and kind != "ServiceRequest":
            yield Issue(
                nl="ifNoneExist kan alleen bij de ServiceRequest: wat met de verwijzing meekomt, hoort bij haar.",
                en="ifNoneExist goes with the ServiceRequest only: what comes with the referral belongs to it.",
                expression=(f"{path}.request.ifNoneExist",),
                code="not-supported",
            )
        if entry.fullUrl:
            if entry.fullUrl in seen:
                yield Issue(
                    nl=f"Deze fullUrl staat ook bij entry[{seen[entry.fullUrl]}].",
                    en=f"This fullUrl is also that of entry[{seen[entry.fullUrl]}].",
                    expression=(f"{path}.fullUrl",),
                    code="duplicate",
                )
            seen.setdefault(entry.fullUrl, place)
