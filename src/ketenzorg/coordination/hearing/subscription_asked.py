"""What a posted Subscription asks for: topic, filter, channel and bounds, with everything that we cannot do named.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html; who has no system
that others can reach polls: then the channel has no type of R4, and its extension names ours.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from ketenzorg.access.free_text import in_texts
from ketenzorg.access.outgoing import Outgoing
from ketenzorg.coordination.hearing.notification import BACKPORT, TOPICS
from ketenzorg.environment import MAIL
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir import r4
from ketenzorg.fhir.dates import moment_of
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.referral.codes import BASE
from ketenzorg.store.subscriptions import Asked, Channel, Clause, Code, Content

CONTENT = f"{BACKPORT}/backport-payload-content"
FILTER = f"{BACKPORT}/backport-filter-criteria"
CHANNEL_TYPE = f"{BACKPORT}/backport-channel-type"
HEARTBEAT = f"{BACKPORT}/backport-heartbeat-period"
TIMEOUT = f"{BACKPORT}/backport-timeout"
MAX_COUNT = f"{BACKPORT}/backport-max-count"  # one event a notification is never more than anybody asks for
POLLING = (f"{BASE}/CodeSystem/subscription-channel", "polling")
JSON = "application/fhir+json"
DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S = 15, 30
HEARTBEAT_S = (60, 7 * 86_400)
FILTERS, VALUES, LONGEST_FILTER = 5, 20, 500
UUID_FORM = re.compile(r"(?:[A-Za-z]+/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")


def what_is_asked_of_us(posted: r4.Subscription, outgoing: Outgoing, now: datetime) -> Asked:
    """Everything that we act on. Raises Invalid with all that is wrong."""
    asked = _Reader(posted, outgoing)
    asked.issues += in_texts(posted, "Subscription")  # it is kept as it came
    kind, channel = asked.topic(), asked.channel()
    found = Asked(
        type=kind,
        filter=asked.filter(kind),
        channel=channel,
        endpoint=asked.endpoint(channel),
        content=asked.content(channel),
        heartbeat_s=asked.heartbeat(channel),
        timeout_s=asked.timeout(),
        ends=asked.ends(now),
        contact=asked.contact(),
    )
    if asked.issues:
        raise Invalid(*asked.issues)
    return found


class _Reader:
    """Reads one element at a time and collects what is wrong."""

    def __init__(self, posted: r4.Subscription, outgoing: Outgoing) -> None:
        self._posted = posted
        self._outgoing = outgoing
        self.issues: list[Issue] = []

    def refuse(self, place: str, nl: str, en: str, code: str = "value") -> None:
        self.issues.append(Issue(nl=nl, en=en, expression=(f"Subscription.{place}",), code=code))

    def topic(self) -> str:
        found = next((kind for kind, topic in TOPICS.items() if topic == self._posted.criteria), None)
        if found is None:
            topics = ", ".join(TOPICS.values())
            self.refuse(
                "criteria",
                f"dit onderwerp kennen we niet; wel: {topics}",
                f"no such topic; there are: {topics}",
            )
        return found or "Task"

    def filter(self, kind: str) -> tuple[Clause, ...] | None:
        texts = [each.valueString or "" for each in _extensions(self._posted.criteria_ext, FILTER)]
        if len(texts) > FILTERS or any(len(text) > LONGEST_FILTER for text in texts):
            self.refuse(
                "criteria.extension",
                f"hoogstens {FILTERS} filters van {LONGEST_FILTER} tekens.",
                f"at most {FILTERS} filters of {LONGEST_FILTER} characters.",
            )
            return None
        try:
            clauses = tuple(clause for text in texts for clause in _clauses(text, kind))
        except ValueError:
            self.refuse("criteria.extension", *_how_to_filter(kind))
            return None
        return clauses or None

    def channel(self) -> Channel:
        channel = self._posted.channel
        codings = [each.valueCoding for each in _extensions(channel.type_ext, CHANNEL_TYPE)]
        if channel.type is None and [(each.system, each.code) for each in codings if each] == [POLLING]:
            return "polling"
        if channel.type in ("rest-hook", "email"):
            if channel.header:
                self.refuse(
                    "channel.header",
                    "wij sturen geen eigen headers mee; wij ondertekenen (https://www.standardwebhooks.com).",
                    "we send no headers of yours; we sign (https://www.standardwebhooks.com).",
                    "not-supported",
                )
            return channel.type
        self.refuse(
            "channel.type",
            f"kan: rest-hook, email, of zonder type en met {CHANNEL_TYPE}: {'|'.join(POLLING)}.",
            f"possible: rest-hook, email, or no type and {CHANNEL_TYPE}: {'|'.join(POLLING)}.",
            "not-supported",
        )
        return "rest-hook"

    def endpoint(self, channel: Channel) -> str:
        given = self._posted.channel.endpoint or ""
        if channel == "rest-hook":
            try:
                self._outgoing.check(given, expression="Subscription.channel.endpoint")
            except Invalid as error:
                self.issues.extend(error.issues)
        elif channel == "email" and not (given.startswith("mailto:") and MAIL.match(given[7:])):
            self.refuse(
                "channel.endpoint", "dit moet mailto:naam@adres zijn.", "this must be mailto:name@host."
            )
        elif channel == "polling" and given:
            self.refuse("channel.endpoint", "wie zelf komt halen, heeft er geen.", "who polls has none.")
        return given

    def content(self, channel: Channel) -> Content:
        payload, format_ = self._posted.channel.payload_ext, self._posted.channel.payload
        codes = [each.valueCode for each in _extensions(payload, CONTENT)]
        possible: tuple[Content, ...] = ("empty", "id-only", "full-resource")
        if channel == "email":  # it goes in clear, through others' hands
            possible = possible[:2]
        if channel != "email" and format_ not in (None, JSON):
            self.refuse(
                "channel.payload", f"wij spreken alleen {JSON}.", f"we speak {JSON} only.", "not-supported"
            )
        found = next((each for each in possible if codes == [each]), None)
        if found is None:
            listed = ", ".join(possible)
            self.refuse(
                "channel.payload.extension",
                f"zeg met {CONTENT} hoeveel een bericht vertelt: {listed}.",
                f"say with {CONTENT} how much a notification tells: {listed}.",
            )
        return found or "empty"

    def heartbeat(self, channel: Channel) -> int | None:
        seconds = self._number(HEARTBEAT, "valueUnsignedInt")
        if not seconds:
            return None
        least, most = HEARTBEAT_S
        if channel != "rest-hook" or not least <= seconds <= most:
            self.refuse(
                "channel.extension",
                f"een hartslag kan bij rest-hook, om de {least} tot {most} seconden.",
                f"a heartbeat is possible with rest-hook, every {least} to {most} seconds.",
            )
        return seconds

    def timeout(self) -> int:
        seconds = self._number(TIMEOUT, "valueUnsignedInt") or DEFAULT_TIMEOUT_S
        if seconds > LONGEST_TIMEOUT_S:
            self.refuse(
                "channel.extension",
                f"wij wachten hoogstens {LONGEST_TIMEOUT_S} seconden op een antwoord.",
                f"we wait for an answer for {LONGEST_TIMEOUT_S} seconds at most.",
            )
        return seconds

    def ends(self, now: datetime) -> datetime | None:
        if self._posted.end is None:
            return None
        ends = moment_of(self._posted.end)
        if ends <= now:
            self.refuse("end", "dit is geen moment in de toekomst.", "this is no moment in the future.")
        return ends

    def contact(self) -> str:
        found = [each.value or "" for each in self._posted.contact if each.system == "email"]
        if found and not MAIL.match(found[0]):
            self.refuse("contact.value", "dit is geen e-mailadres.", "this is no e-mail address.")
        return found[0] if found else ""

    def _number(self, url: str, element: str) -> int | None:
        found = next((each for each in self._posted.channel.extension if each.url == url), None)
        number: int | None = getattr(found, element, None)
        return number


def _extensions(element: Any, url: str) -> list[Any]:
    return [each for each in element.extension if each.url == url] if element else []


def _clauses(text: str, kind: str) -> Iterator[Clause]:
    """`Task?status=requested,rejected&owner=Organization/<id>`. ValueError for what cannot be looked at."""
    declared = {each.name: each for each in PARAMETERS[kind]}
    type_, _, query = text.partition("?")
    if type_ != kind:
        raise ValueError(text)
    for name, value in parse_qsl(query, strict_parsing=True, max_num_fields=FILTERS):
        parameter = declared.get(name)
        values = value.split(",")
        if parameter is None or name not in filterable(kind) or len(values) > VALUES or not all(values):
            raise ValueError(text)
        if parameter.kind == "token":
            yield Clause(name, codes=tuple(_code(each) for each in values))
        else:
            yield Clause(name, targets=tuple(_target(each) for each in values))


def filterable(kind: str) -> list[str]:
    """The parameters that a filter may name: not `identifier`, whose value may be anybody's number."""
    return [each.name for each in PARAMETERS[kind] if each.kind != "date" and each.name != "identifier"]


def _code(text: str) -> Code:
    system, bar, code = text.rpartition("|")
    return Code(system if bar else None, code or None)


def _target(text: str) -> UUID:
    match = UUID_FORM.match(text)
    if match is None:
        raise ValueError(text)
    return UUID(match[1])


def _how_to_filter(kind: str) -> tuple[str, str]:
    names = ", ".join(filterable(kind))
    return (
        f"een filter is {kind}?naam=waarde,waarde&…, met hoogstens {VALUES} waarden; namen: {names}.",
        f"a filter is {kind}?name=value,value&…, with {VALUES} values at most; names: {names}.",
    )
