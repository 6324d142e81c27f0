"""A transaction that asks several things: each is done as it would be by itself, in one transaction of the database.

https://hl7.org/fhir/R4/http.html#transaction. All of it is stored, or nothing; what is wrong is said all at once.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec

from ketenzorg.access.rules import permit, rule_id
from ketenzorg.api.acts import CHANGING, Act, acts_of, method_of, named_here, names_of
from ketenzorg.api.batch import as_request
from ketenzorg.api.conditional_references import CONDITIONAL, find
from ketenzorg.api.inner import answer_to
from ketenzorg.api.rehearsing import issues_of
from ketenzorg.api.requests import WEAK_ETAG, WORLD, Http, base_of, visit_of, world_of
from ketenzorg.api.shaping import Answer
from ketenzorg.coordination.once import Answered
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Issue,
    KetenzorgError,
    Malformed,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    Unavailable,
)
from ketenzorg.fhir import bounds, json
from ketenzorg.referral.bundle import OF_A_VERSION
from ketenzorg.referral.stored import instant
from ketenzorg.store.audit import REFUSED, Interaction
from ketenzorg.store.trial import kept

FAILED: Final = HTTPStatus.BAD_REQUEST.value
OURS: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value
ENTRY: Final = re.compile(r"Bundle\.entry\[(\d+)\]")
AS: Final = {
    each.status: each
    for each in (Malformed, Forbidden, NotFound, MethodNotAllowed, Conflict, PreconditionFailed, Invalid)
}
DOES: Final[dict[str, Interaction]] = {"PUT": "update", "PATCH": "patch", "GET": "read", "HEAD": "read"}
LINKS: Final = ("reference", "url", "valueUri", "valueUrl", "valueOid", "valueUuid")

Entries = list[dict[str, Any]]
TakeIn = Callable[[bytes, str, Visit, World], Awaitable[Answered]]


class Doing:
    """One transaction under way: what was made of each entry, by which names others call it, and what was refused."""

    def __init__(self, entries: Entries, request: Http, world: World, take_in: TakeIn) -> None:
        self._entries = entries
        self._request = request
        self._world = world
        self._take_in = take_in
        self._names: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self.responses: dict[int, dict[str, Any]] = {}
        self.made: Entries = []  # by us, beside what was sent
        self.refused: dict[int, KetenzorgError] = {}  # place of the first entry of an act -> why

    async def hold(self) -> None:
        """From now on nobody else changes what this is about: ifMatch is about how it is now, before the first act."""
        organisation = visit_of(self._request).caller.organisation
        self._versions = await self._world.trajecten.hold(named_here(self._entries), organisation)

    async def do(self, act: Act) -> None:
        """One of the acts. What it says is kept, also when it is refused."""
        try:
            await (self._together(act) if act.together else self._alone(act.places[0]))
        except KetenzorgError as error:
            if error.status >= OURS:
                raise
            self.refused[act.places[0]] = type(error)(
                *(_placed(issue, act, error.code) for issue in error.issues), headers=error.headers
            )

    async def _together(self, act: Act) -> None:
        """A referral, or the data of one traject."""
        permit(visit_of(self._request).caller, "create", "ServiceRequest")
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [self._named(self._entries[place]) for place in act.places],
        }
        answered = await self._take_in(
            json.write(bundle), base_of(self._request), visit_of(self._request), self._world
        )
        entries: Entries = json.read(answered.body)["entry"]
        for place, entry in zip(act.places, entries, strict=False):
            self._takes(place, entry)
        self.made += entries[len(act.places) :]

    async def _alone(self, place: int) -> None:
        """A request by itself."""
        entry = self._as_held(self._named(self._entries[place]))
        scope, content = as_request(entry, f"Bundle.entry[{place}]", self._request)
        if method_of(entry) == "HEAD":
            scope["method"] = "GET"  # a refusal without a body would not say why
        answer = await answer_to(scope | {WORLD: self._world}, content)
        if answer.status >= OURS:
            ours = Unavailable if answer.status == Unavailable.status else KetenzorgError
            raise ours(*issues_of(answer))
        if answer.status >= FAILED:
            raise AS.get(answer.status, Invalid)(*issues_of(answer))
        self._takes(place, _told(answer, method_of(entry), _address(entry), base_of(self._request)))

    def _as_held(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Its condition is met, or it is refused: what another entry made of it meanwhile does not count."""
        asked = entry["request"]
        version = self._versions.get(_address(entry))
        seen = WEAK_ETAG.match(asked.get("ifMatch", ""))
        if version is None or seen is None:
            return entry
        if int(seen[1]) != version:
            raise PreconditionFailed(_stale(asked["url"].partition("/")[0], version))
        return entry | {"request": {name: value for name, value in asked.items() if name != "ifMatch"}}

    def _takes(self, place: int, entry: dict[str, Any]) -> None:
        self.responses[place] = entry
        location = entry["response"].get("location", "")
        if location:
            self._names |= dict.fromkeys(names_of(self._entries[place]), OF_A_VERSION.sub("", location))

    def _named(self, entry: dict[str, Any]) -> dict[str, Any]:
        """With the addresses of what was made before it."""
        resource = entry.get("resource")
        if resource is None or not self._names:
            return entry
        if resource.get("resourceType") == "Binary":
            return entry | {"resource": self._named_inside(resource)}
        return entry | {"resource": _renamed(resource, self._names)}

    def _named_inside(self, binary: dict[str, Any]) -> dict[str, Any]:
        try:
            inside = b64decode(binary["data"])
            bounds.check(inside)
            named = _renamed(json.read_as_sent(inside), self._names)
        except (KeyError, TypeError, ValueError, KetenzorgError):
            return binary  # who reads it says what is wrong
        return binary | {"data": b64encode(json.write(named)).decode()}


async def do_whole(bundle: dict[str, Any], request: Http, take_in: TakeIn) -> Answered:
    """Every act of it, in the order of the specification. Raises what the first refused entry was refused with."""
    entries: Entries = bundle["entry"]
    await _with_addresses(entries, request)
    acts, world = acts_of(entries), world_of(request)
    try:
        if WORLD in request.scope:  # a rehearsal
            return _answered(await _done(acts, Doing(entries, request, world, take_in)), entries)
        async with request.app.state.wholes, kept(request.app.state.database) as trial:
            doing = await _done(acts, Doing(entries, request, world.on_trial(trial), take_in))
    except _Refused as refused:
        await _on_record(refused.doing, entries, request)
        raise refused.as_one() from None
    world.bell.ring()
    return _answered(doing, entries)


class _Refused(Exception):
    """What undoes all of it."""

    def __init__(self, doing: Doing) -> None:
        super().__init__()
        self.doing = doing

    def as_one(self) -> KetenzorgError:
        """Everything that is wrong, with the status of the first."""
        errors = [self.doing.refused[place] for place in sorted(self.doing.refused)]
        return type(errors[0])(*(issue for error in errors for issue in error.issues))


async def _done(acts: Sequence[Act], doing: Doing) -> Doing:
    await doing.hold()
    for act in acts:
        await doing.do(act)
    if doing.refused:
        raise _Refused(doing)
    return doing


async def _with_addresses(entries: Entries, request: Http) -> None:
    """What is to be changed, where that is the one resource that a search finds."""
    for entry in entries:
        url = entry["request"]["url"]
        if method_of(entry) in CHANGING and CONDITIONAL.fullmatch(url):
            found = await find(url, request)
            entry["address"] = found[0] if len(found) == 1 else url


async def _on_record(doing: Doing, entries: Entries, request: Http) -> None:
    """What was refused went out of the log with all the rest: it is put there again."""
    world, visit = world_of(request), visit_of(request)
    for place in doing.refused:
        entry = entries[place]
        method, (kind, *rest) = method_of(entry), re.split(r"[/?]", entry["request"]["url"])
        does = DOES.get(method, "create")
        what = f"{kind}/{rest[0]}" if rest and "?" not in entry["request"]["url"] else kind
        await world.audit.note(
            visit.access(world, does, kind, rule=rule_id(does, kind, "none")), what, outcome=REFUSED
        )


def _answered(doing: Doing, entries: Entries) -> Answered:
    told = [*(doing.responses[place] for place in range(len(entries))), *doing.made]
    body = msgspec.json.encode({"resourceType": "Bundle", "type": "transaction-response", "entry": told})
    about = next((each["response"]["location"] for each in told if "location" in each["response"]), "Bundle")
    return Answered(OF_A_VERSION.sub("", about), body)


def _told(answer: Answer, method: str, url: str, base: str) -> dict[str, Any]:
    response: dict[str, Any] = {"status": f"{answer.status} {HTTPStatus(answer.status).phrase}"}
    location, tag = answer.header(b"location").removeprefix(f"{base}/"), answer.header(b"etag")
    if not location and tag and method in ("PUT", "PATCH"):
        location = f"{url}/_history/{tag.strip('W/').strip(chr(34))}"
    modified = answer.header(b"last-modified")
    response |= {"location": location} if location else {}
    response |= {"etag": tag} if tag else {}
    response |= {"lastModified": instant(parsedate_to_datetime(modified))} if modified else {}
    entry: dict[str, Any] = {"response": response}
    is_fhir = answer.header(b"content-type").startswith("application/fhir+json")
    content = json.read(answer.body) if answer.body and is_fhir else {}
    if content.get("resourceType") == "OperationOutcome":
        response["outcome"] = content
    elif content and (
        method == "GET" or url.endswith("_search")
    ):  # what is written is given back when it is asked for
        entry["resource"] = content
    return entry


def _address(entry: dict[str, Any]) -> str:
    """What it is about: by its url, or by what the search in it found."""
    address: str = entry.get("address") or entry["request"]["url"]
    return address


def _stale(kind: str, version: int) -> Issue:
    return Issue(
        nl=f"Uw versie is niet meer de laatste; dat is versie {version}. Lees de {kind} opnieuw.",
        en=f"Your version is no longer the latest; that is {version}. Read the {kind} again.",
    )


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: names.get(OF_A_VERSION.sub("", value), value)
            if key in LINKS and isinstance(value, str)
            else _renamed(value, names)
            for key, value in node.items()
        }
    return [_renamed(value, names) for value in node] if isinstance(node, list) else node


def _placed(issue: Issue, act: Act, code: str) -> Issue:
    """With its own code too: it may be told under the status of another."""
    return msgspec.structs.replace(issue, expression=tuple(_places(issue, act)), code=issue.code or code)


def _places(issue: Issue, act: Act) -> Iterator[str]:
    """In the Bundle as it was sent."""
    if not issue.expression:
        yield f"Bundle.entry[{act.places[0]}]"
    for path in issue.expression:
        if act.together:
            yield ENTRY.sub(lambda match: f"Bundle.entry[{act.places[int(match[1])]}]", path)
        elif path.startswith("Bundle."):
            yield path
        elif not path[:1].isupper():  # a header, a parameter, an answer that a step needs
            yield from (f"Bundle.entry[{act.places[0]}]", path)
        else:
            kind, dot, rest = path.partition(".")
            yield (
                f"Bundle.entry[{act.places[0]}].resource{dot}{rest}"
                if dot
                else f"Bundle.entry[{act.places[0]}].{kind}"
            )
